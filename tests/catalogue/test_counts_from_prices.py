"""Pieces in a pack, worked out from price and price per piece, are part of a SKU's product keys where its text states no size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import joined, same
from tests.ingestion.store_days import Line, StoreDays, offer
from tests.warehouse.looking import rows

MONDAY, TUESDAY, WEDNESDAY = (f"2026-11-{day}T05:00:00+11:00" for day in (16, 17, 18))
STORES = {"coles": "COL:1", "iga": "21"}

Meet = Callable[..., None]


@pytest.fixture
def meet(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> Meet:
    def run(retailer: str, at: str, *lines: Line) -> None:
        store_day(retailer, STORES[retailer], at=at, lines=list(lines), complete=False)
        pipeline.ingest(warehouse, storage, retailer)

    return run


def rolls(price: float = 3.40, **more: Any) -> Line:
    """Three rolls, without a size."""
    return offer("i", price, **{"name": "Zorbo Soft Rolls", "brand": "Zorbo", "size": "Each", "per_unit_price_string": "$1.13 each"} | more)


def pack(pieces: int) -> Line:
    return offer("c", 3.40, name="Soft Rolls", brand="Zorbo", size=f"{pieces} pack")


def counts(warehouse: Warehouse) -> list[int | None]:
    return [
        row["piece_count"]
        for row in rows(warehouse, "SELECT piece_count FROM core.sku JOIN core.sku_identity USING (sku_key) WHERE sku = 'i'")
    ]


ONE = (("coles", "c"), ("iga", "i"))


@pytest.mark.parametrize("is_pack_first", [True, False])
@pytest.mark.parametrize(("pieces", "is_one"), [(3, True), (6, False)])
def test_a_count_from_the_price_is_a_key(warehouse: Warehouse, meet: Meet, is_pack_first: bool, pieces: int, is_one: bool) -> None:
    lines = [("coles", pack(pieces)), ("iga", rolls())]
    for retailer, line in lines if is_pack_first else lines[::-1]:
        meet(retailer, MONDAY if line is lines[0][1] else TUESDAY, line)
    assert counts(warehouse) == [3] and same(warehouse, *ONE) is is_one
    assert joined(warehouse, "i", "iga") == ("key" if is_one else "new")


@pytest.mark.parametrize(
    "special",
    [
        {"price": 2.26, "is_on_special": True},
        {"price": 2.26, "price_was": 3.40},
        {"price": 2.26, "multi_buy_quantity": 2, "multi_buy_price": 4.0},
        {"price": 3.40, "per_unit_price_string": "$0.02 each"},
        {"price": 3.40, "per_unit_price_string": None},
        {"price": 3.40, "size": "100g"},
    ],
)
def test_a_special_and_a_price_that_fixes_nothing_give_no_count(warehouse: Warehouse, meet: Meet, special: dict[str, Any]) -> None:
    meet("coles", MONDAY, pack(2))
    meet("iga", TUESDAY, rolls(**special))
    assert counts(warehouse) == [None] and not same(warehouse, *ONE)
    meet("iga", WEDNESDAY, rolls())
    assert counts(warehouse) == [3] and not same(warehouse, *ONE)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_earliest_count_stays_whatever_arrives_first(warehouse: Warehouse, meet: Meet, order: tuple[int, ...]) -> None:
    """The shop gets the price of a piece wrong on the next day."""
    days = [("coles", MONDAY, pack(3)), ("iga", TUESDAY, rolls()), ("iga", WEDNESDAY, rolls(4.52))]
    for position in order:
        meet(*days[position])
    assert counts(warehouse) == [3] and same(warehouse, *ONE)
