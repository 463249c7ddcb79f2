"""The baseline of a store-day without a manifest: store-days that were published, and those about to be."""

from __future__ import annotations

from include.ingestion import pipeline
from include.ingestion.retract import retract
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, offers
from tests.warehouse.looking import one, prices, rows

FRIDAY = "2026-11-13T04:30:00+11:00"
MONDAY = "2026-11-16T04:30:00+11:00"


def test_a_replaced_store_day_is_not_a_baseline(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=FRIDAY, lines=offers(100))
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(at=TUESDAY, lines=offers(10), run_key="tuesday")
    pipeline.load(warehouse, storage, "aldi")
    store_day(
        at=TUESDAY, lines=offers(100, price=2.0), run_key="tuesday", complete=False
    )  # the same run again, before the first was published
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(at=WEDNESDAY, lines=offers(10), complete=None)
    pipeline.ingest(warehouse, storage, "aldi")
    evaluated = rows(
        warehouse, "SELECT is_complete, completeness_reason FROM ops.staged_file ORDER BY observed_at DESC, file_id DESC LIMIT 1"
    )[0]
    assert evaluated["is_complete"] is False and "(2026-11-12) has 100" in evaluated["completeness_reason"]
    assert sum(price["is_listed"] for price in prices(warehouse).values()) == 100, "nothing is delisted"


def test_past_store_days_are_the_published_ones(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    def past() -> list[tuple[str, bool]]:
        return [
            tuple(row.values()) for row in rows(strict_warehouse, "SELECT state, is_past_store_day FROM ops.staged_file ORDER BY file_id")
        ]

    store_day(at=TUESDAY, lines=offers(100))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(at=MONDAY, lines=offers(100))  # older than the newest: its products were taken
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(at=WEDNESDAY, lines=offers(100, price=100.0))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    assert past() == [("published", True), ("superseded", True), ("held", False)]
    retract(strict_warehouse, storage, "aldi", "G1", one(strict_warehouse, "SELECT min(file_id) FROM ops.staged_file"), "ann", "wrong shop")
    assert past()[0] == ("discarded", False)


def test_doubled_lines_are_no_goods(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=FRIDAY, lines=offers(400))
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(at=TUESDAY, lines=offers(200) * 2, complete=None)  # the site repeated its pages
    pipeline.ingest(warehouse, storage, "aldi")
    evaluated = rows(warehouse, "SELECT rows, goods, is_complete, completeness_reason FROM ops.staged_file ORDER BY file_id DESC LIMIT 1")[
        0
    ]
    assert (evaluated["rows"], evaluated["goods"], evaluated["is_complete"]) == (400, 200, False)
    assert evaluated["completeness_reason"] == "200 SKUs; the store's last complete store-day (2026-11-12) has 400"
    assert sum(price["is_listed"] for price in prices(warehouse).values()) == 400, "nothing is delisted"


def test_refused_lines_are_no_goods(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=FRIDAY, lines=offers(100))
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(at=TUESDAY, lines=[*offers(85), *offers(10, price=-1.0, start=86)], complete=None)
    pipeline.ingest(warehouse, storage, "aldi")
    evaluated = rows(warehouse, "SELECT rows, goods, is_complete FROM ops.staged_file ORDER BY file_id DESC LIMIT 1")[0]
    assert evaluated == {"rows": 95, "goods": 85, "is_complete": False}


def test_a_complete_store_day_of_doubled_lines_is_held(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=FRIDAY, lines=offers(400))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(at=TUESDAY, lines=offers(200) * 2)
    pipeline.ingest(strict_warehouse, storage, "aldi")
    evaluated = rows(strict_warehouse, "SELECT state, state_reason FROM ops.staged_file ORDER BY file_id DESC LIMIT 1")[0]
    assert evaluated["state"] == "held" and "200 SKUs, the median of its last 1 complete store-days is 400" in evaluated["state_reason"]


def test_a_category_of_doubled_lines_is_lost(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    tea, frozen = offers(100, category_path=["Tea"]), offers(20, start=500, category_path=["Frozen"])
    store_day(at=FRIDAY, lines=[*tea, *frozen])
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(at=TUESDAY, lines=[*tea, *(frozen[:1] * 20)])
    pipeline.ingest(strict_warehouse, storage, "aldi")
    reason = one(strict_warehouse, "SELECT state_reason FROM ops.staged_file ORDER BY file_id DESC LIMIT 1")
    assert reason is not None and "Frozen (1 of 20 rows left)" in reason
