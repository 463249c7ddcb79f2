"""Queries of alerts: held store-days, the other store-days of the night, sample lines; troubles from their begin to their end."""

from __future__ import annotations

import os
from datetime import timedelta

from include import clock
from include.alerts import troubles
from include.alerts.alerts import Alert, held_alert
from include.alerts.memory import SentAlerts
from include.ingestion import pipeline
from include.ledger.decisions import decide_files
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, StoreDays, offer, offers

FAILED = Alert("failed", "critical", "it failed", "Mend it.", "cause", retailer="aldi", source="scrape_aldi.canary")
QUESTION = Alert(
    "question", "warning", "approve?", "Answer.", "question", answer_by_at=clock.parse_instant("2026-11-18T11:00:00+00:00", "x")
)
#: About a conflict that nothing contradicts any more.
BARCODES = Alert(
    "question", "warning", "decide?", "Answer.", "barcodes", item="conflict", item_ids=(1,), answer_by_at=QUESTION.answer_by_at
)


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Simulate a night with two store-days in progress, one of them held, and troubles of every kind."""
    stage = StoreDays(storage)
    stage(at=TUESDAY, lines=offers(5))
    pipeline.ingest(warehouse, storage, "aldi")
    stage(lines=[*offers(5, price=100.0), offer("bad", -1)])
    stage(store_id="G2", lines=offers(3))
    files = pipeline.load(warehouse, storage, "aldi")
    pipeline.check(warehouse, storage, "aldi")
    held_alert(warehouse, files, storage)
    memory, started = SentAlerts(storage), os.environ["AISLEFLOW_NOW"]
    try:
        with warehouse.transaction() as connection:
            connection.run("ledger/hold_files", {"check_id": 1, "file_ids": files[:1], "reasons": ["a reason"]})
        troubles.open_held_alerts(warehouse, ["aldi"], lambda file_ids: held_alert(warehouse, file_ids, storage))
        for alert in (FAILED, QUESTION, BARCODES, Alert("failed", "warning", "other", "Mend it.", "other")):
            troubles.open_alert(warehouse, alert)
        memory.claim(Alert("failed", "critical", "away", "Start it.", troubles.WAREHOUSE), timedelta(hours=12))
        troubles.adopt(warehouse, memory)
        assert troubles.send_due(warehouse, memory, lambda _: True) == 5
        assert len(troubles.list_told(warehouse)) == 5
        os.environ["AISLEFLOW_NOW"] = "2026-11-18T10:30:00+00:00"
        assert troubles.send_due(warehouse, memory, lambda _: True) == 3, "two reminders; the end of the outage"
        troubles.end_of_task(warehouse, "scrape_aldi.canary", "aldi", "it succeeded")
        troubles.end_keys(warehouse, ["question"], "ann answered")
        decide_files(warehouse, storage, files[:1], "discard", "ann", "wrong", "Airflow")
        troubles.end_decided(warehouse)
        os.environ["AISLEFLOW_NOW"] = "2026-11-18T12:30:00+00:00"
        assert troubles.send_due(warehouse, memory, lambda _: True) == 4
        os.environ["AISLEFLOW_NOW"] = "2027-11-18T12:30:00+00:00"
        troubles.prune(warehouse)
    finally:
        os.environ["AISLEFLOW_NOW"] = started
