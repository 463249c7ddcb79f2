"""Retraction of a published store-day: the store's prices become as if it had never been published, and incremental readers get every correction.

The affected rows are computed again from the store's other store-days (:mod:`include.ingestion.replay`). Products, SKUs, their
texts and barcodes stay. Everything about prices is one transaction under the store's lock.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from include import clock
from include.errors import TerminalError
from include.ingestion import replay
from include.ingestion.completeness import revise_completeness
from include.ledger.decisions import check_decidable, decide, decisions_of
from include.ledger.files import LedgerEntry, entry, published_entries
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.price_changes import announce_price_change

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetractionResult:
    """Counts of a retraction. Rows = restored + relisted + withdrawn + unknown.

    ``withdrawn``: SKUs first priced by this store-day; ``unknown``: SKUs whose earlier price is no longer in the archive (``unknown_skus``).
    Both are delisted and marked. ``outdated_files``: store-days that published no prices because this one was newer; they still publish none.
    """

    file_id: int
    restored: int = 0
    relisted: int = 0
    withdrawn: int = 0
    unknown: int = 0
    unknown_skus: tuple[str, ...] = ()
    missing_files: tuple[int, ...] = ()
    outdated_files: tuple[int, ...] = ()
    complete_at: datetime | None = None
    earlier_retraction: str | None = None


def retract(warehouse: Warehouse, storage: Storage, retailer: str, store_id: str, file_id: int, by: str, reason: str) -> RetractionResult:
    """Retract one published store-day of a store and restore the earlier prices.

    Returns:
        The counts; ``earlier_retraction`` describes an earlier retraction of the file, after which nothing is done.

    Raises:
        TerminalError: no reason; no such file of this store; it is not published; or a later store-day is missing in the
            archive, so that the prices it confirmed are unknown.
    """
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, "resolve")  # whoever changes SKUs holds it
        lock(connection, f"store:{retailer}:{store_id}")
        file = _file(connection, retailer, store_id, file_id)
        if file.state == "discarded" and (earlier := _earlier_retraction(connection, file_id)):
            return RetractionResult(file_id, earlier_retraction=earlier)
        check_decidable(connection, file_id, "retract", reason)
        store_key = _store_key(connection, retailer, store_id)
        values: dict[str, Any] = {"file_id": file_id, "store_key": store_key, "observed_at": file.observed_at, "now": clock.now()}
        others = [other for other in published_entries(connection, retailer, store_id) if other.file_id != file_id]
        values["is_whole_store"] = any(
            other.observed_at <= file.last_observed_at and file.observed_at <= other.last_observed_at for other in others
        )  # where crawls overlap in time, every row may differ
        connection.run("retraction/keep_text_instants", {"retailer": retailer, "store_id": store_id})
        connection.run("retraction/collect_affected", values)
        skus = None if values["is_whole_store"] else {row["sku"] for row in connection.run("retraction/list_affected").fetchall()}
        with replay.change_log_off(connection, warehouse.settings):
            values["working_store_key"] = replay.open_working_store(connection, file, values["now"])
            missing = replay.publish_again(connection, storage, others, values, warehouse.settings.line_bytes_max, skus)
            _require_later(file, missing)
            done = _restore(connection, file, others, values, tuple(other.file_id for other in missing))
        replay.finish(connection, values | {"is_to_move": True})
        decide(connection, file_id, "retract", by, reason, "command line", detail=done)
        connection.run("retraction/set_watermark", values)
        newest = connection.execute("SELECT complete_at FROM core.store WHERE store_key = %s", (store_key,)).fetchone()
        assert newest is not None
        log.info("retracted file %s of %s %s: %s", file_id, retailer, store_id, done)
        result = RetractionResult(
            **(done | {"file_id": file_id, "complete_at": newest["complete_at"], "outdated_files": _outdated_files(connection, file)})
        )
    revise_completeness(warehouse, storage, retailer, since=file.observed_at)
    return result


def _file(connection: Connection, retailer: str, store_id: str, file_id: int) -> LedgerEntry:
    row = connection.execute("SELECT retailer, store_id FROM ops.staged_file WHERE file_id = %s", (file_id,)).fetchone()
    if row is None or (row["retailer"], row["store_id"]) != (retailer, store_id):
        belongs = f"it belongs to {row['retailer']}:{row['store_id']}" if row else "the ledger has no such file"
        raise TerminalError(
            f"file {file_id} is not a store-day of {retailer}:{store_id}: {belongs}. List its store-days: aisleflow store files {retailer}:{store_id}"
        )
    try:
        return entry(connection, file_id)
    except msgspec.ValidationError as error:
        raise TerminalError(
            f"file {file_id} was refused before it was read, so none of it is published. See aisleflow quarantine show {file_id}."
        ) from error


def _earlier_retraction(connection: Connection, file_id: int) -> str | None:
    row = next((decided for decided in decisions_of(connection, file_id) if decided["choice"] == "retract"), None)
    return f"{row['decided_by']} retracted it on {row['decided_at']:%Y-%m-%d %H:%M} UTC: {row['decision_reason']}" if row else None


def _store_key(connection: Connection, retailer: str, store_id: str) -> int:
    row = connection.execute("SELECT store_key FROM core.store WHERE retailer = %s AND store_id = %s", (retailer, store_id)).fetchone()
    assert row is not None  # it was published
    return int(row["store_key"])


def _require_later(file: LedgerEntry, missing: list[LedgerEntry]) -> None:
    for other in missing:
        if file.is_before(other):
            raise TerminalError(
                f"file {other.file_id} of {other.manifest.night}, published after file {file.file_id}, is no longer in the archive: the prices it confirmed "
                "are unknown, so nothing was changed. The store's next complete crawl replaces its prices: request it, or import a store-day."
            )


def _restore(
    connection: Connection, file: LedgerEntry, others: list[LedgerEntry], values: dict[str, Any], missing: tuple[int, ...]
) -> dict[str, Any]:
    complete = [other.observed_at for other in others if other.is_complete and other.is_before(file)]
    after = [other.observed_at for other in others if other.is_complete and file.is_before(other)]
    values |= {"before_at": complete[-1] if complete else None, "after_at": after[0] if after else None}
    restored = connection.run("retraction/restore_prices", values).rowcount
    relisted = connection.run("retraction/relist_delisted", values).rowcount if file.is_complete else 0
    withdrawn = connection.run("retraction/withdraw_unknown", values).rowcount
    rows = connection.run("retraction/list_unknown").fetchall()
    return {
        "restored": restored, "relisted": relisted, "withdrawn": 0 if missing else withdrawn, "unknown": withdrawn if missing else 0,
        "unknown_skus": tuple(row["sku"] for row in rows) if missing else (), "missing_files": missing,
    }  # fmt: skip


def _outdated_files(connection: Connection, file: LedgerEntry) -> tuple[int, ...]:
    values = {
        "retailer": file.manifest.retailer,
        "store_id": file.manifest.store_id,
        "observed_at": file.observed_at,
        "file_id": file.file_id,
    }
    rows = connection.run("retraction/list_outdated", values).fetchall()
    return tuple(int(row["file_id"]) for row in rows)
