"""The fixtures of all tests: a PostgreSQL, a new warehouse, a storage root, store-days, a stopped clock.

Run pytest with ``--disable-socket --allow-unix-socket --allow-hosts=127.0.0.1,localhost``: nothing leaves the machine.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString, cast

import psycopg
import pytest

from include.config import Settings, settings
from include.embedded.postgres import Cluster, ensure_postgres
from include.ingestion.checks import suite
from include.ingestion.checks.suite_helper import SuiteHelper
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from include.warehouse.migrations import migrate
from sandbox.running import RunningSandbox, running
from sandbox.world import World
from tests.checks.counting import count_broken
from tests.ingestion.store_days import StoreDays

#: Wednesday 18 November 2026, 20:00 in Melbourne: after the night of that date, in its price week.
NOW = "2026-11-18T09:00:00+00:00"

#: Thresholds that hold no store-day: the delivered ones do not fit store-days of a few lines.
RELAXED = {
    "hold_row_count_share": 0.0001, "hold_quarantined_share": 1.0, "hold_category_share": 1.0, "hold_category_left_share": 0.0001, "hold_scale_share": 1.0, "refuse_price_factor": 1e9,
    "hold_fill_drop_share": 1.0, "hold_unavailable_share": 1.0, "hold_unavailable_rise_share": 1.0, "hold_damaged_share": 1.0, "hold_span_hours": 1e9,
    "hold_changed_within_week_share": 1.0, "hold_changed_across_weeks_share": 1.0, "hold_line_share": 0.0001, "hold_stores_held_share": 1.0,
    "hold_store_changed_within_week_share": 1.0, "hold_store_changed_across_weeks_share": 1.0, "hold_store_changed_in_week_share": 1e9, "hold_price_level": 1e9, "hold_sister_price_level": 1e9, "hold_store_drift": 1e9,
    "hold_category_drift": 1e9, "hold_renumbered_share": 1.0,
}  # fmt: skip

#: Deleting a few rows costs a hundredth of truncating two dozen tables, whose files are made anew; dead rows go when there are many.
_EMPTYING = """
DO $$ BEGIN
    IF (SELECT sum(pg_relation_size(name::regclass)) FROM unnest(ARRAY[{literals}]) AS name) > 2000000 THEN
        TRUNCATE {tables} RESTART IDENTITY CASCADE;
    ELSE
        LOCK TABLE {tables};  -- as TRUNCATE does: a connection that a test left open is found
        SET LOCAL session_replication_role = replica;
        {deletes}{restarts}
    END IF;
END $$
"""


def pytest_configure() -> None:
    """Keep whatever runs outside of a test, such as a fixture of the session, out of the real home and away from its clock."""
    os.environ["AISLEFLOW_HOME"] = str(Path(tempfile.gettempdir(), "aisle-test-no-home"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL as slow, and begin with the modules that hold it: at the end short ones keep every worker busy."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Let only tests that ``make test-fast`` leaves out start processes."""
    with pytest.MonkeyPatch.context() as patch:
        if not any(item.get_closest_marker(name) for name in ("slow", "live", "campaign", "ui")):
            patch.setattr(subprocess.Popen, "__init__", _refuse_process)
        yield


pytest_runtest_call = pytest_runtest_setup


def _refuse_process(*_: object, **__: object) -> None:
    pytest.fail("this test starts a process: mark it with @pytest.mark.slow, and `make test-fast` leaves it out")


@dataclass
class Server:
    """A PostgreSQL of the tests' own, and its empty warehouses: copies of one migrated template, emptied after use."""

    home: Path
    cluster: Cluster
    _free: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _to_empty: str = ""

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as superuser, each in a transaction of its own."""
        with psycopg.connect(self.cluster.superuser_url(database), autocommit=True) as connection:
            for text in statements:
                connection.execute(cast(LiteralString, text))

    def prepare(self) -> None:
        """Migrate the template. Nothing is flushed to disk: a crash of the machine may cost the cluster, one of the server does not."""
        self.execute(
            *(f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "full_page_writes", "autovacuum")),
            "ALTER SYSTEM SET max_wal_size = '256MB'",
            "SELECT pg_reload_conf()",
        )
        self.execute("CREATE DATABASE template_warehouse OWNER aisleflow")
        migrate(self.cluster.url("template_warehouse"))
        with psycopg.connect(self.cluster.url("template_warehouse")) as connection:
            tables = [
                name
                for (name,) in connection.execute(
                    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('core', 'staging', 'ops')"
                )
            ]
            empty = [
                name
                for name in tables
                if connection.execute(cast(LiteralString, f"SELECT NOT EXISTS (SELECT FROM {name})")).fetchone() == (True,)
            ]
            sequences = [
                name
                for table in empty
                for (name,) in connection.execute(
                    "SELECT pg_get_serial_sequence(%(table)s, attname) FROM pg_attribute WHERE attrelid = %(table)s::regclass AND attidentity <> ''",
                    {"table": table},
                )
            ]
        self._to_empty = _EMPTYING.format(
            tables=", ".join(empty),
            literals=", ".join(f"'{table}'" for table in empty),
            deletes="".join(f"DELETE FROM {table}; " for table in empty),
            restarts="".join(f"PERFORM setval('{sequence}', 1, false); " for sequence in sequences),
        )

    def take(self) -> str:
        """Return the name of an empty warehouse database. Emptying one is ten times as fast as copying the template."""
        if self._free:
            return self._free.pop()
        name = f"warehouse_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template_warehouse OWNER aisleflow")
        return name

    def empty(self, name: str) -> None:
        """Empty a warehouse database; what migrations put in stays."""
        self.execute("SET lock_timeout = '20s'", self._to_empty, database=name)

    @contextmanager
    def emptying(self, name: str) -> Iterator[Callable[[], None]]:
        """Yield what empties a warehouse database again and again: on one connection, with statements planned once."""
        with psycopg.connect(self.cluster.superuser_url(name), autocommit=True) as connection:
            body = self._to_empty.replace("DO $$", "CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql AS $$")
            connection.execute(cast(LiteralString, body))
            connection.execute("SET lock_timeout = '20s'; SET session_replication_role = replica; SET plan_cache_mode = force_generic_plan")

            def empty() -> None:
                connection.execute("SELECT pg_temp.empty()")

            yield empty

    def give_back(self, name: str) -> None:
        """Empty a warehouse database for the next test."""
        self.empty(name)
        self._free.append(name)


def start_server(folder: Path) -> Server:
    """Start a server for tests in an empty folder."""
    server = Server(folder, ensure_postgres(folder))
    server.prepare()
    return server


def _memory() -> str | None:
    """Return a folder in memory with room for a server; without one the usual folder on disk serves.

    Each batch makes and removes temporary tables of a few rows: what they cost is their files.
    """
    folder = Path("/dev/shm")  # noqa: S108 -- a name nobody can foresee is made in it
    return str(folder) if os.access(folder, os.W_OK | os.X_OK) and shutil.disk_usage(folder).free > 4 * 2**30 else None


#: Removes a server when the process that started this one has ended for any reason: its standard input ends then.
_STOP_AFTERWARDS = """
import shutil, sys
from pathlib import Path
sys.stdin.read()
from include.embedded.postgres import stop_postgres
stop_postgres(Path(sys.argv[1]))
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Start PostgreSQL once for all tests of this process; it is removed afterwards, also when the process is killed."""
    folder = Path(tempfile.mkdtemp(prefix="aisle-test-", dir=_memory()))  # short: a socket's path has little room
    command = [sys.executable, "-c", _STOP_AFTERWARDS, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[1], start_new_session=True):
        yield start_server(folder)


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Stop the clock at :data:`NOW`, and keep every test out of the real home. Call it to set another instant (ISO 8601)."""
    monkeypatch.setenv("AISLEFLOW_NOW", NOW)
    monkeypatch.setenv("AISLEFLOW_HOME", str(tmp_path / "home"))
    return lambda instant: monkeypatch.setenv("AISLEFLOW_NOW", instant)


@pytest.fixture
def make_warehouse(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Warehouse]]:
    """Make fresh warehouses: ``make_warehouse()`` holds nothing, ``make_warehouse(hold_scale_share=0.3)`` does, ``thresholds="default"`` too."""
    made: list[tuple[str, Warehouse]] = []
    # importing Great Expectations takes seconds; tests of the gate itself take the fixture `true_suite`
    monkeypatch.setattr("include.ingestion.checks.suite.count_broken", count_broken)
    monkeypatch.setattr(SuiteHelper, "start", lambda self: None)
    monkeypatch.setattr(SuiteHelper, "count_broken", lambda self, url, file_ids, keep=None: suite.count_broken(url, file_ids, keep))

    def make(thresholds: str = "relaxed", **changed: object) -> Warehouse:
        name = postgres.take()
        chosen: Settings = settings().model_copy(update=(RELAXED if thresholds == "relaxed" else {}) | changed)
        made.append((name, Warehouse(postgres.cluster.url(name), chosen)))
        return made[-1][1]

    yield make
    for name, warehouse in made:
        warehouse.close()
        postgres.give_back(name)


@pytest.fixture
def warehouse(make_warehouse: Callable[..., Warehouse]) -> Warehouse:
    """Return a fresh, migrated, empty warehouse whose thresholds hold no store-day."""
    return make_warehouse()


@pytest.fixture
def strict_warehouse(make_warehouse: Callable[..., Warehouse]) -> Warehouse:
    """Return a fresh warehouse with the thresholds as they are delivered."""
    return make_warehouse("default")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """Return an empty storage root on the local disk."""
    return Storage(f"file://{tmp_path / 'storage'}")


@pytest.fixture
def store_day(storage: Storage) -> StoreDays:
    """Return the factory of staged store-days: ``store_day(store_id="G1", lines=[offer(sku="7", price=2.5)])``."""
    return StoreDays(storage)


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> World:
    """Return the world of the module: its constant ``WORLD``."""
    found: World = request.module.WORLD
    return found


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[RunningSandbox]:
    """Serve the module's world on a port of this machine."""
    with running(world) as found:
        yield found


@pytest.fixture
def sandbox(served: RunningSandbox) -> RunningSandbox:
    """Return the served world without faults, and with no request counted."""
    served.faults.clear()
    served.faults.latency_seconds = 0
    served.traffic.reset()
    return served


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with the recorded data; tests that need it are skipped, with the reason, if it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"recorded data are not present at {folder}")
    return folder
