"""Retraction of a published store-day: the store's prices become as if it had never been published, and incremental readers get every correction.

The affected rows are recomputed by publishing the store's other store-days again, from the archive and in order of
time, to a temporary working store that no other transaction sees, with the statements of publishing. Products, SKUs
and barcodes stay. Everything is one transaction under the store's lock.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from include import clock
from include.errors import TerminalError
from include.ingestion.price_changes import announce_price_change
from include.ingestion.store_prices import publish_prices, restage
from include.ledger.decisions import check_decidable, decide, decisions_of
from include.ledger.files import LedgerEntry, entry, published_entries
from include.ledger.settling import delete_staged_rows
from include.staging.staged_file import UnreadableFile
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse, lock

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
        lock(connection, f"store:{retailer}:{store_id}")
        file = _file(connection, retailer, store_id, file_id)
        if file.state == "discarded" and (earlier := _earlier_retraction(connection, file_id)):
            return RetractionResult(file_id, earlier_retraction=earlier)
        check_decidable(connection, file_id, "retract", reason)
        store_key = _store_key(connection, retailer, store_id)
        values: dict[str, Any] = {"file_id": file_id, "store_key": store_key, "observed_at": file.observed_at, "now": clock.now()}
        others = [other for other in published_entries(connection, retailer, store_id) if other.file_id != file_id]
        values["is_overlapping"] = any(
            other.observed_at <= file.last_observed_at and file.observed_at <= other.last_observed_at for other in others
        )
        connection.run("retraction/collect_affected", values)
        skus = None if values["is_overlapping"] else {row["sku"] for row in connection.run("retraction/list_affected").fetchall()}
        values["working_store_key"] = _working_store(connection, file)
        connection.execute("SELECT set_config('aisleflow.change_log', 'off', true)")  # changes of the working store are not logged
        missing = _replay(connection, storage, file, others, skus, values["working_store_key"], warehouse.settings.line_bytes_max)
        done = _restore(connection, file, others, values, missing)
        connection.execute("SELECT set_config('aisleflow.change_log', %s, true)", ("on" if warehouse.settings.change_log else "off",))
        connection.run("publishing/ensure_change_month", values)
        connection.run("retraction/log_corrections", values)
        connection.run("retraction/move_new_prices", values)
        connection.run("retraction/drop_working_store", values)
        decide(connection, file_id, "retract", by, reason, "command line", detail=done)
        connection.run("retraction/set_watermark", values)
        newest = connection.execute("SELECT complete_at FROM core.store WHERE store_key = %s", (store_key,)).fetchone()
        assert newest is not None
        log.info("retracted file %s of %s %s: %s", file_id, retailer, store_id, done)
        return RetractionResult(
            **(done | {"file_id": file_id, "complete_at": newest["complete_at"], "outdated_files": _outdated_files(connection, file)})
        )


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


def _working_store(connection: Connection, file: LedgerEntry) -> int:
    row = connection.execute(
        "INSERT INTO core.store (retailer, store_id, first_seen_at) VALUES (%s, %s, %s) RETURNING store_key",
        (file.manifest.retailer, f"retraction of file {file.file_id}", clock.now()),
    ).fetchone()
    assert row is not None
    return int(row["store_key"])


def _replay(
    connection: Connection,
    storage: Storage,
    file: LedgerEntry,
    others: list[LedgerEntry],
    skus: set[str] | None,
    working_store_key: int,
    line_bytes_max: int,
) -> list[int]:
    """Publish the affected SKUs (``None``: all) of the other store-days to the working store; return the files missing in the archive."""
    missing = []
    for other in others:
        try:
            restage(connection, storage, other, line_bytes_max, skus)
        except UnreadableFile as error:
            if (other.observed_at, other.file_id) > (file.observed_at, file.file_id):
                raise TerminalError(
                    f"file {other.file_id} of {other.manifest.night}, published after file {file.file_id}, is no longer in the archive ({error}): the prices it confirmed "
                    "are unknown, so nothing was changed. The store's next complete crawl replaces its prices: request it, or import a store-day."
                ) from error
            missing.append(other.file_id)
            continue
        publish_prices(
            connection, other, working_store_key, clock.now(), lambda before: restage(connection, storage, before, line_bytes_max, skus)
        )
        delete_staged_rows(connection, [other.file_id])
    return missing


def _restore(
    connection: Connection, file: LedgerEntry, others: list[LedgerEntry], values: dict[str, Any], missing: list[int]
) -> dict[str, Any]:
    instant_and_id = (file.observed_at, file.file_id)
    complete = [other.observed_at for other in others if other.is_complete and (other.observed_at, other.file_id) < instant_and_id]
    after = [other.observed_at for other in others if other.is_complete and (other.observed_at, other.file_id) > instant_and_id]
    values |= {"before_at": complete[-1] if complete else None, "after_at": after[0] if after else None}
    restored = connection.run("retraction/restore_prices", values).rowcount
    relisted = connection.run("retraction/relist_delisted", values).rowcount if file.is_complete else 0
    withdrawn = connection.run("retraction/withdraw_unknown", values).rowcount
    rows = connection.run("retraction/list_unknown").fetchall()
    return {
        "restored": restored, "relisted": relisted, "withdrawn": 0 if missing else withdrawn, "unknown": withdrawn if missing else 0,
        "unknown_skus": tuple(row["sku"] for row in rows) if missing else (), "missing_files": tuple(missing),
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
