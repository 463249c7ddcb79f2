"""Loads the statements of ``sql/`` by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import LiteralString, cast

SQL = Path(__file__).parents[2] / "sql"

#: How PostgreSQL plans every statement of a session of ours (docs/decisions/0012-plans-without-luck.md): joins are hashed. Nested loops never
#: end when many rows come where few were expected, and a merge may compare the first column of a key only.
PLANNING = {"enable_nestloop": "off", "enable_mergejoin": "off", "jit": "off"}


@cache
def statement(name: str) -> LiteralString:
    """Return the statement in ``sql/<name>.sql``, e.g. ``publishing/merge_prices``.

    Values are psycopg parameters (``%(file_id)s``); nothing is ever formatted into the text, which is
    why it may pass as a literal.

    Raises:
        FileNotFoundError: no such file (a programming error: a test calls every statement).
    """
    return cast(LiteralString, (SQL / f"{name}.sql").read_text())
