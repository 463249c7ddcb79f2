"""Barcode conflicts: listed, asked about, decided, opened again and undone; a decided claim forgotten with its reused number."""

from __future__ import annotations

from include.catalogue import conflicts
from include.catalogue.deciding import claim_questions
from include.diagnostics.inspect_catalogue import inspect_barcode, inspect_sku
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import Line, StoreDays, gtin, offer


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Decide about each kind of conflict, in each way."""
    stage = StoreDays(storage)

    def met(retailer: str, hour: int, *lines: Line) -> None:
        stage(retailer, at=f"2026-11-18T0{hour}:30:00+11:00", lines=lines, complete=False)
        pipeline.ingest(warehouse, storage, retailer)

    met(
        "coles",
        1,
        offer("c", name="Zorbo Green Tea", brand="Zorbo", size="100g", barcode=gtin(1)),
        offer("l", name="Coles Leaves", brand="Coles", barcode=gtin(2)),
    )
    met(
        "aldi",
        2,
        offer("1", name="Zorbo Black Tea", brand="Zorbo", size="200g", barcode=gtin(1)),
        offer("2", name="Leaves", barcode=gtin(2)),
    )
    met("aldi", 3, offer("3", name="Quux Rice", barcode=gtin(3)), offer("4", name="Quux Rice", barcode=gtin(3)))
    met("aldi", 4, offer("3", name="Quux Rice", barcode=gtin(4)), offer("4", name="Quux Rice", barcode=gtin(5)))
    found = {row["sku"]: row["conflict_id"] for row in conflicts.list_conflicts(warehouse)}
    conflicts.count_conflicts(warehouse)
    conflicts.show_conflict(warehouse, found["1"])
    claim_questions(warehouse, "conflicts", ["aldi", "coles"], "run-1")
    conflicts.decide_conflicts(
        warehouse,
        {found["1"]: "accept", found["2"]: "reject", found["3"]: "accept", found["4"]: "split"},
        "ann",
        "looked at both",
        "Airflow",
    )
    met("iga", 5, offer("i", name="Zorbo Black Tea", brand="Zorbo", size="200g", barcode=gtin(1)))
    conflicts.decide_conflicts(warehouse, {found["1"]: "reject"}, "bob", "it is the other one", "command line")
    inspect_sku(warehouse, "aldi", "1")
    inspect_barcode(warehouse, gtin(1))
    conflicts.undo_decisions(warehouse, [found["3"], found["4"]], "bob", "too early")
    met("aldi", 6, offer("2", name="Garden Hose", brand="Quux", size="15m"))
