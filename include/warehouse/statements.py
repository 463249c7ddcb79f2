"""Loads the statements of ``sql/`` by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import LiteralString, cast

SQL = Path(__file__).parents[2] / "sql"

#: Planner settings of every session (docs/decisions/0012-plans-without-luck.md): joins are hashed. Nested loops take far too long when
#: many rows come instead of the few expected, and a merge join may only compare the first column of a key.
PLANNING = {"enable_nestloop": "off", "enable_mergejoin": "off", "jit": "off"}


@cache
def statement(name: str) -> LiteralString:
    """Return the statement in ``sql/<name>.sql``, e.g. ``publishing/merge_prices``.

    Values are psycopg parameters (``%(file_id)s``); nothing is formatted into the text, so it
    may count as a literal.

    Raises:
        FileNotFoundError: no such file (a programming error: a test runs every statement).
    """
    return cast(LiteralString, (SQL / f"{name}.sql").read_text())
