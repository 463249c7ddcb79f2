"""Checks with validation results, more of them than are kept, and their queries."""

from __future__ import annotations

from datetime import date

from include.ingestion import pipeline
from include.ingestion.checks import data_docs, gate, results
from include.ingestion.checks.recording import EVALUATIONS_KEPT
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, offer, offers


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Run the checks."""
    stage = StoreDays(storage)
    for day in range(10, 12 + EVALUATIONS_KEPT):
        at = f"2026-11-{day}T04:30:00+11:00"
        stage("iga", "2101", at=at, lines=[*offers(30, price=2.0), offer("x", -1), offer("y", name="NestlÃ©")])
        stage("iga", "2102", at=at, lines=offers(30, price=200.0))
        pipeline.load(warehouse, storage, "iga")
        gate.check(warehouse, "iga")  # without the pages: they import Great Expectations
        pipeline.resolve(warehouse, storage, "iga")
        pipeline.publish(warehouse, storage, "iga")
        with warehouse.transaction() as connection:  # the tests' suite leaves nothing to keep
            connection.execute("UPDATE ops.quality_check SET evaluation = '{}' WHERE nights = ARRAY[%s::date]", (f"2026-11-{day}",))
    night = results.newest_night(warehouse)
    assert night == date(2026, 11, 11 + EVALUATIONS_KEPT)
    results.results(warehouse, night, is_all=True)
    with warehouse.transaction() as connection:
        connection.execute("UPDATE ops.quality_check SET evaluation = NULL")
    data_docs.publish(warehouse, storage)
