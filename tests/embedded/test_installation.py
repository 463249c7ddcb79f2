"""Decisions of `up`: ports, pauses, when a DAG file counts as parsed, the rollback of a failure."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from include.embedded import components, installation, ports
from include.embedded.components import Component, known_components, services_lock
from include.embedded.layout import Layout, no_progress
from include.errors import TerminalError

FOREVER = (sys.executable, "-c", "import time; time.sleep(600)")


class FakeApi:
    """Has pools and DAGs, and records changes."""

    def __init__(
        self, dags: list[dict[str, Any]] | None = None, errors: list[dict[str, Any]] | None = None, pools: dict[str, int] | None = None
    ):
        self.dags, self.errors, self.present = dags or [], errors or [], pools or {}
        self.unpaused: list[str] = []

    def list_dags(self) -> list[dict[str, Any]]:
        return self.dags

    def import_errors(self) -> list[dict[str, Any]]:
        return self.errors

    def pools(self) -> dict[str, int]:
        return self.present

    def put_pool(self, name: str, slots: int, description: str) -> None:
        self.present[name] = slots

    def unpause(self, name: str) -> None:
        self.unpaused.append(name)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home without PostgreSQL, in a project whose one DAG file is `night.py`."""
    project = tmp_path / "project"
    (project / "dags" / "__pycache__").mkdir(parents=True)
    (project / "dags" / "__pycache__" / "old.py").write_text("")
    (project / "dags" / "night.py").write_text("")
    os.utime(project / "dags" / "night.py", (1_000, 1_000))
    monkeypatch.setattr(installation, "PROJECT", project)
    monkeypatch.setattr(installation, "PARSED_SECONDS", 0)
    Layout(tmp_path / "home").create()
    yield tmp_path / "home"
    with services_lock(tmp_path / "home"):
        components.stop(tmp_path / "home")


def run(home: Path, *names: str) -> None:
    with services_lock(home) as lock:
        for name in names:
            components.start(home, Component(name, FOREVER, "http://127.0.0.1:1/"), dict(os.environ), lock)


def dag(name: str, *, is_paused: bool = True, file: str = "night.py", parsed: str = "2033-05-18T03:33:20+00:00") -> dict[str, Any]:
    return {"dag_id": name, "is_paused": is_paused, "relative_fileloc": file, "last_parsed_time": parsed}


def test_a_dag_is_unpaused_only_once(home: Path) -> None:
    api = FakeApi([dag("one"), dag("two", is_paused=False)])
    installation._unpause_new_dags(Layout(home), api, api.dags, no_progress)  # type: ignore[arg-type]
    assert api.unpaused == ["one"]
    messages: list[str] = []
    api = FakeApi([dag("one"), dag("two"), dag("three")])
    installation._unpause_new_dags(Layout(home), api, api.dags, messages.append)  # type: ignore[arg-type]
    assert api.unpaused == ["three"]
    assert messages == [f"{name} stays paused, as an operator left it" for name in ("one", "two")]


def test_pools_are_corrected(home: Path) -> None:
    from include.orchestration.pools import POOLS

    api = FakeApi(pools={"crawl_iga": 99, "default_pool": 128})
    installation._create_pools(api, no_progress)  # type: ignore[arg-type]
    assert api.present == {"default_pool": 128, **POOLS}


@pytest.mark.parametrize(("parsed", "counts"), [("1970-01-01T00:16:41+00:00", True), ("1970-01-01T00:16:39+00:00", False)])
def test_a_file_counts_as_parsed_only_after_its_last_change(home: Path, parsed: str, counts: bool) -> None:
    api = FakeApi([dag("night", parsed=parsed)])
    if counts:
        assert installation._wait_until_parsed(home, api, no_progress) == api.dags  # type: ignore[arg-type]
    else:
        with pytest.raises(TerminalError, match=r"night\.py defined no DAG.*dag-processor\.log"):
            installation._wait_until_parsed(home, api, no_progress)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_parse_older_than_the_dag_processor_does_not_count(home: Path) -> None:
    run(home, "dag-processor")
    with pytest.raises(TerminalError, match="defined no DAG"):
        installation._wait_until_parsed(home, FakeApi([dag("night", parsed="2001-01-01T00:00:00+00:00")]), no_progress)  # type: ignore[arg-type]
    installation._wait_until_parsed(home, FakeApi([dag("night", parsed="2100-01-01T00:00:00+00:00")]), no_progress)  # type: ignore[arg-type]


def test_an_import_error_is_reported_and_an_outdated_one_is_not(home: Path) -> None:
    error = {"filename": "night.py", "timestamp": "2033-05-18T03:33:20+00:00", "stack_trace": "ModuleNotFoundError: nope\n"}
    with pytest.raises(TerminalError, match=r"(?s)1 DAG files cannot be imported.*aisleflow up.*--- night\.py\nModuleNotFoundError: nope"):
        installation._wait_until_parsed(home, FakeApi(errors=[error]), no_progress)  # type: ignore[arg-type]
    outdated = {**error, "timestamp": "1970-01-01T00:00:01+00:00"}
    gone = {**error, "filename": "removed.py"}
    installation._wait_until_parsed(home, FakeApi([dag("night")], [outdated, gone]), no_progress)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_failure_stops_only_the_started_components(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[Path] = []
    monkeypatch.setattr(installation, "running_postgres", lambda _home: None)
    monkeypatch.setattr(installation, "stop_postgres", stopped.append)
    run(home, "sandbox")

    def interrupted() -> None:
        with installation._rollback_on_failure(home, no_progress):
            run(home, "api-server", "scheduler")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [state.component.name for state in known_components(home)] == ["sandbox"]
    assert stopped == [home]


@pytest.mark.slow
def test_ports_are_kept_while_components_use_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as reservations:
        installation._choose_ports(home, reservations, no_progress)
    first = ports.known(home)
    run(home, "scheduler")
    with ExitStack() as reservations:
        installation._choose_ports(home, reservations, no_progress)
        assert ports.known(home) == first
    monkeypatch.setattr(ports, "reserve_api_port", lambda _home, _reservations: False)  # taken by another process
    with ExitStack() as reservations:
        messages: list[str] = []
        installation._choose_ports(home, reservations, messages.append)
        assert "restarting all components" in messages[0]
        assert known_components(home) == []


def test_a_home_that_was_never_started_is_down_and_unchanged(tmp_path: Path) -> None:
    home = tmp_path / "never"
    found = installation.status(home)
    assert (found.is_up, found.ui_url, found.warehouse_url) == (False, None, None)
    assert [(line.name, line.state) for line in found.components] == [("postgres", "stopped")]
    assert installation.down(home) == []
    assert not home.exists()
