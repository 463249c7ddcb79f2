"""State changes of a staged file: loaded, checked, held, closed, refused, requeued; and the move to its final stage."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from include.ledger.files import FINAL_STAGE, entry
from include.staging import staged_file
from include.staging.manifest import Manifest
from include.staging.storage import Stage, Storage, StorageUnavailable
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)


def finish_load(connection: Connection, file_id: int, now: datetime) -> None:
    """Record that a file's rows are in ``staging.offer``, with its statistics. Call it in the transaction that copied them."""
    connection.execute("INSERT INTO staging.loaded_file (file_id) VALUES (%s)", (file_id,))
    connection.run("ledger/finish_load", {"file_id": file_id, "now": now})


def count_goods(connection: Connection, file_ids: Sequence[int]) -> None:
    """Record the distinct SKUs accepted of each file, and those without a price. Call it after lines are marked."""
    connection.run("ledger/count_goods", {"file_ids": list(file_ids)})


def mark_checked(connection: Connection, file_ids: Sequence[int], version: str, checked_at: datetime | None) -> None:
    """Record the rule catalogue version that checked the files; ``checked_at=None`` keeps the earlier instant."""
    connection.run("ledger/mark_checked", {"file_ids": list(file_ids), "version": version, "checked_at": checked_at})


def save_movements(connection: Connection, movements: Mapping[int, Mapping[str, Any]]) -> None:
    """Record how the prices of store-days differ from the known ones (the column ``movement``), for rules about slow drifts."""
    values = [Jsonb(dict(movement)) for movement in movements.values()]
    connection.run("ledger/save_movements", {"file_ids": list(movements), "movements": values})


def hold(connection: Connection, check_id: int, reasons: Mapping[int, Sequence[str]]) -> dict[int, str]:
    """Hold store-days for their reasons and return a message for each. Store-days released by an operator are not held again."""
    marked = connection.run(
        "ledger/hold_files",
        {"check_id": check_id, "file_ids": list(reasons), "reasons": ["; ".join(found) for found in reasons.values()]},
    ).fetchall()
    held = {row["file_id"]: f"{row['retailer']} {row['store_id']} of {row['night']}: {row['state_reason']}" for row in marked}
    for file_id, reason in held.items():
        log.warning("held file %s: %s", file_id, reason)
    return held


def close(connection: Connection, values: Mapping[str, Any]) -> dict[str, Any]:
    """Close a store-day with its counts (parameters of ``ledger/close_file``) and clear it from staging; return rows, quarantined, folded."""
    closed = connection.run("ledger/close_file", values).fetchone()
    assert closed is not None
    delete_staged_rows(connection, [values["file_id"]])
    return closed


def requeue(connection: Connection, file_id: int, state: str) -> str | None:
    """Return a file in this state to the start of ingestion, to be loaded and checked again. Returns its retailer; ``None``: another state."""
    row = connection.execute(
        "UPDATE ops.staged_file SET state = 'waiting', check_version = NULL, state_reason = CASE state WHEN 'held' THEN NULL ELSE state_reason END "
        "WHERE file_id = %s AND state = %s RETURNING retailer",
        (file_id, state),
    ).fetchone()
    if row is None:
        return None
    delete_staged_rows(connection, [file_id])
    return str(row["retailer"])


def keep_only(connection: Connection, retailer: str, file_ids: Sequence[int]) -> None:
    """Set all other loaded files of a retailer to waiting, for a dry run on part of its batch."""
    connection.run("ledger/keep_only", {"retailer": retailer, "file_ids": list(file_ids)})


def delete_staged_rows(connection: Connection, file_ids: Sequence[int]) -> None:
    """Delete the rows of files from ``staging.offer`` and from ``staging.loaded_file``."""
    connection.run("ledger/delete_staged_rows", {"file_ids": list(file_ids)})


def refuse(warehouse: Warehouse, storage: Storage, file_id: int, reason: str) -> None:
    """Refuse a whole file with its reason and move it to the refused stage; nothing of it is published."""
    with warehouse.transaction() as connection:
        manifest = entry(connection, file_id).manifest
        delete_staged_rows(connection, [file_id])
        connection.execute(
            "UPDATE ops.staged_file SET state = 'refused', stage = 'refused', state_reason = %s WHERE file_id = %s", (reason, file_id)
        )
    log.error("refused %s: %s", manifest.data_path(Stage.OUTBOX), reason)
    move_to_final_stage(warehouse, storage, manifest)


def move_to_final_stage(warehouse: Warehouse, storage: Storage, manifest: Manifest) -> None:
    """Move a file in a final state out of the outbox. Repeatable; the sweep calls it for moves that a kill or the storage interrupted."""
    with warehouse.transaction() as connection:
        row = connection.execute(
            "SELECT state FROM ops.staged_file WHERE (retailer, store_id, run_key, content_hash) = (%s, %s, %s, %s)",
            (manifest.retailer, manifest.store_id, manifest.run_key, manifest.sha256),
        ).fetchone()
    if row is not None and row["state"] in FINAL_STAGE:
        try:
            staged_file.move(storage, manifest, Stage.OUTBOX, FINAL_STAGE[row["state"]])
        except StorageUnavailable as error:
            log.warning("not moved out of the outbox, the sweep does it later: %s", error)
