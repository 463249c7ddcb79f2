"""Bargains: published twice, with files, and read."""

from __future__ import annotations

from datetime import date

from include.bargains import arrivals
from include.bargains.exporting import export_bargains
from include.bargains.publish import publish_bargains
from include.bargains.reading import find_bargains
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, gtin, offer


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Publish two retailers that share two products, a cheap and a dear one."""
    stage = StoreDays(storage)
    stage("aldi", "G1", lines=[offer("1", 1.0, barcode=gtin(1)), offer("2", 1.0, barcode=gtin(2))])
    stage("iga", "1", lines=[offer("a", 2.0, barcode=gtin(1)), offer("b", 90.0, barcode=gtin(2))])
    for retailer in ("aldi", "iga"):
        pipeline.ingest(warehouse, storage, retailer)
    look_for_bargains(warehouse, storage)
    assert find_bargains(warehouse, "VIC")["bargains"]


def look_for_bargains(warehouse: Warehouse, storage: Storage) -> None:
    """Publish, export and read bargains."""
    arrivals.is_due(warehouse, date(2026, 11, 30))
    arrivals.overdue_night(warehouse)
    publish_bargains(warehouse, date(2026, 11, 18))
    export_bargains(warehouse, storage)
    find_bargains(warehouse, "VIC")
