"""One walk over a store's categories: the next request, the new offers, and whether a category was read completely."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NoReturn

from include.crawling.cleaning import cleaned
from include.crawling.crawl_run import CrawlRun
from include.crawling.outcomes import CategoryOutcome, Status
from include.crawling.page_source import LandedPage, Source
from include.crawling.prefetch import FirstPage
from include.crawling.unit_check import with_unit_price_notes
from include.errors import TerminalError, TransientError
from include.model.offer import Offer
from include.retailers.base import Category, Page, Row, SkippedRow
from include.retailers.bounds import PRODUCTS_MAX, bounded_categories
from include.retailers.errors import EmptyCrawl, PageNotRequested, RetryableEmptyCrawl, SiteUnavailable, UnexpectedStatus, WrongStore
from include.retailers.fields import reading
from include.staging.translation_tables import Tables

log = logging.getLogger(__name__)

#: Walks of a category below its total in one attempt before it counts as unfinished.
_MAX_PASSES = 2
#: Consecutive pages without a new product that end a list.
_STALE_PAGES = 2


@dataclass(slots=True)
class _CategoryProgress:
    """The progress of one category: ``skus`` are listed, ``skus_not_staged`` are listed but not staged (a third party's)."""

    skus: set[str] = field(default_factory=set)
    skus_not_staged: set[str] = field(default_factory=set)
    announced: int | None = None
    pages: int = 0
    #: The walk ended before the list, because only a part was requested.
    is_truncated: bool = False
    #: The last walk got a page twice and continued: with inexact totals, this alone shows that products are missing.
    has_gap: bool = False

    def has_read_share(self, share: float, *, include_not_staged: bool) -> bool:
        """Whether this share of the category's announced products has been read."""
        read = self.skus | self.skus_not_staged if include_not_staged else self.skus
        return self.announced is None or len(read) >= self.announced * share


class Walk:
    """Keeps the SKUs of a store in memory, not its products, except the few sponsored ones not yet found in a list.

    Attributes:
        outcomes: one entry per category, skipped ones included.
        errors: the errors of failed categories.
        skipped: rows that are not offers, counted by reason.
        notes: staged offers with inconsistent values, counted by kind.
        is_retryable: whether at least one failure is transient.
    """

    def __init__(self, run: CrawlRun, source: Source, tables: Tables) -> None:
        """``tables`` are the translation tables that offers are cleaned with."""
        self._tables = tables
        self._run, self._retailer, self._store, self._source = run, run.retailer, run.store, source
        self._written: set[str] = set()
        self._sponsored: dict[str, Offer] = {}
        self._skus_by_category: dict[str, set[str]] = {}
        self._audited: frozenset[str] = frozenset()
        self.outcomes: list[CategoryOutcome] = []
        self.errors: list[TerminalError | TransientError] = []
        self.skipped: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.is_retryable = False

    def run(self, write: Callable[[Offer], None]) -> None:
        """Walk every category, promotional ones last, and pass each new offer to ``write``; last the sponsored ones that are in no list.

        Raises:
            Blocked: the site refuses. WrongStore: a page is for another store.
            EmptyCrawl, RetryableEmptyCrawl: no offer, with the reasons of the categories.
            TransientError, TerminalError: the category tree is not available.
        """
        self._write = write
        page = self._retailer.tree_page(self._store)
        tree = self._source.get("tree", page) if page else None
        nodes = self._nodes(tree)
        if not nodes and page and tree and tree.is_from_earlier_attempt:  # an empty tree may be transient: a retry requests it again
            nodes = self._nodes(self._source.get("tree", page, again=True))
        plan = sorted((node for node in nodes.values() if not node.skipped), key=lambda node: node.is_promotional)
        self._audited = frozenset(key for node in plan for key in node.covers)
        self.outcomes = [CategoryOutcome(node.key, node.name, "skipped", node.skipped) for node in nodes.values() if node.skipped]
        selected = self._selected(plan)
        self._source.plan(
            [FirstPage(node.key, self._retailer.first_page(self._store, node), bool(node.covers)) for node in selected],
            self._run.subset.pages,
        )
        for position, category in enumerate(selected):
            self._run.progress(f"{self._run.label}: {category.name} ({position + 1} of {len(selected)} categories)")
            self._source.start_category(category.key)
            self.outcomes.append(self._category(category))
        for offer in list(self._sponsored.values()):
            self._write_offer(offer)
            self.skipped["sponsored"] -= 1
        if not self._written and not self._retailer.may_be_empty(self._store):
            self._raise_empty_crawl()

    def _raise_empty_crawl(self) -> NoReturn:
        """Raise for a crawl without an offer, with the errors of its categories."""
        empty_tree = "The site lists no category: its tree is empty, or has another shape; look at the landed page `tree`."
        reasons = " ".join(dict.fromkeys(map(str, self.errors[:5]))) or (
            empty_tree
            if not self.outcomes
            else "Every category is empty. A listed store may have no online range: then leave it out of the crawl plan."
        )
        kind = RetryableEmptyCrawl if self.is_retryable else EmptyCrawl
        cause = ExceptionGroup("errors of the categories", self.errors) if self.errors else None
        raise kind(f"{self._run.label}: the crawl found no offer. {reasons}") from cause

    def _nodes(self, tree: LandedPage | None) -> dict[str, Category]:
        with reading(self._retailer.name, tree.url if tree else "no page"):
            return bounded_categories(self._retailer.categories(tree.body if tree else None))

    def _selected(self, plan: list[Category]) -> list[Category]:
        """Return the categories to read; the others count as failed, so that the store-day is incomplete."""
        selected = [node for node in plan if self._run.subset.includes(node)]
        if not selected and plan:
            raise TerminalError(
                f"{self._run.label}: no category is called {', '.join(sorted(self._run.subset.categories))}. "
                f"There are: {', '.join(sorted(node.name for node in plan))}."
            )
        not_selected = [node for node in plan if node not in selected]
        self.outcomes += [
            CategoryOutcome(node.key, node.name, "failed", "not requested: only a part was requested") for node in not_selected
        ]
        return selected

    def _category(self, category: Category) -> CategoryOutcome:
        started, read = time.monotonic(), _CategoryProgress()
        status: Status = "finished"
        reason: str | None = None
        try:
            self._read_category(category, read)
            if read.is_truncated:
                status, reason = "failed", f"only {self._run.subset.pages} page(s) were requested"
            elif reason := self._missing_reason(read):
                status, self.is_retryable = "failed", True
        except WrongStore:
            raise  # all pages of the store may be wrong
        except (TerminalError, TransientError) as error:
            status, reason = "failed", str(error)
            self._record_error(category, error)
        if category.key in self._audited:
            self._skus_by_category[category.key] = read.skus | read.skus_not_staged
        seconds = round(time.monotonic() - started, 3)
        return CategoryOutcome(category.key, category.name, status, reason, read.pages, read.announced, len(read.skus), seconds)

    def _missing_reason(self, read: _CategoryProgress) -> str | None:
        if read.has_read_share(1, include_not_staged=True):
            return None
        if not read.has_read_share(
            min(self._retailer.min_total_share, 1 - self._run.settings.missing_total_share), include_not_staged=True
        ):
            return f"{read.announced} products announced, {len(read.skus | read.skus_not_staged)} read"
        return "the site returned a page twice in place of another" if read.has_gap else None

    def _record_error(self, category: Category, error: TerminalError | TransientError) -> None:
        if not isinstance(error, PageNotRequested):
            self.errors.append(error)
            log.warning("%s: category %s failed: %s", self._run.label, category.name, error)
        self.is_retryable = self.is_retryable or isinstance(error, TransientError)
        if isinstance(error, SiteUnavailable):
            self._source.stop_requests(error)

    def _read_category(self, category: Category, read: _CategoryProgress) -> None:
        """Walk a category, and again if its total is not reached. Walks landed by earlier attempts need no request."""
        for key in category.covers:
            read.skus |= self._skus_by_category.pop(key, set())
        passes = 0
        for number in count(1):
            name = category.key if number == 1 else f"{category.key}--walk{number}"
            if number > 1 and not self._source.has_page(f"{name}--1"):
                return
            requests = self._source.requests
            self._walk(category, name, read)
            passes += self._source.requests > requests
            is_complete = read.has_read_share(1 if read.has_gap else self._retailer.min_total_share, include_not_staged=False)
            if is_complete or read.is_truncated or passes == _MAX_PASSES:
                return

    def _walk(self, category: Category, name: str, read: _CategoryProgress) -> None:
        seen_skus: set[str] = set()
        stale, read.has_gap = 0, False
        page: Page | None = self._retailer.first_page(self._store, category)
        while page is not None:
            try:
                landed = self._source.get(f"{name}--{page.number}", page)
            except UnexpectedStatus as error:
                if error.status == 404 and page.number > 1 and self._retailer.may_end_with_404_or_repeat:
                    return
                raise
            with reading(self._retailer.name, landed.url):
                self._retailer.check_store(landed.body, self._store)
                read.announced = self._retailer.total(landed.body)
                rows = [with_unit_price_notes(row) for row in self._retailer.rows(landed.body, self._store, landed.observed_at)]
                following = self._retailer.next_page(page, landed.body)
            read.pages += 1
            listed = self._collect_offers(category, rows, read)
            read.has_gap = read.has_gap or bool(stale and listed - seen_skus)
            stale = 0 if listed - seen_skus else stale + 1
            seen_skus |= listed
            if (
                self._run.subset.pages
                and page.number >= self._run.subset.pages
                and following is not None
                and not read.has_read_share(1, include_not_staged=False)
            ):
                read.is_truncated = True
                return
            if stale == _STALE_PAGES or (read.announced is not None and read.has_read_share(1, include_not_staged=False)):
                return
            page = following

    def _collect_offers(self, category: Category, rows: list[Row], read: _CategoryProgress) -> set[str]:
        """Write the new offers of a page; return the SKUs of its list."""
        listed: set[str] = set()
        for row in rows:
            if isinstance(row, SkippedRow):
                self.skipped[row.reason] += 1
                if row.sku:
                    listed.add(row.sku)
                    read.skus_not_staged.add(row.sku)
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
                self._write_offer(offer)
        read.skus |= {sku for sku in listed if sku not in read.skus_not_staged}
        return listed

    def _write_offer(self, offer: Offer) -> None:
        if len(self._written) >= PRODUCTS_MAX:
            raise TerminalError(
                f"{self._run.label}: the site lists more than {PRODUCTS_MAX:,} products for one store. Look at the landed pages: a list may never end."
            )
        self._write(cleaned(offer, self._tables))
        self.notes.update(offer.extra.get("notes", {}).keys())
        self._written.add(offer.sku)
        self._sponsored.pop(offer.sku, None)
