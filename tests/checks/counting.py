"""The suite's counts without the suite: one query, for tests that are not about Great Expectations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, LiteralString, cast

import psycopg

from include.model.rules import ROW_RULES


def count_broken(url: str, file_ids: Sequence[int], keep: Callable[[dict[str, Any]], object] | None = None) -> dict[str, int]:
    """Count the lines that break each row rule, like ``include.ingestion.checks.suite.count_broken``, without a validation result."""
    counts = ", ".join(f"count(*) FILTER (WHERE {rule.predicate})" for rule in ROW_RULES)
    text = f"SELECT {counts} FROM staging.offer WHERE file_id IN ({', '.join(map(str, file_ids))})"
    with psycopg.connect(url) as connection:
        row = connection.execute(cast(LiteralString, text)).fetchone()
    assert row is not None
    return {rule.rule_id: int(count) for rule, count in zip(ROW_RULES, row, strict=True)}
