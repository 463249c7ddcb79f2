"""Two workers that crawl two stores of one retailer share its limits, as counted by the sandbox on arrival."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from include.warehouse.engine import Warehouse
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import running

MIN_INTERVAL_SECONDS = 0.06
WORLD = GeneratedWorld(5, WorldSize(stores=2, products=60, silent_stores=0))

CRAWL = """
import sys
from datetime import date
from include.crawling import runs
from include.config import settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.postgres_limiter import PostgresRequestLimiter
from include.model.store import StoreRef
from include.retailers.registry import retailer_of
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
url, root, retailer, store_id, state = sys.argv[1:]
store = StoreRef(retailer, store_id, "A store", state, store_id)
warehouse = Warehouse(url, settings())
limiter = PostgresRequestLimiter(warehouse, retailer, "run")
run = CrawlRun(
    retailer=retailer_of(retailer), store=store, night=date(2026, 11, 18), run_key="run", storage=Storage(root), settings=settings(), limiter=limiter
)
outcome = runs.crawl(warehouse, run)
assert outcome["complete"], outcome["incomplete_reason"]
"""


@pytest.mark.parametrize(("gap", "most"), [(MIN_INTERVAL_SECONDS, 2), (0.0, 2)], ids=["a pause", "no pause, two under way"])
def test_two_workers_share_the_pause_and_the_limit_of_requests_in_flight(
    warehouse: Warehouse, tmp_path: Path, gap: float, most: int
) -> None:
    stores = [store for store in WORLD.stores("woolworths") if store.has_shelf]
    with running(WORLD) as sandbox:
        sandbox.faults.latency_seconds = 0.02
        environment = os.environ | {
            "AISLEFLOW_HOME": str(tmp_path),
            "AISLEFLOW_WOOLWORTHS_URL": sandbox.site("woolworths"),
            "AISLEFLOW_LOCAL_DELAY_SECONDS": str(gap),
            "AISLEFLOW_REQUESTS_IN_FLIGHT": str(most),
            "AISLEFLOW_CONNECTIONS_PER_STORE": "4",
        }
        workers = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    CRAWL,
                    warehouse.url,
                    f"file://{tmp_path / 'storage'}",
                    "woolworths",
                    store.store_id,
                    store.state or "",
                ],
                cwd=Path(__file__).parents[2],
                env=environment,
            )
            for store in stores
        ]
        assert [worker.wait(120) for worker in workers] == [0, 0]

        arrivals = sandbox.traffic.arrivals("woolworths")
        assert {arrival.store_id for arrival in arrivals} >= {store.store_id for store in stores}
        assert sandbox.traffic.in_flight_max["woolworths"] <= most
        # the delay between a request's start and its arrival shakes single gaps; two visitors would be done in half of this time
        assert arrivals[-1].arrived_seconds - arrivals[0].arrived_seconds >= 0.75 * gap * (len(arrivals) - 1)
