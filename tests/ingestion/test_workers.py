"""Several files in parallel: the same outcome as one after the other, even if a helper or its parent dies."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from include.catalogue import resolve as resolution
from include.ingestion import pipeline, workers
from include.ingestion.helper import Helper
from include.ingestion.load import load_waiting
from include.ingestion.publish import publish_checked
from include.ingestion.workers import run_parallel, workers_for
from include.ledger.registering import register_waiting
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Connection, Warehouse, lock
from tests.ingestion import loading_process
from tests.ingestion.store_days import TUESDAY, StoreDays, gtin, offer, offers
from tests.warehouse.looking import contents, one, rows

LATER = "2026-11-18T09:00:00+11:00"


@pytest.fixture
def always_use_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let helpers start however few lines there are."""
    monkeypatch.setattr(workers, "MIN_LINES_FOR_HELPERS", 1)


@pytest.fixture
def loaded_by(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process ids of the helpers, one entry for each file one of them loaded."""
    pids: list[int] = []
    load = Helper.call

    def recorded(helper: Helper, file_id: Any) -> Any:
        is_done = load(helper, file_id)
        if is_done:
            pids.append(helper.pid)
        return is_done

    monkeypatch.setattr(Helper, "call", recorded)
    return pids


def several(storage: Storage) -> None:
    """Stage store-days with something of everything, two of them not to be read."""
    stage = StoreDays(storage)
    for number in range(8):
        stage(store_id=f"G{number}", lines=[*offers(40), offer("90", number + 1.0), offer("90", number + 1.0), offer("91", -1), b"{"])
    damaged = stage(store_id="G8", lines=offers(50))
    storage.write(damaged.data_path(Stage.OUTBOX), gzip.compress(b"x" * 5000)[:-20])
    swapped = stage(store_id="G9", lines=offers(5))
    storage.write(swapped.data_path(Stage.OUTBOX), gzip.compress(b"{}\n"))


def test_helpers_load_the_same_as_one_process(
    make_warehouse: Callable[..., Warehouse], tmp_path: Path, always_use_helpers: None, loaded_by: list[int]
) -> None:
    found = []
    for count in (1, 3):
        warehouse, storage = make_warehouse(ingest_workers=count), Storage(f"file://{tmp_path / str(count)}")
        several(storage)
        messages: list[str] = []
        assert len(pipeline.load(warehouse, storage, "aldi", messages.append)) == 8
        assert [text.split(":")[0] for text in messages] == [f"loaded {index} of 10" for index in range(1, 11)]
        found.append((contents(warehouse), sorted(storage.manifests(Stage.REFUSED))))
        if count == 1:
            assert loaded_by == []
    assert found[0] == found[1] and len(found[0][1]) == 2
    assert set(loaded_by) and os.getpid() not in loaded_by, "helpers took part"
    assert not any(psutil.pid_exists(pid) for pid in loaded_by), "and ended with the load"


def test_a_helper_that_dies_costs_nothing(
    make_warehouse: Callable[..., Warehouse], storage: Storage, always_use_helpers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, died = Helper.call, list[int]()

    def load_and_die(helper: Helper, file_id: Any) -> Any:
        if not died:
            died.append(helper.pid)
            helper.kill()
        return load(helper, file_id)

    monkeypatch.setattr(Helper, "call", load_and_die)
    warehouse = make_warehouse(ingest_workers=2)
    several(storage)
    assert len(pipeline.load(warehouse, storage, "aldi")) == 8 and died
    assert rows(warehouse, "SELECT state, count(*) FROM ops.staged_file GROUP BY 1 ORDER BY 1") == [
        {"state": "loaded", "count": 8},
        {"state": "refused", "count": 2},
    ]


def test_an_error_of_a_helper_is_raised_in_the_main_process(
    make_warehouse: Callable[..., Warehouse], storage: Storage, store_day: StoreDays, always_use_helpers: None
) -> None:
    warehouse = make_warehouse(ingest_workers=2)
    for number in range(4):
        store_day(store_id=f"G{number}", lines=offers(3))
    with warehouse.transaction() as connection:
        connection.execute("ALTER TABLE staging.offer ADD CONSTRAINT broken CHECK (false) NOT VALID")
    try:
        with pytest.raises(psycopg.errors.CheckViolation, match="broken"):
            load_waiting(warehouse, storage, "aldi")
    finally:
        with warehouse.transaction() as connection:
            connection.execute("ALTER TABLE staging.offer DROP CONSTRAINT broken")
    assert one(warehouse, "SELECT count(*) FROM ops.staged_file WHERE state = 'waiting'") == 4
    assert len(pipeline.load(warehouse, storage, "aldi")) == 4


def test_helpers_end_with_a_process_that_is_killed(make_warehouse: Callable[..., Warehouse], storage: Storage) -> None:
    warehouse = make_warehouse()
    several(storage)
    register_waiting(warehouse, storage, "aldi")
    with warehouse.transaction() as blocking:  # a process that reaches one of these files waits inside its transaction
        for row in blocking.execute("SELECT file_id FROM ops.staged_file").fetchall():
            lock(blocking, f"file:{row['file_id']}")
        command = [sys.executable, "-m", "tests.ingestion.loading_process", warehouse.url, storage.url, "aldi", "3"]
        with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as parent:
            helpers = _until(lambda: _children(parent.pid) if _waiting(blocking) == 3 else [])
            assert len(helpers) == 2
            parent.kill()
        _until(lambda: not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in helpers))
    assert one(warehouse, "SELECT count(*) FROM staging.offer") == 0
    assert len(pipeline.load(warehouse, storage, "aldi")) == 8


def _waiting(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
    assert row is not None
    return int(row["n"])


def _children(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children()]


def _until(found: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)
    return value


def test_a_daemonic_process_may_have_helpers(make_warehouse: Callable[..., Warehouse], storage: Storage) -> None:
    """Executors run tasks in daemonic processes, which `multiprocessing` forbids to have children."""
    warehouse = make_warehouse()
    several(storage)
    process = multiprocessing.get_context("spawn").Process(
        target=loading_process.main, args=(warehouse.url, storage.url, "aldi", "2"), daemon=True
    )
    process.start()
    process.join(60)
    assert process.exitcode == 0 and one(warehouse, "SELECT count(*) FROM ops.staged_file WHERE state = 'loaded'") == 8


def test_storage_in_memory_is_loaded_without_helpers(
    make_warehouse: Callable[..., Warehouse], always_use_helpers: None, loaded_by: list[int]
) -> None:
    warehouse, storage = make_warehouse(ingest_workers=3), Storage("memory://several")
    several(storage)
    assert len(pipeline.load(warehouse, storage, "aldi")) == 8 and loaded_by == []


def test_number_of_workers(make_warehouse: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch) -> None:
    many = workers.MIN_LINES_FOR_HELPERS
    assert workers_for(make_warehouse(ingest_workers=5), many) == 5
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(3)), raising=False)
    assert [workers_for(make_warehouse(), lines) for lines in (many - 1, many)] == [1, 3]
    assert workers_for(make_warehouse()) == 3, "threads need no lines"
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert workers_for(make_warehouse(), many) == 4


def test_the_first_error_stops_the_other_workers() -> None:
    done: list[int] = []
    both, stopped = threading.Barrier(2), threading.Event()

    def work(item: int) -> None:
        if item == 1:
            both.wait(10)
            raise ValueError(item)
        if item == 2:
            both.wait(10)
            assert stopped.wait(10)
        done.append(item)

    with pytest.raises(ValueError, match="1"):
        run_parallel([0, 1, 2, 3, 4], [work, work], stopped.set)
    assert done == [0, 2]


def test_stores_published_at_once_end_as_one_after_the_other(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    found = []
    for count in (1, 4):
        warehouse, storage = make_warehouse(ingest_workers=count), Storage(f"file://{tmp_path / str(count)}")
        stage = StoreDays(storage)
        for number in range(6):
            stage(store_id=f"G{number}", at=TUESDAY, lines=[*offers(30, 1.0 + number), offer("90", 5.0)])
            stage(store_id=f"G{number}", lines=[*offers(30, 2.0 + number), offer("91", -1)])
            stage(store_id=f"G{number}", at=LATER, lines=[*offers(20, 2.0 + number), offer("1", 9.0), offer("1", 9.0)])
        for step in (pipeline.load, pipeline.check, pipeline.resolve):
            step(warehouse, storage, "aldi")
        messages: list[str] = []
        counts = pipeline.publish(warehouse, storage, "aldi", messages.append)
        assert counts.store_days == 18 and messages[-1] == "published 6 of 6 store-days of aldi" and len(messages) == 18  # in three rounds
        found.append((contents(warehouse), counts, sorted(storage.manifests(Stage.ARCHIVE))))
    assert found[0] == found[1]


def test_an_error_in_one_store_leaves_the_others_whole(
    make_warehouse: Callable[..., Warehouse], storage: Storage, store_day: StoreDays
) -> None:
    warehouse = make_warehouse(ingest_workers=2)
    for number in range(6):
        store_day(store_id=f"G{number}", lines=offers(5, price=7.0 if number == 3 else 1.0))
    for step in (pipeline.load, pipeline.check, pipeline.resolve):
        step(warehouse, storage, "aldi")
    with warehouse.transaction() as connection:
        connection.execute("ALTER TABLE core.price ADD CONSTRAINT broken CHECK (price_cents <> 700)")
    try:
        with pytest.raises(psycopg.errors.CheckViolation, match="broken"):
            publish_checked(warehouse, storage, "aldi")
    finally:
        with warehouse.transaction() as connection:
            connection.execute("ALTER TABLE core.price DROP CONSTRAINT broken")
    published = one(warehouse, "SELECT count(*) FROM ops.staged_file WHERE state = 'published'")
    assert 0 < published < 6 and one(warehouse, "SELECT count(*) FROM core.price") == 5 * published
    assert pipeline.publish(warehouse, storage, "aldi").store_days == 6 - published


@pytest.mark.parametrize("repetition", range(3))
def test_concurrent_runs_of_all_retailers_create_a_product_once_and_lose_nothing(
    make_warehouse: Callable[..., Warehouse], storage: Storage, monkeypatch: pytest.MonkeyPatch, repetition: int
) -> None:
    """Two concurrent runs of each retailer, each publishing its stores in parallel; all have the same new products, in other orders."""
    retailers, stage = ("aldi", "coles", "iga", "woolworths"), StoreDays(storage)
    for index, retailer in enumerate(retailers):
        for store in range(3):
            lines = [
                offer(f"{retailer}{n}", 1.0 + store, name=f"Thing number {n}", size=f"{n + 1}00g", barcode=gtin(n) if n % 2 else None)
                for n in range(40)
            ]
            offset = (index * 7 + store * 13 + repetition * 5) % 40
            stage(
                retailer,
                f"G{store}" if retailer == "aldi" else str(store + 1),
                lines=lines[offset:] + lines[:offset] if index % 2 else (lines[offset:] + lines[:offset])[::-1],
            )
    monkeypatch.setattr("include.ingestion.publish.workers_for", lambda *_: 3)
    # a run that has collected its unknown SKUs waits for another: without the lock both would continue with the same
    meeting, read_texts = threading.Barrier(2, timeout=0.5), resolution._read_texts

    def read_and_wait(connection: Connection) -> None:
        read_texts(connection)
        with suppress(threading.BrokenBarrierError):
            meeting.wait()

    monkeypatch.setattr(resolution, "_read_texts", read_and_wait)
    warehouses = [make_warehouse()]
    warehouses += [Warehouse(warehouses[0].url, warehouses[0].settings) for _ in range(2 * len(retailers) - 1)]
    start, errors = threading.Barrier(len(warehouses)), list[BaseException]()

    def run(index: int) -> None:
        try:
            start.wait(30)
            pipeline.ingest(warehouses[index], storage, retailers[index % len(retailers)])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(warehouses))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for other in warehouses[1:]:
        other.close()
    warehouse = warehouses[0]
    assert errors == [] and not any(thread.is_alive() for thread in threads)
    for retailer in retailers:  # what one of the two left to the other, it had not done yet
        pipeline.ingest(warehouse, storage, retailer)
    assert one(warehouse, "SELECT count(*) FROM core.product") == 40
    assert one(warehouse, "SELECT min(n) FROM (SELECT count(DISTINCT retailer) AS n FROM core.sku GROUP BY product_id) AS x") == 4
    assert rows(warehouse, "SELECT price_cents, count(*) FROM core.price GROUP BY 1 ORDER BY 1") == [
        {"price_cents": 100 + 100 * store, "count": 160} for store in range(3)
    ]
    assert rows(warehouse, "SELECT state, sum(created)::integer AS created FROM ops.staged_file GROUP BY 1") == [
        {"state": "published", "created": 480}
    ]
