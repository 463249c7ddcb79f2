"""``aisleflow warehouse psql`` hands a password on where no other user sees it."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
from typer.testing import CliRunner

from include.cli import warehouse


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda program, arguments, environment: found.extend([arguments, environment]))
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/psql")
    return found


def test_a_password_is_not_an_argument(executed: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", "postgresql://u:p%40ss@db.example:5433/w?sslmode=require")
    result = CliRunner().invoke(warehouse.app, ["psql", "-c", "SELECT 1", "-A"])

    assert result.exit_code == 0, result.output
    arguments, environment = executed
    assert arguments == ["/usr/bin/psql", "user=u dbname=w host=db.example port=5433 sslmode=require", "-c", "SELECT 1", "-A"]
    assert environment["PGPASSWORD"] == "p@ss"
    assert "PGPASSWORD" not in os.environ


def test_the_superuser_of_another_server_is_not_ours(executed: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", "postgresql://u@db.example/w")
    result = CliRunner().invoke(warehouse.app, ["psql", "--superuser"])

    assert result.exit_code == 2
    assert not executed
