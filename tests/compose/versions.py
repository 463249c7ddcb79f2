"""Versions in ``requirements.lock``."""

from __future__ import annotations

import re

from tests.project.files import ROOT


def locked(package: str) -> str:
    """Return a package's version in ``requirements.lock``."""
    found = re.search(rf"^{re.escape(package)}(?:\[[^\]]*\])?==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert found, f"{package} is not in requirements.lock"
    return found[1]
