"""The matcher over the warehouse: which products of two retailers may be one, and what it learns from barcodes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.catalogue.matching.exact import Method
from include.catalogue.matching.match import Tier
from include.catalogue.matching.warehouse import SkuMatch, brand_aliases, score_changed
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import Line, StoreDays, gtin, offer
from tests.warehouse.looking import one, rows

FLAVOURS = ("Apple", "Pear", "Plum", "Quince", "Mango", "Peach")
STORES = {"coles": "COL:1", "iga": "21", "woolworths": "1"}

Met = Callable[..., None]


@pytest.fixture
def met(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> Met:
    def meet(retailer: str, *lines: Line, at: str = "2026-11-17T05:00:00+11:00") -> None:
        store_day(retailer, STORES[retailer], at=at, lines=list(lines), complete=False)
        pipeline.ingest(warehouse, storage, retailer)

    return meet


def matched(warehouse: Warehouse, since: object = None) -> dict[tuple[str, str], SkuMatch]:
    names = {row["sku_key"]: f"{row['retailer']}:{row['sku']}" for row in rows(warehouse, "SELECT sku_key, retailer, sku FROM core.sku")}
    with warehouse.transaction() as connection:
        return {(names[found.left_sku_key], names[found.right_sku_key]): found for found in score_changed(connection, since)}  # type: ignore[arg-type]


def shelf(prefix: str, *, brand: str = "Zorbo", words: str = "Zing {} Yoghurt", code: int | None = None) -> list[Line]:
    return [
        offer(f"{prefix}{n}", 2, name=words.format(flavour), brand=brand, size="170g", barcode=gtin(code + n) if code else None)
        for n, flavour in enumerate(FLAVOURS)
    ]


def test_products_without_barcodes_are_matched_once_with_evidence(warehouse: Warehouse, met: Met) -> None:
    met("coles", *shelf("c", words="Zing Thick {} Yoghurt"))
    met("iga", *shelf("i", words="Zorbo Zing {} Yoghurt Tub"))
    found = matched(warehouse)
    assert set(found) == {(f"coles:c{n}", f"iga:i{n}") for n in range(len(FLAVOURS))}
    best = found["coles:c0", "iga:i0"]
    assert "thick" in best.evidence["reason"] and best.evidence["features"]["brand_equal"] == 1 and best.evidence["rule_version"]
    assert all(0 < match.score < 1 and match.method is not Method.KEY for match in found.values())


def test_only_changed_products_and_none_that_are_joined(warehouse: Warehouse, met: Met) -> None:
    met("coles", *shelf("c", words="Zing Thick {} Yoghurt")[:3], *shelf("k")[3:])
    met("iga", *shelf("i")[3:])
    assert one(warehouse, "SELECT count(DISTINCT product_id) FROM core.sku") == 6, "equal keys join three"
    assert matched(warehouse) == {}
    seen = one(warehouse, "SELECT max(sku_changed_at) FROM core.sku")
    met("iga", *shelf("i")[:1], at="2026-11-18T05:00:00+11:00")
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.sku SET sku_changed_at = %s WHERE sku = 'i0'", (seen.replace(year=2027),))
    assert set(matched(warehouse, seen)) == {("coles:c0", "iga:i0")} and matched(warehouse, seen.replace(year=2028)) == {}


def test_vetoes_hold_for_the_score_too(warehouse: Warehouse, met: Met) -> None:
    met(
        "coles",
        offer("c", name="Zing Thick Plum Yoghurt", brand="Zorbo", size="170g", barcode=gtin(1)),
        offer("d", name="Plum Jam Thick", brand="Coles", size="1kg"),
    )
    met(
        "iga",
        offer("i", name="Zing Plum Yoghurt", brand="Zorbo", size="170g", barcode=gtin(2)),
        offer("k", name="Zing Plum Yoghurt", brand="Zorbo", size="340g"),
    )
    met("woolworths", offer("w", name="Plum Jam", brand="Coles", size="1kg"))
    assert matched(warehouse) == {}


def test_two_goods_of_a_third_retailer_wait_for_a_person(warehouse: Warehouse, met: Met) -> None:
    """Both products have a SKU at the third, so joining them would make its two goods one."""
    met("coles", *shelf("c", words="Zing Thick {} Yoghurt", code=100))
    met("iga", *shelf("i", words="Zorbo Zing {} Yoghurt Tub"))
    alone = matched(warehouse)
    met("woolworths", *shelf("t", words="Zing {} Thick Yoghurt", code=100), *shelf("w"))
    found = matched(warehouse)
    assert alone and {found[pair].tier for pair in alone if pair in found} <= {Tier.WAITING}


def test_a_barcode_teaches_an_alias_and_takes_it_back(warehouse: Warehouse, met: Met) -> None:
    """A wrong synonym lives as long as the barcode that taught it."""
    goods = [("Carrots", 300), ("Beans", 301), ("Leeks", None)]
    for retailer, brand in (("coles", "Quux Holdings Pty Ltd"), ("iga", "Zorbo")):
        met(
            retailer,
            *[
                offer(f"{retailer[0]}{n}", name=f"{name} Sliced", brand=brand, size="400g", barcode=gtin(code) if code else None)
                for n, (name, code) in enumerate(goods)
            ],
        )
    assert rows(warehouse, "SELECT products FROM core.brand_alias") == [{"products": 2}]
    with warehouse.transaction() as connection:
        assert brand_aliases(connection) == {"quux": {"zorbo"}, "zorbo": {"quux"}}
    learnt = matched(warehouse)["coles:c2", "iga:i2"]
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.sku_barcode SET refused_because = 'rejected', refused_at = '2026-11-18'")
        assert brand_aliases(connection) == {}
    assert rows(warehouse, "SELECT FROM core.brand_alias") == []
    without = matched(warehouse).get(("coles:c2", "iga:i2"))
    assert without is None or without.score < learnt.score


def test_the_price_of_a_piece_gives_the_count(warehouse: Warehouse, met: Met) -> None:
    met(
        "coles",
        offer("c", 3.40, name="Soft Rolls Zing", brand="Zorbo", size="3 pack"),
        offer("d", 3.40, name="Soft Rolls Zang", brand="Zorbo", size="6 pack"),
    )
    met("iga", offer("i", 3.40, name="Zorbo Rolls Soft Zing Fresh", brand="Zorbo", size="Each", per_unit_price_string="$1.13 each"),
        offer("k", 3.40, name="Zorbo Rolls Soft Zang Fresh", brand="Zorbo", size="Each", per_unit_price_string="$1.13 each"))  # fmt: skip
    assert set(matched(warehouse)) == {("coles:c", "iga:i")}, "six are no three"


def test_words_whose_order_changes_the_meaning_join_nothing(warehouse: Warehouse, met: Met) -> None:
    """Milk chocolate and chocolate milk: neither the key nor the matcher joins them, a person may."""
    met("coles", *shelf("c"), offer("bar", 2, name="Zing Milk Chocolate", brand="Zorbo", size="300mL"))
    met("iga", *shelf("i"), offer("drink", 2, name="Zorbo Zing Chocolate Milk", brand="Zorbo", size="300mL"))
    assert one(warehouse, "SELECT count(DISTINCT product_id) FROM core.sku WHERE sku IN ('bar', 'drink')") == 2
    found = matched(warehouse)
    assert {pair: match.tier for pair, match in found.items()} == {("coles:bar", "iga:drink"): Tier.WAITING}
    assert "in another order" in found["coles:bar", "iga:drink"].evidence["reason"]
