"""The single pass: one scan of the staged batch finds every line that breaks a row rule, and marks those to refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString, cast

from psycopg import sql

from include.model.rules import ROW_RULES
from include.warehouse.engine import Connection


def mark_refused(connection: Connection, file_ids: Sequence[int]) -> dict[str, int]:
    """Write the reasons to every line that breaks a ``refuse`` rule; return lines per rule, warnings too.

    Leaves the temporary table ``broken_line`` (file_id, line_number, reasons, warnings, has_price) for the rules about
    store-days. A batch without a broken line is scanned once and not written to.
    """
    connection.execute("DROP TABLE IF EXISTS broken_line")
    batch = sql.SQL("file_id = ANY({})").format(sql.Literal(list(file_ids)))
    # a table made from a query: the only kind of writing PostgreSQL scans for with several workers
    connection.execute(
        sql.SQL(
            "CREATE TEMPORARY TABLE broken_line ON COMMIT DROP AS "
            "SELECT file_id, line_number, {reasons} AS reasons, {warnings} AS warnings, price IS NOT NULL AS has_price "
            "FROM staging.offer WHERE {batch} AND ({any} OR reasons IS NOT NULL)"
        ).format(
            reasons=_broken("refuse"),
            warnings=_broken("warning"),
            batch=batch,
            any=sql.SQL(" OR ").join(_predicate(rule.predicate) for rule in ROW_RULES),
        )
    )
    connection.execute("ANALYZE broken_line")
    connection.execute(
        "UPDATE staging.offer AS offer SET reasons = nullif(line.reasons, '{}') FROM broken_line AS line "
        "WHERE offer.file_id = line.file_id AND offer.line_number = line.line_number AND offer.reasons IS DISTINCT FROM nullif(line.reasons, '{}')"
    )
    # a sound line does not fold into a refused one: the first line of each SKU that passes stands for its doubles
    connection.execute(
        "UPDATE staging.offer AS offer SET is_folded = placed.place > 1 "
        "FROM (SELECT twin.file_id, twin.line_number, row_number() OVER (PARTITION BY twin.file_id, twin.sku ORDER BY twin.reasons IS NOT NULL, twin.line_number) AS place "
        "FROM staging.offer AS twin JOIN (SELECT DISTINCT offer.file_id, offer.sku FROM broken_line JOIN staging.offer AS offer USING (file_id, line_number) "
        "WHERE offer.reasons IS NOT NULL AND offer.defects IS NULL AND NOT offer.is_folded AND NOT offer.is_contradicted) AS refused USING (file_id, sku) "
        "WHERE twin.defects IS NULL) AS placed "
        "WHERE offer.file_id = placed.file_id AND offer.line_number = placed.line_number AND offer.is_folded <> (placed.place > 1)"
    )
    found = connection.execute(
        "SELECT rule_id, count(*)::integer AS lines FROM broken_line CROSS JOIN LATERAL unnest(reasons || warnings) AS rule_id GROUP BY rule_id"
    ).fetchall()
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
