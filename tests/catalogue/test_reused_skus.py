"""A retailer gives the number of one good to another: the SKU leaves for a product of its own, and nothing of the former good is shown with it."""

from __future__ import annotations

from collections.abc import Callable

from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, joined, same, tea
from tests.ingestion.store_days import offer
from tests.warehouse.looking import one, product_of, rows

HOSE = offer("1", 25.0, name="Garden Hose", brand="Quux", size="15m", category_path=["Garden"])


def test_a_reused_sku_leaves_for_a_product_of_its_own(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c", A))
    met("aldi", tea("1", A, image_url="https://a.example/tea.jpg"))
    former = product_of(warehouse, "1")
    met("aldi", HOSE)
    assert product_of(warehouse, "1") != former == product_of(warehouse, "c", "coles") and joined(warehouse, "1") == "new"
    assert rows(warehouse, "SELECT name, brand, size, category, image_url, gtin FROM core.sku WHERE retailer = 'aldi'") == [
        {"name": "Garden Hose", "brand": "Quux", "size": "15m", "category": "Garden", "image_url": None, "gtin": None}
    ]
    assert one(warehouse, "SELECT name FROM core.product WHERE product_id = %s", product_of(warehouse, "1")) == "Garden Hose"
    (log,) = rows(warehouse, "SELECT from_product_id, to_product_id, merged_by, evidence ->> 'name' AS name FROM ops.merge_log")
    assert log == {"from_product_id": former, "to_product_id": product_of(warehouse, "1"), "merged_by": "reuse", "name": "Garden Hose"}
    met("aldi", HOSE)
    assert one(warehouse, "SELECT count(*) FROM ops.merge_log") == 1


def test_a_product_without_its_only_sku_keeps_its_barcode_until_a_sku_shows_it(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1", A))
    former = product_of(warehouse, "1")
    met("aldi", HOSE)
    assert one(warehouse, "SELECT product_id FROM core.product_barcode") == former
    met("iga", tea("i", A))
    assert one(warehouse, "SELECT product_id FROM core.product_barcode") == product_of(warehouse, "i", "iga")


def test_a_reused_sku_with_a_barcode_joins_the_owner_of_that(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", offer("h", name="Hose", size="15m", barcode=B))
    met("aldi", tea("1", A))
    met("aldi", offer("1", name="Garden Hose", brand="Quux", size="15m", barcode=B))
    assert same(warehouse, ("coles", "h"), ("aldi", "1")) and joined(warehouse, "1") == "barcode"
    assert one(warehouse, "SELECT count(*) FROM ops.barcode_conflict") == 0


def test_a_sku_that_still_shows_its_barcode_is_the_same_good(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c", A))
    met("aldi", tea("1", A))
    met("aldi", offer("1", name="Garden Hose", brand="Quux", size="15m", barcode=A))
    assert same(warehouse, ("coles", "c"), ("aldi", "1")) and one(warehouse, "SELECT count(*) FROM ops.merge_log") == 0
