"""Lists of several pages at each retailer: every page is requested once, with one connection and with four, and the store-day is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include import clock
from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.store_crawl import crawl_store
from include.model.store import StoreRef
from include.retailers.registry import retailer_of
from include.staging.staged_file import load_manifest
from include.staging.storage import Storage
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox
from sandbox.world import RETAILERS

pytestmark = pytest.mark.slow

WORLD = GeneratedWorld(1, WorldSize(stores=1, products=3000, silent_stores=0))
NIGHT = clock.night_of(clock.parse_instant("2026-11-18T09:00:00+00:00", "test"))


@pytest.mark.parametrize("retailer", RETAILERS)
def test_every_page_is_requested_once_with_any_number_of_connections(retailer: str, sandbox: RunningSandbox, tmp_path: Path) -> None:
    sites: dict[str, Any] = {f"{name}_url": sandbox.site(name) for name in RETAILERS}
    one = next(store for store in WORLD.stores(retailer) if store.has_shelf)
    store = StoreRef(retailer, one.store_id, one.name, one.state, one.online_store_id)
    contents, requests = set(), set()
    for connections in (1, 4):
        storage = Storage(f"file://{tmp_path / str(connections)}")
        settings = Settings(home=tmp_path, connections_per_store=connections, requests_in_flight=connections, **sites)
        sandbox.traffic.reset()
        outcome = crawl_store(
            CrawlRun(
                retailer=retailer_of(retailer), store=store, night=NIGHT, run_key="run", storage=storage, settings=settings, limiter=None
            )
        )
        assert outcome.complete and outcome.manifest
        assert sandbox.traffic.repeated_requests(retailer) == {}
        contents.add(load_manifest(storage, outcome.manifest).sha256)
        requests.add(outcome.requests)
    assert (len(contents), len(requests)) == (1, 1)
