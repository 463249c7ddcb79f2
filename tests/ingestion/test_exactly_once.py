"""Every staged file counts once, with repeated and concurrent runs."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.ingestion import pipeline
from include.ingestion.sweep import sweep
from include.staging.staged_file import load_manifest
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.conftest import Server
from tests.ingestion.rich_nights import LIMITS
from tests.ingestion.store_days import TUESDAY, StoreDays, offer, offers
from tests.ingestion.test_kills import Nights, difference
from tests.warehouse.looking import cents, contents, one

STEPS = ("load", "check", "resolve", "publish")


@pytest.fixture
def nights(postgres: Server, make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> Nights:
    """Evenings before Wednesday's night."""
    return Nights(postgres, make_warehouse(**LIMITS), tmp_path)


def without_batches(table: str, found: list[str]) -> list[str]:
    """Leave out figures of batches: concurrent runs check other store-days together."""
    if table == "ops.quality_check":
        return []
    return [row for row in found if "'retailer'" not in row] if table == "ops.data_quality_result" else found


def as_undisturbed(nights: Nights, storage: Storage) -> None:
    found, files = nights.settled(nights.warehouse, storage)
    for table, expected in nights.undisturbed[0].items():
        left, right = without_batches(table, found[table]), without_batches(table, expected)
        assert left == right, f"{table}: {difference(left, right)}"
    assert files == nights.undisturbed[1]


@pytest.mark.parametrize("mode", ["process", "process+parallel"])
def test_two_processes_on_the_same_files(nights: Nights, mode: str) -> None:
    """One event that came twice: both runs do their best, and none fails."""
    storage = nights.next()
    command = [sys.executable, "-m", "tests.ingestion.killed_process", nights.warehouse.url, storage.url, "aldi", "ingest", "never", mode]
    runs = [
        subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for run in runs:
        _, errors = run.communicate(timeout=120)
        assert run.returncode == 0, errors
    as_undisturbed(nights, storage)


def test_steps_of_several_runs_in_any_order(nights: Nights) -> None:
    """Three interleaved runs: each step does the work that is left."""
    rng = random.Random(18)
    for _ in range(3):
        storage = nights.next()
        errors: list[BaseException] = []

        def run(steps: list[str], storage: Storage = storage, errors: list[BaseException] = errors) -> None:
            try:
                for step in steps:
                    getattr(pipeline, step)(nights.warehouse, storage, "aldi")
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=run, args=(rng.sample(STEPS * 2, len(STEPS) * 2),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert errors == []
        as_undisturbed(nights, storage)


def test_clearing_any_step_of_a_past_night_changes_nothing(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, fixed_clock: Callable[[str], None]
) -> None:
    store_day(at=TUESDAY, lines=[*offers(5), offer("9", -1)])
    store_day("aldi", "G2", at=TUESDAY, lines=offers(3))
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(lines=[*offers(4, price=2.0), offer("6", 3.0)])
    fixed_clock("2026-11-18T10:00:00+00:00")
    pipeline.ingest(warehouse, storage, "aldi")
    before = contents(warehouse)
    for steps in [*itertools.permutations(STEPS, 2), STEPS]:
        fixed_clock("2026-11-19T10:00:00+00:00")
        for step in steps:
            getattr(pipeline, step)(warehouse, storage, "aldi")
        sweep(warehouse, storage)
        assert contents(warehouse) == before, f"cleared: {steps}"


def test_a_repeated_file_counts_once(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    """The crawl of a past night was cleared and staged the same lines again, after a newer night was published."""
    tuesday: dict[str, Any] = {"at": TUESDAY, "lines": offers(5), "run_key": "tuesday"}
    store_day(**tuesday)
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(lines=offers(5, price=2.0), run_key="wednesday")
    pipeline.ingest(warehouse, storage, "aldi")
    before = contents(warehouse)
    for _ in range(2):
        again = store_day(**tuesday)
        pipeline.ingest(warehouse, storage, "aldi")
        assert contents(warehouse) == before and set(cents(warehouse).values()) == {200}
        assert list(storage.manifests(Stage.OUTBOX)) == [] and load_manifest(storage, again.path(Stage.ARCHIVE)) == again
    assert one(warehouse, "SELECT count(*) FROM ops.staged_file") == 2


def test_a_past_night_crawled_again_reverts_nothing(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=TUESDAY, lines=offers(5), run_key="tuesday")
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(lines=offers(5, price=2.0), run_key="wednesday")
    pipeline.ingest(warehouse, storage, "aldi")
    store_day(at=TUESDAY, lines=[*offers(4, price=9.0), offer("77", 7.0)], run_key="tuesday")
    counts = pipeline.ingest(warehouse, storage, "aldi").published
    assert (counts.store_days, counts.outdated, counts.created, counts.updated) == (1, 5, 0, 0)
    assert set(cents(warehouse).values()) == {200} and "77" not in cents(warehouse)
