"""Translation tables and reports about the catalogue."""

from __future__ import annotations

from include.catalogue.tables import write_tables
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, gtin, offer


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Join two SKUs by a barcode, and write what was learnt."""
    stage = StoreDays(storage)
    stage("aldi", lines=[offer("1", name="Zorbo Tea", barcode=gtin(1)), offer("2", name="Zorbo Tea Bags", barcode=gtin(1))])
    stage("iga", lines=[offer("1", name="Zorbo Leaf Tea", barcode=gtin(1)), offer("3", name="Milk")])
    for retailer in ("aldi", "iga"):
        pipeline.ingest(warehouse, storage, retailer)
    write_tables(warehouse, storage)
