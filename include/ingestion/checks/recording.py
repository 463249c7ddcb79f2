"""Records a check and its results per store-day and rule."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from include.ingestion.checks import batch
from include.ingestion.checks.store_days import RuleResult
from include.model.rules import BY_ID, CATALOGUE_VERSION, ROW_RULES
from include.warehouse.engine import Connection

log = logging.getLogger(__name__)

#: Validation results kept for Data Docs, per retailer.
EVALUATIONS_KEPT = 5


def record_check(
    connection: Connection,
    retailer: str,
    file_ids: Sequence[int],
    broken: Mapping[str, int],
    evaluation: dict[str, Any] | None,
    now: datetime,
) -> int:
    """Record a check with its row results (needs the temporary table ``broken_line``); return its id."""
    row = connection.run(
        "quality/record_check",
        {
            "retailer": retailer, "catalogue_version": CATALOGUE_VERSION, "file_ids": list(file_ids), "broken": Jsonb(dict(broken)),
            "evaluation": None if evaluation is None else Jsonb(evaluation), "now": now,
        },
    ).fetchone()  # fmt: skip
    assert row is not None
    connection.run("quality/delete_old_evaluations", {"keep": EVALUATIONS_KEPT})
    connection.run("quality/forget_results", {"file_ids": list(file_ids)})
    connection.run(
        "quality/record_row_results",
        {
            "check_id": row["check_id"],
            "rule_ids": [rule.rule_id for rule in ROW_RULES],
            "severities": [rule.severity for rule in ROW_RULES],
            "now": now,
        },
    )
    return int(row["check_id"])


def record_rule_results(connection: Connection, check_id: int, found: Sequence[tuple[int, RuleResult]], now: datetime) -> None:
    """Record the results of store-level and retailer-level rules for each file."""
    rule_results = [rule_result for _, rule_result in found]
    connection.run(
        "quality/record_results",
        {
            "check_id": check_id,
            "file_ids": [file_id for file_id, _ in found],
            "rule_ids": [rule_result.rule_id for rule_result in rule_results],
            "scopes": ["retailer" if rule_result.rule_id in batch.RULE_IDS else "store_day" for rule_result in rule_results],
            "severities": [BY_ID[rule_result.rule_id].severity for rule_result in rule_results],
            "checked": [rule_result.checked for rule_result in rule_results],
            "failed": [rule_result.failed for rule_result in rule_results],
            "details": [rule_result.detail for rule_result in rule_results],
            "now": now,
        },
    )
