"""A barcode that a retailer claims and the catalogue does not accept: never the product's, but shown, recorded with both sides, and proposed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, conflicts, proposals, same, tea
from tests.ingestion.store_days import gtin, offer
from tests.warehouse.looking import one, product_of, rows

GUM = {
    "coles": offer("c", name="Quux Juicy Chewing Gum", brand="Quux", size="4x14g", barcode=A),
    "iga": offer("i", name="Juicy Pellets 14g", size="14g", barcode=A),
}


def shown(warehouse: Warehouse) -> dict[str, tuple[str | None, str | None]]:
    return {
        row["sku"]: (row["barcode"], row["contested_barcode"])
        for row in rows(warehouse, "SELECT DISTINCT sku, barcode, contested_barcode FROM core.store_price")
    }


@pytest.mark.parametrize("order", [("coles", "iga"), ("iga", "coles")])
def test_an_unknown_sku_meets_the_same_veto_as_a_known_one(warehouse: Warehouse, met: Callable[..., None], order: tuple[str, str]) -> None:
    for retailer in order:
        met(retailer, GUM[retailer])
    owner, other = order
    assert not same(warehouse, ("coles", "c"), ("iga", "i")) and conflicts(warehouse) == [(other[0], f"0{A}", "size")]
    sides = rows(warehouse, "SELECT product_id, owner_product_id FROM ops.barcode_conflict")
    assert sides == [{"product_id": product_of(warehouse, other[0], other), "owner_product_id": product_of(warehouse, owner[0], owner)}]
    assert proposals(warehouse) == ["barcode_but_size"]
    assert shown(warehouse) == {owner[0]: (f"0{A}", None), other[0]: (None, f"0{A}")}


def test_a_refused_barcode_is_shown_apart_from_the_products(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1", A))
    met("aldi", tea("1", B))
    assert shown(warehouse) == {"1": (f"0{A}", f"0{B}")}
    met("aldi", tea("1", A))
    assert shown(warehouse) == {"1": (f"0{A}", None)}


def test_the_view_shows_the_barcode_of_the_product(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1", A))
    met("coles", tea("c", f"{A},{B}"), tea("d", B))
    met("iga", tea("i"))
    assert shown(warehouse) == dict.fromkeys(("1", "c", "d", "i"), (f"0{A}", None))


def test_a_placeholder_on_a_hundred_goods_identifies_none(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", *(offer(str(n), name=f"Good number{n}", barcode=A) for n in range(2)))
    assert one(warehouse, "SELECT count(*) FROM core.product") == 1
    met("aldi", *(offer(str(n), name=f"Good number{n}", barcode=A) for n in range(100)), offer("x", name="Tea", barcode=gtin(9)))
    assert one(warehouse, "SELECT count(DISTINCT product_id) FROM core.sku") == 101
    assert [row["gtin"] for row in rows(warehouse, "SELECT gtin FROM core.product_barcode")] == [f"0{gtin(9)}"]
    assert (
        {reason for _, _, reason in conflicts(warehouse)} == {"many_goods"}
        and len(conflicts(warehouse)) == 100
        and proposals(warehouse) == []
    )


def test_words_that_may_distinguish_goods_are_proposed(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", offer("c", name="Ham on the Bone", brand="Zorbo", size="1kg"))
    met("iga", offer("i", name="Ham Bone", brand="Zorbo", size="1kg"))
    assert not same(warehouse, ("coles", "c"), ("iga", "i")) and proposals(warehouse) == ["loose_key"]
