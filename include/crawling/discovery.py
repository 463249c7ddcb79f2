"""Store discovery: merges the stores of store finders and directories into ``core.store``; closed stores are marked, never removed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from include import clock
from include.errors import ConfigurationError, NeedsPersonError, TerminalError
from include.model.store import StoreRecord, StoreRef
from include.warehouse.engine import Connection, Warehouse
from include.wording.places import position, state_and_postcode

log = logging.getLogger(__name__)

_COLUMNS = (*(field.name for field in fields(StoreRecord)), "seen_at")

#: Missing stores tolerated regardless of their share: a small chain that loses one store of four is not an error of its finder.
_FEW = 5


@dataclass(frozen=True, slots=True)
class DiscoveryCounts:
    """Counts of one discovery. A retailer's petrol stations and liquor shops are stores, but not supermarkets.

    ``absent``: known, but not found this time; ``closed``: all that are marked as closed now.
    """

    stores: int
    supermarkets: int
    not_trading: int
    new: int
    absent: int = 0
    closed: int = 0


class IncompleteStoreFinder(NeedsPersonError):
    """A store finder returned far fewer supermarkets than are known: the stores found are kept, no absence is counted."""


def merge_found_stores(warehouse: Warehouse, retailer: str, found: Iterable[StoreRecord]) -> DiscoveryCounts:
    """Merge the stores of a retailer's finder into ``core.store``, and count the absences of the others.

    A store missing from ``AISLEFLOW_STORE_ABSENCES_MAX`` discoveries in a row (on different days) is marked as closed: it is
    left out of the plan, its prices stay. Safe to repeat.

    Raises:
        TerminalError: the finder returned no supermarket; nothing is changed.
        IncompleteStoreFinder: it returned less than ``AISLEFLOW_DISCOVERY_SHARE`` of the known open supermarkets; the stores found
            are merged, absences are not counted.
    """
    settings = warehouse.settings
    with warehouse.transaction() as connection:
        known = _count_open_supermarkets(connection, retailer)
        counts = _merge(connection, found, clock.now())
        if not counts["supermarkets"]:
            raise TerminalError(
                f"{retailer}: the store finder returned no supermarket. Its response has changed, or it is another site; see the log of the task."
            )
        is_short = known - counts["supermarkets"] > max((1 - settings.discovery_share) * known, _FEW)
        absent = 0
        if not is_short:
            absent = connection.run(
                "stores/mark_absent",
                {
                    "retailer": retailer,
                    "day": clock.night_of(clock.now()),
                    "absences_max": settings.store_absences_max,
                    "now": clock.now(),
                },
            ).rowcount
        row = connection.run("stores/count_closed", {"retailer": retailer}).fetchone()
        assert row is not None
    if is_short:
        raise IncompleteStoreFinder(
            f"{retailer}: the store finder returned {counts['supermarkets']} supermarkets, {known} were open before. They are merged, "
            "and no absence is counted. If the chain really closed that many, lower AISLEFLOW_DISCOVERY_SHARE for one run; "
            "otherwise read the finder's responses in the task's log, and clear the task later."
        )
    log.info("%s: %s, %s not found this time, %s marked as closed", retailer, counts, absent, row["closed"])
    return DiscoveryCounts(**counts, absent=absent, closed=row["closed"])


def merge_directory(warehouse: Warehouse, stores: Iterable[tuple[StoreRecord, datetime]]) -> dict[str, DiscoveryCounts]:
    """Merge a directory (stores with the instant each was last seen) as a starting list; newer data are never replaced, no absence is counted.

    Returns:
        Retailer → counts. Safe to repeat.
    """
    by_retailer: dict[str, list[tuple[StoreRecord, datetime]]] = {}
    for store, seen_at in stores:
        by_retailer.setdefault(store.retailer, []).append((store, seen_at))
    done = {}
    for retailer, found in sorted(by_retailer.items()):
        with warehouse.transaction() as connection:
            seen = {store.store_id: seen_at for store, seen_at in found}
            done[retailer] = DiscoveryCounts(**_merge(connection, (store for store, _ in found), seen))
    return done


def list_stores(warehouse: Warehouse, retailer: str, state: str | None = None) -> list[dict[str, Any]]:
    """Return a retailer's stores by state and id, with their discovery data and last complete crawl."""
    with warehouse.transaction() as connection:
        rows = connection.run("stores/list_stores", {"retailer": retailer, "state": state and state.upper()}).fetchall()
    return [dict(row) for row in rows]


def known_store(warehouse: Warehouse, retailer: str, store_id: str) -> StoreRef | None:
    """Return a store of ``core.store``, ``None`` if it is unknown."""
    with warehouse.transaction() as connection:
        row = connection.execute(
            "SELECT store_id, name, state, online_store_id FROM core.store WHERE (retailer, store_id) = (%s, %s)", (retailer, store_id)
        ).fetchone()
    return StoreRef(retailer, **row) if row else None


def require_store(warehouse: Warehouse, retailer: str, store_id: str) -> StoreRef:
    """Return a store of ``core.store``.

    Raises:
        ConfigurationError: there is no such store; names those with a similar id.
    """
    found = known_store(warehouse, retailer, store_id)
    if found is None:
        ids = [row["store_id"] for row in list_stores(warehouse, retailer)]
        similar = get_close_matches(store_id, ids, cutoff=0.5)
        hint = f"Similar ids: {', '.join(similar)}" if similar else f"{len(ids)} stores of {retailer} are known"
        raise ConfigurationError(f"{retailer} has no store {store_id!r} here. {hint}; `aisleflow store list {retailer}` lists them.")
    return found


def _count_open_supermarkets(connection: Connection, retailer: str) -> int:
    row = connection.run("stores/count_open_supermarkets", {"retailer": retailer}).fetchone()
    assert row is not None
    return int(row["known"])


def _merge(connection: Connection, found: Iterable[StoreRecord], seen_at: datetime | dict[str, datetime]) -> dict[str, int]:
    connection.execute("DROP TABLE IF EXISTS discovered")
    connection.execute(
        "CREATE TEMPORARY TABLE discovered (retailer text, store_id text, online_store_id text, name text, state text, suburb text, postcode text, "
        "latitude double precision, longitude double precision, division text, is_supermarket boolean, is_trading boolean, seen_at timestamptz, "
        "PRIMARY KEY (retailer, store_id)) ON COMMIT DROP"
    )
    with connection.cursor() as cursor, cursor.copy(f"COPY discovered ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
        for store in found:
            copy.write_row((*astuple(_cleaned(store)), seen_at[store.store_id] if isinstance(seen_at, dict) else seen_at))
    row = connection.run("stores/merge_discovered", {"now": clock.now()}).fetchone()
    assert row is not None
    return dict(row)


def _cleaned(store: StoreRecord) -> StoreRecord:
    state, postcode = state_and_postcode(store.state, store.postcode)
    latitude, longitude = position(store.latitude, store.longitude)
    name, suburb = (store.name or "").strip() or None, (store.suburb or "").strip() or None
    return replace(store, name=name, suburb=suburb, state=state, postcode=postcode, latitude=latitude, longitude=longitude)
