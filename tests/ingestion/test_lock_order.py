"""Flows on one store at the same time: each waits for the other, and none is ended by the database because both wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from include.ingestion import pipeline
from include.ingestion.release_lines import release_lines
from include.ingestion.retract import retract
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse
from tests.ingestion.store_days import StoreDays, offer, offers
from tests.warehouse.looking import cents

MONDAY, TUESDAY, WEDNESDAY = (f"2026-11-{day}T04:30:00+11:00" for day in (16, 17, 18))


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[BaseException]]:
    """Run one flow to a statement, then another to one of its own or until it waits, then both to their ends. Returns their errors."""

    def run(first: Callable[[], Any], after: str, second: Callable[[], Any], before: str) -> list[BaseException]:
        original, errors = Connection.run, list[BaseException]()
        first_is_there, second_is_there = threading.Event(), threading.Event()

        def slowly(self: Connection, name: str, values: Any = None) -> Any:
            if threading.current_thread() is threads[1] and name == before:
                second_is_there.set()
            result = original(self, name, values)
            if threading.current_thread() is not threads[1] and name == after and not first_is_there.is_set():  # a thread of publishing
                first_is_there.set()
                second_is_there.wait(1)  # it never comes there if it waits for the first one's lock
            return result

        def guarded(flow: Callable[[], Any], is_second: bool) -> None:
            try:
                if is_second:
                    assert first_is_there.wait(20), f"the first flow never ran {after}"
                flow()
            except BaseException as error:
                errors.append(error)

        monkeypatch.setattr(Connection, "run", slowly)
        threads = [threading.Thread(target=guarded, args=(flow, flow is second)) for flow in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return errors

    return run


def test_publishing_and_retracting(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, together: Callable[..., list[BaseException]]
) -> None:
    store_day(at=MONDAY, lines=offers(3), state=None)
    store_day(at=TUESDAY, lines=offers(3, price=2.0), state=None)
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(at=WEDNESDAY, lines=offers(3, price=3.0))  # its state is written to the store before its prices
    errors = together(
        lambda: pipeline.ingest(warehouse, storage, "aldi"), "publishing/ensure_store",
        lambda: retract(warehouse, storage, "aldi", "G1", 2, "ann", "a test system"), "retraction/set_watermark",
    )  # fmt: skip
    assert errors == []
    assert cents(warehouse) == {"1": 300, "2": 300, "3": 300}


def test_releasing_lines_and_retracting(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, together: Callable[..., list[BaseException]]
) -> None:
    store_day(at=MONDAY, lines=[*offers(3), offer("9", 9.0, name="Donation Tin")])
    store_day(at=TUESDAY, lines=[*offers(3, price=2.0), offer("9", -1)])
    pipeline.ingest(warehouse, storage, "aldi")
    errors = together(
        lambda: release_lines(warehouse, storage, 1, "ann", "a tin", lines=[4]), "ledger/lock_lines",
        lambda: retract(warehouse, storage, "aldi", "G1", 2, "ann", "a test system"), "retraction/restore_prices",
    )  # fmt: skip
    assert errors == []
    assert {sku: price for sku, price in cents(warehouse).items() if sku != "9"} == {"1": 100, "2": 100, "3": 100}
