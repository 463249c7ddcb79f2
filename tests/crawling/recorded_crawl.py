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
    """Record a crawl that was complete, or ended with an error, or differs in what ``more`` says of its outcome."""
    run = CrawlRun(
        retailer=retailer_of(store.retailer),
        store=store,
        night=night,
        run_key=run_key,
        storage=Storage("memory://"),
        settings=warehouse.settings,
        limiter=None,
    )
    known: dict[str, Any] = {
        "manifest": "m", "rows": 10, "pages": 1, "requests": 1, "complete": True, "incomplete_reason": None, "is_retryable": False, "seconds": 1.0
    }  # fmt: skip
    outcome = CrawlOutcome(retailer=store.retailer, store_id=store.store_id, night=night.isoformat(), run_key=run_key, **(known | more))
    outcomes.record(warehouse, run, started_at, error or outcome)
