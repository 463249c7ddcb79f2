"""The steps of each flow in their order: what the DAGs' tasks and the command line both call.

Subjects meet in tables and do not import one another; here, one layer above them, their steps are put side by side.
Every step works on whatever the ledger says is next for the retailer, so each may be killed, repeated or run twice
at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from include import clock, isolation
from include.catalogue.resolve import Resolution
from include.ingestion import ledger, rejected
from include.ingestion.publish import Published
from include.quality import data_docs, quarantine
from include.quality.gate import CheckReport
from include.retailer_names import RETAILERS
from include.retailers.canary import CanaryReport
from include.retailers.crawl import discover as find_stores
from include.retailers.crawl import reread_store
from include.retailers.errors import Blocked, WrongStore
from include.retailers.http import PoliteClient
from include.retailers.registry import retailer_of
from include.retailers.sessions import Session
from include.retailers.shared_manners import SharedManners, forget_runs
from include.retailers.visit import sing_first, visit
from include.retailers.walk import Part
from include.staging import landing
from include.staging.landing import LandedRun
from include.staging.offer import StoreRef
from include.staging.storage import Storage, run_key_of
from include.stores import discovery, outcomes
from include.stores.directory import read_directory
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one pass over a retailer's waiting files did."""

    loaded: int
    checked: CheckReport
    resolved: Resolution
    published: Published


def load(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> list[int]:
    """Register and load every waiting file of a retailer; return the ids now loaded."""
    return isolation.load(warehouse, storage, retailer, progress)


def check(warehouse: Warehouse, storage: Storage, retailer: str) -> CheckReport:
    """Check every loaded store-day of a retailer as one batch."""
    _reload(warehouse, storage, retailer)
    report = isolation.check(warehouse, storage, retailer)
    if report.files:
        data_docs.publish_if_possible(warehouse, storage)
    return report


def resolve(warehouse: Warehouse, storage: Storage, retailer: str) -> Resolution:
    """Give every SKU of the checked store-days its product."""
    if _reload(warehouse, storage, retailer):
        isolation.check(warehouse, storage, retailer)
    return isolation.resolve(warehouse, storage, retailer)


def publish(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> Published:
    """Publish the checked store-days, oldest first."""
    if _reload(warehouse, storage, retailer):
        isolation.check(warehouse, storage, retailer)
        isolation.resolve(warehouse, storage, retailer)
    return isolation.publish(warehouse, storage, retailer, progress)


def ingest(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> Ingested:
    """Run all four steps for one retailer.

    Raises:
        RejectedByDatabase: the database rejects lines of some store-days; everything else is published.
    """
    loaded = len(load(warehouse, storage, retailer, progress))
    done = Ingested(
        loaded, check(warehouse, storage, retailer), resolve(warehouse, storage, retailer), publish(warehouse, storage, retailer, progress)
    )
    rejected.raise_if_any(warehouse, [retailer])
    return done


def discard(warehouse: Warehouse, storage: Storage, file_id: int, by: str, why: str) -> None:
    """Never publish a held store-day, and move it out of the outbox; a refused file is taken note of."""
    was_held = quarantine.show(warehouse, file_id, 0)["file"]["state"] == "held"
    quarantine.discard(warehouse, file_id, by, why)
    if was_held:  # a refused file has left the outbox already
        with warehouse.transaction() as connection:
            manifest = ledger.entry(connection, file_id).manifest
        ledger.settle(warehouse, storage, manifest)


def _reload(warehouse: Warehouse, storage: Storage, retailer: str) -> int:
    """Load again what a crash of the server emptied: ``staging.offer`` is unlogged. Returns the number of files."""
    with warehouse.transaction() as connection:
        files = ledger.entries(connection, retailer, ["loaded"])
        standing = {int(row["file_id"]) for row in connection.execute("SELECT file_id FROM staging.loaded_file").fetchall()}
    lost = [file.file_id for file in files if file.file_id not in standing]
    isolation.load_files(warehouse, storage, lost)
    return len(lost)


def crawl(
    warehouse: Warehouse,
    storage: Storage,
    store: StoreRef,
    night: date,
    run_key: str,
    progress: Progress = log.info,
    *,
    round_name: str = "",
    session: Session | None = None,
    part: Part | None = None,
) -> dict[str, Any]:
    """Crawl one store, stage its store-day, and keep the outcome, whatever it is.

    Args:
        round_name: of the stores crawled after a person was asked (``include.retailers.visit``).
        session: a person's browser session; without it the one kept in the installation's home.
        part: read only a part of the store, and stage it as incomplete.

    Returns:
        The crawl's outcome as plain values (``include.retailers.outcome.CrawlOutcome``).

    Raises:
        What the crawl raises, after the outcome row is written.
    """
    keep = partial(outcomes.record, warehouse, retailer=store.retailer, store_id=store.store_id, night=night, run_key=run_key)
    started_at = clock.now()
    try:
        outcome = visit(warehouse, storage, store, night, run_key, round_name=round_name, session=session, part=part, progress=progress)
    except Exception as error:
        state = "blocked" if isinstance(error, Blocked) else "failed"
        keep(started_at=started_at, state=state, reason=f"{type(error).__name__}: {error}"[:2000], outcome={})
        raise
    keep(started_at=started_at, state="crawled", reason=outcome.incomplete_reason, outcome=outcome.to_json())
    return outcome.to_json()


def canary(
    warehouse: Warehouse, storage: Storage, store: StoreRef, night: date, run_key: str, session: Session | None = None
) -> CanaryReport:
    """Open a run: one category of one store, held against the shape on record (``include.retailers.canary``)."""
    return sing_first(warehouse, storage, store, night, run_key, session)


def reread(
    warehouse: Warehouse, storage: Storage, store: StoreRef, run: LandedRun, new_run_key: str | None = None, progress: Progress = log.info
) -> dict[str, Any]:
    """Read a landed store-day again through the present adapter, without a request, and stage it under its night.

    It gets a run key of its own (without ``new_run_key`` the landed run's and the adapter's version): a reread supersedes itself, never
    the crawl's file. Its lines keep their instants: over equal ones the later registration wins, over newer prices nothing does.
    """
    adapter = retailer_of(store.retailer)
    new_run_key = new_run_key or run_key_of(run.run_key[-60:], "reread", adapter.version)
    started_at = clock.now()
    outcome = reread_store(
        adapter,
        store,
        night=run.night,
        run_key=run.run_key,
        new_run_key=new_run_key,
        storage=storage,
        settings=warehouse.settings,
        progress=progress,
    )
    outcomes.record(
        warehouse,
        retailer=store.retailer,
        store_id=store.store_id,
        night=run.night,
        run_key=new_run_key,
        started_at=started_at,
        state="crawled",
        reason=outcome.incomplete_reason,
        outcome=outcome.to_json(),
    )
    return outcome.to_json()


def prune_landing(warehouse: Warehouse, storage: Storage) -> int:
    """Remove landed pages older than ``AISLEFLOW_LANDING_DAYS`` by their night, and what was kept for those runs; returns how many store-days."""
    days = warehouse.settings.landing_days
    forget_runs(warehouse, days)
    return landing.prune_landing(storage, RETAILERS, clock.night_of(clock.now() - timedelta(days=days)))


def import_directory(warehouse: Warehouse, folder: Path) -> dict[str, discovery.Discovered]:
    """Take a directory of stores over as a starting list; a shop that its adapter cannot ask for is no supermarket of ours."""

    def can_be_asked(store: StoreRef) -> bool:
        try:
            return bool(retailer_of(store.retailer).asked_store(store))
        except WrongStore:
            return False

    return discovery.take_over_directory(warehouse, read_directory(folder, can_be_asked))


def discover(warehouse: Warehouse, retailer: str) -> discovery.Discovered:
    """Ask one retailer's store finder and take over what it says."""
    adapter = retailer_of(retailer)
    manners = SharedManners(warehouse, retailer, f"discover_{clock.night_of(clock.now()).isoformat()}")
    with PoliteClient(adapter, warehouse.settings, manners=manners) as client:
        return discovery.take_over(warehouse, retailer, find_stores(adapter, client))
