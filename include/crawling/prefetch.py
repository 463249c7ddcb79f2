"""Requests pages before the walk reads them, over the connections of a store.

The walk reads the pages in its own order, regardless of the order of the responses, so the store-day is the same with one
connection and with four. Only pages that the walk needs are requested: the first page of each category, and
as many more as its announced products fill.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from include.retailers.base import Page

T = TypeVar("T")

#: Per connection: categories whose first page is prefetched, and the maximum of prefetched pages.
_FIRST_PAGES_PER_CONNECTION, _PAGES_PER_CONNECTION = 3, 6


@dataclass(order=True, slots=True)
class _QueuedPage:
    position: tuple[int, int]
    name: str = field(compare=False)
    page: Page = field(compare=False)


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The first page of a category; ``key`` names its pages ``<key>--1``, ``<key>--2`` …. With ``first_page_only`` no other is prefetched."""

    key: str
    page: Page
    first_page_only: bool = False


class Prefetcher(Generic[T]):
    """Prefetched pages. Used by one reading thread; other threads send the requests."""

    def __init__(
        self,
        connections: int,
        categories: Sequence[FirstPage],
        fetch: Callable[[str, Page], T],
        following: Callable[[Page, T], Sequence[Page]],
    ) -> None:
        """Prepare the prefetching; no request is sent yet.

        Args:
            connections: requests in flight; with one, the next page is requested while one is read.
            categories: in the order in which they will be read.
            fetch: returns a page by its name.
            following: the pages known to follow the first page of a list.
        """
        self._fetch, self._following, self._categories = fetch, following, categories
        self._positions = {first.key: position for position, first in enumerate(categories)}
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(connections, "crawl")
        self._first_pages_max, self._pages_max = _FIRST_PAGES_PER_CONNECTION * connections, _PAGES_PER_CONNECTION * connections
        self._lock = threading.Lock()
        self._queue: list[_QueuedPage] = []
        self._in_flight: dict[str, tuple[Page, Future[T]]] = {}
        self._queued_categories = 0

    def start_category(self, key: str) -> None:
        """Allow the requests for the pages of a category and of the next ones."""
        position = self._positions.get(key)
        if self._pool is None or position is None:
            return
        with self._lock:
            self._queue = [queued for queued in self._queue if queued.position[0] >= position]  # pages that the walk did not need
            heapq.heapify(self._queue)
            for name in [name for name, _ in self._in_flight.items() if self._positions[name.rpartition("--")[0]] < position]:
                self._in_flight.pop(name)[1].cancel()
            for later in range(max(self._queued_categories, position), min(position + self._first_pages_max, len(self._categories))):
                first = self._categories[later]
                heapq.heappush(self._queue, _QueuedPage((later, 1), f"{first.key}--1", first.page))
                self._queued_categories = later + 1
        self._fill()

    def pop(self, name: str, page: Page) -> Future[T] | None:
        """Return the page if it was requested; ``None`` if the reader has to request it."""
        with self._lock:
            self._queue = [queued for queued in self._queue if queued.name != name]
            heapq.heapify(self._queue)
            requested, future = self._in_flight.pop(name, (None, None))
        self._fill()
        if future is None or requested != page or future.cancel():  # still in the queue: the reader requests it
            return None
        return future

    def close(self) -> None:
        """Send no further request; wait for those in flight."""
        with self._lock:
            self._queue.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _fill(self) -> None:
        with self._lock:
            while self._pool is not None and self._queue and len(self._in_flight) < self._pages_max:
                queued = heapq.heappop(self._queue)
                self._in_flight[queued.name] = (queued.page, self._pool.submit(self._run, queued))

    def _run(self, queued: _QueuedPage) -> T:
        response = self._fetch(queued.name, queued.page)
        if queued.position[1] == 1 and not self._categories[queued.position[0]].first_page_only:
            key = queued.name.rpartition("--")[0]
            with self._lock:
                for page in self._following(queued.page, response):
                    heapq.heappush(self._queue, _QueuedPage((queued.position[0], page.number), f"{key}--{page.number}", page))
            self._fill()
        return response


def page_count(total: int | None, products_on_first_page: int) -> int:
    """Return the known number of pages of a list: as many as the announced products fill, 1 if nothing is announced.

    >>> page_count(100, 48), page_count(96, 48), page_count(None, 48), page_count(5, 0)
    (3, 2, 1, 1)
    """
    return 1 if not total or not products_on_first_page else -(-total // products_on_first_page)


def following_pages(page: Page, body: Any, next_page: Callable[[Page, Any], Page | None], pages: int) -> list[Page]:
    """Return the pages that follow a first one, up to a number of pages, as far as its body determines them."""
    found: list[Page] = []
    while len(found) + 1 < pages:
        following = next_page(found[-1] if found else page, body)
        if following is None:
            break
        found.append(following)
    return found
