"""Looking at groups from a test: who is in which, why, and what was requested."""

from __future__ import annotations

from include.warehouse.engine import Warehouse
from tests.warehouse.looking import one, rows


def groups(warehouse: Warehouse) -> dict[str, set[str]]:
    """Return the members of each group by its anchor, both as store ids."""
    found: dict[str, set[str]] = {}
    for row in rows(
        warehouse,
        "SELECT anchor.store_id AS anchor, store.store_id FROM core.store_group_member AS member JOIN core.store USING (store_key) "
        "JOIN core.store_group_member AS leader ON leader.group_id = member.group_id AND leader.is_anchor AND leader.until_at IS NULL "
        "JOIN core.store AS anchor ON anchor.store_key = leader.store_key WHERE member.until_at IS NULL",
    ):
        found.setdefault(row["anchor"], set()).add(row["store_id"])
    return found


def whole(warehouse: Warehouse) -> None:
    """No confirmed store is in two groups or in none, and every group has its anchor."""
    assert (
        one(warehouse, "SELECT count(*) FROM core.store_group_member WHERE until_at IS NULL")
        == one(warehouse, "SELECT count(*) FROM core.store WHERE is_confirmed AND retailer = 'aldi'")
        == sum(map(len, groups(warehouse).values()))
    )


def requests(warehouse: Warehouse) -> dict[str, str]:
    """Return the crawl requests, with their reasons."""
    return {row["store_id"]: row["reason"] for row in rows(warehouse, "SELECT store_id, reason FROM ops.crawl_request")}


def causes(warehouse: Warehouse, store_id: str) -> list[str]:
    """Return the causes of a store's changes, oldest first."""
    found = rows(
        warehouse,
        "SELECT cause FROM core.store_group_member JOIN core.store USING (store_key) WHERE store_id = %s ORDER BY membership_id",
        store_id,
    )
    return [row["cause"] for row in found]
