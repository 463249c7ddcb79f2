"""A store-day held for renumbered SKUs is one proposal with its pairs: a release joins them, a discard does not, an undo parts them again."""

from __future__ import annotations

import pytest

from include.catalogue import merges
from include.ingestion import deciding, pipeline
from include.ledger import quarantine
from include.ledger.decisions import decide_files
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, Line, StoreDays, gtin, offer
from tests.warehouse.looking import one, product_of, rows

COUNT, RENUMBERED = 60, 30


def night(first: str, code: int) -> list[Line]:
    """The same goods at the same prices; half of them with the numbers and barcodes of the night."""
    numbers = [f"{first}{n}" if n < RENUMBERED else str(n) for n in range(COUNT)]
    codes = [gtin(code + n if n < RENUMBERED else 9000 + n) for n in range(COUNT)]
    return [
        offer(numbers[n], round(1 + n / 100, 2), name=f"Good {n} Tea", brand="Zorbo", size="100g", barcode=codes[n]) for n in range(COUNT)
    ]


@pytest.fixture
def held(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> int:
    """The file of a store-day whose SKUs were renumbered, with other barcodes, so that no barcode and no key joins them."""
    warehouse.settings = warehouse.settings.model_copy(update={"hold_renumbered_share": 0.1})
    for at, first, code in ((TUESDAY, "A", 1000), (WEDNESDAY, "B", 2000)):
        store_day(at=at, lines=night(first, code))
        pipeline.ingest(warehouse, storage, "aldi")
    return int(one(warehouse, "SELECT file_id FROM ops.staged_file WHERE state = 'held'"))


def test_the_pairs_are_one_stored_proposal_shown_with_the_store_day(warehouse: Warehouse, held: int) -> None:
    found = quarantine.show(warehouse, held)["renumbered"]
    assert {(row["old_sku"], row["new_sku"]) for row in found} == {(f"A{n}", f"B{n}") for n in range(RENUMBERED)}
    assert found[0] == {"old_sku": "A0", "new_sku": "B0", "name": "Good 0 Tea", "size": "100g", "decision_id": None}
    assert f"{RENUMBERED} of them have name, size and price of a vanished one" in str(
        quarantine.show(warehouse, held)["file"]["state_reason"]
    )
    assert rows(warehouse, "SELECT FROM ops.match_decision") == []


def test_a_release_joins_the_new_skus_to_the_products_of_the_vanished_ones(warehouse: Warehouse, storage: Storage, held: int) -> None:
    before = {n: product_of(warehouse, f"A{n}") for n in range(RENUMBERED)}
    decide_files(warehouse, storage, [held], "release", "ann", "new numbers", "command line")
    deciding.publish_released(warehouse, storage, "aldi")
    assert {n: product_of(warehouse, f"B{n}") for n in range(RENUMBERED)} == before
    (made,) = rows(warehouse, "SELECT decision_id, choice, decided_by, decision_reason, decided_via, file_id FROM ops.match_decision")
    expected = {"choice": "join", "decided_by": "ann", "decision_reason": "new numbers", "decided_via": "release", "file_id": held}
    assert {name: made[name] for name in expected} == expected
    assert {row["decision_id"] for row in quarantine.show(warehouse, held)["renumbered"]} == {made["decision_id"]}
    listed = rows(warehouse, "SELECT product_id FROM core.store_price WHERE is_listed")
    assert len(listed) == COUNT and {row["product_id"] for row in listed} >= set(before.values()), "each good has its new price"

    undone = merges.undo(warehouse, [made["decision_id"]], "bob", "other goods")
    assert undone.moved == RENUMBERED and {n: product_of(warehouse, f"A{n}") for n in range(RENUMBERED)} == before
    assert not {product_of(warehouse, f"B{n}") for n in range(RENUMBERED)} & set(before.values())


def test_a_discard_joins_nothing(warehouse: Warehouse, storage: Storage, held: int) -> None:
    decide_files(warehouse, storage, [held], "discard", "ann", "another store", "command line")
    deciding.publish_released(warehouse, storage, "aldi")
    assert rows(warehouse, "SELECT FROM ops.match_decision") == [] and one(warehouse, "SELECT count(*) FROM core.sku") == COUNT
    assert rows(warehouse, "SELECT state FROM ops.staged_file WHERE file_id = %s", held) == [{"state": "discarded"}]
