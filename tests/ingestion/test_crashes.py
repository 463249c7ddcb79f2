"""The process, or PostgreSQL, killed at any moment of a night or of a morning's decisions: run again, it is as if nothing had been.

Each round goes back to the evening before, starts the work in a separate process, kills at a moment drawn from the seed, starts what is
dead again, repeats the work, and compares the whole warehouse, ledger and decisions included, and the places of all files.
A few rounds run always; ``make campaign ARGS="-k crashes"`` runs all of them.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from include.config import settings
from include.embedded.postgres import ensure_postgres, stop_postgres
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.checks.counting import count_broken
from tests.conftest import NOW, start_server
from tests.ingestion.killed_process import SERVER_GONE, end
from tests.ingestion.rich_nights import LIMITS
from tests.ingestion.test_kills import Nights, difference

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
Record = Callable[[str, object], None]


class Crashes:
    """Nights on a separate server, which may be killed."""

    def __init__(self, home: Path, folder: Path) -> None:
        self._home, self._server = home, start_server(home)
        name = self._server.take()
        self.nights = Nights(self._server, Warehouse(self._server.cluster.url(name), settings().model_copy(update=LIMITS)), folder)

    def _start(self, storage: Storage, step: str, when: str, victim: str) -> subprocess.Popen[str]:
        arguments = [self.nights.warehouse.url, storage.url, "aldi", step, when, victim, str(self._server.cluster.pid)]
        return subprocess.Popen(
            [sys.executable, "-m", "tests.ingestion.killed_process", *arguments],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def round(self, step: str, victim: str, when: str | float, record: Record) -> None:
        """Run one round. ``when`` counts database calls (``#17``), or seconds until the server is killed at any point."""
        nights, began = self.nights, time.monotonic()
        self.revive()  # after any outcome of the previous round
        storage = nights.morning() if step == "decide" else nights.next()
        nights.warehouse.close()
        process = self._start(storage, step, when if isinstance(when, str) else "never", victim)
        assert process.stdout is not None and process.stdout.readline() == "begin\n", process.communicate()
        if not isinstance(when, str):
            time.sleep(when)
            end(victim.partition("+")[0], self._server.cluster.pid)
        _, errors = process.communicate(timeout=300)
        dead = {"process": -signal.SIGKILL}.get(victim.partition("+")[0], SERVER_GONE)
        description = f"{step}, {victim} at {when}"
        assert process.returncode in (dead, 0), f"{description}: ended with {process.returncode}\n{errors[-3000:]}"
        self.revive()
        found, files = (nights.settled_morning if step == "decide" else nights.settled)(nights.warehouse, storage)
        expected, expected_files = nights.undisturbed_morning if step == "decide" else nights.undisturbed
        for table in expected:
            assert found[table] == expected[table], f"{table} after {description}: {difference(found[table], expected[table])}"
        assert files == expected_files, f"files after {description}"
        record("crash", f"{step}, {victim.partition('+')[0]}" + ("" if process.returncode else ", too late to hit"))
        record("seconds", round(time.monotonic() - began, 1))

    def revive(self) -> None:
        """Start the server if it is dead; a killed one may still be dying."""
        nights = self.nights
        for _ in range(600):
            try:
                psycopg.connect(nights.warehouse.url, connect_timeout=5).close()
                break
            except psycopg.OperationalError:
                self._server.cluster = ensure_postgres(self._home)
                time.sleep(0.05)

    def close(self) -> None:
        """Stop the server."""
        self.nights.warehouse.close()
        stop_postgres(self._home)


@pytest.fixture(autouse=True)
def quick_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing Great Expectations takes longer than everything else."""
    monkeypatch.setattr("include.ingestion.checks.suite.count_broken", count_broken)


@pytest.fixture(scope="module")
def crashes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    """Start a server that tests may kill."""
    home = Path(tempfile.mkdtemp(prefix="aisle-crash-"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AISLEFLOW_NOW", NOW)
        monkeypatch.setattr("include.ingestion.checks.suite.count_broken", count_broken)
        made = Crashes(home, tmp_path_factory.mktemp("crashes"))
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(home, ignore_errors=True)


def drawn(crashes: Crashes, seed: int, step: str) -> str:
    """Return a moment of a step, drawn from a seed."""
    return f"#{random.Random(seed).randrange(1, crashes.nights.calls[step] + 1)}"


@pytest.mark.parametrize(
    ("seed", "step", "victim"), [(1, "ingest", "quit"), (2, "ingest", "kill"), (3, "ingest", "process+parallel"), (4, "decide", "process"), (5, "decide", "kill")]
)  # fmt: skip
def test_a_crash_changes_no_result(crashes: Crashes, record_property: Record, seed: int, step: str, victim: str) -> None:
    crashes.round(step, victim, drawn(crashes, seed, step), record_property)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1000, 1060))
def test_the_process_killed_at_any_moment(crashes: Crashes, record_property: Record, seed: int) -> None:
    """Two thirds ingest, a third of them with several store-days in parallel; one third decides."""
    step, victim = (("ingest", "process"), ("ingest", "process+parallel"), ("decide", "process"))[seed % 3]
    crashes.round(step, victim, drawn(crashes, seed, step), record_property)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(2000, 2060))
def test_postgres_killed_at_any_moment(crashes: Crashes, record_property: Record, seed: int) -> None:
    """Between two statements."""
    step, victim = (
        ("ingest", "quit"),
        ("ingest", "kill"),
        ("decide", "quit"),
        ("ingest", "kill+parallel"),
        ("decide", "kill"),
        ("ingest", "quit"),
    )[seed % 6]
    crashes.round(step, victim, drawn(crashes, seed, step), record_property)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(3000, 3030))
def test_postgres_killed_in_the_middle_of_a_statement(crashes: Crashes, record_property: Record, seed: int) -> None:
    """By the clock: wherever it happens to be."""
    step = "ingest" if seed % 3 else "decide"
    crashes.round(step, ("quit", "kill")[seed % 2], random.Random(seed).uniform(0.0, crashes.nights.seconds[step]), record_property)
