"""Ingesting one store-day at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import Line, StoreDays


@pytest.fixture
def publish(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> Callable[..., Any]:
    """Stage one store-day and ingest it; returns its counts."""

    def run(at: str, lines: Sequence[Line], **more: Any) -> Any:
        store_day(at=at, lines=lines, **more)
        return pipeline.ingest(warehouse, storage, more.get("retailer", "aldi")).published

    return run
