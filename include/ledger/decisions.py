"""The book of decisions: who decided what about a staged file, when, why and where. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from psycopg.types.json import Jsonb

from include import clock
from include.warehouse.engine import Connection

Choice = Literal["release", "discard", "leave", "unanswered", "recheck", "retract"]
Via = Literal["command line", "Airflow"]


def record(
    connection: Connection,
    file_id: int,
    choice: Choice,
    by: str,
    reason: str,
    via: Via,
    *,
    rule_id: str | None = None,
    lines: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one decision. Belongs into the transaction that carries it out."""
    connection.execute(
        "INSERT INTO ops.decision (file_id, choice, rule_id, lines, decided_by, decision_reason, decided_via, decided_at, detail) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (file_id, choice, rule_id, lines, by, reason, via, clock.now(), Jsonb(dict(detail or {}))),
    )


def decisions_of(connection: Connection, file_id: int) -> list[dict[str, Any]]:
    """Return the decisions about one file, oldest first."""
    rows = connection.execute(
        "SELECT choice, rule_id, lines, decided_by, decision_reason, decided_via, decided_at, detail FROM ops.decision WHERE file_id = %s ORDER BY decision_id",
        (file_id,),
    ).fetchall()
    return [dict(row) for row in rows]
