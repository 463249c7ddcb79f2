"""Loads staged files into ``staging.offer``: one stream per file, constant memory, every line counted, several files in parallel."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from include import clock
from include.errors import AisleflowError
from include.ingestion.copying import copy_lines
from include.ingestion.lines import LineReader
from include.ingestion.workers import load_parallel
from include.ledger.files import LedgerEntry, entries, entry
from include.ledger.registering import register_waiting
from include.ledger.rejections import Rejection, requeue_rejected, save_rejection
from include.ledger.settling import finish_load, refuse
from include.staging.manifest import Manifest
from include.staging.staged_file import MissingFile, UnreadableFile, open_staged
from include.staging.storage import Stage, Storage, StorageUnavailable
from include.warehouse.engine import Connection, Warehouse, lock

log = logging.getLogger(__name__)


def load_waiting(warehouse: Warehouse, storage: Storage, retailer: str, progress: Callable[[str], None] = log.info) -> list[int]:
    """Register and load every waiting file of a retailer, in parallel if there are enough cores and lines.

    Returns:
        Ids of the loaded and unchecked files, oldest store-day first, including those of an
        interrupted run.

    Raises:
        StorageUnavailable: files wait, and the storage root is empty or cannot be reached.
    """
    register_waiting(warehouse, storage, retailer)
    with warehouse.transaction() as connection:
        files = entries(connection, retailer, ["waiting", "loaded"])
    done = 0

    def on_loaded(file: LedgerEntry) -> None:
        nonlocal done
        done += 1
        progress(f"loaded {done} of {len(files)}: {retailer} {file.manifest.store_id} of {file.manifest.night}, {file.manifest.rows} lines")

    load_parallel(warehouse, storage, files, ensure_loaded, on_loaded)
    with warehouse.transaction() as connection:
        if files:
            connection.execute("ANALYZE staging.offer")  # the table was empty before, so its statistics are outdated
        return [file.file_id for file in entries(connection, retailer, ["loaded"])]


def ensure_loaded(warehouse: Warehouse, storage: Storage, file_id: int) -> bool:
    """Load one file unless its rows are already in ``staging.offer`` (a server crash empties that table).

    Returns:
        False if it is not loaded: an unreadable file is refused with its reason; one that cannot be reached waits (:func:`set_aside_unreachable`).
    """
    try:
        with warehouse.transaction() as connection:
            file = entry(connection, file_id)
            if file.state not in ("waiting", "loaded", "held") or _is_loaded(connection, file_id):
                return file.state != "refused"
            _load(connection, storage, file_id, file.manifest, warehouse.settings.line_bytes_max)
    except (MissingFile, StorageUnavailable) as error:
        set_aside_unreachable(warehouse, storage, file_id, error)
        return False
    except UnreadableFile as error:
        refuse(warehouse, storage, file_id, str(error))
        return False
    return True


def set_aside_unreachable(warehouse: Warehouse, storage: Storage, file_id: int, error: AisleflowError) -> None:
    """Leave a file that cannot be reached waiting, with the reason: the others go on, the next run tries it again.

    Raises:
        StorageUnavailable: not this file, the whole storage root is away.
    """
    if not storage.is_there():
        raise StorageUnavailable(
            f"the storage root {storage.url} is empty or not there, and store-days wait in it. Mount its disk, or correct AISLEFLOW_STORAGE. Nothing is refused or lost; the next run tries again."
        ) from error
    log.warning("file %s waits: %s", file_id, error)
    save_rejection(warehouse, file_id, Rejection(str(error), (), 0, "Make the file readable, or stage the store-day again.", "storage"))
    requeue_rejected(warehouse, file_id)


def _is_loaded(connection: Connection, file_id: int) -> bool:
    return connection.execute("SELECT 1 FROM staging.loaded_file WHERE file_id = %s", (file_id,)).fetchone() is not None


def _load(connection: Connection, storage: Storage, file_id: int, manifest: Manifest, line_bytes_max: int) -> None:
    lock(connection, f"file:{file_id}")
    now = clock.now()
    read = LineReader(file_id, manifest, now)
    copy_lines(connection, "staging.offer", map(read.copy_line, open_staged(storage, manifest, Stage.OUTBOX, line_bytes_max)))
    connection.run("loading/mark_duplicates", {"file_id": file_id})
    finish_load(connection, file_id, now)


def raw_lines(storage: Storage, manifest: Manifest, stage: Stage, numbers: set[int], line_bytes_max: int) -> Iterator[tuple[int, str]]:
    """Yield (line number, raw text) of the wanted lines of a file, cut at 20,000 characters, for quarantine."""
    for line in open_staged(storage, manifest, stage, line_bytes_max):
        if line.number in numbers:
            yield line.number, line.raw[:80_000].decode("utf-8", "replace")[:20_000]
