"""One crawl of one store: which store under which run, with what it works, and how much of the store is wanted."""

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

#: Called with a sentence at each step: store, category, how far.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CrawlSubset:
    """Read a part of a store only, while an adapter is made or a fault is looked for. The store-day is incomplete.

    ``pages``: so many pages of each category at most. ``categories``: only those of this key or name, or below it.
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
    """One crawl of one store, handed through the crawl as one value.

    Attributes:
        retailer: the adapter that reads the store's pages.
        run_key: of the run that the crawl belongs to; names its landed pages and its staged file.
        scope: key under which the run's breaker and limiter keep their state; stores crawled after a person was asked have one of their own.
        limiter: shared with everybody who asks this site; ``None`` where nobody else does, or nothing is asked for.
        session: a person's browser session for a walled site, while it is in force.
        subset: how much of the store is wanted; by default all of it.
        progress: called with a sentence at each step.
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
        """Retailer and store as messages name them."""
        return f"{self.retailer.name} {self.store.store_id}"
