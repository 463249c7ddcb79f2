"""An operator's hand: groups shown, split, pinned, made anew. Every change needs a reason, which is kept with the user's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from include.errors import TerminalError
from include.groups.changes import load_stores, lock_groups, separate, set_pin, split
from include.groups.cooldown import CooldownFile
from include.groups.stores import GroupedStore
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse
from include.warehouse.price_changes import announce_price_change


def list_groups(warehouse: Warehouse, retailer: str | None, stores_min: int) -> list[dict[str, Any]]:
    """Return the groups with at least so many stores, the largest of each retailer first (``sql/groups/list_groups.sql``)."""
    with warehouse.transaction() as connection:
        values = {"retailer": retailer, "stores_min": stores_min}
        return [dict(row) for row in connection.run("groups/list_groups", values).fetchall()]


def list_history(warehouse: Warehouse, retailer: str, store_id: str) -> list[dict[str, Any]]:
    """Return a store's places in groups, the newest first (``sql/groups/list_history.sql``)."""
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("groups/list_history", {"retailer": retailer, "store_id": store_id}).fetchall()]


def split_store(warehouse: Warehouse, retailer: str, store_id: str, by: str, reason: str) -> bool:
    """Move a store into a group of its own; an anchor hands over to the member with the newest prices of its own.

    Returns:
        False: it was alone already.

    Raises:
        TerminalError: there is no such confirmed store.
    """
    with _locked(warehouse, retailer, by) as (connection, stores):
        return split(connection, stores, _find(stores, retailer, store_id), reason, by) > 0


def pin_store(warehouse: Warehouse, retailer: str, store_id: str, by: str, reason: str, *, is_pinned: bool = True) -> bool:
    """Pin a store, or release it: maintenance merges the group of a pinned store with no other. A member whose prices differ still leaves.

    Returns:
        False: it was so already.

    Raises:
        TerminalError: there is no such confirmed store.
    """
    with _locked(warehouse, retailer, by) as (connection, stores):
        return set_pin(connection, _find(stores, retailer, store_id), is_pinned, reason, by) > 0


def reset(warehouse: Warehouse, storage: Storage, retailer: str, by: str, reason: str) -> int:
    """Make all groups of a retailer anew from nothing: every store is alone, and every pair may be compared again. Pins stay.

    Returns:
        The number of stores that left their groups.
    """
    with _locked(warehouse, retailer, by) as (connection, stores):
        members = [store for store in stores if not store.is_anchor]
        left = separate(connection, members, {store.store_key: reason for store in members}, "reset", by)
        CooldownFile(storage, retailer, warehouse.settings.group_cooldown_days).clear()
    return left


@contextmanager
def _locked(warehouse: Warehouse, retailer: str, by: str) -> Iterator[tuple[Connection, list[GroupedStore]]]:
    with warehouse.transaction() as connection:
        lock_groups(connection, retailer)
        announce_price_change(connection)
        yield connection, load_stores(connection, warehouse.settings, retailer, by)


def _find(stores: list[GroupedStore], retailer: str, store_id: str) -> GroupedStore:
    found = next((store for store in stores if store.store_id == store_id), None)
    if found is None:
        raise TerminalError(
            f"{retailer} has no confirmed store {store_id}: only those are grouped. `aisleflow store list {retailer}` shows the known ones."
        )
    return found
