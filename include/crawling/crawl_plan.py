"""The plan of a night: which stores of a retailer are crawled, in which order, and why the others are not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from include import clock
from include.errors import TerminalError
from include.model.store import StoreRef
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlannedStore:
    """A store to crawl tonight, the reason for its place, and the instant after which it is not begun any more (``None``: any time)."""

    store: StoreRef
    reason: str
    start_before: datetime | None


@dataclass(frozen=True, slots=True)
class Budget:
    """How many stores fit into a night, what set the limit, and the instant after which no further store is begun (``None``: any time)."""

    stores: int
    reason: str
    start_before: datetime | None


def plan(warehouse: Warehouse, retailer: str, night: date, store_ids: Sequence[str] | None = None) -> list[PlannedStore]:
    """Plan one retailer's night within its budget; the whole plan, with reasons, stands in ``ops.crawl_plan``.

    First requested stores; then those that are due (last complete store-day before this price week, or longer ago than a
    price is current), longest unseen first; then never-crawled ones, spread over the states, for which a share of the budget is
    kept even when due stores would fill the night; last, where there is room, stores that are still current. Deciding again rewrites the night's plan.

    Args:
        store_ids: crawl just these, whatever the budget.

    Raises:
        TerminalError: no store can be crawled, or one asked for is not known: says why.
    """
    rows, start_before = decide(warehouse, retailer, night, store_ids)
    if not count_decisions(rows)["crawl"]:
        why = (
            f"{len(rows)} stores are left out: `aisleflow store plan {retailer} --night {night} --all` says why"
            if rows
            else "no store is known: run the DAG discover_stores first, or `aisleflow store import` a directory"
        )
        raise TerminalError(f"{retailer}: no store can be crawled on {night}; {why}.")
    return [
        PlannedStore(StoreRef(retailer, row["store_id"], row["name"], row["state"], row["online_store_id"]), row["reason"], start_before)
        for row in rows
        if row["decision"] == "crawl"
    ]


def decide(
    warehouse: Warehouse, retailer: str, night: date, store_ids: Sequence[str] | None = None
) -> tuple[list[dict[str, Any]], datetime | None]:
    """Decide about every store and keep it; return the plan as :func:`plan_rows` does, and the instant after which no store is begun.

    Raises:
        TerminalError: a store asked for is not known.
    """
    settings, now = warehouse.settings, clock.now()
    with warehouse.transaction() as connection:
        budget = budget_of(connection, retailer, night, warehouse)
        values: dict[str, Any] = {
            "retailer": retailer,
            "night": night,
            "store_budget": budget.stores,
            "new_store_budget": max(int(budget.stores * settings.new_store_share), 1),
            "budget_reason": budget.reason,
            "store_ids": list(store_ids) if store_ids else None,
            "current_since": now - timedelta(hours=settings.current_hours),
            "week_starts": Jsonb({state: clock.price_week_start(now, state).isoformat() for state in ("", *clock.STATE_ZONES)}),
            "now": now,
        }
        connection.run("stores/plan_crawl", values)
        rows = plan_rows(connection, retailer, night)
    if unknown := sorted(set(store_ids or ()) - {row["store_id"] for row in rows}):
        raise TerminalError(f"{retailer} has no store {', '.join(unknown)}. `aisleflow store list {retailer}` shows the known ones.")
    log.info("plan of %s for %s: %s; %s", retailer, night, count_decisions(rows), budget.reason)
    return rows, None if store_ids else budget.start_before


def plan_rows(connection: Connection, retailer: str, night: date) -> list[dict[str, Any]]:
    """Return a night's plan in its order: place, decision, store_id, name, state, online_store_id, reason."""
    rows = connection.run("stores/list_plan", {"night": night, "retailer": retailer}).fetchall()
    return [dict(row) for row in rows]


def defer(warehouse: Warehouse, retailer: str, night: date, store_id: str, reason: str) -> None:
    """Note in the plan that a store's turn did not come; the next night takes it up. Safe to repeat."""
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE ops.crawl_plan SET decision = 'deferred', reason = %s WHERE (retailer, night, store_id, decision) = (%s, %s, %s, 'crawl')",
            (reason, retailer, night, store_id),
        )


def count_decisions(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return how many stores are crawled, deferred and left out."""
    return {decision: sum(row["decision"] == decision for row in rows) for decision in ("crawl", "deferred", "excluded")}


def count_reasons(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return the reasons why stores are deferred or left out, dates and names left off, with the number of stores each."""
    found: dict[str, int] = {}
    for row in rows:
        if row["decision"] != "crawl":
            reason = f"{row['decision'].replace('_', ' ')}: {row['reason'].split(';')[0]}"
            found[reason] = found.get(reason, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def budget_of(connection: Connection, retailer: str, night: date, warehouse: Warehouse) -> Budget:
    """Work out how many stores of a retailer fit into a night.

    Two limits, the smaller one holds: ``AISLEFLOW_NIGHTLY_REQUESTS`` divided by what a store of this retailer took on average in its last
    crawls (``AISLEFLOW_REQUESTS_PER_STORE`` before the first); and the time until ``AISLEFLOW_CRAWL_UNTIL`` divided by
    the seconds a store took. A run that begins after the night's end (by hand, in daytime) has no end time.
    """
    settings, now = warehouse.settings, clock.now()
    taken = connection.run("stores/average_crawl_cost", {"retailer": retailer}).fetchone()
    assert taken is not None
    requests_per_store = max(taken["requests"] or settings.requests_per_store, 1)
    stores = max(int(settings.nightly_requests / requests_per_store), 1)
    reason = (
        f"the night's budget of {stores} stores is spent ({settings.nightly_requests} requests, about {requests_per_store:.0f} a store)"
    )
    end = datetime.combine(night, time.fromisoformat(settings.crawl_until), clock.MELBOURNE)
    if now >= end:
        return Budget(stores, reason, None)
    if taken["seconds"] and (fits := max(int((end - now).total_seconds() / taken["seconds"]), 1)) < stores:
        stores = fits
        reason = f"the night's time is spent ({stores} stores of about {taken['seconds']:.0f} s until {settings.crawl_until})"
    return Budget(stores, reason, end)
