"""What each crawl of a store gave: one row per run and store, so that health is a query and not a hunt through logs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from include import clock
from include.model.offer import StoreRef
from include.warehouse.engine import Warehouse


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
        "manifest": outcome.get("manifest"), "detail": Jsonb({key: outcome[key] for key in ("categories", "rows_skipped", "notes") if key in outcome}),
        "started_at": started_at, "finished_at": clock.now(),
    }  # fmt: skip
    with warehouse.transaction() as connection:
        connection.run("stores/record_outcome", values)
        if values["is_complete"]:
            connection.execute(
                "DELETE FROM ops.crawl_request WHERE retailer = %s AND store_id = %s AND requested_at <= %s",
                (retailer, store_id, started_at),
            )


def staged(warehouse: Warehouse, retailer: str, run_key: str) -> list[dict[str, Any]]:
    """Return what a run has staged so far: store_id, state, manifest, rows, reason."""
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("crawl/list_staged", {"retailer": retailer, "run_key": run_key}).fetchall()]


def canary_store(warehouse: Warehouse, retailer: str, store_ids: Sequence[str] | None = None) -> StoreRef | None:
    """Return the store that opens a run, ``None`` where no store is known."""
    with warehouse.transaction() as connection:
        values = {"retailer": retailer, "store_ids": list(store_ids) if store_ids else None}
        row = connection.run("crawl/choose_canary", values).fetchone()
    return StoreRef(retailer, **row) if row else None


def known_store(warehouse: Warehouse, retailer: str, store_id: str) -> StoreRef | None:
    """Return a store as ``core.store`` knows it, ``None`` where it does not."""
    return canary_store(warehouse, retailer, [store_id])
