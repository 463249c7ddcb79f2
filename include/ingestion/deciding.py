"""Steps after decisions: publish released store-days, check held data again after a rule change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from include.ingestion import pipeline, release_lines
from include.ingestion.checks.gate import mark_lines
from include.ingestion.publish import PublishCounts
from include.ledger import quarantine
from include.ledger.decisions import decide_files
from include.model.rules import CATALOGUE_VERSION
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


def recheck(
    warehouse: Warehouse, storage: Storage, by: str, retailer: str | None = None, file_id: int | None = None, progress: Progress = log.info
) -> dict[str, Any]:
    """Check held store-days and undecided refused lines with the current reader and rules; publish those that pass.

    Returns:
        ``lines``: outcomes of the refused lines per file; ``held``: current ledger row of each store-day that was held.
    """
    files = quarantine.undecided_files(warehouse, retailer, file_id)
    lines = []

    def mark(connection: Connection, marked_id: int) -> None:
        mark_lines(connection, marked_id, warehouse.settings)

    for position, refused in enumerate(files["lines"], start=1):
        lines.append(release_lines.recheck_lines(warehouse, storage, refused, mark, CATALOGUE_VERSION, by))
        progress(f"checked the refused lines of {position} of {len(files['lines'])} files again")
    reason = f"held store-day, rule catalogue {CATALOGUE_VERSION}"
    requeued = decide_files(warehouse, storage, files["held"], "recheck", by, reason, "command line", held_only=True)
    for name in requeued.retailers:
        progress(f"checking the held store-days of {name} again")
        pipeline.ingest(warehouse, storage, name, progress)
    return {
        "lines": [asdict(found) for found in lines],
        "held": [quarantine.show(warehouse, held_id, 0)["file"] for held_id in files["held"]],
    }


def publish_released(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> PublishCounts:
    """Publish the released store-days of a retailer, along with its other checked ones."""
    pipeline.check(warehouse, storage, retailer)
    pipeline.resolve(warehouse, storage, retailer)
    published = pipeline.publish(warehouse, storage, retailer, progress)
    pipeline.publish_data_docs(warehouse, storage)
    return published
