"""Asks for pages before the walk comes to them, over the connections a store may have.

The walk reads the pages in its own order, whatever the order of the answers, so the store-day is the same with one
connection and with four. Nothing is asked for that the walk would not ask for: the first page of each category, and
as many more as the goods it announces fill.
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

#: Per connection: categories of which the first page is asked for ahead, and pages held ready at most.
_FIRST_PAGES, _PAGES = 3, 6


@dataclass(order=True, slots=True)
class _Wish:
    place: tuple[int, int]
    name: str = field(compare=False)
    page: Page = field(compare=False)


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The first page of a category; ``key`` names its pages ``<key>--1``, ``<key>--2`` …. With ``is_alone`` no other is asked for ahead."""

    key: str
    page: Page
    is_alone: bool = False


class Ahead(Generic[T]):
    """Pages on their way. Used by one reading thread; asks in others."""

    def __init__(
        self,
        connections: int,
        categories: Sequence[FirstPage],
        ask: Callable[[str, Page], T],
        following: Callable[[Page, T], Sequence[Page]],
    ) -> None:
        """Prepare to ask.

        Args:
            connections: requests under way at once; with one the next page is asked for while one is read.
            categories: in the order in which they will be read.
            ask: gets a page by its name.
            following: the pages that surely follow the first page of a list.
        """
        self._ask, self._following, self._categories = ask, following, categories
        self._places = {first.key: place for place, first in enumerate(categories)}
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(connections, "crawl")
        self._first_pages_max, self._pages_max = _FIRST_PAGES * connections, _PAGES * connections
        self._lock = threading.Lock()
        self._wishes: list[_Wish] = []
        self._under_way: dict[str, tuple[Page, Future[T]]] = {}
        self._hinted = 0

    def begin(self, key: str) -> None:
        """The reading comes to a category: its pages and those of the next ones may be asked for."""
        place = self._places.get(key)
        if self._pool is None or place is None:
            return
        with self._lock:
            self._wishes = [wish for wish in self._wishes if wish.place[0] >= place]  # pages the reading did without
            heapq.heapify(self._wishes)
            for name in [name for name, _ in self._under_way.items() if self._places[name.rpartition("--")[0]] < place]:
                self._under_way.pop(name)[1].cancel()
            for later in range(max(self._hinted, place), min(place + self._first_pages_max, len(self._categories))):
                first = self._categories[later]
                heapq.heappush(self._wishes, _Wish((later, 1), f"{first.key}--1", first.page))
                self._hinted = later + 1
        self._fill()

    def take(self, name: str, page: Page) -> Future[T] | None:
        """Return the answer that is here or on its way, ``None`` where the reader has to ask."""
        with self._lock:
            self._wishes = [wish for wish in self._wishes if wish.name != name]
            heapq.heapify(self._wishes)
            asked, future = self._under_way.pop(name, (None, None))
        self._fill()
        if future is None or asked != page or future.cancel():  # still in the queue: the reader is quicker
            return None
        return future

    def close(self) -> None:
        """Ask for nothing more; wait for what is under way."""
        with self._lock:
            self._wishes.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _fill(self) -> None:
        with self._lock:
            while self._pool is not None and self._wishes and len(self._under_way) < self._pages_max:
                wish = heapq.heappop(self._wishes)
                self._under_way[wish.name] = (wish.page, self._pool.submit(self._run, wish))

    def _run(self, wish: _Wish) -> T:
        answer = self._ask(wish.name, wish.page)
        if wish.place[1] == 1 and not self._categories[wish.place[0]].is_alone:
            key = wish.name.rpartition("--")[0]
            with self._lock:
                for page in self._following(wish.page, answer):
                    heapq.heappush(self._wishes, _Wish((wish.place[0], page.number), f"{key}--{page.number}", page))
            self._fill()
        return answer


def pages_for(total: int | None, goods_of_first: int) -> int:
    """Return how many pages a list surely has: as many as the announced goods fill, 1 where nothing is known.

    >>> pages_for(100, 48), pages_for(96, 48), pages_for(None, 48), pages_for(5, 0)
    (3, 2, 1, 1)
    """
    return 1 if not total or not goods_of_first else -(-total // goods_of_first)


def chain(page: Page, body: Any, next_page: Callable[[Page, Any], Page | None], pages: int) -> list[Page]:
    """Return the pages that follow a first one, up to a number of pages, as far as its own body can say."""
    found: list[Page] = []
    while len(found) + 1 < pages:
        following = next_page(found[-1] if found else page, body)
        if following is None:
            break
        found.append(following)
    return found
