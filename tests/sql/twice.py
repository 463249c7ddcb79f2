"""Executes every statement of ``sql/`` a second time, right after the first and inside the same real flow, and holds it to its header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from include.warehouse.statements import SQL

#: Allowed beginnings of `Run again`, and how each is checked.
PROMISES = {
    "nothing written": "no row of any table is touched the second time",
    "same result": "the same rows are returned, and no row is touched",
    "same rows": "rows may be rewritten, with the values they have",
    "one step further": "a step of a loop: the loop ends when nothing is written",
}

#: Rows written to each table since the transaction began, those of a partition under its parent's name.
_WRITES = """
SELECT coalesce(parent.relname, c.relname),
       sum(pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid))::integer
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid LEFT JOIN pg_class AS parent ON parent.oid = i.inhparent
 WHERE c.relkind IN ('r', 'p') AND (nspname IN ('core', 'staging', 'ops') OR n.oid = pg_my_temp_schema()) GROUP BY 1
"""


def files() -> dict[str, str]:
    """Return every statement file but the migrations, by name."""
    paths = sorted(path for path in SQL.rglob("*.sql") if path.parent.name != "migrations")
    return {path.relative_to(SQL).with_suffix("").as_posix(): path.read_text() for path in paths}


def header(text: str) -> dict[str, str]:
    """Return the header of a statement: ``Called by`` … ``Run again``, continued lines joined.

    >>> header("-- Do.\\n--\\n-- Reads       a.b\\n--             c.d\\n-- Run again   same result\\n\\nSELECT 1")
    {'Reads': 'a.b c.d', 'Run again': 'same result'}
    """
    found: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if match := re.match(r"-- ([A-Z][a-z]+(?: [a-z]+)?) {2,}(\S.*)", line):
            last = match[1]
            found[last] = match[2]
        elif last and (match := re.match(r"-- {6,}(\S.*)", line)):
            found[last] += f" {match[1]}"
    return found


def promise(text: str) -> str:
    """Return which of :data:`PROMISES` a statement makes."""
    declared = header(text).get("Run again", "")
    return next((known for known in PROMISES if declared.startswith(known)), f"unknown: {declared!r}")


@dataclass
class RepeatChecker:
    """The executed statements and the broken promises."""

    executed: set[str] = field(default_factory=set)
    written: dict[str, set[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


@contextmanager
def twice(monkeypatch: pytest.MonkeyPatch) -> Iterator[RepeatChecker]:
    """While active, run each statement twice; the caller gets the first result."""
    names = {text: name for name, text in files().items()}
    seen, execute = RepeatChecker(), psycopg.Connection.execute

    def execute_twice(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        name = names.get(query) if isinstance(query, str) else None
        if name is None:
            return execute(self, query, *values, **options)
        if self.autocommit and self.info.transaction_status == TransactionStatus.IDLE:
            with self.transaction():  # writes are counted within one
                return execute_twice(self, query, *values, **options)
        before = _writes(self)
        first = execute(self, query, *values, **options)
        result = first.fetchall() if first.description else None
        after, rows = _writes(self), _rows(self, query)
        second = execute(self, query, *values, **options)
        again = second.fetchall() if second.description else None
        _compare(seen, name, query, result, again, after, _writes(self), rows, _rows(self, query))
        seen.executed.add(name)
        seen.written.setdefault(name, set()).update(table for table in after if before.get(table) != after[table])
        if first.description and result:
            first.scroll(0, mode="absolute")
        return first

    copy = psycopg.Cursor.copy

    def copy_twice(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        name = names.get(query) if isinstance(query, str) else None
        if name is None:
            return copy(self, query, *values, **options)
        before = _writes(self.connection)
        results: list[list[dict[str, Any]]] = []
        for _ in range(2):
            with copy(self, query, *values, **options) as sent:
                results.append([{"row": bytes(row)} for row in sent])
        _compare(seen, name, query, results[0], results[1], before, _writes(self.connection), {}, {})
        seen.executed.add(name)
        return copy(self, query, *values, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", execute_twice)
    monkeypatch.setattr(psycopg.Cursor, "copy", copy_twice)
    try:
        yield seen
    finally:
        monkeypatch.setattr(psycopg.Connection, "execute", execute)
        monkeypatch.setattr(psycopg.Cursor, "copy", copy)


def _compare(
    seen: RepeatChecker, name: str, text: str, result: Any, again: Any, after: dict[str, int], later: dict[str, int], rows: dict[str, str],
    rows_later: dict[str, str],
) -> None:  # fmt: skip
    kept = promise(text)
    touched = sorted(table for table in later if after.get(table) != later[table])
    changed = sorted(table for table in touched if table not in rows or rows[table] != rows_later[table])
    if kept in ("nothing written", "same result") and touched:
        seen.broken.append(f"{name} promises {kept!r}, but touched {touched}")
    if kept == "same result" and sorted(map(str, result)) != sorted(map(str, again)):
        seen.broken.append(f"{name} promises {kept!r}, but returned {again} after {result}")
    if kept == "same rows" and changed:
        seen.broken.append(f"{name} promises {kept!r}, but changed {changed}")
    for row in again or ():
        if kept == "nothing written" and any(row.get(count) for count in ("created", "updated", "rows_written")):
            seen.broken.append(f"{name} promises {kept!r}, but counts {row}")


def _writes(connection: Any) -> dict[str, int]:
    """Return, per table, the number of rows written since the transaction began, those written with the values they had included."""
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        return dict(cursor.execute(_WRITES).fetchall())


def _rows(connection: Any, text: str) -> dict[str, str]:
    """Return a hash of the rows of each table that a statement writes, if it promises the same rows."""
    if promise(text) != "same rows":
        return {}
    tables = sorted(set(re.findall(r"\b(?:core|staging|ops)\.\w+", header(text)["Writes"])))
    parts = [
        f"SELECT '{table.partition('.')[2]}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} AS t"
        for table in tables
    ]
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        return dict(cursor.execute(cast(LiteralString, " UNION ALL ".join(parts))).fetchall())


def scenarios() -> list[Path]:
    """Return the scenario modules beside this one: each subject adds its own ``scenario_<subject>.py``."""
    return sorted(Path(__file__).parent.glob("scenario_*.py"))
