"""Register staged files in the ledger, either as waiting or as refused."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from include import clock
from include.ledger.settling import delete_staged_rows, move_to_final_stage
from include.retailer_names import RETAILERS
from include.staging import staged_file
from include.staging.import_source import opened
from include.staging.manifest import Manifest
from include.staging.storage import DATA_SUFFIX, MANIFEST_SUFFIX, Stage, Storage, StorageUnavailable, UnusableFile, store_id_of
from include.warehouse.engine import Connection, Warehouse, lock

log = logging.getLogger(__name__)

#: Errors that the content of one file causes: the file is refused, the others go on. Any other error is the storage's, the warehouse's or the code's.
FILE_ERRORS = (
    UnusableFile, ValueError, ArithmeticError, RecursionError, IsADirectoryError, NotADirectoryError,
    psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded,
)  # fmt: skip


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
    new = [path for path in storage.manifests(Stage.OUTBOX, retailer) if path not in known]
    return [file_id for path in _in_order(storage, new) if (file_id := register_staged(warehouse, storage, path)[0])]


def _in_order(storage: Storage, paths: list[str]) -> list[str]:
    """Sort new manifests by store, night and run; of one run's files the one written last comes last, and supersedes the others."""
    files_of_run = Counter(path.rsplit("--", 1)[0] for path in paths)

    def order(path: str) -> tuple[str, float, str]:
        run = path.rsplit("--", 1)[0]
        written_at = storage.modified(path) if files_of_run[run] > 1 else None  # asked only where it decides
        return run, written_at.timestamp() if written_at else 0.0, path

    return sorted(paths, key=order)


def register_staged(warehouse: Warehouse, storage: Storage, path: str) -> tuple[int | None, str | None]:
    """Register the staged file of one manifest. Whatever is wrong with it is this file's refusal and stops no other file.

    Returns:
        The file id, if it was registered now, and the reason, if it was refused. Neither: it is registered already, was moved by another run,
        or cannot be read now; then it stays in the outbox, and ``aisleflow doctor`` counts it.
    """
    try:
        manifest = staged_file.load_manifest(storage, path)
        with warehouse.transaction() as connection:
            file_id = register(connection, manifest)
        if file_id is None:
            move_to_final_stage(warehouse, storage, manifest)
        return file_id, None
    except FileNotFoundError:
        return None, None  # another run moved it since the folder was listed
    except StorageUnavailable as error:
        log.warning("not registered: %s", error)
        return None, None
    except FILE_ERRORS as error:
        reason = str(error) if isinstance(error, UnusableFile) else f"{path}: cannot be registered ({type(error).__name__}: {error})"
        return None, _refuse_staged(warehouse, storage, path, reason)


def _refuse_staged(warehouse: Warehouse, storage: Storage, path: str, reason: str) -> str | None:
    try:
        refuse_unreadable_manifest(warehouse, storage, path, reason)
    except (StorageUnavailable, FileNotFoundError) as error:
        log.warning("not moved to the refused stage, the next run does it: %s", error)
    return reason


def list_unregistered(warehouse: Warehouse, storage: Storage, retailers: Sequence[str] = tuple(RETAILERS)) -> list[str]:
    """Return the manifests in the outbox that the ledger does not know and that are older than ``AISLEFLOW_SWEEP_AFTER_MINUTES``.

    Each ingestion registers all it can reach, so these were not announced, belong to no retailer, or cannot be read.

    Args:
        retailers: those whose files are looked at, besides files that belong to no retailer.
    """
    found = {path: _parts_of(path) for path in storage.manifests(Stage.OUTBOX)}
    parts = {path: part for path, part in found.items() if part[0] in retailers or part[0] not in RETAILERS}
    names = ("retailers", "store_ids", "run_keys", "hashes")
    columns = {name: [part[index] for part in parts.values()] for index, name in enumerate(names)}
    with warehouse.transaction() as connection:
        unknown = [row["path"] for row in connection.run("ledger/list_unregistered", {"paths": list(parts), **columns}).fetchall()]
    newest = clock.system_now() - timedelta(minutes=warehouse.settings.sweep_after_minutes)
    return [path for path in unknown if (written_at := storage.modified(path)) is None or written_at <= newest]


def _parts_of(path: str) -> tuple[str, str, str, str]:
    folders, name = path.split("/")[1:-1], path.rsplit("/", 1)[1].removesuffix(MANIFEST_SUFFIX)
    _, _, run_key_and_hash = name.partition("--")
    run_key, _, content_hash = run_key_and_hash.rpartition("--")
    return folders[0] if folders else "", unquote(folders[1]) if len(folders) > 1 else "", run_key, content_hash


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
    for old in (data_path, path):  # the manifest last: after a kill the next run moves the rest
        storage.move(old, f"{Stage.REFUSED}/{old.split('/', 1)[1]}")


def refused_copy(content_hash: str, name: str) -> str:
    """Return where the copy of a refused import file is kept, by the hash of its bytes and its name."""
    return f"{Stage.REFUSED}/unknown/{content_hash[:16]}--{re.sub(r'[^A-Za-z0-9_.-]', '_', name)[-120:]}"


def refused_import(connection: Connection, path: Path) -> int | None:
    """Return the ledger's row of an import file that was refused before it could be staged, if there is one."""
    row = connection.execute(
        "SELECT file_id FROM ops.staged_file WHERE (retailer, store_id, run_key, content_hash) = ('unknown', 'unknown', 'refused', %s)",
        (_hash_of(path),),
    ).fetchone()
    return int(row["file_id"]) if row else None


def _hash_of(path: Path) -> str:
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_import(warehouse: Warehouse, storage: Storage, path: Path, reason: str) -> None:
    """Refuse an import file that cannot be staged: a copy and the reason are kept."""
    with tempfile.NamedTemporaryFile(prefix="aisleflow-") as copy:  # the path may be another file by the time it is stored
        with opened(path) as file:
            shutil.copyfileobj(file, copy)
        copy.flush()
        content_hash = _hash_of(Path(copy.name))
        storage.put(copy.name, refused_copy(content_hash, path.name))
    _enter_refused(warehouse, "unknown", "unknown", content_hash, path.name, reason)


def _enter_refused(warehouse: Warehouse, retailer: str, store_id: str, content_hash: str, source: str, reason: str) -> None:
    at = clock.now()
    with warehouse.transaction() as connection:
        connection.execute(
            "INSERT INTO ops.staged_file (retailer, store_id, night, run_key, content_hash, state, stage, state_reason, observed_at, last_observed_at, rows, is_complete, manifest, registered_at) "
            "VALUES (%s, %s, %s, 'refused', %s, 'refused', 'refused', %s, %s, %s, 0, false, %s, %s) ON CONFLICT DO NOTHING",
            (retailer, store_id, clock.night_of(at), content_hash, reason, at, at, Jsonb({"source": source}), at),
        )
    log.error("refused %s: %s", source, reason)
