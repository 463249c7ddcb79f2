"""The steps of each flow in their order: what the DAGs' tasks and the command line both call.

Subjects meet in tables and do not import one another; here, one layer above them, their steps are put side by side.
Every step works on whatever the ledger says is next for the retailer, so each may be killed, repeated or run twice
at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from include import clock
from include.catalogue.resolve import Resolution
from include.catalogue.resolve import resolve as resolve_skus
from include.ingestion import ledger
from include.ingestion.load import ensure_loaded, load_waiting
from include.ingestion.publish import Published, publish_checked
from include.quality import quarantine
from include.quality.gate import CheckReport
from include.quality.gate import check as check_batch
from include.retailers.crawl import crawl_store
from include.retailers.crawl import discover as find_stores
from include.retailers.errors import Blocked
from include.retailers.http import PoliteClient
from include.retailers.registry import retailer_of
from include.staging.offer import StoreRef
from include.staging.storage import Storage
from include.stores import discovery, outcomes
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
    return load_waiting(warehouse, storage, retailer, progress)


def check(warehouse: Warehouse, storage: Storage, retailer: str) -> CheckReport:
    """Check every loaded store-day of a retailer as one batch."""
    _reload(warehouse, storage, retailer)
    return check_batch(warehouse, retailer)


def resolve(warehouse: Warehouse, storage: Storage, retailer: str) -> Resolution:
    """Give every SKU of the checked store-days its product."""
    if _reload(warehouse, storage, retailer):
        check_batch(warehouse, retailer)
    return resolve_skus(warehouse, retailer)


def publish(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> Published:
    """Publish the checked store-days, oldest first."""
    if _reload(warehouse, storage, retailer):
        check_batch(warehouse, retailer)
        resolve_skus(warehouse, retailer)
    return publish_checked(warehouse, storage, retailer, progress)


def ingest(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> Ingested:
    """Run all four steps for one retailer."""
    loaded = len(load(warehouse, storage, retailer, progress))
    return Ingested(
        loaded, check(warehouse, storage, retailer), resolve(warehouse, storage, retailer), publish(warehouse, storage, retailer, progress)
    )


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
    for file_id in lost:
        ensure_loaded(warehouse, storage, file_id)
    return len(lost)


def crawl(
    warehouse: Warehouse, storage: Storage, retailer: str, store: StoreRef, night: date, run_key: str, progress: Progress = log.info
) -> dict[str, Any]:
    """Crawl one store, stage its store-day, and keep the outcome, whatever it is.

    Returns:
        The crawl's outcome as plain values (``include.retailers.outcome.CrawlOutcome``).

    Raises:
        What the crawl raises, after the outcome row is written.
    """
    started_at = clock.now()

    def keep(state: str, reason: str | None, outcome: dict[str, Any]) -> None:
        outcomes.record(
            warehouse,
            retailer=retailer,
            store_id=store.store_id,
            night=night,
            run_key=run_key,
            started_at=started_at,
            state=state,
            reason=reason,
            outcome=outcome,
        )

    try:
        outcome = crawl_store(
            retailer_of(retailer), store, night=night, run_key=run_key, storage=storage, settings=warehouse.settings, progress=progress
        )
    except Exception as error:
        keep("blocked" if isinstance(error, Blocked) else "failed", f"{type(error).__name__}: {error}"[:2000], {})
        raise
    keep("crawled", outcome.incomplete_reason, outcome.to_json())
    return outcome.to_json()


def discover(warehouse: Warehouse, retailer: str) -> discovery.Discovered:
    """Ask one retailer's store finder and take over what it says."""
    adapter = retailer_of(retailer)
    with PoliteClient(adapter, warehouse.settings) as client:
        return discovery.take_over(warehouse, retailer, find_stores(adapter, client))
