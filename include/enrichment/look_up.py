"""Look-ups: workers that ask the retailers' sites for barcodes, politely and within a budget, and teach the catalogue what they find.

A worker claims a batch, asks the retailer's sources in their order, and records the answers in one transaction with what the catalogue learns from
them. So a killed worker loses at most the batch under way, whose claims return to the queue. Staged files are never changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from typing import Any

from include import clock
from include.catalogue.resolve import FoundBarcode
from include.crawling.breaker import Breaker, PostgresBreakerStore
from include.crawling.client import PoliteClient
from include.crawling.postgres_limiter import PostgresRequestLimiter
from include.crawling.sessions import Session
from include.crawling.site_session import OpenedSite
from include.enrichment.lookup_budget import BudgetedLimiter, BudgetSpent
from include.enrichment.lookup_queue import Answer, Batch, LookupQueue
from include.errors import NeedsPersonError, TerminalError
from include.retailers.barcode_source import BarcodeSource, ProductAnswer
from include.retailers.base import Retailer
from include.retailers.errors import ErrorResponse, ShapeChanged, SiteError, SiteUnavailable, UnexpectedStatus
from include.retailers.fields import reading
from include.warehouse.engine import Warehouse
from include.wording.barcode import read_barcodes
from include.wording.same_good import Text, may_be_same_good

log = logging.getLogger(__name__)

#: Errors of one page, which say nothing about the next.
_UNREADABLE = (ShapeChanged, UnexpectedStatus, ErrorResponse)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupRun:
    """One worker's share of a run of look-ups.

    Attributes:
        worker: names the worker, the same in each of its attempts: an attempt returns what an earlier, killed one had claimed.
        scope: the run's key: its workers share breaker and robots.txt.
        requests_max: requests of this retailer's night, those sent before included.
        until: no batch begins after it; ``None``: no end.
        session: an operator's browser session for a site with a bot wall.
        progress: called with a message after each batch.
    """

    retailer: Retailer
    night: date
    worker: str
    scope: str
    requests_max: int
    until: datetime | None = None
    session: Session | None = None
    progress: Callable[[str], None] = log.info


def look_up(warehouse: Warehouse, run: LookupRun) -> dict[str, Any]:
    """Ask for what is due until the queue is empty, the budget is spent or the time is over.

    Returns:
        Plain values: ``asked``, ``found`` and ``requests`` of this worker, and why it ``ended``: queue, budget or time.

    Raises:
        Blocked: the site refuses. SiteUnavailable, BreakerOpen: it is unavailable. ShapeChanged, UnexpectedStatus, ErrorResponse: no source gives a
            readable answer. RobotsDisallowed, LiveRequestsDisabled. Claims are returned before; nothing asked for is marked by such an error alone.
    """
    return _Worker(warehouse, run).work()


class _Worker:
    def __init__(self, warehouse: Warehouse, run: LookupRun) -> None:
        self._run, self._settings = run, warehouse.settings
        self._queue = LookupQueue(warehouse, run.retailer.name, run.night)
        self._sources = tuple(run.retailer.barcode_sources())
        limiter = PostgresRequestLimiter(warehouse, run.retailer.name, run.scope)
        budgeted = BudgetedLimiter(limiter, warehouse, run.retailer.name, run.night, run.requests_max)
        self._client = PoliteClient(run.retailer, warehouse.settings, limiter=budgeted)
        self._site = OpenedSite(self._client, None)
        self._breaker = Breaker(run.retailer.name, PostgresBreakerStore(warehouse, run.retailer.name, run.scope), warehouse.settings)
        self._asked = self._found = self._unreadable = 0

    def work(self) -> dict[str, Any]:
        with self._client:
            if self._run.session:
                self._client.use_session(self._run.session.headers)
            try:
                ended = self._ask_until_end() if self._sources else "queue"
            finally:
                self._queue.release(self._run.worker)
        outcome = {"ended": ended, "asked": self._asked, "found": self._found, "requests": self._client.requests}
        self._run.progress(f"{self._run.worker} ends ({ended}): {self._asked} asked, {self._found} found, {self._client.requests} requests")
        return outcome

    def _ask_until_end(self) -> str:
        self._queue.release(self._run.worker)
        for number in count(1):
            if self._run.until is not None and clock.now() >= self._run.until:
                return "time"
            batch = self._queue.claim(f"{self._run.worker}#{number}", self._sources[0].batch)
            if batch is None:
                return "queue"
            try:
                with self._breaker.attempt(self._run.worker):
                    self._answer(batch)
            except BudgetSpent:
                return "budget"
        raise AssertionError("count() has no end")

    def _answer(self, batch: Batch) -> None:
        """Ask for a batch and record its answers; what no source answers is asked again later."""
        round_ = _Round(self._site, batch, self._run.retailer.name)
        failure: TerminalError | SiteError | None = None
        try:
            for source in self._sources:
                failure = round_.ask(source) or failure
        except (SiteUnavailable, NeedsPersonError, BudgetSpent):
            if round_.answers:  # what was answered before the end is kept
                self._record(batch, round_, list(round_.answers.values()))
            raise
        except SiteError as error:
            failure = error
        failed = [Answer(sku, "failed", detail=str(failure or "no source answers")[:500]) for sku in round_.waiting]
        self._record(batch, round_, [*round_.answers.values(), *failed])
        if failure is not None:
            log.warning("%s: %s of %s SKUs are asked again later: %s", self._run.worker, len(failed), len(batch.texts), failure)
        self._unreadable = 0 if round_.answers else self._unreadable + 1
        if isinstance(failure, TerminalError) and self._unreadable >= self._settings.max_failed_requests_in_a_row:
            raise failure

    def _record(self, batch: Batch, round_: _Round, answers: Sequence[Answer]) -> None:
        store_id = batch.store.store_id if self._sources[0].asks_store else None
        self._queue.record(batch, store_id, round_.asked_at or clock.now(), answers)
        self._asked += len(answers)
        self._found += sum(answer.result == "found" for answer in answers)
        night = self._queue.night()
        self._run.progress(
            f"{self._run.retailer.name}: {night.asked} asked tonight, {night.learned} learned, {night.contested} contested, {night.none} without; "
            f"{night.requests} of {self._run.requests_max} requests, {night.due} SKUs due"
        )


class _Round:
    """The questions about one batch: its sources in their order, each asked for what the ones before it left open."""

    def __init__(self, site: OpenedSite, batch: Batch, retailer: str) -> None:
        self._site, self._batch, self._retailer = site, batch, retailer
        self.answers: dict[str, Answer] = {}
        self.asked_at: datetime | None = None

    @property
    def waiting(self) -> list[str]:
        """The SKUs without an answer."""
        return [sku for sku in self._batch.texts if sku not in self.answers]

    def ask(self, source: BarcodeSource) -> TerminalError | None:
        """Ask one source for what has no answer; return the error of the last page that cannot be read.

        A source whose first page cannot be read is not asked further for this batch.

        Raises:
            As :meth:`OpenedSite.fetch`, but for terminal errors about a page.
        """
        failure: TerminalError | None = None
        waiting = self.waiting
        for skus in (waiting[at : at + source.batch] for at in range(0, len(waiting), source.batch)):
            try:
                self._ask(source, skus)
            except _UNREADABLE as error:
                failure = error
                if not self.answers:
                    break
        return failure

    def _ask(self, source: BarcodeSource, skus: Sequence[str]) -> None:
        try:
            response, body = self._site.fetch(source.page(skus, self._batch.store))
        except UnexpectedStatus as error:
            if error.status != source.unknown_status:
                raise
            self.answers |= {sku: Answer(sku, "unknown_id", source.name) for sku in skus}
            return
        with reading(self._retailer, response.url):
            said = source.read(body, skus)
        self.asked_at = response.observed_at
        for sku in said.unknown:
            self.answers[sku] = Answer(sku, "unknown_id", source.name)
        for sku, product in said.products.items():
            self.answers[sku] = _judge(sku, self._batch.texts[sku], product, source.name, response.observed_at)


def _judge(sku: str, known: Text, product: ProductAnswer, source: str, at: datetime) -> Answer:
    """What a source's answer means for a SKU that the retailer's listing calls ``known``."""
    if not may_be_same_good(product.text, known):
        return Answer(sku, "other_good", source, f"the answer is about {' '.join(filter(None, product.text))}"[:500])
    if product.barcode is None:
        return Answer(sku, "none", source)
    read = read_barcodes(product.barcode)
    if not read.gtins:
        return Answer(sku, "unusable", source, f"{product.barcode[:50]}: {read.note}")
    return Answer(sku, "found", source, read.note, FoundBarcode(sku, read.gtins, product.text, at, source))
