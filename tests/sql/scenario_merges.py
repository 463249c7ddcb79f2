"""Proposals listed, asked about, approved and rejected; decisions undone; decisions and proposals forgotten with a reused number; texts read again."""

from __future__ import annotations

from datetime import UTC, datetime

from include import clock
from include.catalogue import brands, merges, proposals, sku_decisions
from include.catalogue.deciding import claim_questions
from include.catalogue.matching.exact import Method
from include.catalogue.matching.match import Tier
from include.catalogue.matching.warehouse import SkuMatch
from include.catalogue.read_again import read_texts_again
from include.catalogue.reconcile import apply_matches, reconcile
from include.catalogue.sku_name import SkuName
from include.ingestion import deciding, pipeline
from include.ledger import quarantine
from include.ledger.decisions import decide_files
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse, lock
from tests.ingestion.store_days import Line, StoreDays, gtin, offer


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Decide about pairs in each way, and undo some decisions."""
    stage = StoreDays(storage)

    def met(retailer: str, hour: int, *lines: Line) -> None:
        stage(retailer, at=f"2026-11-18T0{hour}:30:00+11:00", lines=lines, complete=False)
        pipeline.ingest(warehouse, storage, retailer)

    def tea(sku: str, number: int | None, kind: str) -> Line:
        return offer(sku, name=f"Zorbo {kind} Tea", brand="Zorbo", size="100g", barcode=gtin(number) if number else None)

    met(
        "coles", 1, tea("c", 1, "Green"), tea("d", 2, "Black"), tea("e", 3, "White"), offer("x", name="Quux Rice", brand="Quux", size="1kg")
    )
    met(
        "aldi",
        2,
        tea("1", 4, "Green"),
        tea("2", 5, "Black"),
        tea("3", 6, "White"),
        offer("y", name="Quux Long Rice", brand="Quux", size="1kg"),
    )
    found = {row["other_sku"]: int(row["proposal_id"]) for row in proposals.list_proposals(warehouse)}
    proposals.count_proposals(warehouse)
    claim_questions(warehouse, "proposals", ["iga", "aldi"], "run-1")
    made = proposals.decide_proposals(
        warehouse, {found["1"]: "join", found["2"]: "apart", found["3"]: "join"}, "ann", "looked at both", "Airflow"
    ).applied
    proposals.show_proposal(warehouse, found["1"])
    merges.undo(warehouse, [made[found["2"]], made[found["3"]]], "bob", "too early")
    _reconcile(warehouse)
    sku_decisions.join(warehouse, SkuName("coles", "c"), SkuName("coles", "x"), "ann", "a test")
    sku_decisions.separate(warehouse, SkuName("coles", "d"), [SkuName("aldi", "2")], "ann", "a test")
    met("aldi", 3, offer("1", name="Garden Hose", brand="Quux", size="15m"), offer("2", name="Wheel Barrow", brand="Quux", size="1ea"))
    _renumber(warehouse, storage)
    _read_again(warehouse)


def _read_again(warehouse: Warehouse) -> None:
    """Read all texts again that other rules have read, half of them otherwise."""
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.sku_identity SET rule_version = 0")
        connection.execute("UPDATE core.sku_identity SET reading_hash = '' WHERE sku_key % 2 = 0")
        connection.execute("UPDATE core.sku_product_key SET product_key = product_key || ' of older rules' WHERE sku_key % 2 = 0")
        read_texts_again(connection)


def _reconcile(warehouse: Warehouse) -> None:
    """Apply what the matcher may find: a sure pair, an unsure one; then what it finds itself, and the brands of a barcode."""
    with warehouse.transaction() as connection:
        keys = {row["sku"]: row["sku_key"] for row in connection.execute("SELECT sku, sku_key FROM core.sku").fetchall()}
        evidence = {"reason": "same brand; same size", "features": {}, "rule_version": 1}
        found = [
            SkuMatch(keys["x"], keys["y"], 0.95, Tier.AUTOMATIC, Method.SCORE, evidence),
            SkuMatch(keys["c"], keys["y"], 0.4, Tier.WAITING, Method.SCORE, evidence),
        ]
        lock(connection, "resolve")
        apply_matches(connection, found, datetime(2026, 11, 18, tzinfo=UTC), 1)
        connection.run("brands/record_joins", {"brand_ids": [1], "alias_ids": [2], "products": [2], "gtins": ["1,2"], "now": clock.now()})
        brands.apply_merges(connection)
    reconcile(warehouse, is_complete=True)
    merges.list_made(warehouse, ["score"])
    with warehouse.transaction() as connection:
        row = connection.execute("SELECT decision_id FROM ops.brand_pair").fetchone()
    assert row is not None
    merges.undo(warehouse, [int(row["decision_id"])], "bob", "two brands")


def _renumber(warehouse: Warehouse, storage: Storage) -> None:
    """Hold and release a store-day whose SKUs have new numbers."""
    warehouse.settings = warehouse.settings.model_copy(update={"hold_renumbered_share": 0.1})
    for day, first in ((16, "A"), (17, "B")):
        lines = [offer(f"{first}{n}" if n < 30 else str(n), round(1 + n / 100, 2), name=f"Good {n}") for n in range(60)]
        StoreDays(storage)("aldi", "G7", at=f"2026-11-{day}T04:30:00+11:00", lines=lines)
        pipeline.ingest(warehouse, storage, "aldi")
    with warehouse.transaction() as connection:
        row = connection.execute("SELECT file_id FROM ops.staged_file WHERE state = 'held'").fetchone()
    assert row is not None
    quarantine.show(warehouse, row["file_id"])
    decide_files(warehouse, storage, [row["file_id"]], "release", "ann", "new numbers", "command line")
    deciding.publish_released(warehouse, storage, "aldi")
