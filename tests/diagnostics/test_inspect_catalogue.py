"""``inspect sku`` and ``inspect barcode``: what is known of one thing, with where it came from, decided and moved."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from include.catalogue import conflicts, merges, sku_decisions
from include.catalogue.resolve import FoundBarcode, learn_barcodes
from include.catalogue.sku_name import SkuName
from include.diagnostics.inspect_catalogue import inspect_barcode, inspect_sku
from include.errors import TerminalError
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, gtin, offer

AT = datetime(2026, 11, 17, 19, tzinfo=UTC)


@pytest.fixture
def number(warehouse: Warehouse, storage: Storage) -> int:
    """A SKU joined by its text to a product with another barcode than the one looked up for it; returns the number of that conflict."""
    tea: dict[str, Any] = {"name": "Zorbo Green Tea", "brand": "Zorbo", "size": "100g"}
    for retailer, line in (("iga", offer("i", **tea, barcode=gtin(1))), ("coles", offer("c", **tea))):
        StoreDays(storage)(retailer, lines=[line], complete=False)
        pipeline.ingest(warehouse, storage, retailer)
    with warehouse.transaction() as connection:
        learn_barcodes(
            connection, "coles", [FoundBarcode("c", ("0" + gtin(2),), ("Zorbo Green Tea", "Zorbo", "100g"), AT, "coles_details")]
        )
    (conflict,) = conflicts.list_conflicts(warehouse)
    return int(conflict["conflict_id"])


def test_a_decision_is_found_from_the_conflict_the_sku_and_the_barcode_and_its_moves_with_it(
    warehouse: Warehouse, number: int, fixed_clock: Callable[[str], None]
) -> None:
    fixed_clock("2026-11-19T01:00:00+00:00")
    conflicts.decide_conflicts(warehouse, {number: "accept"}, "ann", "looked at both", "command line")

    sku, barcode, shown = (
        inspect_sku(warehouse, "coles", "c"),
        inspect_barcode(warehouse, gtin(2)),
        conflicts.show_conflict(warehouse, number),
    )
    (decision,) = shown["decisions"]
    assert decision["conflict_id"] == number and sku["decisions"] == barcode["decisions"] == [decision]
    moves = [move for move in sku["moves"] if move["barcode_decision_ids"]]
    assert [move["barcode_decision_ids"] for move in moves] == [[decision["decision_id"]]]
    assert decision["merge_ids"] == [moves[0]["merge_id"]] and moves[0]["sku"] == "c"


def test_decisions_about_pairs_are_shown_with_both_skus_in_force_or_ended(warehouse: Warehouse, number: int) -> None:
    done = sku_decisions.separate(warehouse, SkuName("coles", "c"), [], "ann", "another tea")
    assert done.decision_id
    merges.undo(warehouse, [done.decision_id], "bob", "the same tea")
    (found,) = inspect_sku(warehouse, "iga", "i")["pair_decisions"]
    assert (found["decision_id"], found["choice"], found["sku"], found["other_sku"]) == (done.decision_id, "apart", "iga:i", "coles:c")
    assert (found["decided_by"], found["decision_reason"], found["ended_by"], found["end_reason"]) == (
        "ann",
        "another tea",
        "bob",
        "the same tea",
    )


def test_claims_have_their_source_and_what_became_of_them(warehouse: Warehouse, number: int) -> None:
    found = inspect_sku(warehouse, "coles", "c")
    assert {row["sku"] for row in found["product_skus"]} == {"i", "c"} and found["sku"][0]["barcode"] == "0" + gtin(1)
    assert [(row["state"], row["source"], row["file_id"], row["claim_id"]) for row in found["claims"]] == [
        ("product_barcode", "coles_details", None, number)
    ]
    (claim,) = inspect_barcode(warehouse, "0" + gtin(1))["claims"]
    assert (claim["retailer"], claim["state"], claim["source"]) == ("iga", "accepted", "file") and claim["file_id"]
    assert json.dumps(found, default=str)


def test_a_sku_that_waits_for_a_look_up_only_is_shown_and_an_unknown_thing_is_an_error(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        connection.run("enrichment/queue_lookups", {"retailer": "coles", "skus": ["q"], "now": AT})
    assert inspect_sku(warehouse, "coles", "q")["look_ups"][0]["result"] == "waiting"
    with pytest.raises(TerminalError, match="no SKU z"):
        inspect_sku(warehouse, "coles", "z")
    with pytest.raises(TerminalError, match="no barcode that identifies"):
        inspect_barcode(warehouse, "1234")
    with pytest.raises(TerminalError, match="no retailer has shown"):
        inspect_barcode(warehouse, gtin(77))
