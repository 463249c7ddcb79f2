"""Register staged files in the ledger, either as waiting or as refused."""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path

import msgspec
from psycopg.types.json import Jsonb

from include import clock
from include.ledger.settling import delete_staged_rows, move_to_final_stage
from include.staging import staged_file
from include.staging.manifest import Manifest, ManifestError
from include.staging.storage import DATA_SUFFIX, MANIFEST_SUFFIX, Stage, Storage, store_id_of
from include.warehouse.engine import Connection, Warehouse, lock

log = logging.getLogger(__name__)


def register_waiting(warehouse: Warehouse, storage: Storage, retailer: str) -> list[int]:
    """Register every new file of a retailer's outbox.

    A manifest that cannot be read is refused with its reason. Files in a final state (a move was
    interrupted, or a re-run wrote equal content again) are moved to their final stage.

    Returns:
        File ids registered now, in order of registration.
    """
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_undecided_manifests", {"retailer": retailer}).fetchall()
    known = {msgspec.convert(row["manifest"], Manifest).path(Stage.OUTBOX) for row in rows}
    return [
        file_id
        for path in storage.manifests(Stage.OUTBOX, retailer)
        if path not in known and (file_id := _register_path(warehouse, storage, path))
    ]


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
    """Register one manifest as a waiting file; ``None`` if this content of this run is already registered.

    An unpublished file of the same run and store is superseded.
    """
    lock(connection, f"ledger:{manifest.retailer}")
    row = connection.run(
        "ledger/register_file",
        {
            "retailer": manifest.retailer, "store_id": manifest.store_id, "night": manifest.night, "run_key": manifest.run_key,
            "content_hash": manifest.sha256, "stage": stage, "observed_at": manifest.observed_at, "last_observed_at": manifest.last_observed_at,
            "rows": manifest.rows, "is_complete": manifest.complete,
            "completeness_reason": None if manifest.complete is None else manifest.incomplete_reason or "stated in its manifest",
            "is_partial_on_request": manifest.is_partial_on_request, "manifest": Jsonb(msgspec.to_builtins(manifest)), "now": clock.now(),
        },
    ).fetchone()  # fmt: skip
    if row is None:
        return None
    replaced = [old["file_id"] for old in connection.run("ledger/supersede_run", {"file_id": row["file_id"]}).fetchall()]
    if replaced:
        delete_staged_rows(connection, replaced)
    return int(row["file_id"])


def refuse_unreadable_manifest(warehouse: Warehouse, storage: Storage, path: str, reason: str) -> None:
    """Refuse a file whose manifest cannot be read: both files move to the refused stage unchanged, the ledger keeps the reason."""
    content = storage.read(path)
    data_path = path.removesuffix(MANIFEST_SUFFIX) + DATA_SUFFIX
    _enter_refused(warehouse, path.split("/")[1], store_id_of(path), hashlib.sha256(content).hexdigest(), path, reason)
    for old in (path, data_path):
        if storage.exists(old):
            new = f"{Stage.REFUSED}/{old.split('/', 1)[1]}"
            storage.filesystem.makedirs(storage.full(new).rsplit("/", 1)[0], exist_ok=True)
            storage.filesystem.mv(storage.full(old), storage.full(new))


def refuse_import(warehouse: Warehouse, storage: Storage, path: Path, reason: str) -> None:
    """Refuse an import file that cannot be staged: a copy and the reason are kept."""
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
