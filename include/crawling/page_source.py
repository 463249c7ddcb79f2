"""Where a crawl's pages come from: landing where they are there already, else the site, and then landing."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.crawling.client import PoliteClient
from include.crawling.judge import judge
from include.crawling.read_ahead import Ahead, FirstPage, chain, pages_for
from include.errors import AisleflowError
from include.model.offer import StoreRef
from include.retailers.base import Page, Retailer, Shown, Skipped
from include.retailers.errors import LeftAlone, NotLanded, ShapeChanged, SiteGaveOut, UnexpectedStatus
from include.retailers.fields import reading
from include.staging.landing import Landing


@dataclass(frozen=True, slots=True)
class Landed:
    """A page that is landed and of which the content is good."""

    url: str
    observed_at: datetime
    body: Any
    #: Landed by an earlier attempt, not asked for just now.
    is_old: bool = False


class Source:
    """The pages of one store, by name. Opens a session only when something must really be asked for."""

    def __init__(self, retailer: Retailer, store: StoreRef, landing: Landing, client: PoliteClient | None, *, connections: int = 1) -> None:
        """Without a client only landed pages are read; with several ``connections`` pages are asked for ahead."""
        self._retailer, self._store, self._landing, self._client = retailer, store, landing, client
        self._connections = connections
        self._values: Mapping[str, str] | None = None
        self._lock = threading.Lock()
        self._stopped_by: SiteGaveOut | None = None
        self._ahead: Ahead[Landed] | None = None
        self.pages = 0

    @property
    def requests(self) -> int:
        """Requests made so far, repeated ones included."""
        return self._client.requests if self._client else 0

    @property
    def gave_out(self) -> bool:
        """Whether the site was given up."""
        return self._stopped_by is not None

    @property
    def is_open(self) -> bool:
        """Whether the site may still be asked."""
        return self._client is not None and self._stopped_by is None

    def stop(self, error: SiteGaveOut) -> None:
        """Ask for nothing more: the site gave out. Landed pages are still read."""
        self._stopped_by = self._stopped_by or error

    def can_give(self, name: str) -> bool:
        """Whether a page can be had: asked for, or from landing."""
        return self.is_open or self._landing.get(name) is not None

    def plan(self, categories: Sequence[FirstPage], pages_max: int | None = None) -> None:
        """Say which lists will be read, in which order, and of how many pages each at most."""
        if self._client is None:
            return

        def following(page: Page, landed: Landed) -> list[Page]:
            retailer = self._retailer
            try:
                with reading(retailer.name, landed.url):
                    rows = list(retailer.rows(landed.body, self._store, landed.observed_at))
                    goods = {row.sku if isinstance(row, Skipped) else row.offer.sku for row in rows if _is_good(row)}
                    pages = pages_for(retailer.total(landed.body), len(goods))
                    return chain(page, landed.body, retailer.next_page, min(pages, pages_max or pages))
            except ShapeChanged:
                return []  # the walk meets it in its turn

        self._ahead = Ahead(self._connections, categories, self._load, following)

    def begin(self, key: str) -> None:
        """The walk comes to a category."""
        if self._ahead is not None:
            self._ahead.begin(key)

    def close(self) -> None:
        """Ask for nothing more."""
        if self._ahead is not None:
            self._ahead.close()

    def get(self, name: str, page: Page, *, again: bool = False) -> Landed:
        """Return a page; ``again``: ask for it although it is landed.

        Raises:
            NotLanded: it is not landed and there is no client. LeftAlone: the site was given up.
            Everything :meth:`PoliteClient.fetch` raises.
        """
        under_way = self._ahead.take(name, page) if self._ahead is not None else None
        if again and self._client is not None:
            landed = self._ask(name, page)
        else:
            landed = under_way.result() if under_way is not None else self._load(name, page)
        self.pages += 1
        return landed

    def _load(self, name: str, page: Page) -> Landed:
        return self._from_landing(name, page) or self._ask(name, page)

    def _from_landing(self, name: str, page: Page) -> Landed | None:
        try:
            answer = self._landing.get(name)
            return None if answer is None else Landed(answer.url, answer.observed_at, judge(self._retailer.name, page, answer), is_old=True)
        except AisleflowError:
            if self._client is None:
                raise
            return None  # what went wrong last time is asked for again

    def _ask(self, name: str, page: Page) -> Landed:
        if self._client is None:
            raise NotLanded(
                f"{self._retailer.name} {self._store.store_id}: page {name} is not in {self._landing.folder}. Only a crawl can ask for it."
            )
        if self._stopped_by is not None:
            raise LeftAlone(f"page {name} was not asked for any more. {self._stopped_by}")
        values = self._opened(None)
        try:
            return self._fetch(name, page, values)
        except UnexpectedStatus as error:
            if error.status != 404 or not self._retailer.renews_on_404:
                raise
            return self._fetch(name, page, self._opened(values))  # the build id is old: open again, repeat the same page

    def _fetch(self, name: str, page: Page, values: Mapping[str, str]) -> Landed:
        assert self._client is not None
        try:
            answer, body = self._client.fetch(page, values, lambda answer: self._landing.put(name, answer))
        except SiteGaveOut as error:
            self.stop(error)
            raise
        return Landed(answer.url, answer.observed_at, body)

    def _opened(self, old: Mapping[str, str] | None) -> Mapping[str, str]:
        """Return what the opening page gives, asked for once; again where what it gave before is old."""
        assert self._client is not None
        with self._lock:  # other connections wait: one opening serves all
            if self._values is None or self._values is old:
                values: Mapping[str, str] = {}
                page = self._retailer.opening_for(self._store)
                if page is not None:
                    answer, html = self._client.fetch(page, land=lambda answer: self._landing.put("opening", answer))
                    with reading(self._retailer.name, answer.url):
                        values = dict(self._retailer.session(html, answer.url))
                self._values = values
            return self._values


def _is_good(row: Shown | Skipped) -> bool:
    """Whether a row stands in the list and counts among the goods it announces."""
    return not row.is_sponsored if isinstance(row, Shown) else row.sku is not None
