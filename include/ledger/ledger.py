"""The ledger: the record of every staged file, and the only thing that decides what happens to one."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from include import clock
from include.staging import staged_file
from include.staging.manifest import Manifest, ManifestError
from include.staging.storage import DATA_SUFFIX, MANIFEST_SUFFIX, Stage, Storage, store_id_of
from include.warehouse.engine import Connection, Warehouse, lock

log = logging.getLogger(__name__)

#: Where the file of each final state belongs; files in other states stay in the outbox.
FINAL_STAGE = {"published": Stage.ARCHIVE, "superseded": Stage.ARCHIVE, "refused": Stage.REFUSED, "discarded": Stage.REFUSED}


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One staged file as the steps need it. ``is_released`` says that a person let it through its store-level checks."""

    file_id: int
    state: str
    manifest: Manifest
    observed_at: datetime
    is_complete: bool
    is_released: bool


def register_waiting(warehouse: Warehouse, storage: Storage, retailer: str) -> list[int]:
    """Enter every file of a retailer's outbox that the ledger does not know, then judge completeness in time order.

    A manifest that cannot be read is refused with its reason. Files whose fate is already decided (a move
    was interrupted, or a re-run wrote equal content again) are moved to where they belong.

    Returns:
        File ids registered now, in order of registration.
    """
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT manifest, state FROM ops.staged_file WHERE retailer = %s AND state IN ('waiting', 'loaded', 'held')", (retailer,)
        ).fetchall()
    known = {msgspec.convert(row["manifest"], Manifest).path(Stage.OUTBOX) for row in rows}
    registered = [
        file_id
        for path in storage.manifests(Stage.OUTBOX, retailer)
        if path not in known and (file_id := _register_path(warehouse, storage, path))
    ]
    with warehouse.transaction() as connection:
        judge_completeness(connection, retailer, warehouse.settings.complete_rows_share, warehouse.settings.baseline_days)
    return registered


def _register_path(warehouse: Warehouse, storage: Storage, path: str) -> int | None:
    try:
        manifest = staged_file.load_manifest(storage, path)
    except ManifestError as error:
        refuse_unreadable_manifest(warehouse, storage, path, str(error))
        return None
    except FileNotFoundError:
        return None  # another run moved it since the folder was listed
    with warehouse.transaction() as connection:
        file_id = register(connection, manifest)
    if file_id is None:
        move_to_final_stage(warehouse, storage, manifest)
    return file_id


def register(connection: Connection, manifest: Manifest, stage: Stage = Stage.OUTBOX) -> int | None:
    """Enter one manifest as a waiting file; ``None`` if the ledger knows this content of this run already.

    An unpublished file of the same run and store is superseded.
    """
    lock(connection, f"ledger:{manifest.retailer}")
    row = connection.run(
        "ledger/register_file",
        {
            "retailer": manifest.retailer, "store_id": manifest.store_id, "night": manifest.night, "run_key": manifest.run_key,
            "content_hash": manifest.sha256, "stage": stage, "observed_at": manifest.observed_at, "last_observed_at": manifest.last_observed_at,
            "rows": manifest.rows, "is_complete": manifest.complete,
            "completeness_reason": None if manifest.complete is None else manifest.incomplete_reason or "its manifest says so",
            "manifest": Jsonb(msgspec.to_builtins(manifest)), "now": clock.now(),
        },
    ).fetchone()  # fmt: skip
    if row is None:
        return None
    replaced = [old["file_id"] for old in connection.run("ledger/supersede_run", {"file_id": row["file_id"]}).fetchall()]
    if replaced:
        _delete_staged_rows(connection, replaced)
    return int(row["file_id"])


def find(connection: Connection, manifest: Manifest) -> int | None:
    """Return the ledger's id of this content of this run, if it is known."""
    row = connection.execute(
        "SELECT file_id FROM ops.staged_file WHERE (retailer, store_id, run_key, content_hash) = (%s, %s, %s, %s)",
        (manifest.retailer, manifest.store_id, manifest.run_key, manifest.sha256),
    ).fetchone()
    return int(row["file_id"]) if row else None


def judge_completeness(connection: Connection, retailer: str, rows_share: float, baseline_days: int) -> None:
    """Judge every waiting file that came without a manifest, in time order, not in the order of arrival.

    Complete = at least ``rows_share`` of the rows of the store's last complete store-day; without one, of the
    median of the retailer's store-days within ``baseline_days``; without any: incomplete.
    """
    waiting = connection.execute(
        "SELECT file_id, rows FROM ops.staged_file WHERE retailer = %s AND is_complete IS NULL AND state = 'waiting' ORDER BY observed_at, file_id",
        (retailer,),
    ).fetchall()
    for file in waiting:
        base = connection.run("ledger/complete_baseline", {"file_id": file["file_id"], "baseline_days": baseline_days}).fetchone()
        assert base is not None
        if base["last_complete_rows"] is not None:
            expected, against = base["last_complete_rows"], f"the store's last complete store-day ({base['last_complete_at']:%Y-%m-%d})"
        elif base["median_files"]:
            expected, against = (
                base["median_rows"],
                f"the median of {base['median_files']} store-days of {retailer} within {baseline_days} days",
            )
        else:
            expected, against = None, "no other store-day to compare with"
        is_complete = expected is not None and file["rows"] >= rows_share * expected
        reason = f"{file['rows']} rows; {against}" + (f" has {expected:.0f}" if expected is not None else "")
        connection.execute(
            "UPDATE ops.staged_file SET is_complete = %s, completeness_reason = %s WHERE file_id = %s",
            (is_complete, reason, file["file_id"]),
        )


def entries(connection: Connection, retailer: str, states: Sequence[str]) -> list[LedgerEntry]:
    """Return a retailer's files in the given states, oldest store-day first."""
    rows = connection.execute(
        "SELECT file_id, state, manifest, observed_at, is_complete, decided_by IS NOT NULL AS is_released FROM ops.staged_file "
        "WHERE retailer = %s AND state = ANY(%s) AND is_complete IS NOT NULL ORDER BY observed_at, file_id",
        (retailer, list(states)),
    ).fetchall()
    return [_entry(row) for row in rows]


def entry(connection: Connection, file_id: int) -> LedgerEntry:
    """Return one file, its ledger row locked until the transaction ends.

    Raises:
        KeyError: the ledger has no such file.
    """
    row = connection.execute(
        "SELECT file_id, state, manifest, observed_at, coalesce(is_complete, false) AS is_complete, decided_by IS NOT NULL AS is_released "
        "FROM ops.staged_file WHERE file_id = %s FOR UPDATE",
        (file_id,),
    ).fetchone()
    if row is None:
        raise KeyError(file_id)
    return _entry(row)


def list_store(warehouse: Warehouse, retailer: str, store_id: str) -> list[dict[str, Any]]:
    """Return the store-days of one store, the newest first, with what became of each."""
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT file_id, night, observed_at, rows, is_complete, state, created, updated, delisted, state_reason FROM ops.staged_file "
            "WHERE retailer = %s AND store_id = %s ORDER BY observed_at DESC, file_id DESC",
            (retailer, store_id),
        ).fetchall()
    return [dict(row) for row in rows]


def _entry(row: dict[str, Any]) -> LedgerEntry:
    return LedgerEntry(
        row["file_id"], row["state"], msgspec.convert(row["manifest"], Manifest), row["observed_at"], row["is_complete"], row["is_released"]
    )


def _delete_staged_rows(connection: Connection, file_ids: Sequence[int]) -> None:
    connection.execute("DELETE FROM staging.offer WHERE file_id = ANY(%s)", (list(file_ids),))
    connection.execute("DELETE FROM staging.loaded_file WHERE file_id = ANY(%s)", (list(file_ids),))


def refuse(warehouse: Warehouse, storage: Storage, file_id: int, reason: str) -> None:
    """Refuse a whole file with its reason: it moves to the refused stage, nothing of it is published."""
    with warehouse.transaction() as connection:
        manifest = entry(connection, file_id).manifest
        _delete_staged_rows(connection, [file_id])
        connection.execute(
            "UPDATE ops.staged_file SET state = 'refused', stage = 'refused', state_reason = %s WHERE file_id = %s", (reason, file_id)
        )
    log.error("refused %s: %s", manifest.data_path(Stage.OUTBOX), reason)
    move_to_final_stage(warehouse, storage, manifest)


def refuse_unreadable_manifest(warehouse: Warehouse, storage: Storage, path: str, reason: str) -> None:
    """Refuse a file whose manifest cannot be read: both files move aside untouched and the ledger keeps the reason."""
    content = storage.read(path)
    data_path = path.removesuffix(MANIFEST_SUFFIX) + DATA_SUFFIX
    _enter_refused(warehouse, path.split("/")[1], store_id_of(path), hashlib.sha256(content).hexdigest(), path, reason)
    for old in (path, data_path):
        if storage.exists(old):
            new = f"{Stage.REFUSED}/{old.split('/', 1)[1]}"
            storage.filesystem.makedirs(storage.full(new).rsplit("/", 1)[0], exist_ok=True)
            storage.filesystem.mv(storage.full(old), storage.full(new))


def refuse_import(warehouse: Warehouse, storage: Storage, path: Path, reason: str) -> None:
    """Refuse a file offered for import that cannot even be staged: a copy is kept, the ledger keeps the reason."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    storage.put(str(path), f"{Stage.REFUSED}/unknown/{digest.hexdigest()[:16]}--{re.sub(r'[^A-Za-z0-9_.-]', '_', path.name)[-120:]}")
    _enter_refused(warehouse, "unknown", "unknown", digest.hexdigest(), path.name, reason)


def _enter_refused(warehouse: Warehouse, retailer: str, store_id: str, content_hash: str, source: str, reason: str) -> None:
    at = clock.now()
    with warehouse.transaction() as connection:
        connection.execute(
            "INSERT INTO ops.staged_file (retailer, store_id, night, run_key, content_hash, state, stage, state_reason, observed_at, last_observed_at, rows, is_complete, manifest, registered_at) "
            "VALUES (%s, %s, %s, 'refused', %s, 'refused', 'refused', %s, %s, %s, 0, false, %s, %s) ON CONFLICT DO NOTHING",
            (retailer, store_id, clock.night_of(at), content_hash, reason, at, at, Jsonb({"source": source}), at),
        )
    log.error("refused %s: %s", source, reason)


def move_to_final_stage(warehouse: Warehouse, storage: Storage, manifest: Manifest) -> None:
    """Move a file whose fate is decided out of the outbox. Repeatable; the sweep calls it for what a kill left behind."""
    with warehouse.transaction() as connection:
        row = connection.execute(
            "SELECT state FROM ops.staged_file WHERE (retailer, store_id, run_key, content_hash) = (%s, %s, %s, %s)",
            (manifest.retailer, manifest.store_id, manifest.run_key, manifest.sha256),
        ).fetchone()
    if row is not None and row["state"] in FINAL_STAGE:
        staged_file.move(storage, manifest, Stage.OUTBOX, FINAL_STAGE[row["state"]])
