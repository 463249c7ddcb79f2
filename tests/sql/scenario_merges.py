"""Proposals listed, asked about, approved and rejected; decisions undone; decisions and proposals forgotten with a reused number."""

from __future__ import annotations

from include.catalogue import merges, proposals
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import Line, StoreDays, gtin, offer


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Decide about pairs in each way, and undo some decisions."""
    stage = StoreDays(storage)

    def met(retailer: str, hour: int, *lines: Line) -> None:
        stage(retailer, at=f"2026-11-18T0{hour}:30:00+11:00", lines=lines, complete=False)
        pipeline.ingest(warehouse, storage, retailer)

    def tea(sku: str, number: int | None, kind: str) -> Line:
        return offer(sku, name=f"Zorbo {kind} Tea", brand="Zorbo", size="100g", barcode=gtin(number) if number else None)

    met("coles", 1, tea("c", 1, "Green"), tea("d", 2, "Black"), tea("e", 3, "White"))
    met("aldi", 2, tea("1", 4, "Green"), tea("2", 5, "Black"), tea("3", 6, "White"))
    found = {row["other_sku"]: int(row["proposal_id"]) for row in proposals.list_proposals(warehouse)}
    proposals.count_proposals(warehouse)
    proposals.claim_questions(warehouse, "run-1")
    made = proposals.decide_proposals(
        warehouse, {found["1"]: "join", found["2"]: "apart", found["3"]: "join"}, "ann", "looked at both", "Airflow"
    ).applied
    proposals.show_proposal(warehouse, found["1"])
    merges.undo(warehouse, [made[found["2"]], made[found["3"]]], "bob", "too early")
    met("aldi", 3, offer("1", name="Garden Hose", brand="Quux", size="15m"), offer("2", name="Wheel Barrow", brand="Quux", size="1ea"))
