"""The optional log of price changes: one row per change, none twice, none where nothing changed or the log is off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from include.ingestion import pipeline
from include.ingestion import publish as publishing
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, Line, StoreDays, offer, offers
from tests.warehouse.looking import one, rows

LATER = "2026-11-18T09:00:00+11:00"


@pytest.fixture
def logging_warehouse(make_warehouse: Callable[..., Warehouse]) -> Warehouse:
    """Return a warehouse whose change log is on."""
    return make_warehouse(change_log=True)


@pytest.fixture
def night(logging_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> Callable[..., list[tuple[Any, ...]]]:
    """Publish one store-day; returns what it logged: (sku, what, old cents, new cents) in order of SKU."""

    def run(at: str, lines: Sequence[Line], **more: Any) -> list[tuple[Any, ...]]:
        before = one(logging_warehouse, "SELECT coalesce(max(file_id), 0) FROM ops.staged_file")
        store_day(at=at, lines=lines, **more)
        pipeline.ingest(logging_warehouse, storage, "aldi")
        return logged(logging_warehouse, before)

    return run


def logged(warehouse: Warehouse, after: int = 0) -> list[tuple[Any, ...]]:
    found = rows(
        warehouse,
        "SELECT sku, change_kind, old_price_cents, new_price_cents FROM core.price_change JOIN core.sku USING (sku_key) WHERE file_id > %s ORDER BY file_id, sku",
        after,
    )
    return [tuple(row.values()) for row in found]


def test_every_change_is_logged_once(night: Callable[..., list[tuple[Any, ...]]]) -> None:
    assert night(TUESDAY, [offer("1"), offer("2"), offer("3", 3.0), offer("4", None)]) == [
        ("1", "created", None, 100),
        ("2", "created", None, 100),
        ("3", "created", None, 300),
    ]
    assert night(WEDNESDAY, [offer("1", 1.5), offer("2", None)]) == [
        ("1", "changed", 100, 150),
        ("2", "unavailable", 100, None),
        ("3", "delisted", 300, None),
    ]
    assert night(LATER, [offer("1", 1.5), offer("2"), offer("3", 2.5)]) == [("2", "relisted", 100, 100), ("3", "relisted", 300, 250)]


def test_an_unchanged_night_logs_nothing(night: Callable[..., list[tuple[Any, ...]]]) -> None:
    lines = [*offers(20), offer("30", None), offer("31", -1), offer("32"), offer("32")]
    assert len(night(TUESDAY, lines)) == 21
    assert night(WEDNESDAY, lines) == []
    assert night(LATER, [*lines[:-2], offer("32", is_on_special=True, price_was=2.0)], complete=False) == [], (
        "a special at the same price is not a price change"
    )


def test_an_older_store_day_logs_nothing(night: Callable[..., list[tuple[Any, ...]]]) -> None:
    night(WEDNESDAY, [offer("1")])
    assert night(TUESDAY, [offer("1", 9.0), offer("2", 9.0)]) == []


def test_the_change_log_is_off_by_default(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, fixed_clock: Callable[[str], None]
) -> None:
    for day, price in (("06", 1.0), ("07", 2.0)):
        at = f"2033-03-{day}T01:00:00+00:00"
        fixed_clock(at)
        store_day(at=at, lines=offers(3, price))
        pipeline.ingest(warehouse, storage, "aldi")
    assert rows(warehouse, "SELECT DISTINCT price_cents FROM core.price") == [{"price_cents": 200}]
    assert one(warehouse, "SELECT count(*) FROM core.price_change") == 0 and "price_change_2033_03" not in partitions(warehouse)


def partitions(warehouse: Warehouse) -> list[str]:
    found = rows(
        warehouse,
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'core.price_change'::regclass ORDER BY 1",
    )
    return [row["relname"] for row in found]


def test_a_publication_that_broke_off_and_is_repeated_logs_once(
    logging_warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_day(lines=offers(5))
    for step in (pipeline.load, pipeline.check, pipeline.resolve):
        step(logging_warehouse, storage, "aldi")

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_quarantine", die)
        with pytest.raises(Killed):
            pipeline.publish(logging_warehouse, storage, "aldi")
    assert logged(logging_warehouse) == []
    pipeline.publish(logging_warehouse, storage, "aldi")
    assert len(logged(logging_warehouse)) == 5
    with monkeypatch.context() as patched:  # killed after the commit: only the file is left where it was
        store_day(at=LATER, lines=offers(5, 2.0))
        patched.setattr("include.ingestion.publish.move_to_final_stage", die)
        with pytest.raises(Killed):
            pipeline.ingest(logging_warehouse, storage, "aldi")
    pipeline.ingest(logging_warehouse, storage, "aldi")
    assert len(logged(logging_warehouse)) == 10


def test_each_month_in_utc_has_a_partition(
    logging_warehouse: Warehouse, storage: Storage, store_day: StoreDays, fixed_clock: Callable[[str], None]
) -> None:
    for number, now in enumerate(("2026-11-30T23:59:59+00:00", "2026-12-01T00:00:00+00:00", "2027-01-01T00:30:00+00:00")):
        fixed_clock(now)
        store_day(at=now, lines=[offer("1", 1.0 + number)])
        pipeline.ingest(logging_warehouse, storage, "aldi")
    found = rows(logging_warehouse, "SELECT tableoid::regclass::text AS part, new_price_cents FROM core.price_change ORDER BY changed_at")
    assert [(row["part"], row["new_price_cents"]) for row in found] == [
        ("core.price_change_2026_11", 100),
        ("core.price_change_2026_12", 200),
        ("core.price_change_2027_01", 300),
    ]
    comment = one(logging_warehouse, "SELECT obj_description('core.price_change_2026_12'::regclass)")
    assert comment == "Changes of prices published in 2026-12 (UTC)."
    for privilege, is_granted in (("SELECT", True), ("INSERT", False)):  # readers see new partitions, and only the owner writes
        assert (
            one(logging_warehouse, "SELECT has_table_privilege('aisleflow_reader', 'core.price_change_2027_01', %s)", privilege)
            is is_granted
        )


def test_concurrent_runs_create_a_new_month_once(logging_warehouse: Warehouse) -> None:
    both, errors = threading.Barrier(4), list[BaseException]()

    def ensure() -> None:
        try:
            with logging_warehouse.transaction() as connection:
                both.wait(10)
                _ensure(connection)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=ensure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == [] and partitions(logging_warehouse).count("price_change_2031_05") == 1


def _ensure(connection: Connection) -> None:
    made = connection.execute("SELECT core.ensure_price_change_month('2031-05-31T23:00:00Z') AS part").fetchone()
    assert made == {"part": "price_change_2031_05"}
