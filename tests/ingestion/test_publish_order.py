"""Publishing in every order, twice, and beside other runs: the newest wins, and nothing is lost in between."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from include.ingestion import pipeline
from include.ingestion.publish import publish_checked, publish_file
from include.ledger.registering import register
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, Line, StoreDays, offer, offers
from tests.warehouse.looking import cents, contents, one, rows

MONDAY = "2026-11-16T04:30:00+11:00"
LATER_WEDNESDAY = "2026-11-18T09:00:00+11:00"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("second_is_complete", [True, False])
@pytest.mark.parametrize("first_is_complete", [True, False])
def test_of_equal_instants_the_later_registration_wins(
    make_warehouse: Callable[..., Warehouse], storage: Storage, store_day: StoreDays, first_is_complete: bool, second_is_complete: bool
) -> None:
    files = [
        store_day(lines=[offer("1", 1.0), offer("2", 1.0)], run_key="a", complete=first_is_complete),
        store_day(lines=[offer("1", 2.0), offer("3", 2.0)], run_key="b", complete=second_is_complete),
    ]
    found = []
    for order in permutations((0, 1)):
        warehouse = make_warehouse()
        pipeline.ingest(warehouse, storage, "coles")
        with warehouse.transaction() as connection:
            ids = [register(connection, file) for file in files]
        for position in order:
            with warehouse.transaction() as connection:  # the others were held, and are released now
                connection.execute("UPDATE ops.staged_file SET state = 'held' WHERE state = 'waiting'")
                connection.execute("UPDATE ops.staged_file SET state = 'waiting' WHERE file_id = %s", (ids[position],))
            pipeline.ingest(warehouse, RecordingStorage(storage), "aldi")
        found.append(cents(warehouse))
    assert found[0] == found[1]
    assert found[0] == ({"1": 200, "3": 200} if second_is_complete else {"1": 200, "2": 100, "3": 200})


class RecordingStorage(Storage):
    """A root whose files never leave the outbox, so that two warehouses can read them."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage.url)

    def write(self, path: str, content: bytes) -> None:
        """Write nothing."""

    def remove(self, path: str) -> None:
        """Remove nothing."""


def test_the_newest_of_several_files_wins_in_every_order_of_arrival(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    days = [
        (MONDAY, [offer("1", 1.0), offer("2", 1.0)], True),
        (TUESDAY, [offer("1", 2.0), offer("3", 2.0), offer("4", 2.0)], True),
        (WEDNESDAY, [offer("1", 3.0), offer("4", 0)], False),
        (LATER_WEDNESDAY, [offer("3", 4.0), offer("1", 3.0), offer("4", -1)], True),
    ]
    orders = list(permutations(days))  # each order of arrival has its own store
    for position in range(len(days)):
        for number, order in enumerate(orders):
            at, lines, complete = order[position]
            store_day(store_id=f"G{number}", at=at, lines=lines, complete=complete)
        pipeline.ingest(warehouse, storage, "aldi")
    for number, order in enumerate(orders):
        found = cents(warehouse, f"G{number}")
        assert found in ({"1": 300, "3": 400}, {"1": 300, "3": 400, "4": 200}), [at for at, _, _ in order]
        newest = order.index(days[3])
        assert ("4" in found) == (days[1] in order[:newest]), "only a price that was known before can outlive its refusal"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_newest_is_judged_line_by_line_where_crawls_overlap(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, order: tuple[int, int]
) -> None:
    def seen(sku: str, price: float, minutes: int) -> Line:
        return offer(sku, price, metadata={"scraped_at": (instant(WEDNESDAY) + timedelta(minutes=minutes)).astimezone(UTC).isoformat()})

    store_day(at=TUESDAY, lines=[offer("1"), offer("2"), offer("3")])
    pipeline.ingest(warehouse, storage, "aldi")
    crawls = [
        (WEDNESDAY, [seen("1", 1.0, 35), seen("2", 1.0, 0), seen("3", 1.0, 5)]),
        ("2026-11-18T04:40:00+11:00", [seen("1", 2.0, 11), seen("2", 2.0, 12)]),
    ]
    for position in order:
        at, lines = crawls[position]
        store_day(at=at, lines=lines)
        pipeline.ingest(warehouse, storage, "aldi")
    assert cents(warehouse) == {"1": 100, "2": 200}, "unchanged at 05:05; another price at 04:42; no longer listed at 04:41"


def test_rows_that_vanish_between_two_files_delist_nothing(
    make_warehouse: Callable[..., Warehouse], storage: Storage, store_day: StoreDays
) -> None:
    warehouse = make_warehouse(ingest_workers=1)  # a second thread would have begun with the other store before the rows vanish
    for store_id in ("G1", "G2"):
        store_day(store_id=store_id, at=TUESDAY, lines=offers(5))
    pipeline.ingest(warehouse, storage, "aldi")
    for store_id in ("G1", "G2"):
        store_day(store_id=store_id, at=WEDNESDAY, lines=offers(5, price=2.0))
    for step in (pipeline.load, pipeline.check, pipeline.resolve):
        step(warehouse, storage, "aldi")

    def crash(_said: str) -> None:
        with warehouse.transaction() as connection:  # what a crash of the server does to unlogged tables
            connection.execute("TRUNCATE staging.offer, staging.loaded_file")

    counts = publish_checked(warehouse, storage, "aldi", crash)
    assert (counts.store_days, counts.delisted) == (1, 0) and cents(warehouse, "G2") == {str(n): 100 for n in range(1, 6)}
    assert pipeline.publish(warehouse, storage, "aldi").updated == 5 and cents(warehouse, "G2") == {str(n): 200 for n in range(1, 6)}


def test_a_file_checked_by_another_run_waits_until_it_is_resolved(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(lines=offers(3))
    pipeline.load(warehouse, storage, "aldi")
    pipeline.check(warehouse, storage, "aldi")
    assert publish_checked(warehouse, storage, "aldi").store_days == 0 and cents(warehouse) == {}
    pipeline.resolve(warehouse, storage, "aldi")
    assert publish_checked(warehouse, storage, "aldi").created == 3


def test_a_store_day_that_is_not_ready_keeps_the_newer_ones_of_its_store_waiting(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays
) -> None:
    store_day(at=TUESDAY, lines=[*offers(3), offer("9")])
    store_day(at=WEDNESDAY, lines=offers(3, price=2.0))
    store_day(store_id="G2", at=TUESDAY, lines=offers(3))
    for step in (pipeline.load, pipeline.check, pipeline.resolve):
        step(warehouse, storage, "aldi")
    with warehouse.transaction() as connection:  # as if another run had loaded it again and not resolved it yet
        connection.execute("DELETE FROM core.sku_identity WHERE sku_key = (SELECT sku_key FROM core.sku WHERE sku = '9')")
        connection.execute("DELETE FROM core.sku WHERE sku = '9'")
    assert publish_checked(warehouse, storage, "aldi").store_days == 1 and cents(warehouse, "G1") == {}
    pipeline.ingest(warehouse, storage, "aldi")
    assert rows(warehouse, "SELECT state, count(*) FROM ops.staged_file GROUP BY 1") == [{"state": "published", "count": 3}]
    assert cents(warehouse, "G1") == {str(n): 200 for n in range(1, 4)}


def test_a_rerun_supersedes_its_own_file_and_no_other(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(lines=offers(2), run_key="mine")
    store_day(store_id="G2", lines=offers(2), run_key="mine")
    store_day(at=TUESDAY, lines=offers(2), run_key="other")
    pipeline.load(warehouse, storage, "aldi")
    store_day(lines=offers(3, price=3.0), run_key="mine")
    pipeline.ingest(warehouse, storage, "aldi")
    found = rows(warehouse, "SELECT store_id, run_key, rows, state, state_reason FROM ops.staged_file ORDER BY store_id, run_key, rows")
    assert [(r["store_id"], r["run_key"], r["rows"], r["state"]) for r in found] == [
        ("G1", "mine", 2, "superseded"), ("G1", "mine", 3, "published"), ("G1", "other", 2, "published"), ("G2", "mine", 2, "published"),
    ]  # fmt: skip
    assert "replaced it before it was published" in found[0]["state_reason"] and cents(warehouse) == {"1": 300, "2": 300, "3": 300}
    assert one(warehouse, "SELECT count(*) FROM staging.offer") == 0, "its rows are not left behind"


@pytest.mark.parametrize("last", [0, 1])
def test_of_two_new_files_of_one_run_the_one_written_last_counts(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, last: int
) -> None:
    files = [store_day(lines=offers(2, price=1.0 + number), run_key="mine") for number in range(2)]
    for number, file in enumerate(files):  # the hash in a name says nothing about time
        written_at = 2_000 if number == last else 1_000
        os.utime(storage.full(file.path(Stage.OUTBOX)), (written_at, written_at))
    pipeline.ingest(warehouse, storage, "aldi")
    states = {row["content_hash"]: row["state"] for row in rows(warehouse, "SELECT content_hash, state FROM ops.staged_file")}
    assert states == {files[last].sha256: "published", files[1 - last].sha256: "superseded"}
    assert cents(warehouse) == {"1": 100 + 100 * last, "2": 100 + 100 * last}


def test_publishing_twice_changes_nothing(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day(lines=offers(3))
    pipeline.ingest(warehouse, storage, "aldi")
    before = contents(warehouse)
    file_id = one(warehouse, "SELECT file_id FROM ops.staged_file")
    assert publish_file(warehouse, storage, file_id) is None
    store_day(lines=offers(3), run_key=manifest.run_key)
    pipeline.ingest(warehouse, storage, "aldi")
    assert contents(warehouse) == before and list(storage.manifests(Stage.OUTBOX)) == []
