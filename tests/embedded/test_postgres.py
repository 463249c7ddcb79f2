"""A real embedded PostgreSQL: unusual homes, crashes, stale files."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from include.embedded.postgres import airflow_metadata_urls, ensure_postgres, running_postgres, stop_postgres, warehouse_url
from include.embedded.postgres_roles import prepare_databases
from include.errors import ConfigurationError, TerminalError

pytestmark = pytest.mark.slow


@contextmanager
def temporary_home(inside: str = "") -> Iterator[Path]:
    """Create a home outside pytest's folders, which other users cannot enter: for root PostgreSQL runs as another user."""
    folder = Path(tempfile.mkdtemp(prefix="aisle-test-"))
    try:
        yield folder / inside
    finally:
        stop_postgres(folder / inside)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with spaces and quotes, longer than a unix socket's path may be."""
    with temporary_home('it\'s a "home" ' + "x" * 80) as folder:
        yield folder


def rows(home: Path) -> int:
    with psycopg.connect(warehouse_url(home), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (i int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        found = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert found
    return int(found[0])


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie":
        time.sleep(0.01)


def test_it_starts_once_and_committed_data_survives_a_stop(home: Path) -> None:
    messages: list[str] = []
    first = ensure_postgres(home, messages.append)
    assert "starting PostgreSQL" in messages
    assert ensure_postgres(home, pytest.fail) == first == running_postgres(home)
    assert rows(home) == 1
    assert stop_postgres(home)
    assert running_postgres(home) is None
    assert not stop_postgres(home)
    assert rows(home) == 2


def test_commits_are_durable_and_other_users_have_no_access(home: Path) -> None:
    cluster = ensure_postgres(home)
    names = ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "TimeZone", "max_connections", "shared_buffers")
    with psycopg.connect(cluster.url("warehouse")) as connection:
        values = [connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in names]
    assert values == [("on",), ("on",), ("on",), ("",), ("UTC",), ("200",), ("256MB",)]
    assert stat.S_IMODE(cluster.socket_dir.stat().st_mode) == 0o700
    assert len(os.fsencode(cluster.socket_dir)) <= 85
    assert not cluster.socket_dir.is_relative_to(home)  # too long, with special characters


def test_a_short_plain_home_contains_its_socket() -> None:
    with temporary_home() as folder:
        (folder / "postgres.new").mkdir()  # partial cluster of a killed initdb
        (folder / "postgres.new" / "PG_VERSION").write_text("18\n")
        cluster = ensure_postgres(folder)
        assert not (folder / "postgres.new").exists()
        assert cluster.socket_dir == folder / "run" / "postgres"
        with psycopg.connect(warehouse_url(folder)) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("warehouse",)
        sync_url, async_url = airflow_metadata_urls(folder)
        assert urlsplit(sync_url).scheme == "postgresql+psycopg2"
        assert urlsplit(async_url).scheme == "postgresql+asyncpg"
        assert urlsplit(sync_url).query == f"host={cluster.socket_dir}"


def test_it_restarts_after_kill_9_with_every_commit(home: Path) -> None:
    cluster, before = ensure_postgres(home), rows(home)
    kill(cluster.pid)
    assert running_postgres(home) is None
    assert ensure_postgres(home).pid != cluster.pid
    assert rows(home) == before + 1


def test_a_busy_backend_that_outlived_its_server_is_ended(home: Path) -> None:
    cluster = ensure_postgres(home)
    busy = psycopg.connect(warehouse_url(home), autocommit=True)
    backend = busy.info.backend_pid
    busy.pgconn.send_query(b"DO 'BEGIN LOOP END LOOP; END'")  # never checks whether its server is running
    kill(cluster.pid)
    assert psutil.pid_exists(backend)
    ensure_postgres(home)
    assert not psutil.pid_exists(backend) or psutil.Process(backend).status() == psutil.STATUS_ZOMBIE
    busy.close()
    assert rows(home) > 0


def test_a_stale_pid_file_with_the_id_of_another_process_is_ignored(home: Path) -> None:
    ensure_postgres(home)
    stop_postgres(home)
    lines = [str(os.getpid()), str(home / "postgres"), "1", "5432", str(home), "", "1 2", "ready"]
    (home / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    assert running_postgres(home) is None
    assert ensure_postgres(home).pid != os.getpid()


def test_a_running_server_without_a_record_is_used(home: Path) -> None:
    cluster = ensure_postgres(home)
    (home / "run" / "postgres.pid").unlink()
    assert ensure_postgres(home) == cluster


def test_a_socket_folder_outside_the_home_is_removed_with_the_server(home: Path) -> None:
    before = ensure_postgres(home).socket_dir
    assert before.is_dir()
    stop_postgres(home)
    assert not before.exists()


def test_a_deleted_socket_folder_is_created_again(home: Path) -> None:
    cluster = ensure_postgres(home)
    kill(cluster.pid)
    shutil.rmtree(cluster.socket_dir)
    assert ensure_postgres(home).socket_dir.is_dir()


def test_a_cluster_of_another_version_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(TerminalError, match=r"PostgreSQL 16.*pg_upgrade"):
        ensure_postgres(tmp_path)


def test_the_error_of_a_failed_start_has_the_end_of_the_log(home: Path) -> None:
    ensure_postgres(home)
    stop_postgres(home)
    own = home / "postgres" / "postgresql.conf"
    before = own.read_text()
    own.write_text(before + "max_connections = nonsense\n")
    try:
        with pytest.raises(TerminalError, match="nonsense"):
            ensure_postgres(home)
    finally:
        own.write_text(before)


def test_a_home_that_cannot_be_created_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError):
        ensure_postgres(tmp_path / "file" / "home")


def test_the_owners_of_the_databases_are_no_superusers_and_stay_apart(home: Path) -> None:
    cluster = ensure_postgres(home)
    for database, role, other in (("warehouse", "aisleflow", "airflow"), ("airflow", "airflow", "warehouse")):
        with psycopg.connect(cluster.url(database), autocommit=True) as connection:
            rights = connection.execute(
                "SELECT current_user, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            assert rights == (role, False, False, False, False, False)
            connection.execute("SELECT pg_advisory_lock(1)")  # the limits of crawls, and Airflow's own
            for forbidden in (
                "CREATE ROLE x",
                "ALTER SYSTEM SET fsync = off",
                "COPY (SELECT 1) TO PROGRAM 'id'",
                "SELECT pg_read_file('PG_VERSION')",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(forbidden)
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba.conf entry|permission denied for database"):
            psycopg.connect(f"postgresql://{role}@/{other}?host={cluster.socket_dir}")
    with psycopg.connect(cluster.superuser_url("warehouse")) as connection:
        assert connection.execute("SELECT current_setting('is_superuser')").fetchone() == ("on",)


def test_another_account_of_the_machine_enters_as_nobody(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try it as another user")
    cluster = ensure_postgres(home)
    program = """
import os, sys, psycopg
os.setgid(65534); os.setuid(65534)
for role, database in (("postgres", "warehouse"), ("aisleflow", "warehouse"), ("airflow", "airflow")):
    try:
        psycopg.connect(f"postgresql://{role}@/{database}?host={sys.argv[1]}")
        print("entered as", role)
    except psycopg.OperationalError as error:
        print("Permission denied" in str(error) or "Peer authentication failed" in str(error), error)
"""
    for mode in (0o700, 0o711):  # also where the folder would let it pass
        socket = next(cluster.socket_dir.glob(".s.PGSQL.*[0-9]"))
        cluster.socket_dir.chmod(mode)
        socket.chmod(0o700 if mode == 0o700 else 0o777)
        try:
            done = subprocess.run([sys.executable, "-c", program, str(cluster.socket_dir)], capture_output=True, text=True, check=True)
        finally:
            cluster.socket_dir.chmod(0o700)
            socket.chmod(0o700)
        assert [line[:4] for line in done.stdout.splitlines() if line.startswith(("True", "False", "entered"))] == ["True"] * 3, done.stdout


def test_a_database_of_an_older_version_is_named(home: Path) -> None:
    cluster = ensure_postgres(home)
    with psycopg.connect(cluster.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("ALTER DATABASE warehouse OWNER TO postgres")
        try:
            with pytest.raises(TerminalError, match="the database warehouse belongs to the role postgres, not to aisleflow"):
                prepare_databases(cluster.superuser_url("template1"))
        finally:
            connection.execute("ALTER DATABASE warehouse OWNER TO aisleflow")
