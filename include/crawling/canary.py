"""The canary: before a whole run is read, one category page is compared with the shape on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.crawling.client import PoliteClient
from include.crawling.crawl_run import CrawlRun
from include.model.store import StoreRef
from include.retailers.errors import Blocked, ShapeChanged
from include.retailers.fields import reading
from include.staging.landing import Landing
from include.warehouse.engine import Warehouse

#: An empty category proves nothing: so many are tried.
_CATEGORIES = 3


@dataclass(frozen=True, slots=True)
class CanaryReport:
    """What the canary saw. ``refused`` is a bot wall's sentence; the crawl itself deals with walls."""

    retailer: str
    store_id: str
    category: str | None
    offers: int
    requests: int
    refused: str | None = None


def choose_store(warehouse: Warehouse, retailer: str, store_ids: Sequence[str] | None = None) -> StoreRef | None:
    """Return the store that opens a run, ``None`` where no store is known."""
    with warehouse.transaction() as connection:
        values = {"retailer": retailer, "store_ids": list(store_ids) if store_ids else None}
        row = connection.run("crawl/choose_canary", values).fetchone()
    return StoreRef(retailer, **row) if row else None


def crawl_canary(run: CrawlRun) -> CanaryReport:
    """Ask for one category of one store and read it. What it is answered lands beside the store's pages, as ``canary--…``.

    Raises:
        ShapeChanged: the tree or the product rows have another shape; names the expected and the found keys.
        WrongStore: the page shows another store. Otherwise what :meth:`PoliteClient.fetch` raises, but for a refusal.
    """
    landing = Landing.resume(run.storage, run.store, run.night, run.run_key, hours=run.settings.landing_resume_hours)
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
        answer, html = client.fetch(session_page, on_response=lambda answer: landing.put("canary--opening", answer))
        with reading(retailer.name, answer.url):
            values = retailer.session(html, answer.url)
    body, url = None, client.base_url
    if page := retailer.tree_page(store):
        answer, body = client.fetch(page, values, lambda answer: landing.put("canary--tree", answer))
        url = answer.url
    with reading(retailer.name, url):
        categories = [node for node in retailer.categories(body) if not node.skipped and not node.covers and not node.is_promotional]
    if not categories:
        raise ShapeChanged(retailer.name, "the category tree has no category (expected: at least one to read; found: none)", url)
    for number, category in enumerate(categories[:_CATEGORIES], 1):
        name = f"canary--{number}"
        answer, body = client.fetch(retailer.first_page(store, category), values, lambda answer, name=name: landing.put(name, answer))  # type: ignore[misc]
        with reading(retailer.name, answer.url):
            retailer.check_store(body, store)
            is_empty = retailer.total(body) == 0
        if is_empty and number < min(_CATEGORIES, len(categories)):
            continue
        if not is_empty:
            retailer.check_shape(body, answer.url)
        with reading(retailer.name, answer.url):
            offers = sum(1 for _ in retailer.offers(body, store, answer.observed_at))
        return category.name, offers
    raise AssertionError("a category is always looked at")
