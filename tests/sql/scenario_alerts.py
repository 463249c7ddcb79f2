"""Queries of alerts: held store-days, the other store-days of the night, sample lines."""

from __future__ import annotations

from include.alerts.alerts import held_alert, unalerted
from include.alerts.memory import SentAlerts
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, StoreDays, offer, offers


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Simulate a night with two store-days in progress."""
    stage = StoreDays(storage)
    stage(at=TUESDAY, lines=offers(5))
    pipeline.ingest(warehouse, storage, "aldi")
    stage(lines=[*offers(5, price=100.0), offer("bad", -1)])
    stage(store_id="G2", lines=offers(3))
    files = pipeline.load(warehouse, storage, "aldi")
    pipeline.check(warehouse, storage, "aldi")
    held_alert(warehouse, files, storage)
    with warehouse.transaction() as connection:
        unalerted(connection, ["aldi"], SentAlerts(storage))
