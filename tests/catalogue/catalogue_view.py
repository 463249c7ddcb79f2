"""Articles, and questions to the catalogue, that tests of resolution share."""

from __future__ import annotations

from typing import Any

from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import Line, gtin, offer
from tests.warehouse.looking import one, product_of, rows

A, B, C = gtin(1), gtin(2), gtin(3)


def tea(sku: str, barcode: str | None = None, **more: Any) -> Line:
    """One article by its text: the same key for every SKU."""
    return offer(**{"sku": sku, "name": "Zorbo Green Tea", "brand": "Zorbo", "size": "100g", "barcode": barcode} | more)


def same(warehouse: Warehouse, *skus: tuple[str, str]) -> bool:
    return len({product_of(warehouse, sku, retailer) for retailer, sku in skus}) == 1


def proposals(warehouse: Warehouse) -> list[str]:
    return [row["reason"] for row in rows(warehouse, "SELECT reason FROM ops.proposal ORDER BY left_product_id, right_product_id")]


def conflicts(warehouse: Warehouse) -> list[tuple[str, str, str]]:
    return [
        (row["sku"], row["gtin"], row["reason"])
        for row in rows(warehouse, "SELECT sku, gtin, reason FROM ops.barcode_conflict ORDER BY sku, gtin")
    ]


def joined(warehouse: Warehouse, sku: str, retailer: str = "aldi") -> str:
    return str(one(warehouse, "SELECT joined_by FROM core.sku WHERE sku = %s AND retailer = %s", sku, retailer))
