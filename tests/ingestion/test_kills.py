"""Killed anywhere and run again: the same rows as without the kill."""

from __future__ import annotations

import gzip
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.config import settings
from include.embedded.postgres import ensure_postgres, stop_postgres
from include.ingestion import pipeline
from include.ingestion.sweep import sweep
from include.staging.staged_file import load_manifest
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.conftest import Server, start_server
from tests.ingestion.rich_nights import LIMITS, decide, tuesday, wednesday
from tests.ingestion.store_days import StoreDays, offer, offers
from tests.warehouse.looking import contents, one

EMPTY_STAGING = "TRUNCATE staging.offer, staging.loaded_file"


class Crash(BaseException):
    """The end of the process, as the code under test sees it."""


class CrashInjector:
    """Counts the boundaries at which work may be interrupted, and ends the process at one of them.

    A boundary is the begin of a transaction (work interrupted inside one is rolled back) or a change in storage.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[str] = []
        self.at: int | None = None
        self._is_on = False
        self._wrap(monkeypatch, Warehouse, "transaction")
        for name in ("write", "put", "remove"):
            self._wrap(monkeypatch, Storage, name)

    def _wrap(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        real = getattr(owner, name)

        def wrapped(this: Any, *values: Any, **options: Any) -> Any:
            if self._is_on:
                self._crash_point(f"before {name} {values[0] if values else ''}")
            return real(this, *values, **options)

        monkeypatch.setattr(owner, name, wrapped)

    def _crash_point(self, event: str) -> None:
        self.events.append(event)
        if len(self.events) - 1 == self.at:
            self._is_on = False
            raise Crash(event)

    @contextmanager
    def active(self, at: int | None) -> Iterator[None]:
        self.events, self.at, self._is_on = [], at, True
        try:
            yield
        finally:
            self._is_on = False


def archive(storage: Storage) -> list[str]:
    return [path for stage in (Stage.OUTBOX, Stage.ARCHIVE, Stage.REFUSED) for path in storage.manifests(stage)]


def with_cache(found: dict[str, list[str]], expected: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what was found; staged rows of held store-days that a crash of the server emptied are loaded again when they are released."""
    return {table: rows or expected[table] if table.startswith("staging.") else rows for table, rows in found.items()}


def difference(found: list[str], expected: list[str]) -> str:
    """Return the rows that are too many and those that are missing, as many as fit on a screen."""
    return str(
        {
            "too many": list((Counter(found) - Counter(expected)).elements())[:5],
            "missing": list((Counter(expected) - Counter(found)).elements())[:5],
        }
    )


def calls_of(work: Callable[[], Any]) -> int:
    """Do something and return how often it asked the database."""
    execute, count = psycopg.Connection.execute, itertools.count()

    def counting(self: Any, *values: Any, **options: Any) -> Any:
        next(count)
        return execute(self, *values, **options)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(psycopg.Connection, "execute", counting)
        work()
    return next(count)


class Nights:
    """The same evening again and again, each time to be disturbed in another way."""

    def __init__(self, server: Server, warehouse: Warehouse, folder: Path) -> None:
        self._server, self.warehouse, self._folder, self._count = server, warehouse, folder, 0
        storage = self.next()
        began = time.monotonic()
        self.calls = {"ingest": calls_of(lambda: pipeline.ingest(warehouse, storage, "aldi"))}
        self.seconds = {"ingest": time.monotonic() - began}
        self.undisturbed = (contents(warehouse), archive(storage))
        began = time.monotonic()
        self.calls["decide"] = calls_of(lambda: decide(warehouse, storage))
        self.seconds["decide"] = time.monotonic() - began
        self.undisturbed_morning = (contents(warehouse), archive(storage))

    def next(self) -> Storage:
        """Go back to the evening before Wednesday's night; return its storage."""
        self._count += 1
        self._server.empty(self.warehouse.url.split("/")[3].split("?")[0])
        storage = Storage(f"file://{self._folder / f'evening{self._count}'}")
        tuesday(storage)
        for retailer in ("aldi", "coles"):
            pipeline.ingest(self.warehouse, storage, retailer)
        storage = Storage(f"file://{self._folder / f'night{self._count}'}")
        wednesday(storage)
        return storage

    def morning(self) -> Storage:
        """Go back to the morning after: the night is ingested, nothing is decided yet."""
        storage = self.next()
        pipeline.ingest(self.warehouse, storage, "aldi")
        return storage

    def settled_morning(self, warehouse: Warehouse, storage: Storage) -> tuple[dict[str, list[str]], list[str]]:
        """Decide again and let the sweep repair; return what there is then."""
        decide(warehouse, storage)
        sweep(warehouse, storage)
        return with_cache(contents(warehouse), self.undisturbed_morning[0]), archive(storage)

    def settled(self, warehouse: Warehouse, storage: Storage) -> tuple[dict[str, list[str]], list[str]]:
        """Run the night again and let the sweep repair; return what there is then."""
        pipeline.ingest(warehouse, storage, "aldi")
        sweep(warehouse, storage)
        return with_cache(contents(warehouse), self.undisturbed[0]), archive(storage)


@pytest.fixture
def nights(postgres: Server, make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> Nights:
    """Evenings before Wednesday's night."""
    return Nights(postgres, make_warehouse(**LIMITS), tmp_path)


def test_the_night_of_the_kill_is_a_rich_one(nights: Nights) -> None:
    found, files = nights.undisturbed
    empty = [table for table in found if not found[table]]
    by_day = {"ops.barcode_lookup", "ops.decision", "ops.lookup_night"}  # a night asks nobody and looks nothing up
    assert {table for table in empty if not table.startswith("staging.")} == by_day
    assert [path.split("/")[0] for path in files].count("refused") == 1 and [path.split("/")[0] for path in files].count("outbox") == 1
    decided, _ = nights.undisturbed_morning
    assert len(decided["ops.decision"]) == 5 and decided["core.price"] != found["core.price"]


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(lambda boundaries: sorted(random.Random(18).sample(range(boundaries), 10)), id="some"),
        pytest.param(range, id="every", marks=pytest.mark.campaign),
    ],
)
def test_a_crash_at_any_boundary_changes_no_result(
    numbers: Callable[[int], Iterable[int]], nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing, warehouse, storage = CrashInjector(monkeypatch), nights.warehouse, nights.next()
    with crashing.active(None):
        pipeline.ingest(warehouse, storage, "aldi")
    boundaries = len(crashing.events)
    assert boundaries > 30
    for number in numbers(boundaries):
        storage = nights.next()
        with crashing.active(number), pytest.raises(Crash) as crash:
            pipeline.ingest(warehouse, storage, "aldi")
        if number % 2:  # the server went down, too
            with warehouse.transaction() as connection:
                connection.execute(EMPTY_STAGING)
        found, files = nights.settled(warehouse, storage)
        expected, expected_files = nights.undisturbed
        for table in expected:
            assert found[table] == expected[table], (
                f"{table} after a crash {crash.value}, number {number}: {difference(found[table], expected[table])}"
            )
        assert files == expected_files, f"files after a crash {crash.value}, number {number}"


@pytest.mark.parametrize(
    ("step", "statement"),
    [
        ("load", "ledger/finish_load"),
        ("resolve", "resolution/create_products"),
        ("publish", "publishing/merge_prices"),
        ("publish", "ledger/close_file"),
    ],
)
def test_a_killed_process_changes_no_result(nights: Nights, step: str, statement: str) -> None:
    warehouse, storage = nights.warehouse, nights.next()
    steps = ("load", "check", "resolve", "publish")
    for earlier in steps[: steps.index(step)]:
        getattr(pipeline, earlier)(warehouse, storage, "aldi")
    command = [sys.executable, "-m", "tests.ingestion.killed_process", warehouse.url, storage.url, "aldi", step, statement]
    died = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert nights.settled(warehouse, storage) == nights.undisturbed


def test_a_server_that_crashes_loses_only_the_cache(tmp_path: Path, nights: Nights) -> None:
    folder = Path(tempfile.mkdtemp(prefix="aisle-crash-"))
    try:
        server = start_server(folder)
        warehouse, storage = (
            Warehouse(server.cluster.url("template_warehouse"), settings().model_copy(update=LIMITS)),
            Storage(f"file://{tmp_path / 'crash'}"),
        )
        tuesday(storage)
        for retailer in ("aldi", "coles"):
            pipeline.ingest(warehouse, storage, retailer)
        shutil.rmtree(tmp_path / "crash")
        wednesday(storage)
        pipeline.load(warehouse, storage, "aldi")
        pipeline.check(warehouse, storage, "aldi")
        assert one(warehouse, "SELECT count(*) FROM staging.offer") > 10
        warehouse.close()
        os.kill(server.cluster.pid, signal.SIGQUIT)  # immediate shutdown: no checkpoint, recovery at the next start
        while True:
            try:
                psycopg.connect(warehouse.url).close()
            except psycopg.OperationalError:
                break
        ensure_postgres(folder)
        assert one(warehouse, "SELECT count(*) FROM staging.offer") == 0, "a crash empties unlogged tables"
        pipeline.resolve(warehouse, storage, "aldi")
        pipeline.publish(warehouse, storage, "aldi")
        assert nights.settled(warehouse, storage) == nights.undisturbed
        warehouse.close()
    finally:
        stop_postgres(folder)
        shutil.rmtree(folder, ignore_errors=True)


def test_a_file_that_became_unreadable_after_a_server_crash_is_refused(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays
) -> None:
    manifest = store_day(lines=offers(3))
    store_day(store_id="G2", lines=offers(3))
    pipeline.load(warehouse, storage, "aldi")
    pipeline.check(warehouse, storage, "aldi")
    with warehouse.transaction() as connection:
        connection.execute(EMPTY_STAGING)
    storage.write(manifest.data_path(Stage.OUTBOX), b"\x1f\x8bbroken")
    assert pipeline.publish(warehouse, storage, "aldi").store_days == 1
    assert one(warehouse, "SELECT state FROM ops.staged_file WHERE store_id = 'G1'") == "refused"


def test_a_file_that_changes_before_it_is_published_publishes_nothing(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day(lines=[*offers(3), offer("9", -1)])
    for step in (pipeline.load, pipeline.check, pipeline.resolve):
        step(warehouse, storage, "aldi")
    storage.write(manifest.data_path(Stage.OUTBOX), gzip.compress(b"{}\n"))
    pipeline.publish(warehouse, storage, "aldi")
    assert one(warehouse, "SELECT count(*) FROM core.price") == 0 and one(warehouse, "SELECT state FROM ops.staged_file") == "refused"
    assert "It was changed after it was staged" in one(warehouse, "SELECT state_reason FROM ops.staged_file")


def test_the_sweep_finishes_moves_that_a_kill_interrupted(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day(lines=offers(3))
    data = storage.read(manifest.data_path(Stage.OUTBOX))
    pipeline.ingest(warehouse, storage, "aldi")
    storage.write(manifest.data_path(Stage.OUTBOX), data)
    storage.write(manifest.path(Stage.OUTBOX), manifest.to_json())
    assert sweep(warehouse, storage) == {}
    assert list(storage.manifests(Stage.OUTBOX)) == [] and load_manifest(storage, next(storage.manifests(Stage.ARCHIVE))) == manifest
