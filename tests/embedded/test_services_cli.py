"""The service commands: text, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from include.cli import services
from include.embedded import installation
from include.embedded.doctor import Finding
from include.embedded.installation import ComponentStatus, Status
from include.errors import NeedsPersonError, TerminalError

runner = CliRunner()


def status(*, is_healthy: bool = True) -> Status:
    line = ComponentStatus("scheduler", "running", 7, is_healthy, "/h/logs/scheduler.log")
    return Status("/h", is_healthy, "http://127.0.0.1:8080", "postgresql://x", "/h/passwords.json", [line])


def test_up_prints_the_address_and_the_passwords_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "up", lambda _home, progress: (progress("starting scheduler"), status())[1])
    done = runner.invoke(services.app, ["up"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "Aisleflow is up: http://127.0.0.1:8080",
        "Log in as admin, op or viewer with the passwords in /h/passwords.json",
        "To have the command aisleflow in this shell: . .venv/bin/activate",
    ]
    assert done.stderr.splitlines() == ["starting scheduler"]
    assert json.loads(runner.invoke(services.app, ["up", "--json"]).stdout)["components"][0]["name"] == "scheduler"


@pytest.mark.parametrize(("error", "code"), [(TerminalError("it is broken"), 1), (NeedsPersonError("it waits"), 3)])
def test_an_error_has_a_message_and_an_exit_code(monkeypatch: pytest.MonkeyPatch, error: Exception, code: int) -> None:
    def fail(*_arguments: object) -> Status:
        raise error

    monkeypatch.setattr(installation, "up", fail)
    done = runner.invoke(services.app, ["up"])
    assert (done.exit_code, done.stderr.strip()) == (code, f"error: {error}")
    done = runner.invoke(services.app, ["up", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (code, {"error": str(error)})


def test_wrong_usage_exits_with_two() -> None:
    assert runner.invoke(services.app, ["up", "--fast"]).exit_code == 2


@pytest.mark.parametrize(("is_healthy", "code", "state"), [(True, 0, "running"), (False, 1, "not healthy")])
def test_status_sets_the_exit_code(monkeypatch: pytest.MonkeyPatch, is_healthy: bool, code: int, state: str) -> None:
    monkeypatch.setattr(installation, "status", lambda _home: status(is_healthy=is_healthy))
    done = runner.invoke(services.app, ["status"])
    assert done.exit_code == code
    assert state in done.stdout
    assert json.loads(runner.invoke(services.app, ["status", "--json"]).stdout)["is_up"] is is_healthy


def test_down_lists_the_stopped_components(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "down", lambda _home, _told: ["scheduler", "postgres"])
    assert runner.invoke(services.app, ["down"]).stdout == "Stopped scheduler, postgres.\n"
    monkeypatch.setattr(installation, "down", lambda _home, _told: [])
    assert runner.invoke(services.app, ["down"]).stdout == "Nothing was running.\n"


@pytest.mark.parametrize(("level", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_doctor_runs_additional_checks_and_fails_only_on_failures(monkeypatch: pytest.MonkeyPatch, level: str, code: int) -> None:
    def check(_home: Path) -> list[Finding]:
        return [Finding(level, "outbox", "[3] files wait", "aisleflow status")]

    monkeypatch.setattr("include.embedded.doctor.doctor", lambda home, checks: [finding for one in checks for finding in one(home)])
    monkeypatch.setattr("include.cli.doctor_checks.EXTRA_CHECKS", [check])
    done = runner.invoke(services.app, ["doctor"])
    assert done.exit_code == code
    assert "[3] files wait" in done.stdout
    found = json.loads(runner.invoke(services.app, ["doctor", "--json"]).stdout)["findings"]
    assert found == [{"level": level, "subject": "outbox", "text": "[3] files wait", "remedy": "aisleflow status"}]
