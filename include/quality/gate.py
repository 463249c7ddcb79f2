"""The gate between staged and published: marks the lines to refuse, holds the store-days to hold."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import LiteralString, cast

from psycopg import sql

from include import clock
from include.config import Settings
from include.errors import TerminalError
from include.quality import suite
from include.quality.rules import BY_ID, CATALOGUE_VERSION, ROW_RULES, STORE_DAY_RULES
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.statements import statement

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found: lines per broken rule over the batch, and the reason of each store-day held."""

    files: int = 0
    broken: dict[str, int] = field(default_factory=dict)
    held: dict[int, str] = field(default_factory=dict)


def check(warehouse: Warehouse, retailer: str) -> CheckReport:
    """Check every loaded, not yet checked store-day of a retailer as one batch.

    Marks lines to refuse in ``staging.offer``, keeps all results, sets store-days that break a store-level
    rule to ``held`` (unless a person released them). Safe to repeat: checked files are not checked again.

    Raises:
        TerminalError: suite and single pass disagree: the catalogue is broken, nothing was marked.
    """
    with warehouse.transaction() as connection:
        lock(connection, f"check:{retailer}")
        rows = connection.execute(
            "SELECT file_id FROM ops.staged_file JOIN staging.loaded_file USING (file_id) "
            "WHERE retailer = %s AND state = 'loaded' AND check_version IS DISTINCT FROM %s ORDER BY file_id",
            (retailer, CATALOGUE_VERSION),
        ).fetchall()
        file_ids = [int(row["file_id"]) for row in rows]
        if not file_ids:
            return CheckReport()
        broken = mark_refused(connection, file_ids)
        # the suite reads with a connection of its own: it sees the staged rows, which marking does not change
        expected = suite.count_broken(warehouse.url, file_ids)
        if expected != broken:
            differ = {rule: (expected[rule], broken[rule]) for rule in expected if expected[rule] != broken[rule]}
            raise TerminalError(
                f"the suite and the single pass disagree on {differ} (suite, pass). Correct the predicates in include/quality/rules.py; nothing was marked."
            )
        _record_rows(connection, file_ids)
        held = _judge_store_days(connection, file_ids, warehouse.settings)
        connection.execute(
            "UPDATE ops.staged_file SET check_version = %s, checked_at = %s WHERE file_id = ANY(%s)",
            (CATALOGUE_VERSION, clock.now(), file_ids),
        )
        return CheckReport(len(file_ids), {rule: lines for rule, lines in broken.items() if lines}, held)


def mark_refused(connection: Connection, file_ids: Sequence[int]) -> dict[str, int]:
    """Write the reasons to every line that breaks a ``refuse`` rule, in one pass; return lines per rule, warnings too."""
    reasons = sql.SQL(", ").join(
        sql.SQL("CASE WHEN {} THEN {} END").format(_predicate(rule.predicate), sql.Literal(rule.rule_id))
        for rule in ROW_RULES
        if rule.severity == "refuse"
    )
    found = sql.SQL(
        "SELECT file_id, line_number, array_remove(ARRAY[{}], NULL) AS reasons FROM staging.offer WHERE file_id = ANY({})"
    ).format(reasons, sql.Literal(list(file_ids)))
    connection.execute(
        sql.SQL(
            "UPDATE staging.offer AS offer SET reasons = nullif(found.reasons, '{{}}') FROM ({}) AS found "
            "WHERE offer.file_id = found.file_id AND offer.line_number = found.line_number AND offer.reasons IS DISTINCT FROM nullif(found.reasons, '{{}}')"
        ).format(found)
    )
    counts = sql.SQL(", ").join(
        sql.SQL("count(*) FILTER (WHERE {}) AS {}").format(_predicate(rule.predicate), sql.Identifier(rule.rule_id)) for rule in ROW_RULES
    )
    row = connection.execute(
        sql.SQL("SELECT {} FROM staging.offer WHERE file_id = ANY({})").format(counts, sql.Literal(list(file_ids)))
    ).fetchone()
    assert row is not None
    return {rule: int(lines) for rule, lines in row.items()}


def _predicate(text: str) -> sql.SQL:
    # rules are constants of this project, never data; psycopg sees no parameters here, so percent signs are free
    return sql.SQL(cast(LiteralString, f"({text})"))


def _record_rows(connection: Connection, file_ids: Sequence[int]) -> None:
    connection.execute("DELETE FROM ops.data_quality_result WHERE scope = 'row' AND file_id = ANY(%s)", (list(file_ids),))
    connection.execute(
        statement("quality/record_row_results"),
        {
            "file_ids": list(file_ids),
            "rule_ids": [r.rule_id for r in ROW_RULES],
            "severities": [r.severity for r in ROW_RULES],
            "now": clock.now(),
        },
    )


def _judge_store_days(connection: Connection, file_ids: Sequence[int], settings: Settings) -> dict[int, str]:
    thresholds = {
        "row_count_share": settings.hold_row_count_share, "quarantined_share": settings.hold_quarantined_share,
        "category_share": settings.hold_category_share, "scale_share": settings.hold_scale_share,
    }  # fmt: skip
    reasons: dict[int, list[str]] = {}
    for rule in STORE_DAY_RULES:
        for row in connection.execute(
            statement(f"quality/store_day_{rule.rule_id}"), {"file_ids": list(file_ids), **thresholds}
        ).fetchall():
            connection.execute(statement("quality/record_store_day_result"), {**row, "rule_id": rule.rule_id, "now": clock.now()})
            if row["failed"]:
                reasons.setdefault(row["file_id"], []).append(f"{rule.rule_id}: {BY_ID[rule.rule_id].reason} ({row['detail']})")
    held = {}
    for file_id, found in reasons.items():
        reason = "; ".join(found)
        marked = connection.execute(
            "UPDATE ops.staged_file SET state = 'held', state_reason = %s WHERE file_id = %s AND released_by IS NULL RETURNING retailer, store_id, night",
            (reason, file_id),
        ).fetchone()
        if marked is not None:
            held[file_id] = f"{marked['retailer']} {marked['store_id']} of {marked['night']}: {reason}"
            log.warning("held file %s: %s", file_id, held[file_id])
    return held
