"""What a run of a crawl does: canary, one store after another, reading landed pages again, pruning them, store discovery."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from include import clock
from include.crawling import discovery, outcomes
from include.crawling.canary import CanaryReport
from include.crawling.client import PoliteClient
from include.crawling.directory import read_directory
from include.crawling.sessions import Session
from include.crawling.shared_limiter import PostgresRequestLimiter, delete_old_runs
from include.crawling.store_crawl import discover as find_stores
from include.crawling.store_crawl import reread_store
from include.crawling.visit import crawl_store_in_run, run_canary
from include.crawling.walk import CrawlSubset
from include.model.offer import StoreRef
from include.retailer_names import RETAILERS
from include.retailers.errors import Blocked, WrongStore
from include.retailers.registry import retailer_of
from include.staging import landing
from include.staging.landing import LandedRun
from include.staging.storage import Storage, run_key_of
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


def crawl(
    warehouse: Warehouse,
    storage: Storage,
    store: StoreRef,
    night: date,
    run_key: str,
    progress: Progress = log.info,
    *,
    scope_suffix: str = "",
    session: Session | None = None,
    subset: CrawlSubset | None = None,
) -> dict[str, Any]:
    """Crawl one store, stage its store-day, and keep the outcome, whatever it is.

    Args:
        scope_suffix: of the stores crawled after a person was asked (``include.crawling.visit``).
        session: a person's browser session; without it the one kept in the installation's home.
        subset: read only a part of the store, and stage it as incomplete.

    Returns:
        The crawl's outcome as plain values (``include.crawling.outcome.CrawlOutcome``).

    Raises:
        What the crawl raises, after the outcome row is written.
    """
    keep = partial(outcomes.record, warehouse, retailer=store.retailer, store_id=store.store_id, night=night, run_key=run_key)
    started_at = clock.now()
    try:
        outcome = crawl_store_in_run(
            warehouse, storage, store, night, run_key, scope_suffix=scope_suffix, session=session, subset=subset, progress=progress
        )
    except Exception as error:
        state = "blocked" if isinstance(error, Blocked) else "failed"
        keep(started_at=started_at, state=state, reason=f"{type(error).__name__}: {error}"[:2000], outcome={})
        raise
    keep(started_at=started_at, state="crawled", reason=outcome.incomplete_reason, outcome=outcome.to_json())
    return outcome.to_json()


def canary(
    warehouse: Warehouse, storage: Storage, store: StoreRef, night: date, run_key: str, session: Session | None = None
) -> CanaryReport:
    """Open a run: one category of one store, held against the shape on record (``include.crawling.canary``)."""
    return run_canary(warehouse, storage, store, night, run_key, session)


def reread(
    warehouse: Warehouse, storage: Storage, store: StoreRef, run: LandedRun, new_run_key: str | None = None, progress: Progress = log.info
) -> dict[str, Any]:
    """Read a landed store-day again through the present adapter, without a request, and stage it under its night.

    It gets a run key of its own (without ``new_run_key`` the landed run's and the adapter's version): a reread supersedes itself, never
    the crawl's file. Its lines keep their instants: over equal ones the later registration wins, over newer prices nothing does.
    """
    adapter = retailer_of(store.retailer)
    new_run_key = new_run_key or run_key_of(run.run_key[-60:], "reread", adapter.version)
    started_at = clock.now()
    outcome = reread_store(
        adapter,
        store,
        night=run.night,
        run_key=run.run_key,
        new_run_key=new_run_key,
        storage=storage,
        settings=warehouse.settings,
        progress=progress,
    )
    outcomes.record(
        warehouse,
        retailer=store.retailer,
        store_id=store.store_id,
        night=run.night,
        run_key=new_run_key,
        started_at=started_at,
        state="crawled",
        reason=outcome.incomplete_reason,
        outcome=outcome.to_json(),
    )
    return outcome.to_json()


def prune_landing(warehouse: Warehouse, storage: Storage) -> int:
    """Remove landed pages older than ``AISLEFLOW_LANDING_DAYS`` by their night, and what was kept for those runs; returns how many store-days."""
    days = warehouse.settings.landing_days
    delete_old_runs(warehouse, days)
    return landing.prune_landing(storage, RETAILERS, clock.night_of(clock.now() - timedelta(days=days)))


def import_directory(warehouse: Warehouse, folder: Path) -> dict[str, discovery.DiscoveryCounts]:
    """Take a directory of stores over as a starting list; a shop that its adapter cannot ask for is no supermarket of ours."""

    def can_be_asked(store: StoreRef) -> bool:
        try:
            return bool(retailer_of(store.retailer).request_store_id(store))
        except WrongStore:
            return False

    return discovery.merge_directory(warehouse, read_directory(folder, can_be_asked))


def discover(warehouse: Warehouse, retailer: str) -> discovery.DiscoveryCounts:
    """Ask one retailer's store finder and take over what it says."""
    adapter = retailer_of(retailer)
    limiter = PostgresRequestLimiter(warehouse, retailer, f"discover_{clock.night_of(clock.now()).isoformat()}")
    with PoliteClient(adapter, warehouse.settings, limiter=limiter) as client:
        return discovery.merge_found_stores(warehouse, retailer, find_stores(adapter, client))
