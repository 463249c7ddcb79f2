"""The gate's own tests run the true suite."""

from __future__ import annotations

import pytest

from include.ingestion.checks import suite

_count_broken = suite.count_broken  # as delivered, taken before any test replaces it


@pytest.fixture
def true_suite(make_warehouse: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gate run Great Expectations again (``make_warehouse`` has replaced it by plain counts)."""
    monkeypatch.setattr(suite, "count_broken", _count_broken)
