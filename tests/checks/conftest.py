"""The gate's own tests run the true suite."""

from __future__ import annotations

import pytest

from include.ingestion.checks import suite
from include.ingestion.checks.suite_helper import SuiteHelper

_start, _helped = SuiteHelper.start, SuiteHelper.count_broken
_count_broken = suite.count_broken  # as delivered, taken before any test replaces it


@pytest.fixture
def true_suite(make_warehouse: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gate run Great Expectations again (``make_warehouse`` has replaced it by plain counts)."""
    monkeypatch.setattr(suite, "count_broken", _count_broken)


@pytest.fixture
def true_helper(true_suite: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the suite's helper be a process again."""
    monkeypatch.setattr(SuiteHelper, "start", _start)
    monkeypatch.setattr(SuiteHelper, "count_broken", _helped)
