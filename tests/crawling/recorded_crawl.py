"""Records a row of ``ops.crawl_outcome`` without a crawl."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from include.crawling import outcomes
from include.crawling.crawl_run import CrawlRun
from include.crawling.outcomes import CrawlOutcome
from include.model.store import StoreRef
from include.retailers.registry import retailer_of
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse


def run_of(warehouse: Warehouse, store: StoreRef, night: date, run_key: str = "r") -> CrawlRun:
    """Return a run that sends no request."""
    return CrawlRun(
        retailer=retailer_of(store.retailer), store=store, night=night, run_key=run_key, storage=Storage("memory://"),
        settings=warehouse.settings, limiter=None,
    )  # fmt: skip


def record_crawl(
    warehouse: Warehouse,
    store: StoreRef,
    night: date,
    started_at: datetime,
    *,
    run_key: str = "r",
    error: Exception | None = None,
    **more: Any,
) -> None:
    """Record a crawl that was complete, or ended with an error, or has the outcome values ``more``."""
    run = run_of(warehouse, store, night, run_key)
    known: dict[str, Any] = {
        "manifest": "m", "rows": 10, "pages": 1, "requests": 1, "complete": True, "incomplete_reason": None, "is_retryable": False, "seconds": 1.0
    }  # fmt: skip
    outcome = CrawlOutcome(retailer=store.retailer, store_id=store.store_id, night=night.isoformat(), run_key=run_key, **(known | more))
    outcomes.record(warehouse, run, started_at, error or outcome)
