"""Nights in the sandbox for look-ups: stores crawled and published, workers, and the sandbox's truth about barcodes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from include import clock
from include.crawling import discovery, runs
from include.crawling.crawl_run import CrawlRun
from include.enrichment.look_up import LookupRun, look_up
from include.enrichment.planning import plan_look_ups
from include.enrichment.prefill import prefill_waiting
from include.ingestion import pipeline
from include.model.store import StoreRecord, StoreRef
from include.retailers.registry import retailer_of
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from include.wording.barcode import read_barcodes
from sandbox.running import RunningSandbox
from sandbox.world import RETAILERS, World
from tests.warehouse.looking import rows

NIGHT = date(2026, 11, 18)


def site_settings(sandbox: RunningSandbox) -> dict[str, Any]:
    """Return the settings of a warehouse whose retailers are the sandbox's."""
    return {f"{name}_url": sandbox.site(name) for name in RETAILERS} | {"backoff_seconds_max": 0.001, "request_attempts": 2}


def discover(warehouse: Warehouse, world: World, retailers: Iterable[str]) -> None:
    """Enter the stores that have a shelf."""
    for retailer in retailers:
        found = [
            StoreRecord(retailer=retailer, store_id=s.store_id, online_store_id=s.online_store_id, name=s.name, state=s.state)
            for s in world.stores(retailer)
            if s.has_shelf
        ]
        discovery.merge_found_stores(warehouse, retailer, found)


def crawl(warehouse: Warehouse, storage: Storage, world: World, retailer: str, night: date = NIGHT) -> None:
    """Crawl all stores of a retailer, prefill, and publish."""
    for store in world.stores(retailer):
        if store.has_shelf:
            ref = StoreRef(retailer, store.store_id, store.name, store.state, store.online_store_id)
            run = CrawlRun(
                retailer=retailer_of(retailer), store=ref, night=night, run_key=f"run_{night}", scope=f"run_{night}", storage=storage,
                settings=warehouse.settings, limiter=None,
            )  # fmt: skip
            assert runs.crawl(warehouse, run)["complete"]
    publish(warehouse, storage, retailer)


def publish(warehouse: Warehouse, storage: Storage, retailer: str) -> None:
    """Prefill and publish what was crawled."""
    prefill_waiting(warehouse, storage, retailer)
    pipeline.ingest(warehouse, storage, retailer)


def ask(warehouse: Warehouse, retailer: str = "coles", night: date = NIGHT, requests: int | None = None, **more: Any) -> dict[str, Any]:
    """Plan, and let one worker ask; return its outcome."""
    planned = plan_look_ups(warehouse, retailer, night, requests)
    values: dict[str, Any] = {"worker": "w", "scope": f"look_up_{night}", "requests_max": planned.requests_max} | more
    return look_up(warehouse, LookupRun(retailer=retailer_of(retailer), night=night, **values))


def true_barcodes(world: World, retailer: str) -> dict[str, set[str]]:
    """Return the identifying barcodes (GTIN-14) of every SKU on a shelf; an empty set for one without."""
    found: dict[str, set[str]] = {}
    for store in world.stores(retailer):
        if store.has_shelf:
            for offer in world.truth(retailer, store.store_id, clock.now()):
                found[offer.sku] = set(read_barcodes(offer.barcode).gtins)
    return found


def claimed(warehouse: Warehouse, retailer: str = "coles") -> dict[str, set[str]]:
    """Return the accepted barcodes of a retailer's SKUs."""
    found: dict[str, set[str]] = {}
    text = "SELECT sku, gtin FROM core.sku_barcode JOIN core.sku AS s USING (sku_key) WHERE refused_because IS NULL AND retailer = %s"
    for row in rows(warehouse, text.replace("gtin FROM", "sku_barcode.gtin FROM"), retailer):
        found.setdefault(row["sku"], set()).add(row["gtin"])
    return found


def later(night: date, days: int) -> date:
    """Return a later night."""
    return night + timedelta(days=days)
