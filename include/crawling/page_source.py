"""The source of a crawl's pages: the landed page if there is one, else the site; its response is then landed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.crawling.client import PoliteClient
from include.crawling.crawl_run import CrawlRun
from include.crawling.prefetch import FirstPage, Prefetcher, following_pages, page_count
from include.crawling.responses import read_response
from include.crawling.site_session import OpenedSite
from include.errors import AisleflowError
from include.retailers.base import OfferRow, Page, SkippedRow
from include.retailers.errors import NotLanded, PageNotRequested, ShapeChanged, SiteUnavailable
from include.retailers.fields import reading
from include.staging.landing import Landing


@dataclass(frozen=True, slots=True)
class LandedPage:
    """A landed page with valid content."""

    url: str
    observed_at: datetime
    body: Any
    #: Landed by an earlier attempt, not requested by this one.
    is_from_earlier_attempt: bool = False


class Source:
    """The pages of one store, by name. Opens a session only before the first request."""

    #: The landed pages, read and written; set before the first request.
    landing: Landing

    def __init__(self, run: CrawlRun, client: PoliteClient | None) -> None:
        """Without a client, only landed pages are read."""
        self._run, self._retailer, self._store, self._client = run, run.retailer, run.store, client
        self._site = OpenedSite(client, run.store, lambda response: self.landing.put("opening", response)) if client else None
        self._stopped_by: SiteUnavailable | None = None
        self._prefetcher: Prefetcher[LandedPage] | None = None
        self.pages = 0

    @property
    def requests(self) -> int:
        """Requests made so far, repeated ones included."""
        return self._client.requests if self._client else 0

    @property
    def site_unavailable(self) -> bool:
        """Whether requests ended because the site is unavailable."""
        return self._stopped_by is not None

    @property
    def can_request(self) -> bool:
        """Whether requests may still be sent."""
        return self._client is not None and self._stopped_by is None

    def stop_requests(self, error: SiteUnavailable) -> None:
        """Send no further request: the site is unavailable. Landed pages are still read."""
        self._stopped_by = self._stopped_by or error

    def has_page(self, name: str) -> bool:
        """Whether a page is available: by a request, or landed."""
        return self.can_request or self.landing.get(name) is not None

    def plan(self, categories: Sequence[FirstPage], pages_max: int | None = None) -> None:
        """Prepare the prefetching of the lists to read, in their order, with a maximum of pages each."""
        if self._client is None:
            return

        def following(page: Page, landed: LandedPage) -> list[Page]:
            retailer = self._retailer
            try:
                with reading(retailer.name, landed.url):
                    rows = list(retailer.rows(landed.body, self._store, landed.observed_at))
                    skus = {row.sku if isinstance(row, SkippedRow) else row.offer.sku for row in rows if _counts_towards_total(row)}
                    pages = page_count(retailer.total(landed.body), len(skus))
                    pages = min(pages, pages_max or pages, self._run.settings.store_requests_max)
                    return following_pages(page, landed.body, retailer.next_page, pages)
            except ShapeChanged:
                return []  # the walk raises it when it reads the page

        self._prefetcher = Prefetcher(self._run.settings.connections_per_store, categories, self._load, following)

    def start_category(self, key: str) -> None:
        """Record that the walk starts a category."""
        if self._prefetcher is not None:
            self._prefetcher.start_category(key)

    def close(self) -> None:
        """Send no further request, and close the client."""
        if self._prefetcher is not None:
            self._prefetcher.close()
        if self._client is not None:
            self._client.close()

    def get(self, name: str, page: Page, *, again: bool = False) -> LandedPage:
        """Return a page; ``again``: request it although it is landed.

        Raises:
            NotLanded: it is not landed and there is no client. PageNotRequested: the site is unavailable.
            All errors of :meth:`PoliteClient.fetch`.
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
            response = self.landing.get(name)
            return (
                None
                if response is None
                else LandedPage(
                    response.url, response.observed_at, read_response(self._retailer.name, page, response), is_from_earlier_attempt=True
                )
            )
        except AisleflowError:
            if self._client is None:
                raise
            return None  # a page that failed last time is requested again

    def _request(self, name: str, page: Page) -> LandedPage:
        if self._client is None:
            raise NotLanded(f"{self._run.label}: page {name} is not in {self.landing.folder}. Only a crawl can request it.")
        if self._stopped_by is not None:
            raise PageNotRequested(f"page {name} was not requested. {self._stopped_by}")
        assert self._site is not None
        try:
            response, body = self._site.fetch(page, lambda response: self.landing.put(name, response))
        except SiteUnavailable as error:
            self.stop_requests(error)
            raise
        return LandedPage(response.url, response.observed_at, body)


def _counts_towards_total(row: OfferRow | SkippedRow) -> bool:
    """Whether a row is part of the list and counts towards its announced total."""
    return not row.is_sponsored if isinstance(row, OfferRow) else row.sku is not None
