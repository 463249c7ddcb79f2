"""Judges published store-days without a manifest again when an older store-day arrives later, and corrects what their completeness decided."""

from __future__ import annotations

import logging

from include import clock
from include.ingestion.price_changes import announce_price_change
from include.ledger.completeness import next_revision, set_completeness
from include.warehouse.engine import Warehouse, lock

log = logging.getLogger(__name__)


def revise_completeness(warehouse: Warehouse, retailer: str) -> int:
    """Correct every estimate that the checked store-days of a retailer change, before they are published. Safe to repeat.

    A store-day that is no longer complete has delisted nothing and moved no watermark; one that is complete now delists what the store
    has not listed since. One transaction each, under the store's lock, oldest first: an estimate is the baseline of later ones.

    Returns:
        Number of corrected estimates.
    """
    corrected = 0
    while _revise_next(warehouse, retailer):
        corrected += 1
    return corrected


def _revise_next(warehouse: Warehouse, retailer: str) -> bool:
    settings = warehouse.settings
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, f"completeness:{retailer}")
        file = next_revision(connection, retailer, settings.complete_rows_share, settings.baseline_days)
        if file is None:
            return False
        store = connection.execute(
            "SELECT store_key FROM core.store WHERE retailer = %s AND store_id = %s", (retailer, file["store_id"])
        ).fetchone()
        assert store is not None  # it was published
        lock(connection, f"store:{store['store_key']}")
        store = connection.execute(
            "SELECT store_key, complete_at, complete_file_id FROM core.store WHERE store_key = %s", (store["store_key"],)
        ).fetchone()
        assert store is not None
        values = {**file, "store_key": store["store_key"], "now": clock.now()}
        is_newest = store["complete_at"] is None or (file["observed_at"], file["file_id"]) >= (
            store["complete_at"],
            store["complete_file_id"],
        )
        connection.run("publishing/ensure_change_month", values)
        if is_newest:  # else a newer complete store-day has decided what is listed
            for name in ("delist_unseen",) if file["is_complete"] else ("keep_seen", "relist"):
                connection.run(f"completeness/{name}", values)
        set_completeness(connection, values)
        connection.run("completeness/set_watermark", values)
        log.warning("file %s is %s now: %s", file["file_id"], "complete" if file["is_complete"] else "incomplete", file["reason"])
    return True
