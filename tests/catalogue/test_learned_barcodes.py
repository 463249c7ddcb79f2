"""A barcode learned for a known SKU is added, joins products, or is recorded as a conflict."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, conflicts, joined, proposals, same, tea
from tests.ingestion.store_days import offer
from tests.warehouse.looking import one, product_of, rows


def test_a_product_without_a_barcode_gets_an_unowned_one(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1"))
    met("aldi", tea("1", A))
    assert (
        one(warehouse, "SELECT product_id FROM core.product_barcode WHERE is_primary") == product_of(warehouse, "1")
        and conflicts(warehouse) == []
    )
    assert one(warehouse, "SELECT gtin FROM core.sku") == f"0{A}"


def test_a_missing_barcode_never_beats_one(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1", A))
    met("aldi", tea("1", None))
    met("aldi", tea("1", "4011"))
    assert one(warehouse, "SELECT gtin FROM core.sku") == f"0{A}" and one(warehouse, "SELECT count(*) FROM core.product_barcode") == 1


def test_a_sku_joins_the_owner_of_its_learned_barcode(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", offer("c", name="Leaves", barcode=A))
    met("aldi", tea("1"))
    lonely = product_of(warehouse, "1")
    met("aldi", tea("1", A))
    assert same(warehouse, ("coles", "c"), ("aldi", "1")) and joined(warehouse, "1") == "barcode"
    (log,) = rows(warehouse, "SELECT from_product_id, to_product_id, merged_by, evidence, undone_at FROM ops.merge_log")
    assert (log["from_product_id"], log["to_product_id"], log["merged_by"], log["evidence"]) == (
        lonely,
        product_of(warehouse, "c", "coles"),
        "barcode",
        {"gtin": f"0{A}", "gtins": [f"0{A}"]},
    )
    assert one(warehouse, "SELECT count(*) FROM core.product WHERE product_id = %s", lonely) == 1, (
        "nothing is lost: the emptied product stays for undo"
    )


def test_the_key_of_an_emptied_product_leads_to_where_its_sku_went(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", offer("c", name="Leaves", barcode=A))
    met("aldi", tea("1"))
    met("aldi", tea("1", A))
    met("iga", tea("i"))
    assert same(warehouse, ("coles", "c"), ("aldi", "1"), ("iga", "i"))


def test_another_valid_barcode_is_a_recorded_conflict(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1", A))
    met("aldi", tea("1", B))
    met("aldi", tea("1", B))
    assert conflicts(warehouse) == [("1", f"0{B}", "other_barcode")]
    assert [row["gtin"] for row in rows(warehouse, "SELECT gtin FROM core.product_barcode")] == [f"0{A}"]


def test_a_barcode_beside_the_known_one_is_learned(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1", A))
    met("aldi", tea("1", f"{A},{B}"))
    found = rows(warehouse, "SELECT gtin, is_primary FROM core.product_barcode ORDER BY gtin")
    assert [(row["gtin"], row["is_primary"]) for row in found] == [(f"0{A}", True), (f"0{B}", False)] and conflicts(warehouse) == []


@pytest.mark.parametrize(("owner_size", "reason"), [("150g", "size"), ("100.5g", None), ("1 each", None)])
def test_a_size_that_differs_vetoes_the_join(warehouse: Warehouse, met: Callable[..., None], owner_size: str, reason: str | None) -> None:
    met("coles", offer("c", name="Leaves", size=owner_size, barcode=A))
    met("aldi", tea("1"))
    met("aldi", tea("1", A))
    assert same(warehouse, ("coles", "c"), ("aldi", "1")) == (reason is None)
    assert conflicts(warehouse) == ([("1", f"0{A}", reason)] if reason else [])


def test_an_own_label_vetoes_the_join(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", offer("c", name="Coles Leaves", brand="Coles", barcode=A))
    met("aldi", tea("1"))
    met("aldi", tea("1", A))
    assert not same(warehouse, ("coles", "c"), ("aldi", "1")) and conflicts(warehouse) == [("1", f"0{A}", "own_label")]


@pytest.mark.parametrize("first", ["1", "2"])
def test_of_two_barcodes_for_what_a_text_joined_the_second_is_contested(warehouse: Warehouse, met: Callable[..., None], first: str) -> None:
    met("aldi", tea("1"), tea("2"))
    lines = [tea("1", A), tea("2", B)]
    met("aldi", *(lines if first == "1" else reversed(lines)))
    assert [row["gtin"] for row in rows(warehouse, "SELECT gtin FROM core.product_barcode ORDER BY gtin")] == [f"0{A}"]
    assert same(warehouse, ("aldi", "1"), ("aldi", "2")) and conflicts(warehouse) == [("2", f"0{B}", "product_barcode")]


def test_a_barcode_from_the_first_line_on_parts_what_a_text_would_join(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1", A))
    met("iga", tea("2", B))
    assert not same(warehouse, ("aldi", "1"), ("iga", "2")) and conflicts(warehouse) == []
    assert proposals(warehouse) == ["key_but_other_barcode"]
