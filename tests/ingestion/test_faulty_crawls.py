"""Crawls with undetected faults: the checks hold them, and no wrong price is published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include import clock
from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.store_crawl import crawl_store
from include.ingestion import pipeline
from include.model.store import StoreRef
from include.retailers.registry import retailer_of
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox
from sandbox.world import RETAILERS
from tests.warehouse.looking import rows

WORLD = GeneratedWorld(5, WorldSize(stores=2, products=400, silent_stores=0))
#: The rule that holds what a fault makes of a crawl.
FAULTS = {"price_times_100": "price_scale", "category_gone": "category_lost", "tenth": "row_count"}
MONDAY, TUESDAY = "2026-11-15T18:00:00+00:00", "2026-11-16T18:00:00+00:00"


def crawl_all(retailer: str, sandbox: RunningSandbox, storage: Storage, run_key: str) -> None:
    """Crawl every store of a retailer into the outbox."""
    sites: dict[str, Any] = {f"{name}_url": sandbox.site(name) for name in RETAILERS}
    for one in WORLD.stores(retailer):
        if one.has_shelf:
            store = StoreRef(retailer, one.store_id, one.name, one.state, one.online_store_id)
            night = clock.night_of(clock.now())
            settings = Settings(crawl_delay_seconds=0, **sites)
            # regardless of a retailer's stage, its store-days are ingested straight away
            adapter = type("Adapter", (type(retailer_of(retailer)),), {"stage": Stage.OUTBOX})()
            run = CrawlRun(retailer=adapter, store=store, night=night, run_key=run_key, storage=storage, settings=settings, limiter=None)
            crawl_store(run)


def published(warehouse: Warehouse) -> list[Any]:
    """Return what a reader sees: every price, and whether it is listed."""
    return rows(warehouse, "SELECT retailer, store_id, sku, price_cents, is_listed FROM core.store_price ORDER BY 1, 2, 3")


@pytest.mark.parametrize(
    ("retailer", "fault", "rule"),
    [
        pytest.param(retailer, fault, rule, marks=() if number == fault_number or number + fault_number == 3 else pytest.mark.campaign)
        for number, retailer in enumerate(RETAILERS)
        for fault_number, (fault, rule) in enumerate(FAULTS.items())
    ],
)
def test_a_wrong_crawl_that_looks_complete_is_held(
    make_warehouse: Callable[..., Warehouse],
    storage: Storage,
    sandbox: RunningSandbox,
    fixed_clock: Callable[[str], None],
    retailer: str,
    fault: str,
    rule: str,
) -> None:
    delivered = Settings()
    warehouse = make_warehouse(**{name: getattr(delivered, name) for name in Settings.model_fields if name.startswith("hold_")})
    fixed_clock(MONDAY)
    crawl_all(retailer, sandbox, storage, "monday")
    pipeline.ingest(warehouse, storage, retailer)
    before = published(warehouse)
    assert len(before) > 300

    fixed_clock(TUESDAY)
    sandbox.faults.add(fault, retailer=retailer)
    try:
        crawl_all(retailer, sandbox, storage, "tuesday")
    finally:
        sandbox.faults.clear()
    pipeline.ingest(warehouse, storage, retailer)

    held = rows(warehouse, "SELECT state, state_reason FROM ops.staged_file WHERE run_key = 'tuesday'")
    assert [row["state"] for row in held] == ["held"] * 2, held
    assert all(rule in row["state_reason"] for row in held), held
    assert published(warehouse) == before
