"""Every published price, for the comparison with the sandbox's truth: a stream in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from include.warehouse.engine import Warehouse
from include.warehouse.statements import statement


def stream_prices(warehouse: Warehouse) -> Iterator[dict[str, Any]]:
    """Yield every row of ``core.store_price``, store by store."""
    with warehouse.transaction() as connection, connection.cursor(name="prices") as cursor:
        cursor.itersize = 5_000
        cursor.execute(statement("export/list_prices"))
        yield from cursor


def last_complete(warehouse: Warehouse) -> Mapping[tuple[str, str], datetime]:
    """Return (retailer, store_id) → instant of the store's newest complete store-day."""
    with warehouse.transaction() as connection:
        rows = connection.run("export/list_watermarks").fetchall()
    return {(row["retailer"], row["store_id"]): row["complete_at"] for row in rows}
