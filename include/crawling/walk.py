"""One walk over a store's categories: what to ask for next, what is new, and whether a category was read whole."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from itertools import count

from include.config import Settings
from include.crawling.outcome import CategoryOutcome, Status
from include.crawling.page_source import Landed, Source
from include.crawling.read_ahead import FirstPage
from include.crawling.unit_check import checked
from include.errors import TerminalError, TransientError
from include.model.offer import Offer, StoreRef
from include.retailers.base import Category, Page, Retailer, Row, Skipped
from include.retailers.errors import LeftAlone, SiteGaveOut, UnexpectedStatus, WrongStore
from include.retailers.fields import reading

log = logging.getLogger(__name__)

#: Called with a sentence at each step: store, category, how far.
Progress = Callable[[str], None]
#: A category short of its total is asked for this often in one attempt before it counts as unfinished.
_WALKS = 2
#: So many pages in a row without anything new end a list.
_STALE_PAGES = 2


@dataclass(frozen=True, slots=True)
class Part:
    """Read a part of a store only, while an adapter is made or a fault is looked for. The store-day is incomplete.

    ``pages``: so many pages of each category at most. ``categories``: only those of this key or name, or below it.
    """

    pages: int | None = None
    categories: Collection[str] = ()

    def wants(self, category: Category) -> bool:
        """Whether a category is to be read."""
        wanted = {name.strip().lower() for name in self.categories}
        return not wanted or category.key.lower() in wanted or any(name.lower() in wanted for name in (*category.path, _name(category)))


@dataclass(slots=True)
class _Read:
    """What is known of one category: ``goods`` are listed, ``others`` are listed but not for staging (a third party's)."""

    goods: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    announced: int | None = None
    pages: int = 0
    #: The walk ended before the list, because only a part was wanted.
    is_cut: bool = False
    #: The last walk met a page twice and went on: where totals are not exact, nothing else shows what is missing.
    has_gap: bool = False

    def has(self, share: float, *, with_others: bool) -> bool:
        """Whether this share of what the category announces has been read."""
        read = self.goods | self.others if with_others else self.goods
        return self.announced is None or len(read) >= self.announced * share


class Walk:
    """Holds the SKUs of a store, never its products, but for the few sponsored ones not yet met in a list.

    Attributes:
        outcomes: one entry per category, skipped ones included.
        errors: what made categories fail.
        skipped: rows that are no offer, counted by reason.
        notes: staged offers that contradict themselves, counted by kind.
        is_worth_retrying: whether something failed that may not fail again.
    """

    def __init__(
        self,
        retailer: Retailer,
        store: StoreRef,
        source: Source,
        write: Callable[[Offer], None],
        settings: Settings,
        part: Part | None = None,
    ) -> None:
        self._retailer, self._store, self._source, self._write, self._settings = retailer, store, source, write, settings
        self._part = part or Part()
        self._written: set[str] = set()
        self._sponsored: dict[str, Offer] = {}
        self._goods_of: dict[str, set[str]] = {}
        self._audited: frozenset[str] = frozenset()
        self.outcomes: list[CategoryOutcome] = []
        self.errors: list[TerminalError | TransientError] = []
        self.skipped: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.is_worth_retrying = False

    def run(self, progress: Progress | None = None) -> None:
        """Walk every category, promotional ones last, then write the sponsored offers that stood in no list.

        Raises:
            Blocked: the site refuses us. WrongStore: a page shows another store.
            TransientError, TerminalError: the category tree cannot be had.
        """
        page = self._retailer.tree_page(self._store)
        tree = self._source.get("tree", page) if page else None
        nodes = self._nodes(tree)
        if not nodes and page and tree and tree.is_old:  # an empty tree may have passed: a retry asks again
            nodes = self._nodes(self._source.get("tree", page, again=True))
        plan = sorted((node for node in nodes.values() if not node.skipped), key=lambda node: node.is_promotional)
        self._audited = frozenset(key for node in plan for key in node.covers)
        self.outcomes = [CategoryOutcome(node.key, _name(node), "skipped", node.skipped) for node in nodes.values() if node.skipped]
        wanted = self._wanted(plan)
        self._source.plan(
            [FirstPage(node.key, self._retailer.first_page(self._store, node), bool(node.covers)) for node in wanted], self._part.pages
        )
        for done, category in enumerate(wanted):
            if progress:
                progress(f"{self._retailer.name} {self._store.store_id}: {_name(category)} ({done + 1} of {len(wanted)} categories)")
            self._source.begin(category.key)
            self.outcomes.append(self._category(category))
        for offer in list(self._sponsored.values()):
            self._put(offer)
            self.skipped["sponsored"] -= 1

    def _nodes(self, tree: Landed | None) -> dict[str, Category]:
        with reading(self._retailer.name, tree.url if tree else "no page"):
            # one node may hang under two departments
            return {node.key: node for node in self._retailer.categories(tree.body if tree else None)}

    def _wanted(self, plan: list[Category]) -> list[Category]:
        """Return the categories to read; the others are failed ones, so that nobody takes the store-day for a whole one."""
        wanted = [node for node in plan if self._part.wants(node)]
        if not wanted and plan:
            raise TerminalError(
                f"{self._retailer.name} {self._store.store_id}: no category is called {', '.join(sorted(self._part.categories))}. "
                f"There are: {', '.join(sorted(_name(node) for node in plan))}."
            )
        left = [node for node in plan if node not in wanted]
        self.outcomes += [CategoryOutcome(node.key, _name(node), "failed", "not asked for: only a part was wanted") for node in left]
        return wanted

    def _category(self, category: Category) -> CategoryOutcome:
        begun, read = time.monotonic(), _Read()
        status: Status = "finished"
        reason: str | None = None
        try:
            self._read_whole(category, read)
            if read.is_cut:
                status, reason = "failed", f"only {self._part.pages} page(s) were wanted"
            elif reason := self._shortfall(read):
                status, self.is_worth_retrying = "failed", True
        except WrongStore:
            raise  # puts the whole store in doubt
        except (TerminalError, TransientError) as error:
            status, reason = "failed", str(error)
            self._note(category, error)
        if category.key in self._audited:
            self._goods_of[category.key] = read.goods | read.others
        seconds = round(time.monotonic() - begun, 3)
        return CategoryOutcome(category.key, _name(category), status, reason, read.pages, read.announced, len(read.goods), seconds)

    def _shortfall(self, read: _Read) -> str | None:
        if read.has(1, with_others=True):
            return None
        if not read.has(min(self._retailer.total_share, 1 - self._settings.total_short_share), with_others=True):
            return f"{read.announced} goods announced, {len(read.goods | read.others)} read"
        return "a page came twice in place of another" if read.has_gap else None

    def _note(self, category: Category, error: TerminalError | TransientError) -> None:
        if not isinstance(error, LeftAlone):
            self.errors.append(error)
            log.warning("%s %s: category %s failed: %s", self._retailer.name, self._store.store_id, _name(category), error)
        self.is_worth_retrying = self.is_worth_retrying or isinstance(error, TransientError)
        if isinstance(error, SiteGaveOut):
            self._source.stop(error)

    def _read_whole(self, category: Category, read: _Read) -> None:
        """Walk a category, and again where its total is not met. Walks landed by earlier attempts cost no request."""
        for key in category.covers:
            read.goods |= self._goods_of.pop(key, set())
        asked = 0
        for number in count(1):
            name = category.key if number == 1 else f"{category.key}--walk{number}"
            if number > 1 and not self._source.can_give(f"{name}--1"):
                return
            requests = self._source.requests
            self._walk(category, name, read)
            asked += self._source.requests > requests
            is_whole = read.has(1 if read.has_gap else self._retailer.total_share, with_others=False)
            if is_whole or read.is_cut or asked == _WALKS:
                return

    def _walk(self, category: Category, name: str, read: _Read) -> None:
        met: set[str] = set()
        stale, read.has_gap = 0, False
        page: Page | None = self._retailer.first_page(self._store, category)
        while page is not None:
            try:
                landed = self._source.get(f"{name}--{page.number}", page)
            except UnexpectedStatus as error:
                if error.status == 404 and page.number > 1 and self._retailer.ends_oddly:
                    return
                raise
            with reading(self._retailer.name, landed.url):
                self._retailer.check_store(landed.body, self._store)
                read.announced = self._retailer.total(landed.body)
                rows = [checked(row) for row in self._retailer.rows(landed.body, self._store, landed.observed_at)]
                following = self._retailer.next_page(page, landed.body)
            read.pages += 1
            listed = self._take(category, rows, read)
            read.has_gap = read.has_gap or bool(stale and listed - met)
            stale = 0 if listed - met else stale + 1
            met |= listed
            if self._part.pages and page.number >= self._part.pages and following is not None and not read.has(1, with_others=False):
                read.is_cut = True
                return
            if stale == _STALE_PAGES or (read.announced is not None and read.has(1, with_others=False)):
                return
            page = following

    def _take(self, category: Category, rows: list[Row], read: _Read) -> set[str]:
        """Write what is new on a page; return the SKUs that stand in its list."""
        listed: set[str] = set()
        for row in rows:
            if isinstance(row, Skipped):
                self.skipped[row.reason] += 1
                if row.sku:
                    listed.add(row.sku)
                    read.others.add(row.sku)
                continue
            offer = row.offer if row.offer.category_path else replace(row.offer, category_path=category.path)
            if row.is_sponsored:
                self.skipped["sponsored"] += 1
                if offer.sku not in self._written:
                    self._sponsored.setdefault(offer.sku, offer)
                continue
            listed.add(offer.sku)
            if offer.sku in self._written:
                self.skipped["known"] += 1
            else:
                self._put(offer)
        read.goods |= {sku for sku in listed if sku not in read.others}
        return listed

    def _put(self, offer: Offer) -> None:
        self._write(offer)
        self.notes.update(offer.extra.get("notes", {}).keys())
        self._written.add(offer.sku)
        self._sponsored.pop(offer.sku, None)


def _name(category: Category) -> str:
    return " > ".join(category.path) or category.key
