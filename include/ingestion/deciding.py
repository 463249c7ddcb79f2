"""A person's decisions and what follows from them, put together from the subjects: one layer above the flows, whose steps publish what is released."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from include.ingestion import pipeline, release_lines
from include.ingestion.checks.marking import mark_refused
from include.ingestion.publish import PublishCounts
from include.ledger import held, ledger, quarantine
from include.ledger.decisions import Via
from include.model.rules import CATALOGUE_VERSION
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


def answer_held(
    warehouse: Warehouse, storage: Storage, file_ids: Sequence[int], choice: held.HeldChoice, by: str | None, reason: str, via: Via
) -> tuple[list[int], list[str]]:
    """Carry out a person's answer about held store-days, all or none; see ``include.ledger.held.answer``. Publishing is the next step."""
    applied, before = held.answer(warehouse, file_ids, choice, by, reason, via)
    if choice == "discard":
        for file_id in applied:
            with warehouse.transaction() as connection:
                manifest = ledger.entry(connection, file_id).manifest
            ledger.move_to_final_stage(warehouse, storage, manifest)
    return applied, before


def recheck(
    warehouse: Warehouse, storage: Storage, by: str, retailer: str | None = None, file_id: int | None = None, progress: Progress = log.info
) -> dict[str, Any]:
    """Check held store-days and undecided refused lines again, with the present reader and rules; what passes is published.

    Returns:
        ``lines``: per file what became of its refused lines; ``held``: per store-day that was held its state now.
    """
    files = quarantine.undecided_files(warehouse, retailer, file_id)
    lines = []
    for place, refused in enumerate(files["lines"], start=1):
        lines.append(release_lines.recheck_lines(warehouse, storage, refused, mark_refused, CATALOGUE_VERSION, by))
        progress(f"read the refused lines of {place} of {len(files['lines'])} files again")
    retailers = quarantine.requeue_held(warehouse, files["held"], by, CATALOGUE_VERSION)
    for name in retailers:
        progress(f"checking the held store-days of {name} again")
        pipeline.ingest(warehouse, storage, name, progress)
    return {
        "lines": [asdict(found) for found in lines],
        "held": [quarantine.show(warehouse, held_id, 0)["file"] for held_id in files["held"]],
    }


def publish_released(warehouse: Warehouse, storage: Storage, retailer: str, progress: Progress = log.info) -> PublishCounts:
    """Publish what a person released; whatever else of the retailer is checked goes with it."""
    pipeline.check(warehouse, storage, retailer)
    pipeline.resolve(warehouse, storage, retailer)
    published = pipeline.publish(warehouse, storage, retailer, progress)
    pipeline.publish_data_docs(warehouse, storage)
    return published
