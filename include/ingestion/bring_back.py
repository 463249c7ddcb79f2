"""Brings back a file that was refused, discarded or retracted: by an operator's decision it is ingested as if it came for the first time.

Its copy in storage is put into the outbox again and the ledger's row waits again, with its old id. It is checked like any other file; a
store-day that was held is held again, until it is released.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from include.errors import TerminalError
from include.ingestion.importing import ImportedFile, import_file
from include.ledger.decisions import check_decidable, decide
from include.ledger.registering import refused_copy, refused_import, register_staged
from include.staging import staged_file
from include.staging.manifest import Manifest
from include.staging.storage import DATA_SUFFIX, MANIFEST_SUFFIX, Stage, Storage
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

_STAGES = (Stage.REFUSED, Stage.ARCHIVE, Stage.OUTBOX)


class _Decision(NamedTuple):
    file_id: int
    by: str
    reason: str


def bring_back(warehouse: Warehouse, storage: Storage, file_id: int, by: str, reason: str) -> ImportedFile:
    """Bring back one file of the ledger from its copy in storage. The caller ingests its retailer.

    Raises:
        TerminalError: no reason, unknown file, its state does not allow it, or its copy is no longer stored or still unusable.
    """
    with warehouse.transaction() as connection:
        check_decidable(connection, file_id, "again", reason)
        row = connection.execute(
            "SELECT retailer, store_id, content_hash, manifest FROM ops.staged_file WHERE file_id = %s", (file_id,)
        ).fetchone()
    assert row is not None
    if "sha256" not in row["manifest"]:
        return _bring_back_unread(warehouse, storage, file_id, row, by, reason)
    manifest = msgspec.convert(row["manifest"], Manifest)
    source = next((stage for stage in _STAGES if storage.is_file(manifest.data_path(stage))), None)
    if source is None:
        raise TerminalError(
            f"file {file_id} is no longer stored (AISLEFLOW_ARCHIVE_DAYS). Give its path: aisleflow import --again --why '…' PATH."
        )

    def put_back() -> None:
        if source is not Stage.OUTBOX:
            staged_file.copy_data(storage, manifest, source, Stage.OUTBOX)
        storage.write(manifest.path(Stage.OUTBOX), manifest.to_json())

    _wait_again(warehouse, storage, manifest, put_back, _Decision(file_id, by, reason))
    if source is not Stage.OUTBOX:
        staged_file.remove(storage, manifest, source)
    return ImportedFile(manifest.data_path(Stage.OUTBOX), "waiting", file_id, manifest.retailer)


def import_again(warehouse: Warehouse, storage: Storage, path: Path, by: str, reason: str) -> ImportedFile:
    """Import a file even if its content was refused, discarded or retracted before. Files in other states stay as they are."""

    def again(file_id: int, manifest: Manifest, put: Callable[[], None]) -> bool:
        with warehouse.transaction() as connection:
            row = connection.execute("SELECT state FROM ops.staged_file WHERE file_id = %s", (file_id,)).fetchone()
        if row is None or row["state"] not in ("refused", "discarded"):
            return False
        _wait_again(warehouse, storage, manifest, put, _Decision(file_id, by, reason))
        return True

    found = import_file(warehouse, storage, path, again)
    if found.outcome == "waiting" and found.file_id is not None:
        with warehouse.transaction() as connection:
            refused = refused_import(connection, path)
            if refused is not None:
                decide(connection, refused, "again", by, reason, "command line", detail={"file_id": found.file_id})
    return found


def _wait_again(warehouse: Warehouse, storage: Storage, manifest: Manifest, put: Callable[[], None], decision: _Decision) -> None:
    put()  # first the file: after a kill here the sweep takes it out again, and nothing has changed
    with warehouse.transaction() as connection:
        decide(connection, decision.file_id, "again", decision.by, decision.reason, "command line")
    if not storage.exists(manifest.path(Stage.OUTBOX)) or not storage.exists(manifest.data_path(Stage.OUTBOX)):
        put()  # the sweep ran between the two
    log.info("file %s waits again: %s", decision.file_id, decision.reason)


def _bring_back_unread(warehouse: Warehouse, storage: Storage, file_id: int, row: dict[str, Any], by: str, reason: str) -> ImportedFile:
    """Bring back a file that was refused before it could be staged, or whose manifest could not be read: the present reader tries again."""
    source = str(row["manifest"]["source"])
    if source.startswith(f"{Stage.OUTBOX}/"):
        refused = f"{Stage.REFUSED}/{source.split('/', 1)[1]}"
        if storage.is_file(refused):
            staged_file.load_manifest(storage, refused)  # raises what is still wrong with it
            for suffix in (DATA_SUFFIX, MANIFEST_SUFFIX):  # the manifest last: without it the data do not exist
                storage.move(refused.removesuffix(MANIFEST_SUFFIX) + suffix, source.removesuffix(MANIFEST_SUFFIX) + suffix)
            new_id, why = register_staged(warehouse, storage, source)
            if new_id is not None:
                with warehouse.transaction() as connection:
                    decide(connection, file_id, "again", by, reason, "command line", detail={"file_id": new_id})
                return ImportedFile(source, "waiting", new_id, row["retailer"])
            raise TerminalError(
                f"file {file_id} cannot be brought back: {why or 'its content is registered already'}. See aisleflow store files {row['retailer']}:{row['store_id']}."
            )
    copy = refused_copy(row["content_hash"], source)
    if not storage.is_file(copy):
        raise TerminalError(f"file {file_id} is no longer stored as {copy}. Give its path: aisleflow import --again --why '…' PATH.")
    with tempfile.TemporaryDirectory(prefix="aisleflow-") as folder:
        path = Path(folder) / copy.rsplit("--", 1)[1]
        with storage.open(copy) as old, path.open("wb") as new:
            while chunk := old.read(1 << 20):
                new.write(chunk)
        return import_again(warehouse, storage, path, by, reason)
