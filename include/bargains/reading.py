"""Published bargains for readers: rows of an area, and what the publication left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include import clock
from include.errors import ConfigurationError
from include.retailer_names import RETAILERS
from include.warehouse.engine import Connection, Warehouse
from include.warehouse.statements import statement
from include.wording import places

#: The area of all stores.
EVERYWHERE = "AU"


def find_bargains(warehouse: Warehouse, state: str | None = None, retailer: str | None = None, top: int | None = None) -> dict[str, Any]:
    """Return the publication in force and its bargains, the largest saving first.

    Args:
        warehouse: the warehouse.
        state: compare stores of this state only; ``None``: all stores.
        retailer: only bargains whose cheapest store is this retailer's.
        top: how many; ``None``: all.

    Returns:
        ``publication``: the row of ``ops.bargain_run``, ``None`` before the first; ``bargains``: rows of ``core.bargain`` with name, brand, size, image_url.

    Raises:
        ConfigurationError: an unknown state or retailer.
    """
    area = EVERYWHERE if state is None else places.state(state)
    if area is None:
        raise ConfigurationError(f"unknown state {state!r}. Known: {', '.join(clock.STATE_ZONES)}.")
    if retailer is not None and retailer not in RETAILERS:
        raise ConfigurationError(f"unknown retailer {retailer!r}. Known: {', '.join(RETAILERS)}.")
    with warehouse.transaction() as connection:
        run = connection.run("bargains/find_run", {"night": None}).fetchone()
        rows = connection.run("bargains/list_bargains", {"area": area, "retailer": retailer, "top": top}).fetchall()
    return {"publication": dict(run) if run else None, "area": area, "bargains": [dict(row) for row in rows]}


def stream_area(connection: Connection, area: str) -> Iterator[dict[str, Any]]:
    """Yield all bargains of an area in the order of :func:`find_bargains`, in constant memory."""
    with connection.cursor(name="bargains") as cursor:
        cursor.itersize = 5_000
        cursor.execute(statement("bargains/list_bargains"), {"area": area, "retailer": None, "top": None})
        yield from cursor
