"""What each crawl of a store gave: one row per run and store, so that health is a query and not a hunt through logs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from include import clock
from include.warehouse.engine import Warehouse
from include.warehouse.statements import statement


def record(
    warehouse: Warehouse,
    *,
    retailer: str,
    store_id: str,
    night: date,
    run_key: str,
    started_at: datetime,
    state: str,
    reason: str | None,
    outcome: dict[str, Any],
) -> None:
    """Keep the outcome of one attempt; a complete one also settles a crawl request.

    Args:
        state: ``crawled``, ``failed`` or ``blocked``.
        outcome: rows, pages, requests, complete, manifest and what else the crawl reported; empty where it failed.
    """
    values = {
        "retailer": retailer, "store_id": store_id, "night": night, "run_key": run_key, "state": state, "reason": reason,
        "is_complete": bool(outcome.get("complete")), "rows": outcome.get("rows", 0), "pages": outcome.get("pages", 0), "requests": outcome.get("requests", 0),
        "manifest": outcome.get("manifest"), "detail": Jsonb({key: outcome[key] for key in ("categories", "rows_skipped") if key in outcome}),
        "started_at": started_at, "finished_at": clock.now(),
    }  # fmt: skip
    with warehouse.transaction() as connection:
        connection.execute(statement("stores/record_outcome"), values)
        if values["is_complete"]:
            connection.execute(
                "DELETE FROM ops.crawl_request WHERE retailer = %s AND store_id = %s AND requested_at <= %s",
                (retailer, store_id, started_at),
            )
