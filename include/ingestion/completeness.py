"""Judges published store-days without a manifest again when an older store-day arrives later, and corrects what their completeness decided."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from include import clock
from include.ingestion import replay
from include.ingestion.store_prices import find_watermark
from include.ledger.completeness import next_revision, set_completeness
from include.ledger.files import LedgerEntry, entry, lock_store
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.price_changes import announce_price_change

log = logging.getLogger(__name__)


def revise_completeness(warehouse: Warehouse, storage: Storage, retailer: str, since: datetime | None = None) -> int:
    """Correct every estimate that other store-days of the retailer change: the checked ones, before they are published. Safe to repeat.

    A store-day that is no longer complete has delisted nothing, moved no watermark and kept no older store-day's prices out; one that is
    complete now delists what the store has not listed since. One transaction each, under the store's lock, oldest first: an estimate is the
    baseline of later ones.

    Args:
        since: instant of a store-day that counts no more; ``None``: of the oldest one about to be published.

    Returns:
        Number of corrected estimates.
    """
    corrected = 0
    while _revise_next(warehouse, storage, retailer, since):
        corrected += 1
    return corrected


def _revise_next(warehouse: Warehouse, storage: Storage, retailer: str, since: datetime | None) -> bool:
    settings = warehouse.settings
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, f"completeness:{retailer}")
        found = next_revision(connection, retailer, settings.complete_rows_share, settings.baseline_days, since)
        if found is None:
            return False
        lock_store(connection, found["file_id"])
        file = entry(connection, found["file_id"])
        if file.state == "loaded":
            set_completeness(connection, found)
        else:
            store = connection.execute(
                "SELECT store_key FROM core.store WHERE retailer = %s AND store_id = %s", (retailer, file.manifest.store_id)
            ).fetchone()
            assert store is not None  # it was published
            now = clock.now()
            with replay.corrections(connection, storage, file, store["store_key"], now, settings):
                _correct_prices(connection, file, found | {"store_key": store["store_key"], "now": now})
        log.warning("file %s is %s now: %s", file.file_id, "complete" if found["is_complete"] else "incomplete", found["reason"])
    return True


def _correct_prices(connection: Connection, file: LedgerEntry, values: dict[str, Any]) -> None:
    watermark = find_watermark(connection, values["store_key"])
    if not watermark.is_newer_than(file):  # else a newer complete store-day has decided what is listed
        for name in ("delist_unseen",) if values["is_complete"] else ("keep_seen", "relist"):
            connection.run(f"completeness/{name}", values)
    set_completeness(connection, values)
    connection.run("retraction/set_watermark", values)
