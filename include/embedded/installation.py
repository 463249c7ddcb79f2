"""The installation of one home: up, down, status."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path

import psutil
import psycopg

from include.alerts.address import AlertAddress, read_address, save_address, urls_of_connection
from include.alerts.delivery import display
from include.config import settings
from include.embedded import airflow_env, components, ports
from include.embedded.airflow_api import AirflowApi, Json, client
from include.embedded.components import Component, airflow_components, known_components, state_of
from include.embedded.deadline import Deadline, processor_seconds
from include.embedded.layout import PROJECT, Layout, Progress, no_progress
from include.embedded.postgres import Cluster, ensure_postgres, running_postgres, stop_postgres
from include.embedded.postgres_roles import AIRFLOW
from include.embedded.processes import identify, session_members
from include.errors import TerminalError

#: Given up when no further DAG file was parsed and the DAG processor used no processor time for so long.
PARSED_SECONDS = 120
#: How long a call of Airflow's API is repeated, as long as its process runs: a busy machine answers late.
PATIENCE_SECONDS = 600


@dataclass(frozen=True)
class ComponentStatus:
    """One line of ``aisleflow status``; ``state`` is running, dead or stopped."""

    name: str
    state: str
    pid: int | None
    is_healthy: bool
    log: str


@dataclass(frozen=True)
class Status:
    """The state of one home. ``ui_url`` is ``None`` while Airflow does not respond."""

    home: str
    is_up: bool
    ui_url: str | None
    warehouse_url: str | None
    passwords_file: str
    components: list[ComponentStatus]


def up(home: Path, progress: Progress = no_progress) -> Status:
    """Start what is not running: PostgreSQL, both schemas, Airflow's components, pools, DAGs. Safe to repeat.

    A DAG is unpaused when it is first seen here; one paused later by an operator stays paused.
    If it is interrupted or fails before the components are healthy, it stops what it started.

    Raises:
        TerminalError: a component does not start, or a DAG file cannot be imported (the components then keep running).
    """
    layout = Layout(home)
    with components.services_lock(home, progress) as lock, ExitStack() as port_claim:
        with _rollback_on_failure(home, progress):
            cluster = ensure_postgres(home, progress)
            _stop_orphaned(home, cluster, progress)
            _choose_ports(home, port_claim, progress)
            airflow_env.passwords(home)
            _keep_alert_address(layout.home, progress)
            environment = airflow_env.environment(home)
            _migrate_airflow(layout, cluster, environment, lock, progress)
            _migrate_warehouse(environment["AISLEFLOW_WAREHOUSE_URL"], progress)
            _start_airflow(home, environment, lock, progress)
        api = client(home, patience_seconds=PATIENCE_SECONDS)
        _create_pools(api, progress)
        dags = _wait_until_parsed(home, api, progress)
        _unpause_new_dags(layout, api, dags, progress)
    return status(home)


def down(home: Path, progress: Progress = no_progress) -> list[str]:
    """Stop everything of this home and wait for its end; return the names of the stopped components."""
    if not Layout(home).run.is_dir():
        return []
    with components.services_lock(home, progress):
        stopped = components.stop(home, progress=progress)
        return [*stopped, "postgres"] if stop_postgres(home, progress) else stopped


def status(home: Path) -> Status:
    """Return what is running, without starting anything."""
    layout = Layout(home)
    cluster = running_postgres(home)
    states = {state.component.name: state for state in known_components(home)}
    lines = [
        ComponentStatus(
            "postgres",
            "running" if cluster else "stopped",
            cluster.pid if cluster else None,
            bool(cluster),
            str(layout.logs / "postgres.log"),
        )
    ]
    try:
        ui_url = ports.ui_url(home)
        expected: tuple[Component, ...] = airflow_components(home)
    except TerminalError:  # never started
        ui_url, expected = "", ()
    for component in [*expected, *(state.component for name, state in states.items() if name not in {known.name for known in expected})]:
        state = state_of(home, component)
        is_running = state.state == "running"
        lines.append(
            ComponentStatus(
                component.name, state.state, state.process.pid if is_running and state.process else None,
                is_running and components.is_healthy(home, component), str(layout.logs / f"{component.name}.log"),
            )
        )  # fmt: skip
    by_name = {line.name: line for line in lines}
    return Status(
        home=str(layout.home),
        is_up=bool(expected) and all(by_name[name].is_healthy for name in ("postgres", *(component.name for component in expected))),
        ui_url=ui_url if "api-server" in by_name and by_name["api-server"].is_healthy else None,
        warehouse_url=cluster.url("warehouse") if cluster else None,
        passwords_file=str(layout.passwords_file),
        components=lines,
    )


@contextmanager
def _rollback_on_failure(home: Path, progress: Progress) -> Iterator[None]:
    """Stop everything started inside the block if it ends with an error, Ctrl-C or a termination signal."""
    had_postgres = running_postgres(home) is not None
    running_before = {state.component.name for state in known_components(home) if state.state == "running"}
    try:
        yield
    except BaseException:
        progress("stopping the components this command started")
        components.stop(home, {state.component.name for state in known_components(home)} - running_before)
        if not had_postgres:
            stop_postgres(home)
        raise


def _keep_alert_address(home: Path, progress: Progress) -> None:
    """Keep the address of alerts with the installation: the caller's if it gives one, else the saved one, else the local inbox."""
    saved = read_address(home)
    given = os.environ.get(airflow_env.ALERTS_VARIABLE)
    urls = tuple(urls_of_connection(given)) if given else saved.urls if saved else AlertAddress().urls
    if saved is None or urls != saved.urls:
        save_address(home, AlertAddress(urls, saved.heartbeat_url if saved else None))
        if saved is not None or given:
            before = f" (before: {display(saved.urls)})" if saved else ""
            progress(f"alerts now go to {display(urls)}{before}")


def _stop_orphaned(home: Path, cluster: Cluster, progress: Progress) -> None:
    """Stop components older than the database server: they lost their connection and would fail later."""
    server = identify(cluster.pid)
    older = {
        state.component.name
        for state in known_components(home)
        if state.component.name in components.AIRFLOW and state.process and server and state.process.start_ticks < server.start_ticks
    }
    if older:
        progress("PostgreSQL was restarted: restarting the components that depend on it")
        components.stop(home, older, progress)


def _choose_ports(home: Path, reservations: ExitStack, progress: Progress) -> None:
    """Keep the ports of running components, else choose new ones. If another process took their port, they are restarted."""
    running = {state.component.name for state in known_components(home) if state.state == "running"}
    if "api-server" in running:
        return
    if running & components.AIRFLOW:
        if ports.reserve_api_port(home, reservations):
            return
        progress("the API server's port is taken: restarting all components on another one")
        components.stop(home, components.AIRFLOW, progress)
    chosen = ports.choose(home, reservations)
    if chosen.api != settings().api_port:
        progress(f"port {settings().api_port} is taken: Airflow's UI will be on {chosen.api}")


def _start_airflow(home: Path, environment: dict[str, str], lock: TextIOWrapper, progress: Progress) -> None:
    wanted = airflow_components(home)
    for component in wanted:
        if components.start(home, component, environment, lock):
            progress(f"starting {component.name}")
        elif components.settings_changed(home, component, environment):
            progress(f"{component.name} is still running with earlier settings; to apply new ones: aisleflow down, aisleflow up")
    components.wait_until_healthy(home, wanted, progress)


def _migrate_airflow(layout: Layout, cluster: Cluster, environment: dict[str, str], lock: TextIOWrapper, progress: Progress) -> None:
    """Run ``airflow db migrate`` once per Airflow version; the database's comment records the version."""
    mark = f"migrated by Airflow {version('apache-airflow-core')}"
    with psycopg.connect(cluster.url(AIRFLOW), autocommit=True) as connection:
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        if found and found[0] == mark:
            return
        progress("creating Airflow's tables (a few seconds, once)")
        components.run_command(layout.home, "airflow-db-migrate", [sys.executable, "-m", "airflow", "db", "migrate"], environment, lock)
        connection.execute(f"COMMENT ON DATABASE {AIRFLOW} IS '{mark}'")


def _migrate_warehouse(url: str, progress: Progress) -> None:
    from include.warehouse.migrations import migrate

    before, after = migrate(url)
    if before != after:
        progress(f"migrated the warehouse to revision {after}")


def _create_pools(api: AirflowApi, progress: Progress) -> None:
    """Create the pools before any DAG is unpaused: tasks without their pool stay queued silently."""
    from include.orchestration.pools import DESCRIPTIONS, POOLS

    present = api.pools()
    for name, slots in POOLS.items():
        if present.get(name) != slots:
            progress(f"pool {name}: {slots} slots")
            api.put_pool(name, slots, DESCRIPTIONS[name])


def _wait_until_parsed(home: Path, api: AirflowApi, progress: Progress) -> list[Json]:
    """Wait until every DAG file was parsed since it changed and since the DAG processor started; return the DAGs.

    Raises:
        TerminalError: files cannot be imported, or define no DAG.
    """
    folder = PROJECT / "dags"
    files = {str(path.relative_to(folder)): path.stat().st_mtime for path in folder.rglob("*.py") if "__pycache__" not in path.parts}
    processors = [state.process for state in known_components(home) if state.component.name == "dag-processor" and state.state == "running"]
    started_at = max((psutil.Process(process.pid).create_time() for process in processors if process), default=0.0)
    deadline = Deadline(PARSED_SECONDS)
    while True:
        errors = {
            error["filename"]: error
            for error in api.import_errors()
            if _is_after(error["timestamp"], files.get(error["filename"]), started_at)
        }
        dags = api.list_dags()
        parsed = {
            dag["relative_fileloc"] for dag in dags if _is_after(dag["last_parsed_time"], files.get(dag["relative_fileloc"]), started_at)
        }
        missing = sorted(set(files) - parsed - set(errors))
        if not missing:
            break
        if deadline.is_over(
            (missing, processor_seconds([member for process in processors if process for member in session_members(process)]))
        ):
            raise TerminalError(
                f"{', '.join(missing)} defined no DAG, and nothing has moved for {PARSED_SECONDS} seconds. "
                f"Check that each file defines one. Read {Layout(home).logs / 'dag-processor.log'}."
            )
        progress(f"waiting for {len(missing)} DAG files to be parsed")
        time.sleep(0.5)
    if errors:
        text = "\n".join(f"--- {name}\n{error['stack_trace'].strip()}" for name, error in sorted(errors.items()))
        raise TerminalError(
            f"{len(errors)} DAG files cannot be imported. Airflow keeps running; fix them and run `aisleflow up` again.\n{text}"
        )
    return dags


def _is_after(timestamp: str | None, changed_at: float | None, started_at: float) -> bool:
    """Return whether a timestamp of Airflow is later than a file's change and a process' start (both epoch seconds)."""
    return bool(timestamp) and changed_at is not None and datetime.fromisoformat(str(timestamp)).timestamp() >= max(changed_at, started_at)


def _unpause_new_dags(layout: Layout, api: AirflowApi, dags: list[Json], progress: Progress) -> None:
    """Unpause DAGs that were never unpaused here; a DAG paused later is the operator's decision."""
    record = layout.home / "unpaused_dags.txt"
    seen = set(record.read_text().split()) if record.exists() else set()
    for dag in dags:
        name = dag["dag_id"]
        if dag["is_paused"] and name in seen:
            progress(f"{name} stays paused, as an operator left it")
        elif dag["is_paused"]:
            api.unpause(name)
    record.write_text("".join(f"{name}\n" for name in sorted(seen | {dag["dag_id"] for dag in dags})))
