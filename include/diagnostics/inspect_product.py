"""Everything known about one product: its SKUs and what joined them, its barcodes and keys with where they come from, and what moved."""

from __future__ import annotations

from typing import Any

from include.errors import TerminalError
from include.warehouse.engine import Connection, Warehouse

#: Products that a search by words may show.
_FOUND_MAX = 20


def inspect_product(warehouse: Warehouse, text: str) -> dict[str, Any]:
    """Return the sections ``product``, ``skus``, ``barcodes``, ``keys`` and ``moves`` of one product; of words that find several only ``products``.

    Args:
        text: a product's number, a SKU as ``retailer:sku``, or words of a name.

    Raises:
        TerminalError: there is none.
    """
    with warehouse.transaction() as connection:
        found = _find(connection, text.strip())
        if len(found) > 1:
            return {"products": found}
        return _describe(connection, found[0]["product_id"])


def _find(connection: Connection, text: str) -> list[dict[str, Any]]:
    if text.isdecimal():
        return [{"product_id": int(text)}]
    retailer, colon, sku = text.partition(":")
    is_sku = bool(colon and " " not in retailer)
    values = {"words": None if is_sku else text, "retailer": retailer if is_sku else None, "sku": sku, "rows_max": _FOUND_MAX}
    found = connection.run("inspection/find_products", values).fetchall()
    if not found:
        raise TerminalError(
            f"no product is known for {text!r}. Give its number, a SKU as retailer:sku, or words of its name; `aisleflow prices` searches by words and size."
        )
    return [dict(row) for row in found]


def _describe(connection: Connection, product_id: int) -> dict[str, Any]:
    values = {"product_id": product_id}
    product = connection.run("inspection/describe_product", values).fetchone()
    if product is None:
        raise TerminalError(f"there is no product {product_id}. `aisleflow inspect product WORDS` finds products by their names.")
    parts = {"skus": "list_product_skus", "barcodes": "list_product_barcodes", "keys": "list_product_keys", "moves": "list_product_moves"}
    sections = {part: [dict(row) for row in connection.run(f"inspection/{name}", values).fetchall()] for part, name in parts.items()}
    return {"product": dict(product)} | sections
