"""The single pass: one scan of the staged batch finds every line that breaks a row rule and marks refused ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString, cast

from psycopg import sql

from include.model.rules import BY_ID, ROW_RULES
from include.warehouse.engine import Connection


def mark_refused(connection: Connection, file_ids: Sequence[int]) -> dict[str, int]:
    """Write the reasons to every line that breaks a ``refuse`` rule; return lines per rule, warnings too.

    Leaves the temporary table ``broken_line`` (file_id, line_number, reasons, warnings) for the store-level
    rules. A batch without a broken line is scanned once and not written to.
    """
    connection.execute("DROP TABLE IF EXISTS broken_line")
    batch = sql.SQL("file_id = ANY({})").format(sql.Literal(list(file_ids)))
    # a table made from a query: the only kind of writing PostgreSQL scans for with several workers
    connection.execute(
        sql.SQL(
            "CREATE TEMPORARY TABLE broken_line ON COMMIT DROP AS "
            "SELECT file_id, line_number, {reasons} AS reasons, {warnings} AS warnings "
            "FROM staging.offer WHERE {batch} AND ({any} OR reasons IS NOT NULL)"
        ).format(
            reasons=_broken("refuse"),
            warnings=_broken("warning"),
            batch=batch,
            any=sql.SQL(" OR ").join(_predicate(rule.predicate) for rule in ROW_RULES),
        )
    )
    connection.execute("ANALYZE broken_line")
    connection.run("quality/mark_reasons")
    found = connection.run("quality/count_broken").fetchall()
    if any(BY_ID[row["rule_id"]].severity == "refuse" for row in found):  # a batch without a refused line is not looked at again
        connection.run("loading/fold_into_accepted", {"file_ids": list(file_ids)})
    return {rule.rule_id: 0 for rule in ROW_RULES} | {row["rule_id"]: row["lines"] for row in found}


def _broken(severity: str) -> sql.Composable:
    cases = [
        sql.SQL("CASE WHEN {} THEN {} END").format(_predicate(rule.predicate), sql.Literal(rule.rule_id))
        for rule in ROW_RULES
        if rule.severity == severity
    ]
    return sql.SQL("array_remove(ARRAY[{}]::text[], NULL)").format(sql.SQL(", ").join(cases))


def _predicate(text: str) -> sql.SQL:
    # rules are constants of this project, never data; psycopg sees no parameters here, so percent signs are free
    return sql.SQL(cast(LiteralString, f"({text})"))
