"""A running installation with a night in it, and a Chromium that is logged in as its administrator."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.live.conftest import Installation, fresh_installation
from tests.ui.browser import Browser, running_browser

NIGHT = "2026-11-19"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the program's path; without one the tests are skipped before anything starts."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"there is no Chromium here ({', '.join(PROGRAMS)})")
    return program


@pytest.fixture(scope="session")
def night(chromium: str) -> Iterator[Installation]:
    """An installation after one small night."""
    with fresh_installation("ui") as made:
        made.run("night", "--stores", "1", "--products", "60", "--seed", "11", "--date", NIGHT)
        yield made


@pytest.fixture(scope="session")
def browser(night: Installation, chromium: str) -> Iterator[Browser]:
    """A browser that has logged in by the form."""
    password = json.loads((night.home / "passwords.json").read_text())["admin"]
    with running_browser(chromium) as made:
        made.go(night.api.base_url, "Sign in")
        made.fill("input[name=username]", "admin")
        made.fill("input[name=password]", password)
        made.click("Sign in")
        made.wait_for("Dags")
        yield made
