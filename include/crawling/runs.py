"""The steps of a crawl run: one store's crawl, reading landed pages again, store discovery, pruning."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

from include import clock
from include.crawling import discovery, outcomes
from include.crawling.breaker import Breaker
from include.crawling.client import PoliteClient
from include.crawling.crawl_run import CrawlRun
from include.crawling.directory import read_directory
from include.crawling.postgres_limiter import PostgresRequestLimiter, delete_old_runs
from include.crawling.store_crawl import crawl_store, find_stores, reread_store
from include.model.store import StoreRef
from include.retailer_names import RETAILERS
from include.retailers.errors import WrongStore
from include.retailers.registry import retailer_of
from include.staging import landing
from include.staging.storage import Storage
from include.staging.translation_tables import prune_versions
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)


def crawl(warehouse: Warehouse, run: CrawlRun) -> dict[str, Any]:
    """Crawl one store of a run, stage its store-day, and record the outcome, also of a failure.

    The stores of a run share one breaker: after several refusals or failures in a row no further one is crawled.

    Returns:
        The outcome as plain values (``include.crawling.outcomes.CrawlOutcome``).

    Raises:
        RunAlreadyBlocked, BreakerOpen: the store was not crawled. Otherwise as :func:`crawl_store`. The outcome is recorded before.
    """
    with outcomes.recording(warehouse, run) as kept, Breaker.of_run(warehouse, run).attempt(run.store.store_id) as attempt:
        outcome = crawl_store(run, attempt.record_first_response)
        attempt.is_site_unavailable = outcome.site_unavailable
        kept.append(outcome)
    return outcome.to_json()


def reread(warehouse: Warehouse, run: CrawlRun, landed_by: str) -> dict[str, Any]:
    """Read a landed store-day again with the present adapter, without a request, and stage it under its night.

    The run has a separate key: a reread supersedes only an earlier reread, never the crawl's file. Its lines keep their instants: of
    equal ones the later registration wins, and newer prices are never replaced.

    Args:
        landed_by: key of the run that landed the pages.
    """
    with outcomes.recording(warehouse, run) as kept:
        kept.append(reread_store(run, landed_by))
    return kept[0].to_json()


def discover(warehouse: Warehouse, retailer: str) -> discovery.DiscoveryCounts:
    """Merge the stores of one retailer's store finder."""
    adapter = retailer_of(retailer)
    limiter = PostgresRequestLimiter(warehouse, retailer, f"discover_{clock.night_of(clock.now()).isoformat()}")
    with PoliteClient(adapter, warehouse.settings, limiter=limiter) as client:
        return discovery.merge_found_stores(warehouse, retailer, find_stores(adapter, client))


def import_directory(warehouse: Warehouse, folder: Path) -> dict[str, discovery.DiscoveryCounts]:
    """Import a directory of stores as a starting list; a shop that its adapter cannot crawl is not counted as a supermarket."""
    return discovery.merge_directory(warehouse, read_directory(folder, is_crawlable))


def is_crawlable(store: StoreRef) -> bool:
    """Return whether the web shop can be crawled for a store."""
    try:
        return bool(retailer_of(store.retailer).request_store_id(store))
    except WrongStore:
        return False


def prune_landing(warehouse: Warehouse, storage: Storage) -> int:
    """Remove landed pages older than ``AISLEFLOW_LANDING_DAYS`` by their night, the state of those runs, and the translation tables that only they used.

    Returns:
        The number of store-days.
    """
    days = warehouse.settings.landing_days
    oldest = clock.now() - timedelta(days=days)
    delete_old_runs(warehouse, days)
    removed = landing.prune_landing(storage, RETAILERS, clock.night_of(oldest))
    prune_versions(
        storage, oldest - timedelta(days=2)
    )  # a night's crawl may begin a day before its date ends, with a table replaced meanwhile
    return removed
