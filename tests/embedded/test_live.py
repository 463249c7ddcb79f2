"""A real installation: found by a second start, restored after kills, removed by `down`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from include.embedded import components
from include.embedded.airflow_api import client
from include.embedded.components import known_components
from include.embedded.doctor import doctor
from include.embedded.installation import down, status, up
from include.embedded.postgres import running_postgres
from include.embedded.processes import ProcessId, session_members

pytestmark = pytest.mark.live


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A home with a space in its path, started while port 8080 (or the configured one) is taken; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="aisle live "))
    settings = pytest.MonkeyPatch()
    settings.delenv("AISLEFLOW_NOW", raising=False)
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            settings.setenv("AISLEFLOW_API_PORT", str(listener.getsockname()[1]))
            found = up(folder)
        assert found.is_up
        assert found.ui_url != f"http://127.0.0.1:{os.environ['AISLEFLOW_API_PORT']}"
        yield folder
    finally:
        down(folder)
        settings.undo()
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def real_clock(fixed_clock: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock run: the installation's settings are those of its start."""
    monkeypatch.delenv("AISLEFLOW_NOW")


def leaders(home: Path) -> dict[str, ProcessId]:
    return {state.component.name: state.process for state in known_components(home) if state.process}


def test_a_second_start_finds_the_first(home: Path) -> None:
    before = leaders(home)
    messages: list[str] = []
    assert set(before) == components.AIRFLOW
    found = up(home, messages.append)
    assert leaders(home) == before
    assert found.is_up
    assert not [message for message in messages if message.startswith("starting")]


def test_the_doctor_finds_nothing_and_every_dag_is_unpaused(home: Path) -> None:
    from include.orchestration.pools import POOLS

    assert [finding for finding in doctor(home) if finding.level == "fail"] == []
    api = client(home)
    assert [dag["dag_id"] for dag in api.list_dags() if dag["is_paused"]] == []
    assert POOLS.items() <= api.pools().items()
    assert client(home, "viewer").health()["metadatabase"]["status"] == "healthy"


def test_killed_components_are_restarted(home: Path) -> None:
    before = leaders(home)
    os.kill(before["scheduler"].pid, signal.SIGKILL)
    while before["scheduler"].is_alive():
        time.sleep(0.01)
    assert session_members(before["scheduler"])  # its workers are still running
    assert not status(home).is_up
    assert any(finding.subject == "scheduler" and finding.level == "fail" for finding in doctor(home))
    assert up(home).is_up
    after = leaders(home)
    assert session_members(before["scheduler"]) == []
    assert {name for name in before if after[name] != before[name]} == {"scheduler"}


def test_a_killed_database_is_restarted_with_its_components(home: Path) -> None:
    server, before = running_postgres(home), leaders(home)
    assert server
    os.kill(server.pid, signal.SIGKILL)
    while running_postgres(home):
        time.sleep(0.01)
    assert up(home).is_up
    assert set(leaders(home).values()).isdisjoint(before.values())


def test_nothing_is_left_after_down(home: Path) -> None:
    sessions, server = leaders(home), running_postgres(home)
    assert server
    assert set(down(home)) == {*components.AIRFLOW, "postgres"}
    assert {name: session_members(leader) for name, leader in sessions.items()} == {name: [] for name in sessions}
    assert not psutil.pid_exists(server.pid) or psutil.Process(server.pid).status() == psutil.STATUS_ZOMBIE
    assert {line.state for line in status(home).components} == {"stopped"}
    assert down(home) == []
