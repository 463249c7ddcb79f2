"""Where a crawl's pages come from: landing where they are there already, else the site, and then landing."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.crawling.client import PoliteClient
from include.crawling.crawl_run import CrawlRun
from include.crawling.judge import read_response
from include.crawling.read_ahead import FirstPage, Prefetcher, following_pages, page_count
from include.errors import AisleflowError
from include.retailers.base import OfferRow, Page, SkippedRow
from include.retailers.errors import NotLanded, PageNotRequested, ShapeChanged, SiteUnavailable, UnexpectedStatus
from include.retailers.fields import reading
from include.staging.landing import Landing


@dataclass(frozen=True, slots=True)
class LandedPage:
    """A page that is landed and of which the content is good."""

    url: str
    observed_at: datetime
    body: Any
    #: Landed by an earlier attempt, not asked for just now.
    is_from_earlier_attempt: bool = False


class Source:
    """The pages of one store, by name. Opens a session only when something must really be asked for."""

    #: Where pages are read from, and landed; set before the first is asked for.
    landing: Landing

    def __init__(self, run: CrawlRun, client: PoliteClient | None) -> None:
        """Without a client only landed pages are read."""
        self._run, self._retailer, self._store, self._client = run, run.retailer, run.store, client
        self._values: Mapping[str, str] | None = None
        self._lock = threading.Lock()
        self._stopped_by: SiteUnavailable | None = None
        self._prefetcher: Prefetcher[LandedPage] | None = None
        self.pages = 0

    @property
    def requests(self) -> int:
        """Requests made so far, repeated ones included."""
        return self._client.requests if self._client else 0

    @property
    def site_unavailable(self) -> bool:
        """Whether the site was given up."""
        return self._stopped_by is not None

    @property
    def can_request(self) -> bool:
        """Whether the site may still be asked."""
        return self._client is not None and self._stopped_by is None

    def stop_requests(self, error: SiteUnavailable) -> None:
        """Ask for nothing more: the site gave out. Landed pages are still read."""
        self._stopped_by = self._stopped_by or error

    def has_page(self, name: str) -> bool:
        """Whether a page can be had: asked for, or from landing."""
        return self.can_request or self.landing.get(name) is not None

    def plan(self, categories: Sequence[FirstPage], pages_max: int | None = None) -> None:
        """Say which lists will be read, in which order, and of how many pages each at most."""
        if self._client is None:
            return

        def following(page: Page, landed: LandedPage) -> list[Page]:
            retailer = self._retailer
            try:
                with reading(retailer.name, landed.url):
                    rows = list(retailer.rows(landed.body, self._store, landed.observed_at))
                    skus = {row.sku if isinstance(row, SkippedRow) else row.offer.sku for row in rows if _counts_towards_total(row)}
                    pages = page_count(retailer.total(landed.body), len(skus))
                    return following_pages(page, landed.body, retailer.next_page, min(pages, pages_max or pages))
            except ShapeChanged:
                return []  # the walk meets it in its turn

        self._prefetcher = Prefetcher(self._run.settings.connections_per_store, categories, self._load, following)

    def start_category(self, key: str) -> None:
        """The walk comes to a category."""
        if self._prefetcher is not None:
            self._prefetcher.start_category(key)

    def close(self) -> None:
        """Ask for nothing more, and close the client."""
        if self._prefetcher is not None:
            self._prefetcher.close()
        if self._client is not None:
            self._client.close()

    def get(self, name: str, page: Page, *, again: bool = False) -> LandedPage:
        """Return a page; ``again``: ask for it although it is landed.

        Raises:
            NotLanded: it is not landed and there is no client. PageNotRequested: the site was given up.
            Everything :meth:`PoliteClient.fetch` raises.
        """
        in_flight = self._prefetcher.pop(name, page) if self._prefetcher is not None else None
        if again and self._client is not None:
            landed = self._request(name, page)
        else:
            landed = in_flight.result() if in_flight is not None else self._load(name, page)
        self.pages += 1
        return landed

    def _load(self, name: str, page: Page) -> LandedPage:
        return self._from_landing(name, page) or self._request(name, page)

    def _from_landing(self, name: str, page: Page) -> LandedPage | None:
        try:
            answer = self.landing.get(name)
            return (
                None
                if answer is None
                else LandedPage(
                    answer.url, answer.observed_at, read_response(self._retailer.name, page, answer), is_from_earlier_attempt=True
                )
            )
        except AisleflowError:
            if self._client is None:
                raise
            return None  # what went wrong last time is asked for again

    def _request(self, name: str, page: Page) -> LandedPage:
        if self._client is None:
            raise NotLanded(f"{self._run.label}: page {name} is not in {self.landing.folder}. Only a crawl can ask for it.")
        if self._stopped_by is not None:
            raise PageNotRequested(f"page {name} was not asked for any more. {self._stopped_by}")
        values = self._session_values_for(None)
        try:
            return self._fetch(name, page, values)
        except UnexpectedStatus as error:
            if error.status != 404 or not self._retailer.renew_session_on_404:
                raise
            return self._fetch(name, page, self._session_values_for(values))  # the build id is old: open again, repeat the same page

    def _fetch(self, name: str, page: Page, values: Mapping[str, str]) -> LandedPage:
        assert self._client is not None
        try:
            answer, body = self._client.fetch(page, values, lambda answer: self.landing.put(name, answer))
        except SiteUnavailable as error:
            self.stop_requests(error)
            raise
        return LandedPage(answer.url, answer.observed_at, body)

    def _session_values_for(self, stale_values: Mapping[str, str] | None) -> Mapping[str, str]:
        """Return what the opening page gives, asked for once; again where what it gave before is old."""
        assert self._client is not None
        with self._lock:  # other connections wait: one opening serves all
            if self._values is None or self._values is stale_values:
                values: Mapping[str, str] = {}
                page = self._retailer.session_page_for(self._store)
                if page is not None:
                    answer, html = self._client.fetch(page, on_response=lambda answer: self.landing.put("opening", answer))
                    with reading(self._retailer.name, answer.url):
                        values = dict(self._retailer.session(html, answer.url))
                self._values = values
            return self._values


def _counts_towards_total(row: OfferRow | SkippedRow) -> bool:
    """Whether a row stands in the list and counts among the goods it announces."""
    return not row.is_sponsored if isinstance(row, OfferRow) else row.sku is not None
