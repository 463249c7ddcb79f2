"""The steps of ingestion in their order, called by the DAGs' tasks and the command line.

Every step takes its work from the ledger, so it may be killed, repeated or run concurrently.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from include.catalogue.regroup import Resolution
from include.errors import AisleflowError, raise_together
from include.ingestion.checks import data_docs
from include.ingestion.checks.gate import CheckReport, CountBroken
from include.ingestion.checks.suite_helper import SuiteHelper
from include.ingestion.isolation import rejected, steps
from include.ingestion.publish import PublishCounts
from include.ledger.files import lost_files
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class IngestResult:
    """Counts of one pass over a retailer's waiting files."""

    loaded: int
    checked: CheckReport
    resolved: Resolution
    published: PublishCounts


def load(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> list[int]:
    """Register and load every waiting file of a retailer; return the ids now loaded."""
    return steps.load(warehouse, storage, retailer, progress)


def check(warehouse: Warehouse, storage: Storage, retailer: str, count_broken: CountBroken | None = None) -> CheckReport:
    """Check the next round of loaded store-days; ``count_broken`` runs the suite, by default in this process."""
    _reload(warehouse, storage, retailer)
    return steps.check(warehouse, retailer, count_broken)


def resolve(warehouse: Warehouse, storage: Storage, retailer: str) -> Resolution:
    """Give every SKU of the checked store-days its product."""
    if _reload(warehouse, storage, retailer):
        steps.check(warehouse, retailer)
    return steps.resolve(warehouse, retailer)


def publish(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> PublishCounts:
    """Publish the checked store-days, oldest first; then check, resolve and publish what is still loaded, round by round."""
    if _reload(warehouse, storage, retailer):
        steps.check(warehouse, retailer)
        steps.resolve(warehouse, retailer)
    published = steps.publish(warehouse, storage, retailer, progress)
    while check(warehouse, storage, retailer).files:
        resolve(warehouse, storage, retailer)
        published += steps.publish(warehouse, storage, retailer, progress)
    return published


def ingest(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> IngestResult:
    """Run all four steps for one retailer.

    Raises:
        RejectedByDatabase: the database rejects lines of some store-days; everything else is published.
    """
    loaded = len(load(warehouse, storage, retailer, progress))
    checked, resolved, published = CheckReport(), Resolution(), PublishCounts()
    while True:
        this_round = check(warehouse, storage, retailer)
        checked += this_round
        resolved += resolve(warehouse, storage, retailer)
        published_now = steps.publish(warehouse, storage, retailer, progress)
        published += published_now
        if not this_round.remaining or not (this_round.files or published_now.store_days):
            break
    publish_data_docs(warehouse, storage)
    rejected.raise_if_rejected(warehouse, storage, [retailer])
    return IngestResult(loaded, checked, resolved, published)


def ingest_retailers(warehouse: Warehouse, storage: Storage, retailers: Sequence[str], suite: SuiteHelper, progress: Progress) -> None:
    """Run all four steps for several retailers, each step for all of them before the next. A retailer whose step fails goes no further; the others do.

    ``suite`` imports Great Expectations while files are loaded, and builds its pages while prices are published.

    Raises:
        AisleflowError: what failed, of all retailers together, and what the database rejects; everything else is published.
    """
    errors = list[AisleflowError]()
    going = list(retailers)

    def for_each(step: Callable[[str], Any]) -> dict[str, Any]:
        done = {}
        for retailer in list(going):
            try:
                done[retailer] = step(retailer)
            except AisleflowError as error:
                errors.append(error)
                going.remove(retailer)
        return done

    def load_and_start(retailer: str) -> None:
        progress(f"ingesting {retailer}")
        if load(warehouse, storage, retailer, progress):
            suite.start()

    suite.connect(warehouse, storage)
    for_each(load_and_start)
    is_checked = False
    while going:
        reports = for_each(lambda retailer: check(warehouse, storage, retailer, suite.count_broken))
        is_checked |= any(report.files for report in reports.values())
        unfinished = {retailer for retailer, report in reports.items() if report.remaining}
        if is_checked and not unfinished:
            suite.start_docs()
        for_each(lambda retailer: resolve(warehouse, storage, retailer))
        published = for_each(lambda retailer: steps.publish(warehouse, storage, retailer, progress))
        going[:] = [name for name in going if name in unfinished and (reports[name].files or published[name].store_days)]
    suite.wait_for_docs()
    going = list(retailers)
    for_each(lambda retailer: rejected.raise_if_rejected(warehouse, storage, [retailer]))
    raise_together(errors)


def publish_data_docs(warehouse: Warehouse, storage: Storage) -> None:
    """Build Data Docs of the newest checks if they are missing. Call it after publishing: prices must not wait for pages."""
    if not data_docs.are_current(warehouse, storage):
        data_docs.publish_if_possible(warehouse, storage)


def _reload(warehouse: Warehouse, storage: Storage, retailer: str) -> int:
    """Load files again whose rows a server crash deleted from the unlogged ``staging.offer``. Returns their number."""
    with warehouse.transaction() as connection:
        lost = lost_files(connection, retailer)
    steps.load_files(warehouse, storage, lost)
    return len(lost)
