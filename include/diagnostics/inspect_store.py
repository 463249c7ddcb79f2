"""Everything known about one store: where it comes from, its prices, groups, crawls and files."""

from __future__ import annotations

from typing import Any

from include.errors import TerminalError
from include.groups.hand import list_history
from include.ledger.files import list_store
from include.warehouse.engine import Warehouse

_ROWS_MAX = 20


def inspect_store(warehouse: Warehouse, retailer: str, store_id: str) -> dict[str, Any]:
    """Return the sections ``store``, ``groups``, ``crawls`` and ``files``, the newest first and 20 rows at most.

    Raises:
        TerminalError: the store is unknown.
    """
    values = {"retailer": retailer, "store_id": store_id, "rows_max": _ROWS_MAX}
    with warehouse.transaction() as connection:
        store = connection.run("inspection/describe_store", values).fetchone()
        crawls = connection.run("inspection/list_store_crawls", values).fetchall()
    if store is None:
        raise TerminalError(f"{retailer}:{store_id} is unknown. `aisleflow store list --retailer {retailer}` lists the known stores.")
    return {
        "store": dict(store),
        "groups": list_history(warehouse, retailer, store_id)[:_ROWS_MAX],
        "crawls": [dict(row) for row in crawls],
        "files": list_store(warehouse, retailer, store_id)[:_ROWS_MAX],
    }
