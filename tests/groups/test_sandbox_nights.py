"""Several nights over the sandbox's world: planned, published, grouped, and every published price judged by the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from include import clock
from include.crawling import crawl_plan, discovery
from include.groups.maintenance import check_health, compare, merge
from include.ingestion import pipeline
from include.model.store import StoreRecord
from include.readers.published import last_complete, stream_prices
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.verify import verify
from sandbox.world import TruthOffer
from tests.ingestion.store_days import StoreDays, offer

NIGHTS = 9


class PlainWorld:
    """The stores and prices of Aldi in a generated world, without what only a retailer's pages express: another basis, multi-buy offers."""

    def __init__(self) -> None:
        self._world = GeneratedWorld(seed=7, size=WorldSize(stores=10, products=400))
        self.stores = [store for store in self._world.stores("aldi") if store.kind == "supermarket"]

    def truth(self, retailer: str, store_id: str, at: datetime) -> Iterator[TruthOffer]:
        for found in self._world.truth(retailer, store_id, at):
            yield replace(found, price_basis="each", multi_buy=None, barcode=None, identity=None)


@pytest.mark.slow
def test_after_grouping_fewer_stores_are_crawled_and_every_price_is_right_or_marked(
    make_warehouse: Callable[..., Warehouse],
    storage: Storage,
    fixed_clock: Callable[[str], None],
    record_property: Callable[[str, object], None],
) -> None:
    warehouse, world = make_warehouse(verification_nights=7), PlainWorld()
    found = [
        StoreRecord(retailer="aldi", store_id=store.store_id, online_store_id=None, name=store.name, state=store.state, is_trading=True)
        for store in world.stores
    ]
    discovery.merge_found_stores(warehouse, "aldi", found)
    crawled: list[int] = []
    inferred = 0
    start = clock.parse_instant("2026-11-18T04:00:00+11:00", "start")
    for night in range(NIGHTS):
        now = start + timedelta(days=night)
        fixed_clock(now.isoformat())
        planned = crawl_plan.plan(warehouse, "aldi", clock.night_of(now))
        crawled.append(len(planned))
        for place, item in enumerate(planned):
            at = now + timedelta(minutes=5 * place)
            lines: list[Any] = [
                offer(
                    one.sku,
                    one.price_cents / 100 if one.price_cents else None,
                    price_was=(one.was_price_cents or 0) / 100 or None,
                    is_on_special=one.is_on_special,
                )
                for one in world.truth("aldi", item.store.store_id, at)
            ]
            StoreDays(storage)(
                "aldi", item.store.store_id, at=at.isoformat(), lines=lines, state=item.store.state, run_key=f"night-{night}"
            )
        fixed_clock((now + timedelta(hours=3)).isoformat())
        pipeline.ingest(warehouse, storage, "aldi")
        check_health(warehouse, "aldi")
        merge(warehouse, "aldi", compare(warehouse, storage, "aldi").matches)
        comparison = verify(stream_prices(warehouse), world.truth, last_complete(warehouse))  # type: ignore[arg-type]
        assert comparison.is_right, f"night {night}: {list(comparison.lines())}"
        inferred += comparison.inferred.right
    record_property("nights", f"{crawled} of {len(world.stores)} stores crawled; {inferred} inferred prices right")
    assert crawled[0] == len(world.stores) > max(crawled[1:]), "before there were groups every store was crawled"
    assert inferred > 1_000
