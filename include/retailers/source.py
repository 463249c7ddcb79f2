"""Where a crawl's pages come from: landing where they are there already, else the site, and then landing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.errors import AisleflowError
from include.retailers.base import Page, Retailer
from include.retailers.errors import NotLanded, SiteGaveOut, UnexpectedStatus
from include.retailers.fields import reading
from include.retailers.http import PoliteClient, judge
from include.staging.landing import Landing
from include.staging.offer import StoreRef


@dataclass(frozen=True, slots=True)
class Landed:
    """A page that is landed and of which the content is good."""

    url: str
    observed_at: datetime
    body: Any


class Source:
    """The pages of one store, by name. Opens a session only when something must really be asked for."""

    def __init__(self, retailer: Retailer, store: StoreRef, landing: Landing, client: PoliteClient | None) -> None:
        """Without a client only landed pages are read."""
        self._retailer, self._store, self._landing, self._client = retailer, store, landing, client
        self._values: Mapping[str, str] | None = None
        self._stopped_by: SiteGaveOut | None = None
        self.pages = 0

    @property
    def requests(self) -> int:
        """Requests made so far, repeated ones included."""
        return self._client.requests if self._client else 0

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

    def get(self, name: str, page: Page) -> Landed:
        """Return a page.

        Raises:
            NotLanded: it is not landed and there is no client. SiteGaveOut: the site was given up.
            Everything :meth:`PoliteClient.fetch` raises.
        """
        landed = self._from_landing(name, page)
        if landed is None:
            landed = self._ask(name, page)
        self.pages += 1
        return landed

    def _from_landing(self, name: str, page: Page) -> Landed | None:
        try:
            answer = self._landing.get(name)
            return None if answer is None else Landed(answer.url, answer.observed_at, judge(self._retailer.name, page, answer))
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
            raise SiteGaveOut(f"page {name} was not asked for any more. {self._stopped_by}")
        try:
            return self._fetch(name, page)
        except UnexpectedStatus as error:
            if error.status != 404 or not self._retailer.renews_on_404:
                raise
            self._values = None  # the build id is old: open again, repeat the same page
            return self._fetch(name, page)

    def _fetch(self, name: str, page: Page) -> Landed:
        assert self._client is not None
        values = self._opened()
        answer, body = self._client.fetch(page, values, lambda answer: self._landing.put(name, answer))
        return Landed(answer.url, answer.observed_at, body)

    def _opened(self) -> Mapping[str, str]:
        if self._values is None:
            self._values = {}
            page = self._retailer.opening_for(self._store)
            if page is not None and self._client is not None:
                answer, html = self._client.fetch(page, land=lambda answer: self._landing.put("opening", answer))
                with reading(self._retailer.name, answer.url):
                    self._values = self._retailer.session(html, answer.url)
        return self._values
