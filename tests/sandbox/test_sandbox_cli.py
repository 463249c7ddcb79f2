"""``aisleflow sandbox fault|latency|requests`` for the sandbox recorded in this installation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from include.cli.sandbox import app
from include.config import SANDBOX_FILE
from include.embedded.sandbox import SandboxWorld
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox, running


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    monkeypatch.setenv("AISLEFLOW_HOME", str(tmp_path))
    with running(GeneratedWorld(7, WorldSize(stores=1, products=60))) as found:
        (tmp_path / SANDBOX_FILE).write_text(json.dumps({"url": found.url, "world": asdict(SandboxWorld())}))
        yield found


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_faults_are_added_listed_and_cleared(sandbox: RunningSandbox) -> None:
    key = json.loads(run("fault", "add", "too_many", "--retailer", "iga", "--nth", "1", "--retry-after", "3", "--json"))["key"]
    run("fault", "add", "slow", "--seconds", "0")
    response = requests.get(f"{sandbox.url}/iga/", timeout=10)
    assert (response.status_code, response.headers["retry-after"]) == (429, "3")
    output = run("fault", "list")
    assert "too_many" in output and "nth=1 retry_after=3" in output
    assert json.loads(run("fault", "list", "--json"))[0]["applied"] == 1
    assert "1 fault(s) cleared" in run("fault", "clear", key) and "1 fault(s) cleared" in run("fault", "clear")
    assert sandbox.faults.active_faults() == []


def test_latency_and_requests(sandbox: RunningSandbox) -> None:
    run("latency", "0.05")
    assert sandbox.faults.latency_seconds == 0.05
    requests.get(f"{sandbox.url}/iga/", timeout=10)
    report = json.loads(run("requests", "--json"))
    assert report["total"] == 1 and report["in_flight_max"] == {"iga": 1}
    assert "home" in run("requests", "--reset")
    assert sandbox.traffic.count() == 0


def test_errors_have_a_message_and_an_exit_code(sandbox: RunningSandbox) -> None:
    assert "no option status" in run("fault", "add", "slow", "--status", "500", code=2)
    assert "known: too_many" in run("fault", "add", "meteor", code=2)
    assert "no store 'G99999' of aldi in this world" in run("fault", "add", "wall", "--retailer", "aldi", "--store", "G99999", code=2)
    assert sandbox.faults.active_faults() == []
    assert "no fault f7 is active" in run("fault", "clear", "f7", code=2)
    assert "no sandbox responds" in run("fault", "list", "--url", "http://127.0.0.1:9", code=1)
