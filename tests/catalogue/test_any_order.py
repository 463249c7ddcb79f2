"""The same store-days give the same products, joins and conflicts in whatever order and batches they arrive."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.ingestion import pipeline
from include.ingestion.importing import import_file
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, C, tea
from tests.ingestion.store_days import Line, StoreDays, gtin, offer
from tests.warehouse.looking import one, rows

#: What must not depend on the order: products by their SKUs, joins, barcodes with their products, conflicts with both sides.
_SAME = (
    """
SELECT string_agg(retailer || sku, ',' ORDER BY retailer, sku) AS skus, product.name, size, size_quantity, own_label_of
  FROM core.product JOIN (SELECT retailer, sku, product_id FROM core.sku) AS sku USING (product_id) GROUP BY product_id ORDER BY 1
""",
    "SELECT retailer, sku, joined_by, match_evidence ->> 'gtin', match_evidence ->> 'key', former_until_at, name FROM core.sku ORDER BY 1, 2",
    """
SELECT gtin, is_primary, first_seen_at, (SELECT min(retailer || sku) FROM core.sku WHERE sku.product_id = barcode.product_id)
  FROM core.product_barcode AS barcode WHERE EXISTS (SELECT FROM core.sku WHERE sku.product_id = barcode.product_id) ORDER BY 1
""",
    """
SELECT c.retailer, c.sku, gtin, reason, (SELECT min(retailer || sku) FROM core.sku WHERE sku.product_id = c.product_id),
       (SELECT min(retailer || sku) FROM core.sku WHERE sku.product_id = c.owner_product_id)
  FROM ops.barcode_conflict AS c ORDER BY 1, 2, 3
""",
    "SELECT DISTINCT retailer, sku, barcode, contested_barcode FROM core.store_price ORDER BY 1, 2",
)

#: One day each: retailer, hour, lines.
_DAYS: list[tuple[str, int, list[Line]]] = [
    ("coles", 0, [tea("c", A), offer("d", name="Juicy Chewing Gum", brand="Quux", size="4x14g", barcode=B)]),
    ("iga", 1, [offer("i", name="Juicy Pellets", brand="Quux", size="14g", barcode=B), tea("j"), offer("k", name="Leaves", barcode=f"{A},{C}")]),
    ("aldi", 2, [tea("1"), tea("2", B), tea("3", name="Zorbo Tea Green"), offer("p", name="Coffee", barcode=gtin(9)), offer("s", name="Zorbo Rice", size="1kg")]),
    ("woolworths", 3, [tea("w", C), offer("o", name="Coles Tea", brand="Coles", barcode=A), offer("p", name="Cocoa Powder", barcode=gtin(9)), offer("t", name="Salt", barcode=gtin(11))]),
    ("aldi", 4, [offer("t", name="Zorbo Salt", barcode=gtin(12)), tea("1", A), tea("3", gtin(5)), *(offer(f"q{n}", name=f"Good number{n}", barcode=gtin(8)) for n in range(5))]),
    ("iga", 5, [offer("t", name="Rock Salt", barcode=f"{gtin(12)},{gtin(11)}"), tea("j", gtin(6)), offer("r", name="Black Tea", brand="Zorbo", size="200g", barcode=gtin(7))]),
    ("coles", 6, [offer("s", name="Rice, Zorbo", size="1000g"), tea("c", B), tea("e", name="Zorbo Green Tea Bags"), tea("f", gtin(7), size="200g", name="Black Tea")]),
    ("iga", 7, [offer("r", name="Garden Hose", brand="Quux", size="15m"), tea("j", gtin(6))]),
]  # fmt: skip

_STORES = {"aldi": "G1", "coles": "COL:1", "iga": "2101", "woolworths": "1"}


def outcome(warehouse: Warehouse) -> list[list[dict[str, Any]]]:
    return [rows(warehouse, text) for text in _SAME]


def arrive(warehouse: Warehouse, storage: Storage, chance: random.Random) -> None:
    """Stage the days in a random order and ingest after some of them."""
    for retailer, hour, lines in chance.sample(_DAYS, len(_DAYS)):
        StoreDays(storage)(
            retailer, _STORES[retailer], at=f"2026-11-18T0{hour}:00:00+11:00", lines=chance.sample(lines, len(lines)), complete=False
        )
        if chance.random() < 0.5:
            pipeline.ingest(warehouse, storage, retailer)
    for retailer in chance.sample(["aldi", "coles", "iga", "woolworths"], 4):
        pipeline.ingest(warehouse, storage, retailer)


def play(make_warehouse: Callable[..., Warehouse], folder: Path, orders: int) -> None:
    expected, warehouse = None, make_warehouse()
    for seed in range(orders):
        with warehouse.transaction() as connection:
            connection.execute("TRUNCATE ops.staged_file, core.product, core.brand, staging.offer, staging.loaded_file CASCADE")
        arrive(warehouse, Storage(f"file://{folder / str(seed)}"), random.Random(seed))
        found = outcome(warehouse)
        expected = expected or found
        assert found == expected, f"order {seed}"
    assert expected is not None
    assert {row["reason"] for row in expected[3]} == {"size", "own_label", "other_barcode", "two_products", "many_goods"}, "all was played"
    assert {row["joined_by"] for row in expected[1]} == {"new", "barcode", "key"} and any(row["former_until_at"] for row in expected[1])


def test_any_order_of_store_days_gives_the_same_products(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    play(make_warehouse, tmp_path, 3)


@pytest.mark.campaign
def test_two_hundred_orders_give_the_same_products(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    play(make_warehouse, tmp_path, 200)


def test_real_store_days_give_the_same_products_in_any_order(
    make_warehouse: Callable[..., Warehouse], tmp_path: Path, shared: Path
) -> None:
    """Coles and IGA, whose barcodes meet, and one Aldi store on three days, in both orders."""
    names = ("coles-firle", "iga-local", "aldi-booval-g107-2025-09-09", "aldi-booval-g107-2025-09-12", "aldi-booval-g107-2025-09-23")
    files = [next((shared / "store-days").glob(f"{name}*")) for name in names]
    found = []
    for number, order in enumerate((files, files[::-1])):
        warehouse, storage = make_warehouse(), Storage(f"file://{tmp_path / str(number)}")
        for file in order:
            import_file(warehouse, storage, file)
            for retailer in ("aldi", "coles", "iga"):
                pipeline.ingest(warehouse, storage, retailer)
        found.append(outcome(warehouse)[:-1])  # an older store-day that arrives late adds no price
    assert found[0] == found[1]
    assert one(warehouse, "SELECT count(*) FROM core.sku WHERE former_until_at IS NOT NULL") == 0, "ordinary edits are no reuse"
    assert one(warehouse, "SELECT count(*) FROM ops.barcode_conflict WHERE reason = 'many_goods'") == 0
    assert one(warehouse, "SELECT count(*) FROM ops.barcode_conflict WHERE retailer = 'iga' OR retailer = 'coles'") > 0
