"""Starting, checking and stopping components: small substitutes for Airflow's."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from include.embedded import airflow_env, components
from include.embedded.components import (
    Component,
    known_components,
    services_lock,
    start,
    start_component,
    state_of,
    stop,
    wait_until_healthy,
)
from include.embedded.layout import Layout
from include.embedded.processes import session_members, spawn
from include.errors import TerminalError

pytestmark = pytest.mark.slow

FOREVER = (sys.executable, "-c", "import time; time.sleep(600)")


class Health:
    """A health URL whose response is set by a test."""

    def __init__(self) -> None:
        health = self
        self.code, self.body = 200, b"{}"

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(health.code)
                self.send_header("Content-Length", str(len(health.body)))
                self.end_headers()
                self.wfile.write(health.body)

            def log_message(self, format: str, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/health"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def health() -> Iterator[Health]:
    found = Health()
    yield found
    found.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(airflow_env, "environment", lambda _home: dict(os.environ))
    yield tmp_path
    with services_lock(tmp_path):
        stop(tmp_path)


def begin(home: Path, component: Component, environment: dict[str, str] | None = None) -> bool:
    with services_lock(home) as lock:
        return start(home, component, environment or dict(os.environ), lock)


def kill(home: Path, name: str) -> None:
    process = next(state.process for state in known_components(home) if state.component.name == name)
    assert process
    os.kill(process.pid, signal.SIGKILL)
    while process.is_alive():
        time.sleep(0.01)


def test_a_second_start_finds_a_component_and_stop_removes_it(home: Path, health: Health) -> None:
    component = Component("extra", FOREVER, health.url)
    assert begin(home, component)
    assert not begin(home, component)
    assert known_components(home) == [state_of(home, component)]
    assert state_of(home, component).state == "running"
    with services_lock(home):
        assert stop(home) == ["extra"]
        assert stop(home) == []
    assert state_of(home, component).state == "stopped"
    assert known_components(home) == []


def test_a_killed_component_is_dead_and_its_children_end_before_a_new_one_starts(home: Path, health: Health) -> None:
    child = f"import subprocess, time; subprocess.Popen({list(FOREVER)!r}, process_group=0); print('up', flush=True); time.sleep(600)"
    component = Component("extra", (sys.executable, "-c", child), health.url)
    begin(home, component)
    while "up" not in (Layout(home).logs / "extra.log").read_text():
        time.sleep(0.02)
    first = state_of(home, component).process
    assert first
    kill(home, "extra")
    assert state_of(home, component).state == "dead"
    assert len(session_members(first)) == 1
    assert begin(home, component)
    assert session_members(first) == []
    assert state_of(home, component).state == "running"
    assert "up" in (Layout(home).logs / "extra.log.1").read_text()


def test_the_error_of_a_component_that_dies_during_its_start_has_its_log(home: Path, health: Health) -> None:
    health.code = 503
    component = Component("extra", (sys.executable, "-c", "print('no such table'); raise SystemExit(4)"), health.url)
    with pytest.raises(TerminalError, match=r"(?s)extra died during its start.*extra\.log.*no such table"):
        start_component(home, component)
    assert known_components(home) == []


def test_an_unhealthy_component_is_stopped(home: Path, health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "HEALTHY_SECONDS", 0)
    health.code = 503
    messages: list[str] = []
    with pytest.raises(TerminalError, match=r"is not healthy after .* seconds of processor time"):
        start_component(home, Component("extra", FOREVER, health.url), messages.append)
    assert known_components(home) == []


def test_an_additional_component_is_started_once_and_waited_for(home: Path, health: Health) -> None:
    health.body = b"not even JSON"
    component = Component("sandbox", FOREVER, health.url)
    assert start_component(home, component)
    assert not start_component(home, component)


@pytest.mark.parametrize(
    ("status", "seconds_after_start", "is_well"),
    [("healthy", 1, True), ("unhealthy", 1, False), ("healthy", -1, False), ("healthy", None, False)],
)
def test_a_heartbeat_counts_when_it_is_healthy_and_younger_than_the_process(
    home: Path, health: Health, status: str, seconds_after_start: int | None, is_well: bool
) -> None:
    component = Component("beating", FOREVER, health.url, "scheduler")
    begin(home, component)
    process = state_of(home, component).process
    assert process
    started_at = datetime.fromtimestamp(psutil.Process(process.pid).create_time(), UTC)
    beat = None if seconds_after_start is None else (started_at + timedelta(seconds=seconds_after_start)).isoformat()
    health.body = json.dumps({"scheduler": {"status": status, "latest_scheduler_heartbeat": beat}}).encode()
    assert components.is_healthy(home, component) is is_well


def test_an_unreachable_health_url_is_not_healthy(home: Path) -> None:
    component = Component("extra", FOREVER, "http://127.0.0.1:1/health")
    begin(home, component)
    assert not components.is_healthy(home, component)


def test_the_api_server_stops_after_the_scheduler_and_other_components_last(home: Path, health: Health) -> None:
    for name in ("sandbox", "api-server", "scheduler", "triggerer"):
        begin(home, Component(name, FOREVER, health.url))
    messages: list[str] = []
    with services_lock(home):
        assert stop(home, progress=messages.append) == ["scheduler", "triggerer", "api-server", "sandbox"]
    assert messages == ["stopping scheduler, triggerer", "stopping api-server", "stopping sandbox"]


def test_only_the_named_components_are_stopped(home: Path, health: Health) -> None:
    for name in ("one", "two"):
        begin(home, Component(name, FOREVER, health.url))
    with services_lock(home):
        assert stop(home, ["one", "unknown"]) == ["one"]
    assert [state.component.name for state in known_components(home)] == ["two"]


def test_changed_settings_are_detected(home: Path, health: Health) -> None:
    component, before = Component("extra", FOREVER, health.url), dict(os.environ)
    begin(home, component, before)
    assert not components.settings_changed(home, component, {**before, "SHLVL": "9"})
    assert components.settings_changed(home, component, {**before, "AISLEFLOW_CURRENT_HOURS": "1"})


def test_a_command_run_once_leaves_a_log_and_no_record(home: Path) -> None:
    with services_lock(home) as lock:
        components.run_command(home, "migrate", [sys.executable, "-c", "print('fine')"], dict(os.environ), lock)
        assert (Layout(home).logs / "migrate.log").read_text() == "fine\n"
        with pytest.raises(TerminalError, match=r"(?s)migrate failed with exit code 3.*broken"):
            components.run_command(home, "migrate", [sys.executable, "-c", "print('broken'); raise SystemExit(3)"], dict(os.environ), lock)
        assert stop(home) == []


def test_a_command_left_by_a_killed_process_is_stopped_like_a_component(home: Path) -> None:
    record = Layout(home).run / "migrate.process"
    with services_lock(home) as lock:
        spawn(FOREVER, record=record, log=Layout(home).logs / "x.log", lock=lock, environment=dict(os.environ), folder=home)
        assert stop(home) == ["migrate"]
    assert not record.exists()


def test_waiting_reports_the_component(home: Path, health: Health) -> None:
    health.code = 503
    component = Component("extra", FOREVER, health.url)
    begin(home, component)
    messages: list[str] = []

    def record_message(message: str) -> None:
        messages.append(message)
        health.code = 200

    wait_until_healthy(home, [component], record_message)
    assert messages == ["waiting for extra"]
