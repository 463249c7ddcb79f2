"""Changes of groups, each with its cause and reason. Every function needs the retailer's lock on groups.

A transaction that moves stores changes the inferred prices of members: it calls ``announce_price_change`` once it holds that lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from include import clock
from include.config import Settings
from include.groups.health import next_anchor
from include.groups.stores import GroupedStore, comparable_week
from include.warehouse.engine import Connection, Warehouse, lock

Cause = Literal["ejected", "closed", "split", "reset"]


def lock_groups(connection: Connection, retailer: str) -> None:
    """Take the lock on a retailer's groups until the transaction ends; a second maintenance pass waits for the first."""
    lock(connection, f"groups:{retailer}")


def load_stores(connection: Connection, settings: Settings, retailer: str, changed_by: str) -> list[GroupedStore]:
    """Return the confirmed stores of a retailer in their groups; a store that has none gets a group of its own first."""
    now = clock.now()
    connection.run("groups/found_groups", {"retailer": retailer, "changed_by": changed_by, "now": now})
    return [
        GroupedStore(
            store_key=row["store_key"], store_id=row["store_id"], state=row["state"], group_id=row["group_id"], is_anchor=row["is_anchor"], is_pinned=row["is_pinned"],
            is_open=row["is_open"], complete_at=row["complete_at"], complete_file_id=row["complete_file_id"], verified_file_id=row["verified_file_id"],
            week=comparable_week(row["complete_at"], row["last_observed_at"], row["state"], now, settings.current_hours),
        )
        for row in connection.run("groups/list_stores", {"retailer": retailer}).fetchall()
    ]  # fmt: skip


def separate(connection: Connection, stores: Iterable[GroupedStore], reasons: Mapping[int, str], cause: Cause, changed_by: str) -> int:
    """Move stores, each with its reason by store key, into groups of their own; return how many were not alone already."""
    keys = [store.store_key for store in stores]
    values = {
        "store_keys": keys, "reasons": [reasons[key] for key in keys], "cause": cause, "changed_by": changed_by, "now": clock.now(),
    }  # fmt: skip
    return connection.run("groups/separate_stores", values).rowcount


def appoint(connection: Connection, reasons: Mapping[int, str], changed_by: str) -> int:
    """Make members (store key and reason) the anchors of groups that have lost theirs."""
    values = {"store_keys": list(reasons), "reasons": list(reasons.values()), "changed_by": changed_by, "now": clock.now()}
    return connection.run("groups/appoint_anchors", values).rowcount


def split(connection: Connection, stores: Iterable[GroupedStore], store: GroupedStore, reason: str, changed_by: str) -> int:
    """Move one store into a group of its own; an anchor hands over to the member with the newest prices of its own."""
    members = [other for other in stores if other.group_id == store.group_id and other.store_key != store.store_key]
    moved = separate(connection, [store], {store.store_key: reason}, "split", changed_by)
    if store.is_anchor and members:
        appoint(connection, {next_anchor(members).store_key: f"store {store.store_id} left: {reason}"}, changed_by)
    return moved


def set_pin(connection: Connection, store: GroupedStore, is_pinned: bool, reason: str, changed_by: str) -> int:
    """Pin a store, or release it; return 0 if it was so already."""
    values = {"store_key": store.store_key, "is_pinned": is_pinned, "reason": reason, "changed_by": changed_by, "now": clock.now()}
    return connection.run("groups/set_pin", values).rowcount


def prune(warehouse: Warehouse) -> int:
    """Delete the recorded changes of inferred prices that a newer one of their store makes useless; return their number."""
    with warehouse.transaction() as connection:
        return connection.run("groups/prune_changes").rowcount
