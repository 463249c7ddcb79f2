"""The plan of a night: which stores of a retailer are crawled, in which order, and why the others are not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from include import clock
from include.errors import TerminalError
from include.staging.offer import StoreRef
from include.warehouse.engine import Warehouse
from include.warehouse.statements import statement

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlannedStore:
    """A store to crawl tonight and the reason for its place."""

    store: StoreRef
    reason: str


def plan(warehouse: Warehouse, retailer: str, night: date, store_ids: Sequence[str] | None = None) -> list[PlannedStore]:
    """Plan one retailer's night within its budget; the whole plan, with reasons, stands in ``ops.crawl_plan``.

    The budget is ``AISLEFLOW_NIGHTLY_REQUESTS`` divided by what a store of this retailer took on average in its
    last crawls (``AISLEFLOW_REQUESTS_PER_STORE`` before the first). Deciding again rewrites the night's plan.

    Args:
        store_ids: crawl just these, whatever the budget.

    Raises:
        TerminalError: no store can be crawled: says why.
    """
    settings = warehouse.settings
    with warehouse.transaction() as connection:
        taken = connection.execute(
            "SELECT avg(requests)::float AS requests FROM (SELECT requests FROM ops.crawl_outcome WHERE retailer = %s AND is_complete ORDER BY finished_at DESC LIMIT 50) AS last",
            (retailer,),
        ).fetchone()
        requests_per_store = max((taken["requests"] if taken else None) or settings.requests_per_store, 1)
        budget = max(int(settings.nightly_requests / requests_per_store), 1)
        values = {
            "retailer": retailer,
            "night": night,
            "store_budget": budget,
            "store_ids": list(store_ids) if store_ids else None,
            "now": clock.now(),
        }
        connection.execute(statement("stores/plan_crawl"), values)
        rows = connection.execute(
            "SELECT p.store_id, p.decision, p.reason, s.name, s.state, s.online_store_id FROM ops.crawl_plan AS p JOIN core.store AS s USING (retailer, store_id) "
            "WHERE p.night = %(night)s AND p.retailer = %(retailer)s ORDER BY p.place",
            values,
        ).fetchall()
    counts = {decision: sum(row["decision"] == decision for row in rows) for decision in ("crawl", "deferred", "left_out")}
    log.info("plan of %s for %s: %s; about %.0f requests a store", retailer, night, counts, requests_per_store)
    if not counts["crawl"]:
        why = (
            f"{counts['left_out']} stores are left out, see ops.crawl_plan"
            if rows
            else "no store is known: run the DAG discover_stores first"
        )
        raise TerminalError(f"{retailer}: no store can be crawled on {night}; {why}.")
    return [
        PlannedStore(StoreRef(retailer, row["store_id"], row["name"], row["state"], row["online_store_id"]), row["reason"])
        for row in rows
        if row["decision"] == "crawl"
    ]
