"""A barcode that was looked up is learned by the rules of one in a file: it joins, stays contested, and the order decides nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.alerts.conflict_question import other_side
from include.catalogue.conflicts import list_conflicts
from include.catalogue.regroup import Resolution
from include.catalogue.resolve import FoundBarcode, learn_barcodes
from include.enrichment.known_barcodes import find_known
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, C, conflicts, joined, proposals, same, tea
from tests.catalogue.test_any_order import _STORES, outcome
from tests.ingestion.store_days import Line, StoreDays, gtin, offer
from tests.warehouse.looking import one, product_of, rows

AT = datetime(2026, 11, 17, 19, tzinfo=UTC)
TEA = ("Zorbo Green Tea", "Zorbo", "100g")


def found(sku: str, barcode: str, text: tuple[str, str | None, str | None] = TEA, minutes: int = 0) -> FoundBarcode:
    return FoundBarcode(sku, (f"0{barcode}",), text, AT + timedelta(minutes=minutes), "coles_details")


def learn(warehouse: Warehouse, *barcodes: FoundBarcode, retailer: str = "coles") -> Resolution:
    with warehouse.transaction() as connection:
        return learn_barcodes(connection, retailer, barcodes)


def states(warehouse: Warehouse, *skus: str, retailer: str = "coles") -> list[str | None]:
    with warehouse.transaction() as connection:
        known = find_known(connection, retailer, skus)
    return [known[sku].state if sku in known else None for sku in skus]


def test_a_right_one_is_the_products_and_proved_for_prefill(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c"))
    assert learn(warehouse, found("c", A)).barcodes_learned == 1
    assert learn(warehouse, found("c", A)) == Resolution(), "a repeated result changes nothing"

    assert rows(warehouse, "SELECT barcode, contested_barcode FROM core.store_price") == [{"barcode": f"0{A}", "contested_barcode": None}]
    assert rows(warehouse, "SELECT source, file_id FROM core.sku_barcode") == [{"source": "coles_details", "file_id": None}]
    assert states(warehouse, "c", "never seen") == ["proved", None] and conflicts(warehouse) == []


def test_one_that_another_retailers_product_owns_joins_the_two(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("iga", offer("i", name="Leaves", barcode=A))
    met("coles", tea("c"))
    assert not same(warehouse, ("iga", "i"), ("coles", "c"))

    assert learn(warehouse, found("c", A)).moved == 1
    assert same(warehouse, ("iga", "i"), ("coles", "c")) and joined(warehouse, "c", "coles") == "barcode"
    assert one(warehouse, "SELECT merged_by FROM ops.merge_log") == "barcode"


#: Reasons with which no product has the contested barcode.
_FREE = ("other_barcode", "product_barcode")


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ([("coles", tea("c", A))], "other_barcode"),
        ([("iga", tea("i", A)), ("coles", tea("c"))], "product_barcode"),
        ([("iga", offer("i", name="Zorbo Green Tea", size="200g", barcode=B)), ("coles", tea("c"))], "size"),
        ([("iga", offer("i", name="Tea", brand="Woolworths", size="100g", barcode=B)), ("coles", tea("c"))], "own_label"),
    ],
    ids=["the SKU has another one", "its product has another one", "the size differs", "an own label"],
)
def test_a_wrong_one_is_a_conflict_with_its_source_and_no_identity(
    warehouse: Warehouse, met: Callable[..., None], first: list[tuple[str, Line]], reason: str
) -> None:
    for retailer, line in first:
        met(retailer, line)
    before = rows(warehouse, "SELECT gtin, product_id FROM core.product_barcode ORDER BY 1")

    learn(warehouse, found("c", B))

    assert conflicts(warehouse) == [("c", f"0{B}", reason)]
    assert rows(warehouse, "SELECT source, file_id, owner_product_id IS NULL AS is_free FROM ops.barcode_conflict") == [
        {"source": "coles_details", "file_id": None, "is_free": reason in _FREE}
    ]
    assert rows(warehouse, "SELECT gtin, product_id FROM core.product_barcode ORDER BY 1") == before, "shown nowhere as identity"
    shown = rows(warehouse, "SELECT DISTINCT barcode, contested_barcode FROM core.store_price WHERE retailer = 'coles'")
    assert shown == [{"barcode": f"0{A}" if reason in _FREE else None, "contested_barcode": None if reason == "other_barcode" else f"0{B}"}]
    assert states(warehouse, "c") == ["proved" if reason == "other_barcode" else "contested"]
    assert f"barcode_but_{reason}" in proposals(warehouse) or reason in _FREE
    (listed,) = list_conflicts(warehouse)
    assert f"0{A if reason in _FREE else B}" in (other_side(listed) + listed["gtin"]), "both sides are named"


@pytest.mark.parametrize("is_owner_first", [True, False])
def test_a_right_one_leaves_a_wrong_join_by_key(warehouse: Warehouse, met: Callable[..., None], is_owner_first: bool) -> None:
    met("iga", tea("i", A))
    met("coles", tea("c"))
    owner = ("woolworths", tea("w", B, name="Green Tea", brand=None))
    if is_owner_first:
        met(*owner)
    assert same(warehouse, ("iga", "i"), ("coles", "c"))
    learn(warehouse, found("c", B))
    if not is_owner_first:
        assert conflicts(warehouse) == [("c", f"0{B}", "product_barcode")], "nobody confirms it yet"
        met(*owner)

    assert same(warehouse, ("woolworths", "w"), ("coles", "c")) and not same(warehouse, ("iga", "i"), ("coles", "c"))
    assert conflicts(warehouse) == [] and states(warehouse, "c") == ["proved"]
    assert proposals(warehouse) == ["key_but_other_barcode"], "what the key says is for a person"


def test_a_wrong_one_that_is_another_goods_stays_a_conflict_with_both_sides(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("iga", tea("i", A))
    met("woolworths", offer("w", name="Instant Coffee", brand="Quux", size="100g", barcode=B))
    met("coles", tea("c"))
    learn(warehouse, found("c", B))

    assert conflicts(warehouse) == [("c", f"0{B}", "product_barcode")] and states(warehouse, "c") == ["contested"]
    assert same(warehouse, ("iga", "i"), ("coles", "c")) and proposals(warehouse) == ["barcode_but_product_barcode"]
    (listed,) = list_conflicts(warehouse)
    assert "woolworths w" in other_side(listed) and f"0{A} (iga i)" in other_side(listed)


def test_an_answer_about_another_good_is_left_out(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c"))
    learn(warehouse, found("c", A, ("Garden Hose", "Quux", "15m")))
    assert rows(warehouse, "SELECT FROM core.sku_barcode") == [] and one(warehouse, "SELECT gtin FROM core.sku") is None


def test_the_text_of_an_answer_never_renames_the_product(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c", size=None, brand=None))
    learn(warehouse, found("c", A, ("ZORBO GREEN TEA 100G", "Zorbo", "100g")))
    assert one(warehouse, "SELECT name FROM core.product") == "Zorbo Green Tea" and one(warehouse, "SELECT size FROM core.product") is None
    assert states(warehouse, "c") == ["proved"]


def test_a_number_given_to_another_good_forgets_what_was_looked_up(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c"))
    learn(warehouse, found("c", A))
    met("coles", offer("c", name="Garden Hose", brand="Quux", size="15m"))
    assert states(warehouse, "c") == [None]
    learn(warehouse, found("c", A, minutes=50))
    assert states(warehouse, "c") == [None], "a late answer about the former good"


@pytest.mark.parametrize("is_file_first", [True, False])
def test_products_joined_by_key_keep_the_only_barcode_in_any_order(
    warehouse: Warehouse, met: Callable[..., None], is_file_first: bool
) -> None:
    met("iga", tea("i"))
    met("coles", tea("c"))
    steps: list[Callable[[], object]] = [lambda: met("iga", tea("i")), lambda: met("coles", tea("c")), lambda: met("iga", tea("i", None))]
    steps.insert(0 if is_file_first else 3, lambda: learn(warehouse, found("c", A)))
    for step in steps:
        step()
    assert same(warehouse, ("iga", "i"), ("coles", "c"))
    assert {row["barcode"] for row in rows(warehouse, "SELECT barcode FROM core.store_price")} == {f"0{A}"}
    assert states(warehouse, "c") == ["proved"] and states(warehouse, "i", retailer="iga") == [None], "a key join proves nothing"
    assert one(warehouse, "SELECT product_id FROM core.product_barcode") == product_of(warehouse, "c", "coles")


#: Lines without barcodes, and what look-ups say about their SKUs: joins, two for one barcode, a size veto, one after the other for one SKU.
_LINES = [
    ("coles", tea("c")), ("coles", tea("d", name="Zorbo Black Tea")), ("coles", offer("e", name="Gum", size="14g")), ("coles", tea("f", size="200g")),
    ("woolworths", tea("w")), ("woolworths", offer("x", name="Gum", size="150g")), ("woolworths", offer("y", name="Leaves")), ("iga", tea("i", C)),
]  # fmt: skip
_FOUND = [
    ("coles", found("c", A)), ("coles", found("d", B, ("Zorbo Black Tea", "Zorbo", "100g"), 1)), ("coles", found("e", gtin(9), ("Gum", None, "14g"), 2)),
    ("coles", found("f", C, ("Zorbo Green Tea", "Zorbo", "200g"), 3)), ("coles", found("c", B, TEA, 4)),
    ("woolworths", found("w", A, TEA, 5)), ("woolworths", found("x", gtin(9), ("Gum", None, "150g"), 6)), ("woolworths", found("y", B, ("Leaves", None, None), 7)),
]  # fmt: skip


def test_the_order_and_the_batches_of_results_decide_nothing(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    expected = None
    for seed in range(6):
        chance, warehouse = random.Random(seed), make_warehouse(ingest_workers=1)
        storage = Storage(f"file://{tmp_path / str(seed)}")
        stage = StoreDays(storage)
        events = chance.sample(_LINES, len(_LINES)) + chance.sample(_FOUND, len(_FOUND)) + chance.sample(_FOUND, 3)
        for retailer, what in events:
            if isinstance(what, FoundBarcode):
                learn(warehouse, what, retailer=retailer)
                continue
            minute = next(n for n, (_, line) in enumerate(_LINES) if line is what)
            stage(retailer, _STORES[retailer], at=f"2026-11-18T04:{minute:02d}:00+11:00", lines=[what], complete=False)
            if chance.random() < 0.5:
                pipeline.ingest(warehouse, storage, retailer)
            for each in _STORES:
                pipeline.ingest(warehouse, storage, each)
        result = outcome(warehouse)
        expected = expected or result
        assert result == expected, f"seed {seed}"
    assert expected is not None and len(expected[3]) >= 2, "conflicts are among the outcomes"
