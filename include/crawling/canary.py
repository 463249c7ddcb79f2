"""The canary: compares one category page with the shape on record before a run starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.crawling.client import PoliteClient
from include.crawling.crawl_run import CrawlRun
from include.crawling.store_crawl import begin_landing
from include.model.store import StoreRef
from include.retailers.bounds import bounded_categories
from include.retailers.errors import Blocked, ShapeChanged
from include.retailers.fields import reading
from include.staging.landing import Landing
from include.warehouse.engine import Warehouse

#: Categories tried at most: an empty one proves nothing.
_CATEGORIES = 3


@dataclass(frozen=True, slots=True)
class CanaryReport:
    """The result of the canary. ``refused`` is the message of a refusal (bot wall); the crawl itself handles refusals."""

    retailer: str
    store_id: str
    category: str | None
    offers: int
    requests: int
    refused: str | None = None


def choose_store(warehouse: Warehouse, retailer: str, store_ids: Sequence[str] | None = None) -> StoreRef | None:
    """Return the first store of a run, ``None`` if no store is known."""
    with warehouse.transaction() as connection:
        values = {"retailer": retailer, "store_ids": list(store_ids) if store_ids else None}
        row = connection.run("crawl/choose_canary", values).fetchone()
    return StoreRef(retailer, **row) if row else None


def crawl_canary(run: CrawlRun) -> CanaryReport:
    """Request one category of one store and read it. Its responses are landed with the store's pages, as ``canary--…``.

    Raises:
        ShapeChanged: the tree or the product rows have another shape; names the expected and the found keys.
        WrongStore: the page is for another store. Errors of :meth:`PoliteClient.fetch` other than a refusal.
    """
    landing = begin_landing(run)
    with PoliteClient.of_run(run) as client:
        try:
            category, offers = _read_first_category(run, client, landing)
        except Blocked as error:
            return CanaryReport(run.retailer.name, run.store.store_id, None, 0, client.requests, str(error))
        return CanaryReport(run.retailer.name, run.store.store_id, category, offers, client.requests)


def _read_first_category(run: CrawlRun, client: PoliteClient, landing: Landing) -> tuple[str, int]:
    retailer, store = run.retailer, run.store
    values: Mapping[str, str] = {}
    if session_page := retailer.session_page_for(store):
        response, html = client.fetch(session_page, on_response=lambda response: landing.put("canary--opening", response))
        with reading(retailer.name, response.url):
            values = retailer.session(html, response.url)
    body, url = None, client.base_url
    if page := retailer.tree_page(store):
        response, body = client.fetch(page, values, lambda response: landing.put("canary--tree", response))
        url = response.url
    with reading(retailer.name, url):
        categories = [
            node
            for node in bounded_categories(retailer.categories(body)).values()
            if not node.skipped and not node.covers and not node.is_promotional
        ]
    if not categories:
        raise ShapeChanged(retailer.name, "the category tree has no category (expected: at least one to read; found: none)", url)
    for number, category in enumerate(categories[:_CATEGORIES], 1):
        name = f"canary--{number}"
        response, body = client.fetch(retailer.first_page(store, category), values, lambda response, name=name: landing.put(name, response))  # type: ignore[misc]
        with reading(retailer.name, response.url):
            retailer.check_store(body, store)
            is_empty = retailer.total(body) == 0
        if is_empty and number < min(_CATEGORIES, len(categories)):
            continue
        if not is_empty:
            retailer.check_shape(body, response.url)
        with reading(retailer.name, response.url):
            offers = sum(1 for _ in retailer.offers(body, store, response.observed_at))
        return category.name, offers
    raise AssertionError("at least one category is read")
