"""Nights with the change log on."""

from __future__ import annotations

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, StoreDays, offer


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Run the nights; the texts of the second fill what the first left empty."""
    logging = Warehouse(warehouse.url, warehouse.settings.model_copy(update={"change_log": True}))
    stage = StoreDays(storage)
    stage(at=TUESDAY, lines=[offer("1"), offer("2"), offer("3")])
    pipeline.ingest(logging, storage, "aldi")
    stage(lines=[offer("1", 2.0, brand="Zorbo", size="100 g"), offer("2", None)])
    pipeline.ingest(logging, storage, "aldi")
    logging.close()
