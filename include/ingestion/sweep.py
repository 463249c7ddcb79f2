"""Finds overdue files, finishes interrupted moves, removes archived files after their retention."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from include import clock
from include.enrichment.prefill import prefill_waiting
from include.ledger.files import FINAL_STAGE
from include.ledger.settling import move_to_final_stage
from include.retailer_names import RETAILERS
from include.staging import staged_file
from include.staging.manifest import Manifest, ManifestError
from include.staging.storage import DATA_SUFFIX, MANIFEST_SUFFIX, Stage, Storage, StorageUnavailable
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)


def sweep(warehouse: Warehouse, storage: Storage) -> dict[str, list[str]]:
    """Move decided files that are still in the outbox, pass on overdue ones of the barcode inbox, and return the overdue ones of the outbox.

    Prices do not wait for barcodes: should the event have been lost or ``enrich_barcodes`` be paused, the files are prefilled here.

    Returns:
        See :func:`waiting_files`; also the keys of what was passed on, which is ingested at once.
    """
    for retailer in RETAILERS:
        for manifest, state in _outbox(warehouse, storage, retailer):
            if manifest is not None and state in FINAL_STAGE:
                move_to_final_stage(warehouse, storage, manifest)
    waiting = waiting_files(warehouse, storage)
    for retailer in sorted({path.split("/")[1] for path in overdue_in_inbox(warehouse, storage)} & set(RETAILERS)):
        for key in prefill_waiting(warehouse, storage, retailer).keys:
            waiting.setdefault(key, []).append("passed on from the barcode inbox")
    return waiting


def overdue_in_inbox(warehouse: Warehouse, storage: Storage) -> list[str]:
    """Return the manifests that wait in the barcode inbox longer than ``AISLEFLOW_SWEEP_AFTER_MINUTES``."""
    return [path for path in storage.manifests(Stage.BARCODE_INBOX) if _is_overdue(warehouse, storage, path)]


def waiting_files(warehouse: Warehouse, storage: Storage) -> dict[str, list[str]]:
    """Return files that wait in the outbox longer than ``AISLEFLOW_SWEEP_AFTER_MINUTES``: ``retailer|night`` → file names.

    Held files are not included: they wait for a decision, not for ingestion.
    """
    waiting: dict[str, list[str]] = {}
    for retailer in RETAILERS:
        for manifest, state in _outbox(warehouse, storage, retailer):
            if manifest is None:  # cannot be read: ingestion refuses it with its reason
                night, name = state.rsplit("/", 1)[1][:10], state
            elif state in FINAL_STAGE or state == "held" or not _is_overdue(warehouse, storage, manifest.path(Stage.OUTBOX)):
                continue
            else:
                night, name = manifest.night.isoformat(), manifest.data
            waiting.setdefault(f"{retailer}|{night}", []).append(name)
    return waiting


def _outbox(warehouse: Warehouse, storage: Storage, retailer: str) -> Iterator[tuple[Manifest | None, str]]:
    """Yield each manifest of a retailer's outbox with its state in the ledger, or ``None`` with the path of one that cannot be read."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_states", {"retailer": retailer}).fetchall()
    states = {(row["store_id"], row["run_key"], row["content_hash"]): row["state"] for row in rows}
    for path in storage.manifests(Stage.OUTBOX, retailer):
        try:
            manifest = staged_file.load_manifest(storage, path)
        except FileNotFoundError:
            continue  # moved since the folder was listed
        except (ManifestError, StorageUnavailable):
            yield None, path
            continue
        yield manifest, states.get((manifest.store_id, manifest.run_key, manifest.sha256), "unknown")


def _is_overdue(warehouse: Warehouse, storage: Storage, path: str) -> bool:
    written_at = storage.modified(path)
    return written_at is None or clock.system_now() - written_at >= timedelta(minutes=warehouse.settings.sweep_after_minutes)


def prune_archive(warehouse: Warehouse, storage: Storage) -> int:
    """Remove archived files older than ``AISLEFLOW_ARCHIVE_DAYS`` by their night; the ledger keeps its rows. Returns their number."""
    oldest = clock.night_of(clock.now() - timedelta(days=warehouse.settings.archive_days))
    removed = 0
    for path in storage.manifests(Stage.ARCHIVE):
        if path.rsplit("/", 1)[1][:10] < oldest.isoformat():  # the name says it all: a damaged manifest goes like the others
            storage.remove(path)
            storage.remove(path.removesuffix(MANIFEST_SUFFIX) + DATA_SUFFIX)
            removed += 1
    log.info("removed %s archived files older than %s", removed, oldest)
    return removed
