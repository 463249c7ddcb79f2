"""The maintenance of store groups: health, comparison, merging. Each step is one transaction under the retailer's lock on groups.

A step works from what the warehouse holds, never from what an event said, so it may be killed, repeated or run twice at once:
a health check applies what it finds together with the crawl requests that follow from it; comparisons are recorded before groups merge, and a merge takes only
comparisons that still hold.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from psycopg.types.json import Jsonb

from include import clock
from include.config import Settings
from include.crawling.crawl_requests import request_stores
from include.groups.changes import appoint, load_stores, lock_groups, separate
from include.groups.comparison import Comparison, MatchRules, PriceLists
from include.groups.cooldown import CooldownFile, Round, cooled_pairs, rounds_of
from include.groups.health import Health, examine
from include.groups.merging import find_matches, pairs_to_cool
from include.groups.stores import GroupedStore, by_group
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse
from include.warehouse.price_changes import announce_price_change

log = logging.getLogger(__name__)

#: Recorded as the author of what maintenance changes and requests.
AUTHOR = "maintain_store_groups"
#: Stores whose prices are read at a time.
STORES_READ = 50


@dataclass(frozen=True, slots=True)
class HealthCounts:
    """Stores by what the health check found; ``requests``: new crawl requests that follow from it."""

    ejected: int
    verified: int
    closed: int
    stale: int
    requests: int


@dataclass(frozen=True, slots=True)
class CompareCounts:
    """Anchors that could be compared now, pairs compared completely, and the comparisons by which groups are to merge."""

    anchors: int
    compared: int
    matches: list[int]


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """Stores that joined another group; groups and stores afterwards."""

    joined: int
    groups: int
    stores: int


def rules_of(settings: Settings, retailer: str) -> MatchRules:
    """Return when stores of a retailer match."""
    return MatchRules(
        settings.group_rule("equal_share", retailer),
        int(settings.group_rule("common_min", retailer)),
        settings.group_rule("list_share", retailer),
    )


def check_health(warehouse: Warehouse, retailer: str) -> HealthCounts:
    """Check every group of a retailer, move stores that left out of their groups, and request the crawls that follow from it."""
    with warehouse.transaction() as connection:
        lock_groups(connection, retailer)
        stores = load_stores(connection, warehouse.settings, retailer, AUTHOR)
        health = examine(stores, lambda some: read_lists(connection, some), rules_of(warehouse.settings, retailer))
        announce_price_change(connection)  # after the long reading: exports wait for it
        _save(connection, health.comparisons, stores, "health")
        return _apply(connection, retailer, stores, health)


def compare(warehouse: Warehouse, storage: Storage, retailer: str) -> CompareCounts:
    """Compare the anchors of a retailer with one another, leaving out pairs in cooldown; record the evidence."""
    now, settings = clock.now(), warehouse.settings
    file = CooldownFile(storage, retailer, settings.group_cooldown_days)
    with warehouse.transaction() as connection:
        lock_groups(connection, retailer)
        stores = load_stores(connection, warehouse.settings, retailer, AUTHOR)
        sizes = {members[0].store_key: len(members) for members in by_group(stores).values()}
        pinned = {store.group_id for store in stores if store.is_pinned}
        anchors = [
            store for store in stores if store.is_anchor and store.is_open and store.week is not None and store.group_id not in pinned
        ]
        rounds, compared = file.read(now), 0
        fresh: list[Round] = []
        matches: list[int] = []
        for week in sorted({store.week for store in anchors if store.week}):
            some = [store for store in anchors if store.week == week]
            cooled = cooled_pairs(rounds, [store.store_id for store in some])
            chosen = np.flatnonzero(~cooled.all(axis=1))
            some, cooled = [some[place] for place in chosen], cooled[np.ix_(chosen, chosen)]
            if not some:
                continue
            found = find_matches(read_lists(connection, some), sizes, cooled, rules_of(settings, retailer))
            saved = _save(connection, [*found.matches, *found.nearest], some, "merge")
            compared += found.compared
            matches += [saved[match.left, match.right] for match in found.matches]
            cool = pairs_to_cool([store.store_key for store in some], found.joining, cooled)
            fresh += rounds_of(cool, [store.store_id for store in some], now)
        files = {"store_keys": [store.store_key for store in stores], "file_ids": [store.complete_file_id for store in stores]}
        connection.run("groups/mark_seen", files)
    if fresh:  # after the evidence is committed: what is lost by a kill in between is compared again
        with warehouse.transaction() as connection:
            lock_groups(connection, retailer)
            file.add(fresh, now)
    log.info("%s: %s anchors, %s pairs compared completely, %s match", retailer, len(anchors), compared, len(matches))
    return CompareCounts(len(anchors), compared, matches)


def merge(warehouse: Warehouse, retailer: str, comparison_ids: Sequence[int]) -> MergeCounts:
    """Merge the groups whose comparisons (:func:`compare`) still hold: the stores are anchors, not pinned, and have no newer store-day."""
    with warehouse.transaction() as connection:
        lock_groups(connection, retailer)
        announce_price_change(connection)
        values = {"comparison_ids": list(comparison_ids), "changed_by": AUTHOR, "now": clock.now()}
        joined = connection.run("groups/merge_groups", values).rowcount
        stores = load_stores(connection, warehouse.settings, retailer, AUTHOR)
    counts = MergeCounts(joined, len({store.group_id for store in stores}), len(stores))
    log.info("%s: %s", retailer, counts)
    return counts


def list_unseen(warehouse: Warehouse, waiting: timedelta) -> dict[str, date]:
    """Return the retailers with published store-days that no pass has looked at for some time, each with the newest night of those."""
    with warehouse.transaction() as connection:
        rows = connection.run("groups/list_unseen", {"published_before": clock.now() - waiting}).fetchall()
    return {row["retailer"]: row["night"] for row in rows}


def read_lists(connection: Connection, stores: Sequence[GroupedStore]) -> PriceLists:
    """Read the prices of stores that may be compared, each of its price week."""
    lists = []
    for start in range(0, len(stores), STORES_READ):
        some = [store for store in stores[start : start + STORES_READ] if store.complete_at is not None]
        values = {"store_keys": [store.store_key for store in some], "week_starts": [store.week_start_at for store in some]}
        for row in connection.run("groups/read_prices", values).fetchall():
            packed = np.frombuffer(row["prices"], ">i8").astype(np.int64)
            codes = packed & 0xFFFFFFFF
            lists.append((int(row["store_key"]), (packed >> 32) * 4 + (codes & 3), codes >> 2))
    known = {key for key, _, _ in lists}
    empty = np.empty(0, np.int64)
    return PriceLists.of_stores([*lists, *((store.store_key, empty, empty) for store in stores if store.store_key not in known)])


def _apply(connection: Connection, retailer: str, stores: Sequence[GroupedStore], health: Health) -> HealthCounts:
    evidence = {one.right: one for one in health.comparisons}
    ids = {store.store_key: store.store_id for store in stores}
    anchors = {store.group_id: store for store in stores if store.is_anchor}
    ejected = {store.store_key: _describe(evidence[store.store_key], ids) for store in health.ejected}
    separate(connection, health.closed, {store.store_key: "it does not trade" for store in health.closed}, "closed", AUTHOR)
    appoint(
        connection,
        {store.store_key: f"store {anchors[store.group_id].store_id} does not trade; newest own prices" for store in health.appointed},
        AUTHOR,
    )
    separate(connection, health.ejected, ejected, "ejected", AUTHOR)
    verified = {
        "store_keys": [store.store_key for store in health.verified],
        "file_ids": [store.complete_file_id for store in health.verified],
    }
    connection.run("groups/save_verifications", verified)
    connection.run("groups/flag_members", {"store_keys": [store.store_key for store in health.to_verify], "now": clock.now()})
    reasons = {store.store_id: "anchor of a store group without current prices" for store in health.stale}
    reasons |= {store.store_id: "another store left its group: to be verified" for store in health.to_verify}
    requests = request_stores(connection, retailer, reasons, AUTHOR)
    counts = HealthCounts(len(health.ejected), len(health.verified), len(health.closed), len(health.stale), requests)
    log.info("%s: %s", retailer, counts)
    return counts


def _describe(one: Comparison, ids: dict[int, str]) -> str:
    return f"{one.equal} of {one.common} common products cost the same as in store {ids[one.left]}"


def _save(
    connection: Connection, comparisons: Sequence[Comparison], stores: Iterable[GroupedStore], purpose: str
) -> dict[tuple[int, int], int]:
    """Record comparisons; return their ids by (left store, right store)."""
    by_key = {store.store_key: store for store in stores}

    def files(one: Comparison) -> dict[str, Any]:
        return {"left_file_id": by_key[one.left].complete_file_id, "right_file_id": by_key[one.right].complete_file_id}

    values = {
        "comparisons": Jsonb([
            files(one) | {
                "left": one.left, "right": one.right, "price_week": str(by_key[one.left].week), "left_listed": one.left_listed, "right_listed": one.right_listed,
                "common": one.common, "equal": one.equal, "range_overlap": one.range_overlap, "is_match": one.is_match,
            }
            for one in comparisons
        ]),
        "differences": Jsonb([
            files(one) | {"place": place, "sku_key": difference.column // 4, "left_cents": difference.left_cents, "right_cents": difference.right_cents}
            for one in comparisons
            for place, difference in enumerate(one.differences)
        ]),
        "purpose": purpose, "now": clock.now(),
    }  # fmt: skip
    rows = connection.run("groups/save_comparisons", values).fetchall()
    return {(row["left_store_key"], row["right_store_key"]): int(row["comparison_id"]) for row in rows}
