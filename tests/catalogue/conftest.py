"""Meeting lines of a retailer, one store-day after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import Line, StoreDays


@pytest.fixture
def met(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> Callable[..., None]:
    """Ingest lines of one retailer as one more store-day."""
    minutes = iter(range(60))

    def run(retailer: str, *lines: Line, **more: Any) -> None:
        store_day(retailer, at=f"2026-11-18T04:{next(minutes):02d}:00+11:00", lines=lines, complete=False, **more)
        pipeline.ingest(warehouse, storage, retailer)

    return run
