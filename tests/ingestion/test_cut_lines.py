"""A line whose SKU cannot be read may be any good that its store-day does not list: none is delisted, none refreshed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from include.ingestion import pipeline
from include.ingestion.retract import retract
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, Line, StoreDays, offer, offers
from tests.warehouse.looking import cents, one, prices

MONDAY, LATER = "2026-11-16T04:30:00+11:00", "2026-11-18T07:30:00+11:00"

CUT: dict[str, Line] = {
    "cut in the middle": b'{"product": {"sku": "3", "name": "Thing 3", "pri',
    "no SKU": offer("3", without=["sku"]),
    "SKU that is a fraction": offer(3.5),
    "not JSON": b"\x00\xff",
}


def observed(warehouse: Warehouse) -> dict[str, datetime]:
    return {sku: row["observed_at"] for sku, row in prices(warehouse).items()}


@pytest.mark.parametrize("cut", CUT)
def test_a_line_without_a_readable_sku_delists_nothing(warehouse: Warehouse, storage: Storage, store_day: StoreDays, cut: str) -> None:
    store_day(at=TUESDAY, lines=offers(4))
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(at=WEDNESDAY, lines=[*offers(2), CUT[cut]])
    assert pipeline.ingest(warehouse, storage, "aldi").published.delisted == 0
    assert set(cents(warehouse)) == {"1", "2", "3", "4"}
    seen = {sku: at.isoformat() for sku, at in observed(warehouse).items()}
    tuesday, wednesday = (datetime.fromisoformat(at).astimezone(observed(warehouse)["1"].tzinfo).isoformat() for at in (TUESDAY, WEDNESDAY))
    assert seen == {"1": wednesday, "2": wednesday, "3": tuesday, "4": tuesday}
    store_day(at=LATER, lines=offers(2))
    assert pipeline.ingest(warehouse, storage, "aldi").published.delisted == 2 and set(cents(warehouse)) == {"1", "2"}


def test_a_readable_refused_line_protects_its_own_good_only(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=TUESDAY, lines=offers(4))
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(at=WEDNESDAY, lines=[*offers(2), offer("3", -1)])
    pipeline.ingest(warehouse, storage, "aldi")
    assert set(cents(warehouse)) == {"1", "2", "3"}


def test_a_retraction_replays_cut_lines_too(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    days: list[tuple[str, list[Any]]] = [(MONDAY, offers(3)), (TUESDAY, [*offers(1), b"{"]), (WEDNESDAY, offers(3, price=2.0))]
    for at, lines in days:
        store_day(at=at, lines=lines)
        pipeline.ingest(warehouse, storage, "aldi")
    retract(warehouse, storage, "aldi", "G1", one(warehouse, "SELECT max(file_id) FROM ops.staged_file"), "ann", "wrong shop")
    assert cents(warehouse) == {"1": 100, "2": 100, "3": 100}
    assert observed(warehouse)["2"] < observed(warehouse)["1"]
