"""The long-running components of one home: definition, state, start, health check and stop.

A component is data. Airflow's four are listed in :func:`airflow_components`; another one (the sandbox) is started
with :func:`start_component` and then listed, checked and stopped like them.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import psutil
import requests

from include.embedded import airflow_env, ports
from include.embedded.deadline import Deadline, processor_seconds
from include.embedded.layout import PROJECT, Layout, Progress, locked, no_progress, rotate_log, tail
from include.embedded.processes import ProcessId, read_record, session_members, spawn, terminate_sessions
from include.errors import TerminalError

#: The names of Airflow's components.
AIRFLOW = frozenset({"api-server", "scheduler", "dag-processor", "triggerer"})

#: A component that is not healthy is given up when it has used no processor time for so long: on a busy machine a start takes minutes.
HEALTHY_SECONDS = 120
#: … or when it has used this much and still is not: a start takes a tenth of it.
HEALTHY_PROCESSOR_SECONDS = 240

#: Time for running tasks to finish.
GRACE_SECONDS = 30


@dataclass(frozen=True)
class Component:
    """One component: its name (also of its log file), its command, and its health check.

    ``health_url`` returns 200 if it is healthy; with ``heartbeat`` the response's entry of that name must also be
    ``healthy``, and its heartbeat younger than the process, so that a predecessor's does not count.
    """

    name: str
    command: tuple[str, ...]
    health_url: str
    heartbeat: str | None = None


@dataclass(frozen=True)
class ComponentState:
    """The state of a component: ``running``, ``dead`` (ended without ``down``) or ``stopped``."""

    component: Component
    state: str
    process: ProcessId | None


def airflow_components(home: Path) -> tuple[Component, ...]:
    """Return Airflow's four components in the order of their start; needs the home's ports."""
    health = f"{ports.ui_url(home)}/api/v2/monitor/health"
    airflow = (sys.executable, "-m", "airflow")
    # one log server is enough for the files of tasks and triggers
    return (
        Component("api-server", (*airflow, "api-server"), health),
        Component("scheduler", (sys.executable, "-m", "include.embedded.scheduler"), health, "scheduler"),
        Component("dag-processor", (*airflow, "dag-processor"), health, "dag_processor"),
        Component("triggerer", (*airflow, "triggerer", "--skip-serve-logs"), health, "triggerer"),
    )


def known_components(home: Path) -> list[ComponentState]:
    """Return every component that was started in this home and not stopped, the oldest first."""
    return [state_of(home, _read(path)) for path in sorted(Layout(home).run.glob("*.component"), key=lambda path: path.stat().st_mtime)]


def state_of(home: Path, component: Component) -> ComponentState:
    """Return the state of a component."""
    process = read_record(_record(home, component.name))
    state = "stopped" if process is None else "running" if process.is_alive() else "dead"
    return ComponentState(component, state, process)


def start(home: Path, component: Component, environment: dict[str, str], lock: TextIOWrapper) -> bool:
    """Start a component unless it runs; return whether it was started. ``lock`` is the services lock, held.

    Processes left in the session of a dead predecessor (workers, tasks) are ended first.
    """
    layout = Layout(home)
    before = state_of(home, component)
    if before.state == "running":
        return False
    if before.process:
        terminate_sessions([before.process], grace_seconds=5)
    log = layout.logs / f"{component.name}.log"
    rotate_log(log)
    _specification(home, component.name).write_text(json.dumps({**asdict(component), "settings": _fingerprint(environment)}))
    spawn(component.command, record=_record(home, component.name), log=log, lock=lock, environment=environment, folder=PROJECT)
    return True


def settings_changed(home: Path, component: Component, environment: Mapping[str, str]) -> bool:
    """Return whether a component was started with other settings than those of ``environment``."""
    try:
        known = json.loads(_specification(home, component.name).read_text())
    except FileNotFoundError:
        return False
    return bool(known["settings"] != _fingerprint(environment))


def start_component(home: Path, component: Component, progress: Progress = no_progress) -> bool:
    """Start one component beside Airflow's and wait until it is healthy; return whether it was started.

    It gets Airflow's environment, and is stopped if it does not become healthy.

    Raises:
        TerminalError: it died or did not become healthy; the message contains the end of its log.
    """
    with services_lock(home, progress) as lock:
        started = start(home, component, airflow_env.environment(home), lock)
        try:
            wait_until_healthy(home, [component], progress)
        except BaseException:
            stop(home, [component.name])
            raise
        return started


def wait_until_healthy(home: Path, components: Iterable[Component], progress: Progress = no_progress) -> None:
    """Wait until all are healthy; report the components waited for.

    Raises:
        TerminalError: one died (the message contains its name and the end of its log), or time ran out.
    """
    waiting = list(components)
    deadline = Deadline(HEALTHY_SECONDS)
    while waiting:
        for component in waiting:
            if state_of(home, component).state != "running":
                raise TerminalError(_failure_message(home, component, "died during its start"))
        waiting = [component for component in waiting if not is_healthy(home, component)]
        used = _processor_seconds(home, waiting)
        if waiting and (deadline.is_over(used) or max(used, default=0) > HEALTHY_PROCESSOR_SECONDS):
            what = f"is not healthy after {max(used, default=0)} seconds of processor time (given up after {HEALTHY_SECONDS} seconds without any)"
            raise TerminalError(_failure_message(home, waiting[0], what))
        if waiting:
            progress(f"waiting for {', '.join(component.name for component in waiting)}")
            time.sleep(0.25)


def _processor_seconds(home: Path, components: Iterable[Component]) -> list[int]:
    """Return the processor seconds that each component has used so far: they grow while a start makes progress."""
    leaders = (state_of(home, component).process for component in components)
    return [processor_seconds(session_members(leader)) for leader in leaders if leader]


def is_healthy(home: Path, component: Component) -> bool:
    """Check the health of a running component once."""
    process = state_of(home, component).process
    if process is None:
        return False
    response = fetch_health(component.health_url)
    if response is None or component.heartbeat is None:
        return response is not None
    entry = response.get(component.heartbeat) or {}
    beat = entry.get(f"latest_{component.heartbeat}_heartbeat")
    try:
        started_at = datetime.fromtimestamp(psutil.Process(process.pid).create_time(), UTC)
    except psutil.NoSuchProcess:
        return False
    return entry.get("status") == "healthy" and beat is not None and datetime.fromisoformat(str(beat)) >= started_at


def fetch_health(url: str) -> dict[str, Any] | None:
    """Return the response of a health URL (``{}`` if it is not JSON), ``None`` for another status than 200."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.get(url, timeout=10)
            if response.status_code != 200:
                return None
            found = response.json()
            return found if isinstance(found, dict) else {}
        except requests.JSONDecodeError:
            return {}
        except requests.RequestException:
            return None


def run_command(home: Path, name: str, command: Sequence[str], environment: dict[str, str], lock: TextIOWrapper) -> None:
    """Run a command to its end, recorded like a component: if this process is killed, the next up or down ends it.

    Raises:
        TerminalError: it failed; the message contains the end of its log.
    """
    record, log = _record(home, name), Layout(home).logs / f"{name}.log"
    if orphan := read_record(record):
        terminate_sessions([orphan], grace_seconds=5)
    rotate_log(log)
    process = spawn(command, record=record, log=log, lock=lock, environment=environment, folder=PROJECT)
    try:
        exit_code = process.wait()
    except BaseException:
        stop(home, [name])
        raise
    record.unlink()
    if exit_code != 0:
        raise TerminalError(f"{name} failed with exit code {exit_code}. End of {log}:\n{tail(log)}")


def stop(home: Path, names: Iterable[str] | None = None, progress: Progress = no_progress) -> list[str]:
    """Stop components (all of this home without ``names``) with everything they started; return the stopped ones' names.

    The API server stops after the scheduler's running tasks, which report to it; other components stop last.
    The caller must hold the services lock.
    """
    run = Layout(home).run
    present = {path.stem for path in (*run.glob("*.process"), *run.glob("*.component"))}
    wanted = present if names is None else present & set(names)
    stopped: list[str] = []
    for stage in sorted({_stage(name) for name in wanted}):
        in_stage = sorted(name for name in wanted if _stage(name) == stage)
        leaders = {name: leader for name in in_stage if (leader := read_record(_record(home, name))) and session_members(leader)}
        if leaders:
            progress(f"stopping {', '.join(leaders)}")
            terminate_sessions(list(leaders.values()), grace_seconds=GRACE_SECONDS)
        for name in in_stage:
            _record(home, name).unlink(missing_ok=True)
            _specification(home, name).unlink(missing_ok=True)
        stopped += leaders
    return stopped


def _stage(name: str) -> int:
    """Return the stop order of a component: lower numbers first."""
    return {"scheduler": 0, "dag-processor": 0, "triggerer": 0, "api-server": 1}.get(name, 2)


def services_lock(home: Path, progress: Progress = no_progress) -> AbstractContextManager[TextIOWrapper]:
    """Hold the lock for starting and stopping components: one command at a time."""
    layout = Layout(home)
    layout.create()
    return locked(layout.run / "services.lock", lambda: progress("waiting for another up or down of this home"))


def _record(home: Path, name: str) -> Path:
    return Layout(home).run / f"{name}.process"


def _specification(home: Path, name: str) -> Path:
    return Layout(home).run / f"{name}.component"


def _read(path: Path) -> Component:
    given = json.loads(path.read_text())
    return Component(given["name"], tuple(given["command"]), given["health_url"], given["heartbeat"])


def _fingerprint(environment: Mapping[str, str]) -> str:
    """Return a digest of the variables that Airflow or this project reads."""
    relevant = sorted(item for item in environment.items() if item[0].startswith(("AIRFLOW", "AISLEFLOW")))
    return hashlib.sha256(json.dumps(relevant).encode()).hexdigest()


def _failure_message(home: Path, component: Component, what: str) -> str:
    log = Layout(home).logs / f"{component.name}.log"
    return f"{component.name} {what}. End of {log}:\n{tail(log)}"
