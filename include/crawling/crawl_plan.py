"""The plan of a night: the stores of a retailer to crawl, their order, and the reasons for leaving out the others."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from psycopg.types.json import Jsonb

from include import clock
from include.crawling.plan_order import verify_before
from include.errors import TerminalError
from include.model.store import StoreRef
from include.model.timetable import at
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlannedStore:
    """A store to crawl tonight, the reason for its position, and the instant after which it is no longer started (``None``: any time)."""

    store: StoreRef
    reason: str
    start_before: datetime | None


@dataclass(frozen=True, slots=True)
class Budget:
    """The number of stores that fit into a night, the limit as a value of ``ops.crawl_plan.cause`` and in words, and the instant after which no further store is started (``None``: any time)."""

    stores: int
    cause: Literal["request_budget", "time_budget"]
    reason: str
    start_before: datetime | None


def plan(warehouse: Warehouse, retailer: str, night: date, store_ids: Sequence[str] | None = None) -> list[PlannedStore]:
    """Plan one retailer's night within its budget; the full plan, with reasons, is stored in ``ops.crawl_plan``.

    First requested stores; then anchors of groups and ungrouped stores that are due (last complete store-day before this price week, or longer
    ago than a price is current), longest unseen first; then members of groups, so that each is verified once in ``AISLEFLOW_VERIFICATION_NIGHTS``; then
    never-crawled ones, spread over the states, for which a share of the budget is reserved even if due stores would fill the night; last, within the budget, stores that
    are still current. The other members are left out: their prices are inferred. Planning again rewrites the night's plan.

    Args:
        store_ids: crawl only these, regardless of the budget.

    Raises:
        TerminalError: no store can be crawled, or a requested one is unknown; the message gives the reason.
    """
    rows, start_before = decide(warehouse, retailer, night, store_ids)
    if not count_decisions(rows)["crawl"]:
        why = (
            f"{len(rows)} stores are left out: `aisleflow store plan {retailer} --night {night} --all` gives the reasons"
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
    """Decide about every store and store the decisions; return the plan as :func:`plan_rows` does, and the instant after which no store is started.

    Raises:
        TerminalError: a requested store is unknown.
    """
    settings, now = warehouse.settings, clock.now()
    with warehouse.transaction() as connection:
        budget = budget_of(connection, retailer, night, warehouse)
        values: dict[str, Any] = {
            "retailer": retailer,
            "night": night,
            "store_budget": budget.stores,
            "new_store_budget": max(int(budget.stores * settings.new_store_share), 1),
            "budget_cause": budget.cause,
            "budget_reason": budget.reason,
            "store_ids": list(store_ids) if store_ids else None,
            "current_since": now - timedelta(hours=settings.current_hours),
            "week_starts": Jsonb({state: clock.price_week_start(now, state).isoformat() for state in ("", *clock.STATE_ZONES)}),
            "verification_nights": settings.verification_nights,
            "verify_before": verify_before(now, settings.verification_nights),
            "now": now,
        }
        connection.run("stores/plan_crawl", values)
        rows = plan_rows(connection, retailer, night)
    if unknown := sorted(set(store_ids or ()) - {row["store_id"] for row in rows}):
        raise TerminalError(f"{retailer} has no store {', '.join(unknown)}. `aisleflow store list {retailer}` shows the known ones.")
    log.info("plan of %s for %s: %s; %s", retailer, night, count_decisions(rows), budget.reason)
    return rows, None if store_ids else budget.start_before


def plan_rows(connection: Connection, retailer: str, night: date) -> list[dict[str, Any]]:
    """Return a night's plan in its order: position, decision, store_id, name, state, online_store_id, cause, reason."""
    rows = connection.run("stores/list_plan", {"night": night, "retailer": retailer}).fetchall()
    return [dict(row) for row in rows]


def defer(warehouse: Warehouse, retailer: str, night: date, store_id: str, reason: str) -> None:
    """Record in the plan that a store was not reached; the next night plans it again. Safe to repeat."""
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE ops.crawl_plan SET decision = 'deferred', cause = 'night_ended', reason = %s WHERE (retailer, night, store_id, decision) = (%s, %s, %s, 'crawl')",
            (reason, retailer, night, store_id),
        )


def count_decisions(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return the numbers of stores crawled, deferred and left out."""
    return {decision: sum(row["decision"] == decision for row in rows) for decision in ("crawl", "deferred", "excluded")}


def count_reasons(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return the causes of deferring or leaving out stores, each with its number of stores, most first."""
    found = Counter(f"{row['decision']}: {row['cause'].replace('_', ' ')}" for row in rows if row["decision"] != "crawl")
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def budget_of(connection: Connection, retailer: str, night: date, warehouse: Warehouse) -> Budget:
    """Compute the number of stores of a retailer that fit into a night.

    The smaller of two limits: ``AISLEFLOW_NIGHTLY_REQUESTS`` divided by the average requests of this retailer's last
    crawls (``AISLEFLOW_REQUESTS_PER_STORE`` before the first); and the time until ``AISLEFLOW_CRAWL_UNTIL`` divided by
    the average seconds. A run that begins after the night's end (started manually in daytime) has no end time.
    """
    settings, now = warehouse.settings, clock.now()
    taken = connection.run("stores/average_crawl_cost", {"retailer": retailer}).fetchone()
    assert taken is not None
    requests_per_store = max(taken["requests"] or settings.requests_per_store, 1)
    stores = max(int(settings.nightly_requests / requests_per_store), 1)
    cause: Literal["request_budget", "time_budget"] = "request_budget"
    reason = (
        f"the night's budget of {stores} stores is spent ({settings.nightly_requests} requests, about {requests_per_store:.0f} a store)"
    )
    end = at(night, settings.timetable.crawl_until)
    if now >= end:
        return Budget(stores, cause, reason, None)
    if taken["seconds"] and (fits := max(int((end - now).total_seconds() / taken["seconds"]), 1)) < stores:
        stores, cause = fits, "time_budget"
        reason = f"the night's time is spent ({stores} stores of about {taken['seconds']:.0f} s until {settings.crawl_until})"
    return Budget(stores, cause, reason, end)
