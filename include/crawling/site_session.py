"""Requests to one site in a session of its own: the opening page once, and again when its values are outdated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from include.crawling.client import PoliteClient
from include.model.store import StoreRef
from include.retailers.base import Page
from include.retailers.errors import UnexpectedStatus
from include.retailers.fields import reading
from include.staging.landing import PageResponse

#: Called with each complete response before it is checked or read.
OnResponse = Callable[[PageResponse], None]


class OpenedSite:
    """A site in a session. May be shared between threads."""

    def __init__(self, client: PoliteClient, store: StoreRef | None, on_opening: OnResponse | None = None) -> None:
        """``store``: whose cookies the session has, if the site chooses the store so. ``on_opening`` gets the opening page's responses."""
        self._client, self._store, self._on_opening = client, store, on_opening
        self._values: Mapping[str, str] | None = None
        self._lock = threading.Lock()

    def fetch(self, page: Page, on_response: OnResponse | None = None) -> tuple[PageResponse, Any]:
        """Request a page of the session.

        Raises:
            All errors of :meth:`PoliteClient.fetch`, and ShapeChanged for the opening page.
        """
        values = self._values_for(None)
        try:
            return self._client.fetch(page, values, on_response)
        except UnexpectedStatus as error:
            if error.status != 404 or not self._client.retailer.renew_session_on_404:
                raise
            # the build id is outdated: open a session again, repeat the same page
            return self._client.fetch(page, self._values_for(values), on_response)

    def _values_for(self, stale_values: Mapping[str, str] | None) -> Mapping[str, str]:
        """Return the values of the opening page, requested once, and again if the previous values are outdated."""
        retailer = self._client.retailer
        with self._lock:  # other connections wait and use the same session
            if self._values is None or self._values is stale_values:
                values: Mapping[str, str] = {}
                page = retailer.session_page_for(self._store)
                if page is not None:
                    response, html = self._client.fetch(page, on_response=self._on_opening)
                    with reading(retailer.name, response.url):
                        values = dict(retailer.session(html, response.url))
                self._values = values
            return self._values
