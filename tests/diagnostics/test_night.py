"""The night's summary and the list of missing stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from include.config import settings
from include.crawling import crawl_plan, discovery, outcomes
from include.diagnostics.night import missing, raise_if_missing, summary
from include.errors import ConfigurationError, NeedsPersonError, TransientError
from include.ingestion import pipeline
from include.model.store import StoreRecord, StoreRef
from include.retailer_names import RETAILERS
from include.retailers.errors import RunAlreadyBlocked
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.crawling.recorded_crawl import record_crawl, run_of
from tests.ingestion.store_days import STORE_IDS, StoreDays, offer

NIGHT = date(2026, 11, 18)


def plan(warehouse: Warehouse, retailer: str, *store_ids: str) -> None:
    discovery.merge_found_stores(
        warehouse,
        retailer,
        [StoreRecord(retailer=retailer, store_id=store_id, online_store_id=None, name=store_id, state="VIC") for store_id in store_ids],
    )
    crawl_plan.plan(warehouse, retailer, NIGHT)


def crawled(warehouse: Warehouse, retailer: str, store_id: str, error: Exception | None = None) -> None:
    started_at = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
    record_crawl(warehouse, StoreRef(retailer, store_id), NIGHT, started_at, error=error, rows=2, pages=3, requests=4)


def complete_night(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    for retailer in RETAILERS:
        plan(warehouse, retailer, STORE_IDS[retailer])
        crawled(warehouse, retailer, STORE_IDS[retailer])
        store_day(retailer=retailer, lines=[offer(sku="1", price=2), offer(sku="2", price=None)], night=NIGHT)
        pipeline.ingest(warehouse, storage, retailer)


def test_a_complete_night_adds_up_and_nothing_is_missing(warehouse: Warehouse, storage: Storage, store_day: StoreDays):
    complete_night(warehouse, storage, store_day)

    found = summary(warehouse, NIGHT)

    assert found["missing"] == []
    assert [row["retailer"] for row in found["retailers"]] == list(RETAILERS)
    for row in found["retailers"]:
        assert (row["planned"], row["crawled"], row["failed"], row["deferred"]) == (1, 1, 0, 0)
        assert (row["store_days"], row["offers"], row["created"], row["unavailable"]) == (1, 2, 1, 1)
        assert "publish" in row["seconds"]
    raise_if_missing(warehouse, NIGHT)


def test_missing_stores_are_listed_with_their_next_step(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays):
    warehouse = strict_warehouse
    plan(warehouse, "aldi", "G1", "G2", "G3", "G4")
    crawled(warehouse, "aldi", "G1", TransientError("the site is down"))
    crawled(warehouse, "aldi", "G2", RunAlreadyBlocked("a bot wall"))
    crawled(warehouse, "aldi", "G3")
    store_day(store_id="G3", lines=[offer(sku=str(n), price="text") for n in range(30)], night=NIGHT)
    pipeline.ingest(warehouse, storage, "aldi")

    with pytest.raises(NeedsPersonError) as caught:
        raise_if_missing(warehouse, NIGHT)

    text = str(caught.value)
    assert "coles: nothing was planned. Look at the DAG scrape_coles" in text
    assert "aldi G1: failed: the site is down. Clear the store's failed crawl task." in text
    assert "aldi G2: blocked: a bot wall. The site refuses requests" in text
    assert "aldi G3: held" in text and "aisleflow quarantine show 1; then release or discard it" in text
    assert "aldi G4: not begun. Clear its crawl task" in text


def test_a_night_without_a_plan_is_reported(warehouse: Warehouse):
    with pytest.raises(NeedsPersonError, match=f"{len(RETAILERS)} open item"):
        raise_if_missing(warehouse, NIGHT)


def states(warehouse: Warehouse) -> dict[str, str]:
    return {row["store_id"]: row["state"] for row in missing(warehouse, NIGHT)}


def test_a_store_that_may_still_begin_is_under_way(warehouse: Warehouse, fixed_clock: Callable[[str], None]):
    plan(warehouse, "aldi", "1", "2")
    crawled(warehouse, "aldi", "1", TransientError("the site is down"))

    fixed_clock("2026-11-18T06:29:00+11:00")
    assert states(warehouse) == {"1": "failed", "2": "under_way"}
    fixed_clock("2026-11-18T06:30:00+11:00")
    assert states(warehouse) == {"1": "failed", "2": "not_begun"}


def test_a_crawl_that_runs_within_its_time_is_under_way(warehouse: Warehouse, fixed_clock: Callable[[str], None]):
    plan(warehouse, "aldi", "1", "2")
    fixed_clock("2026-11-18T05:00:00+11:00")
    crawled(warehouse, "aldi", "1", TransientError("the outcome of an earlier attempt"))
    fixed_clock("2026-11-18T06:20:00+11:00")
    with pytest.raises(KeyboardInterrupt), outcomes.recording(warehouse, run_of(warehouse, StoreRef("aldi", "1"), NIGHT)):
        raise KeyboardInterrupt  # a killed process records nothing

    fixed_clock("2026-11-18T09:19:00+11:00")
    assert states(warehouse) == {"1": "under_way", "2": "under_way"}, "2 waits for the slot of 1"
    fixed_clock("2026-11-18T09:20:00+11:00")
    assert states(warehouse) == {"1": "interrupted", "2": "not_begun"}


def test_the_watch_looks_again_while_nothing_is_missing(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, fixed_clock: Callable[[str], None]
):
    fixed_clock("2026-11-18T04:05:00+11:00")
    with pytest.raises(
        TransientError,
        match=r"nothing is missing so far; this task looks again\.\nUnder way, not missing yet:\n  aldi: its crawl begins at 04:00",
    ):
        raise_if_missing(warehouse, NIGHT)
    complete_night(warehouse, storage, store_day)
    plan(warehouse, "iga", "2")
    with pytest.raises(TransientError, match=r"  iga 2: under way\. Its crawl runs, or may still begin\."):
        raise_if_missing(warehouse, NIGHT)
    fixed_clock("2026-11-18T07:00:00+11:00")
    with pytest.raises(NeedsPersonError, match="iga 2: not begun"):
        raise_if_missing(warehouse, NIGHT)


@pytest.mark.parametrize("until", ["04:30", "23:30", "03:00"])
def test_a_timetable_out_of_order_is_refused(monkeypatch: pytest.MonkeyPatch, until: str):
    monkeypatch.setenv("AISLEFLOW_CRAWL_UNTIL", until)
    with pytest.raises(ConfigurationError, match=f"{until} is not between the last retailer's start and 23:29"):
        settings()
