"""Stores and store-days of groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pytest

from include.crawling import discovery
from include.ingestion import pipeline
from include.model.store import StoreRecord
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import WEDNESDAY, StoreDays, offer

#: Products of a store in these tests, and the rules that fit them.
PRODUCTS = 40
SMALL = {"group_common_min": 10, "group_equal_share": 0.95}

Publish = Callable[..., None]


def confirm(warehouse: Warehouse, store_ids: Sequence[str], state: str = "VIC") -> None:
    """Let discovery find stores of Aldi."""
    found = [
        StoreRecord(retailer="aldi", store_id=name, online_store_id=None, name=f"Aldi {name}", state=state, is_trading=True)
        for name in store_ids
    ]
    discovery.merge_found_stores(warehouse, "aldi", found)


def publish_stores(
    warehouse: Warehouse, storage: Storage, stores: Mapping[str, Mapping[str, float | None]], at: str = WEDNESDAY, *, complete: bool = True
) -> None:
    """Publish store-days of Aldi: a dollar a product, with the prices of each store that differ from it."""
    stage = StoreDays(storage)
    for store_id, changed in stores.items():
        prices = {str(number): 1.0 for number in range(1, PRODUCTS + 1)} | dict(changed)
        stage("aldi", store_id, at=at, lines=[offer(sku, price) for sku, price in prices.items()], complete=complete)
    pipeline.ingest(warehouse, storage, "aldi")


@pytest.fixture
def publish(warehouse: Warehouse, storage: Storage) -> Publish:
    """Publish store-days: ``publish({"G1": {"7": 2.5}, "G2": {}})`` gives the prices that differ from one dollar."""
    return partial(publish_stores, warehouse, storage)


@pytest.fixture
def warehouse(make_warehouse: Callable[..., Warehouse]) -> Warehouse:
    """Return an empty warehouse whose rules of matching fit stores of a few products."""
    return make_warehouse(**SMALL)
