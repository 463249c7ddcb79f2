"""What crawling processes share: turns, robots.txt, the breaker; what a run has staged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from include.crawling import discovery, outcomes
from include.crawling.breaker import Breaker, KeptInWarehouse
from include.crawling.limiter import RobotsFile
from include.crawling.shared_limiter import SharedManners, forget_runs
from include.errors import TransientError
from include.retailers.base import StoreRecord
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

NIGHT = date(2026, 11, 18)
NOW = datetime(2026, 11, 17, 17, tzinfo=UTC)


def play(warehouse: Warehouse, storage: Storage) -> None:
    """Play a run that meets trouble."""
    now = NOW

    def sleep(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=seconds)

    manners = SharedManners(warehouse, "aldi", "run", sleep=sleep, now=lambda: now)
    for _ in range(2):
        with manners.turn(1):
            pass
    manners.rest(30)
    for _ in range(2):
        manners.robots(lambda: RobotsFile("http://x/robots.txt", 404, "none"))
    manners.close()

    breaker = Breaker("aldi", KeptInWarehouse(warehouse, "aldi", "run"), warehouse.settings, lambda: now)
    for store in "ABC":
        breaker.admit(store)
        breaker.failed(store, TransientError("gone"))
    sleep(warehouse.settings.breaker_rest_seconds)
    breaker.admit("D")
    breaker.answered("D")

    record = StoreRecord(retailer="aldi", store_id="D", online_store_id="D", name="Aldi D", state="VIC")
    discovery.take_over(warehouse, "aldi", [record])
    outcomes.canary_store(warehouse, "aldi")
    outcome = {"rows": 2, "pages": 1, "requests": 1, "complete": True, "manifest": "outbox/aldi/D/x.manifest.json"}
    for given in (outcome, {}):
        outcomes.record(
            warehouse, retailer="aldi", store_id="D", night=NIGHT, run_key="run", started_at=NOW, state="crawled" if given else "failed",
            reason=None, outcome=given,
        )  # fmt: skip
    assert outcomes.staged(warehouse, "aldi", "run")[0]["rows"] == 2
    SharedManners(warehouse, "aldi", "old", now=lambda: datetime(2001, 1, 1, tzinfo=UTC)).robots(
        lambda: RobotsFile("http://x/robots.txt", 404, "")
    )
    forget_runs(warehouse, 3650)
