"""Reads ``docker-compose.yaml`` like ``docker compose``: anchors merged, variables substituted."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from typing import Any

import yaml

from tests.project.files import ROOT

COMPOSE_FILE = ROOT / "docker-compose.yaml"

Service = dict[str, Any]

#: ``$$``, ``${NAME}``, ``${NAME-default}``, ``${NAME:-default}``, ``${NAME:?message}``.
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Z][A-Z0-9_]*)(?:(?P<how>:?[-?])(?P<text>[^}]*))?\})")


@cache
def compose() -> dict[str, Any]:
    """Return the file without substituting variables."""
    read: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    return read


def services() -> dict[str, Service]:
    """Return name → service, without substituting variables."""
    found: dict[str, Service] = compose()["services"]
    return found


def variables() -> dict[str, bool]:
    """Return every variable of the file, and whether it has to be set."""
    found: dict[str, bool] = {}
    for part in _VARIABLE.finditer(COMPOSE_FILE.read_text()):
        if part["name"]:
            found[part["name"]] = found.get(part["name"], False) or (part["how"] or "").endswith("?")
    return found


def settled(value: Any, environment: dict[str, str]) -> Any:
    """Return a value of the file with its variables substituted.

    >>> settled(["${A:-x} $$HOME", "${B-y}"], {"B": ""})
    ['x $HOME', '']
    """
    if isinstance(value, dict):
        return {name: settled(part, environment) for name, part in value.items()}
    if isinstance(value, list):
        return [settled(part, environment) for part in value]
    if not isinstance(value, str):
        return value

    def substitute(part: re.Match[str]) -> str:
        if part["dollar"]:
            return "$"
        how, given = part["how"] or "", environment.get(part["name"])
        if given is None or (not given and how.startswith(":")):
            assert not how.endswith("?"), f"{part['name']} is not set: {part['text']}"
            return part["text"] or ""
        return given

    return _VARIABLE.sub(substitute, value)


def new_env() -> dict[str, str]:
    """Return the output of ``docker/new-env.sh`` as a mapping."""
    printed = subprocess.run(["sh", str(ROOT / "docker" / "new-env.sh")], capture_output=True, text=True, check=True).stdout
    lines = [line for line in printed.splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)
