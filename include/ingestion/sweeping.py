"""Finds what waits too long, repairs what a kill left behind, removes what is past its time."""

from __future__ import annotations

import logging
from datetime import timedelta

from include import clock
from include.ingestion import ledger
from include.staging import staged_file
from include.staging.manifest import ManifestError
from include.staging.storage import RETAILERS, Stage, Storage
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)


def sweep(warehouse: Warehouse, storage: Storage) -> dict[str, list[str]]:
    """Settle decided files that still stand in the outbox, and say what waits.

    Returns:
        ``retailer|night`` → data file names of files that wait longer than ``AISLEFLOW_SWEEP_AFTER_MINUTES``.
    """
    waiting: dict[str, list[str]] = {}
    for retailer in RETAILERS:
        with warehouse.transaction() as connection:
            rows = connection.execute("SELECT run_key, store_id, content_hash, state FROM ops.staged_file WHERE retailer = %s", (retailer,)).fetchall()
        states = {(row["store_id"], row["run_key"], row["content_hash"]): row["state"] for row in rows}
        for path in storage.manifests(Stage.OUTBOX, retailer):
            try:
                manifest = staged_file.load_manifest(storage, path)
            except FileNotFoundError:
                continue  # moved since the folder was listed
            except ManifestError:
                waiting.setdefault(f"{retailer}|{path.rsplit('/', 1)[1][:10]}", []).append(path)  # ingestion refuses it with its reason
                continue
            state = states.get((manifest.store_id, manifest.run_key, manifest.sha256), "unknown")
            if state in ledger.FINAL_STAGE:
                ledger.settle(warehouse, storage, manifest)
            elif state != "held" and _waits_long(warehouse, storage, path):
                waiting.setdefault(f"{retailer}|{manifest.night}", []).append(manifest.data)
    return waiting


def _waits_long(warehouse: Warehouse, storage: Storage, path: str) -> bool:
    written_at = storage.modified(path)
    return written_at is None or clock.machine_now() - written_at >= timedelta(minutes=warehouse.settings.sweep_after_minutes)


def prune_archive(warehouse: Warehouse, storage: Storage) -> int:
    """Remove archived files older than ``AISLEFLOW_ARCHIVE_DAYS`` by their night; the ledger keeps its rows. Returns how many."""
    oldest = clock.night_of(clock.now() - timedelta(days=warehouse.settings.archive_days))
    removed = 0
    for path in storage.manifests(Stage.ARCHIVE):
        if path.rsplit("/", 1)[1][:10] < oldest.isoformat():
            staged_file.remove(storage, staged_file.load_manifest(storage, path), Stage.ARCHIVE)
            removed += 1
    log.info("removed %s archived files older than %s", removed, oldest)
    return removed
