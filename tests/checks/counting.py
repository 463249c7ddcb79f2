"""The suite's counts without the suite: one query per rule, for tests that are not about Great Expectations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, LiteralString, cast

import psycopg

from include.model.rules import ROW_RULES


def count_broken(url: str, file_ids: Sequence[int], keep: Callable[[dict[str, Any]], object] | None = None) -> dict[str, int]:
    """Count the lines that break each row rule, like ``include.ingestion.checks.suite.count_broken``, without a validation result."""
    broken = {}
    with psycopg.connect(url) as connection:
        for rule in ROW_RULES:
            text = f"SELECT count(*) FROM staging.offer WHERE ({rule.predicate}) AND file_id IN ({', '.join(map(str, file_ids))})"
            row = connection.execute(cast(LiteralString, text)).fetchone()
            assert row is not None
            broken[rule.rule_id] = int(row[0])
    return broken
