"""State shared by crawling processes: request slots, robots.txt, the breaker, staged store-days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from include.crawling import discovery, outcomes
from include.crawling.breaker import Breaker, PostgresBreakerStore
from include.crawling.canary import choose_store
from include.crawling.postgres_limiter import PostgresRequestLimiter, delete_old_runs
from include.crawling.robots import RobotsFile
from include.errors import TransientError
from include.model.store import StoreRecord
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.crawling.recorded_crawl import record_crawl

NIGHT = date(2026, 11, 18)
NOW = datetime(2026, 11, 17, 17, tzinfo=UTC)


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Run a crawl with failures."""
    now = NOW

    def sleep(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=seconds)

    limiter = PostgresRequestLimiter(warehouse, "aldi", "run", sleep=sleep, now=lambda: now)
    for _ in range(2):
        with limiter.acquire(1):
            pass
    limiter.pause(30)
    for _ in range(2):
        limiter.robots(lambda: RobotsFile("http://x/robots.txt", 404, "none"))
    limiter.close()

    breaker = Breaker("aldi", PostgresBreakerStore(warehouse, "aldi", "run"), warehouse.settings, lambda: now)
    for store in "ABC":
        breaker.admit(store)
        breaker.record_failure(store, TransientError("gone"))
    sleep(warehouse.settings.breaker_open_seconds)
    breaker.admit("D")
    breaker.record_success("D")

    record = StoreRecord(retailer="aldi", store_id="D", online_store_id="D", name="Aldi D", state="VIC")
    discovery.merge_found_stores(warehouse, "aldi", [record])
    choose_store(warehouse, "aldi")
    for error in (None, TransientError("gone")):
        record_crawl(warehouse, record, NIGHT, NOW, run_key="run", error=error, rows=2)
    assert outcomes.staged(warehouse, "aldi", "run")[0]["rows"] == 2
    other = {"retailer": "aldi", "store_id": "D", "night": NIGHT, "run_key": "other", "since": NOW}
    with warehouse.transaction() as connection:
        connection.run("crawl/find_other_crawl", other)
    PostgresRequestLimiter(warehouse, "aldi", "old", now=lambda: datetime(2001, 1, 1, tzinfo=UTC)).robots(
        lambda: RobotsFile("http://x/robots.txt", 404, "")
    )
    delete_old_runs(warehouse, 3650)
