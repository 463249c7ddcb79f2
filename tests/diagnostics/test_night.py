"""The night's summary and the list of missing stores."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from include.crawling import crawl_plan, discovery
from include.diagnostics.night import raise_if_missing, summary
from include.errors import NeedsPersonError, TransientError
from include.ingestion import pipeline
from include.model.store import StoreRecord, StoreRef
from include.retailer_names import RETAILERS
from include.retailers.errors import RunAlreadyBlocked
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.crawling.recorded_crawl import record_crawl
from tests.ingestion.store_days import StoreDays, offer

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
        plan(warehouse, retailer, "1")
        crawled(warehouse, retailer, "1")
        store_day(retailer=retailer, store_id="1", lines=[offer(sku="1", price=2), offer(sku="2", price=None)], night=NIGHT)
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
    plan(warehouse, "aldi", "1", "2", "3", "4")
    crawled(warehouse, "aldi", "1", TransientError("the site is down"))
    crawled(warehouse, "aldi", "2", RunAlreadyBlocked("a bot wall"))
    crawled(warehouse, "aldi", "3")
    store_day(store_id="3", lines=[offer(sku=str(n), price="text") for n in range(30)], night=NIGHT)
    pipeline.ingest(warehouse, storage, "aldi")

    with pytest.raises(NeedsPersonError) as caught:
        raise_if_missing(warehouse, NIGHT)

    text = str(caught.value)
    assert "coles: nothing was planned. Look at the DAG scrape_coles" in text
    assert "aldi 1: failed: the site is down. Clear the store's failed crawl task." in text
    assert "aldi 2: blocked: a bot wall. The site refuses requests" in text
    assert "aldi 3: held" in text and "aisleflow quarantine show 1; then release or discard it" in text
    assert "aldi 4: not crawled" in text


def test_a_night_without_a_plan_is_reported(warehouse: Warehouse):
    with pytest.raises(NeedsPersonError, match=f"{len(RETAILERS)} open item"):
        raise_if_missing(warehouse, NIGHT)
