"""What becomes of a staged file on its way: loaded, checked, held, closed, refused, sent back; and its place in the storage."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from include.ledger.files import FINAL_STAGE, entry
from include.staging import staged_file
from include.staging.manifest import Manifest
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)


def finish_load(connection: Connection, file_id: int, now: datetime) -> None:
    """Note that the rows of a file stand in ``staging.offer``, with its statistics; belongs into the transaction that copied them."""
    connection.execute("INSERT INTO staging.loaded_file (file_id) VALUES (%s)", (file_id,))
    connection.run("ledger/finish_load", {"file_id": file_id, "now": now})


def mark_checked(connection: Connection, file_ids: Sequence[int], version: str, checked_at: datetime | None) -> None:
    """Note that files were checked by a version of the rule catalogue; without ``checked_at`` the earlier instant stays."""
    connection.run("ledger/mark_checked", {"file_ids": list(file_ids), "version": version, "checked_at": checked_at})


def hold(connection: Connection, check_id: int, reasons: Mapping[int, Sequence[str]]) -> dict[int, str]:
    """Hold store-days for their reasons; return those held, each as a sentence. What a person released goes on."""
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
    """Send a file in this state back to the start of ingestion: it is loaded and checked afresh. Returns its retailer; ``None``: another state."""
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
    """Let all other loaded files of a retailer wait: for a dry run of a step on a part of its batch."""
    connection.run("ledger/keep_only", {"retailer": retailer, "file_ids": list(file_ids)})


def delete_staged_rows(connection: Connection, file_ids: Sequence[int]) -> None:
    """Clear files from ``staging.offer``, and the note that they stand there."""
    connection.run("ledger/delete_staged_rows", {"file_ids": list(file_ids)})


def refuse(warehouse: Warehouse, storage: Storage, file_id: int, reason: str) -> None:
    """Refuse a whole file with its reason: it moves to the refused stage, nothing of it is published."""
    with warehouse.transaction() as connection:
        manifest = entry(connection, file_id).manifest
        delete_staged_rows(connection, [file_id])
        connection.execute(
            "UPDATE ops.staged_file SET state = 'refused', stage = 'refused', state_reason = %s WHERE file_id = %s", (reason, file_id)
        )
    log.error("refused %s: %s", manifest.data_path(Stage.OUTBOX), reason)
    move_to_final_stage(warehouse, storage, manifest)


def move_to_final_stage(warehouse: Warehouse, storage: Storage, manifest: Manifest) -> None:
    """Move a file whose fate is decided out of the outbox. Repeatable; the sweep calls it for what a kill left behind."""
    with warehouse.transaction() as connection:
        row = connection.execute(
            "SELECT state FROM ops.staged_file WHERE (retailer, store_id, run_key, content_hash) = (%s, %s, %s, %s)",
            (manifest.retailer, manifest.store_id, manifest.run_key, manifest.sha256),
        ).fetchone()
    if row is not None and row["state"] in FINAL_STAGE:
        staged_file.move(storage, manifest, Stage.OUTBOX, FINAL_STAGE[row["state"]])
