"""One crawl of one store: the store, its run, the resources, and the requested part of the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date

from include.config import Settings
from include.crawling.limiter import RequestLimiter
from include.crawling.sessions import Session
from include.model.store import StoreRef
from include.retailers.base import Category, Retailer
from include.staging.storage import Storage

#: Called with a message at each step: store, category, position.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CrawlSubset:
    """A part of a store, to develop an adapter or to find an error. The store-day is incomplete.

    ``pages``: maximum pages of each category. ``categories``: only those with this key or name, and those below them.
    """

    pages: int | None = None
    categories: Collection[str] = ()

    @property
    def is_part(self) -> bool:
        """Whether anything is left out on purpose."""
        return self.pages is not None or bool(self.categories)

    def includes(self, category: Category) -> bool:
        """Whether a category is to be read."""
        selected = {name.strip().lower() for name in self.categories}
        return not selected or category.key.lower() in selected or any(name.lower() in selected for name in (*category.path, category.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlRun:
    """One crawl of one store, passed through the crawl as one value.

    Attributes:
        retailer: the adapter that reads the store's pages.
        run_key: of the run that the crawl belongs to; names its landed pages and its staged file.
        scope: key under which the run's breaker and limiter store their state; stores crawled after an operator's approval have a separate one.
        limiter: shared by all clients of this site; ``None`` if there is no other client, or no request is sent.
        session: an operator's browser session for a site with a bot wall, while it is valid.
        subset: the part of the store to crawl; by default all of it.
        progress: called with a message at each step.
    """

    retailer: Retailer
    store: StoreRef
    night: date
    run_key: str
    storage: Storage
    settings: Settings
    limiter: RequestLimiter | None
    scope: str = ""
    session: Session | None = None
    subset: CrawlSubset = field(default_factory=CrawlSubset)
    progress: Progress = logging.getLogger(__name__).info

    @property
    def label(self) -> str:
        """Retailer and store for messages."""
        return f"{self.retailer.name} {self.store.store_id}"
