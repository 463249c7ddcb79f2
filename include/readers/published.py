"""Every published price, for the comparison with the sandbox's truth: a stream in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from include.warehouse.engine import Warehouse


def stream_prices(warehouse: Warehouse) -> Iterator[dict[str, Any]]:
    """Yield every row of ``core.store_price``, store by store."""
    with warehouse.transaction() as connection, connection.cursor(name="prices") as cursor:
        cursor.itersize = 5_000
        cursor.execute(
            "SELECT retailer, store_id, sku, price_cents, was_price_cents, is_available, is_listed, observed_at, barcode FROM core.store_price ORDER BY retailer, store_id, sku"
        )
        yield from cursor


def last_complete(warehouse: Warehouse) -> Mapping[tuple[str, str], datetime]:
    """Return (retailer, store_id) → instant of the store's newest complete store-day."""
    with warehouse.transaction() as connection:
        rows = connection.execute("SELECT retailer, store_id, complete_at FROM core.store WHERE complete_at IS NOT NULL").fetchall()
    return {(row["retailer"], row["store_id"]): row["complete_at"] for row in rows}
