"""Check results of a night."""

from __future__ import annotations

from datetime import date
from typing import Any

from include.model.rules import reason_of
from include.warehouse.engine import Warehouse


def newest_night(warehouse: Warehouse, retailer: str | None = None) -> date | None:
    """Return the newest night whose store-days were checked; ``None``: there is none yet."""
    with warehouse.transaction() as connection:
        row = connection.run("quality/find_newest_night", {"retailer": retailer}).fetchone()
    return row["night"] if row else None


def results(warehouse: Warehouse, night: date, retailer: str | None = None, *, is_all: bool = False) -> dict[str, Any]:
    """Return the checks of a night and their results.

    Returns:
        ``checks``: one per batch (retailer, nights, files, lines, held, broken: rule → lines); ``results``: one per store-day and
        broken rule (every rule if ``is_all``), holding rules first, each with the rule's ``reason``.
    """
    with warehouse.transaction() as connection:
        values = {"night": night, "retailer": retailer, "is_all": is_all}
        checks = connection.run("quality/list_checks", values).fetchall()
        found = connection.run("quality/list_results", values).fetchall()
    return {
        "night": night,
        "checks": [dict(row) for row in checks],
        "results": [{**row, "reason": reason_of(row["rule_id"])} for row in found],
    }
