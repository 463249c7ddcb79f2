"""Says of a statement that takes long, while it runs, whether it waits for a lock, and whose, or works, and by which plan.

One thread of this process looks at the running statements once a second; a statement itself pays two entries in a dictionary.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import psycopg
from psycopg.rows import dict_row

from include.warehouse.statements import PLANNING, statement

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 1.0
_PLAN_LINES_MAX, _PLAN_COLUMNS_MAX = 40, 160
_QUERY_CHARACTERS = 120
#: The second connection must not wait long for what the first one waits for.
_OPTIONS = " ".join(
    f"-c {name}={value}" for name, value in {"statement_timeout": "5s", "lock_timeout": "2s", "TimeZone": "UTC", **PLANNING}.items()
)


@dataclass(slots=True)
class _Running:
    """One statement at work."""

    session: psycopg.ConnectionInfo
    what: str
    text: LiteralString | None
    values: Mapping[str, Any] | None
    began: float
    report_at: float


class _Watcher:
    """The running statements of this process, and the thread that looks at them; it begins with the first statement."""

    def __init__(self) -> None:
        self._running: dict[int, _Running] = {}
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def add(self, running: _Running) -> int:
        """Watch a statement; returns its number."""
        number = next(self._numbers)
        self._running[number] = running
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="slow statements", daemon=True)
            self._thread.start()
        return number

    def remove(self, number: int) -> None:
        """It has ended."""
        self._running.pop(number, None)

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_SECONDS)
            now = time.monotonic()
            for number, slow in list(self._running.items()):
                if slow.report_at <= now:
                    slow.report_at = float("inf")  # once
                    said = _said(slow)
                    if number in self._running:
                        log.warning("%s has been running for %.0f seconds. %s", slow.what, now - slow.began, said)


_watcher = _Watcher()
os.register_at_fork(after_in_child=_watcher.__init__)  # type: ignore[misc]  # a forked process has neither the thread nor the statements


@contextmanager
def watched(
    connection: psycopg.Connection[Any], name: str, text: LiteralString | None, values: Mapping[str, Any] | None, slow_seconds: float
) -> Iterator[None]:
    """Report the statement run inside when it takes longer than ``slow_seconds`` (0 = never); its errors carry its name.

    Args:
        connection: it runs on.
        name: the file it stands in, from the project's folder.
        text: of the statement, so that its plan can be shown; ``None``: it has none to show.
        values: its parameters; only their sizes are ever shown.
        slow_seconds: after which it counts as slow.
    """
    what = f"{name} ({sizes(values)})" if values else name
    now = time.monotonic()
    number = _watcher.add(_Running(connection.info, what, text, values, now, now + slow_seconds)) if slow_seconds > 0 else None
    try:
        yield
    except psycopg.Error as error:
        error.add_note(what)
        raise
    finally:
        if number is not None:
            _watcher.remove(number)


def sizes(values: Mapping[str, Any]) -> str:
    """Name parameters with the length of lists and texts, never their values.

    >>> sizes({"retailer": "iga", "file_ids": [1, 2, 3], "is_complete": True, "night": None})
    'retailer, file_ids: 3 values, is_complete, night: null'
    """

    def size(name: str, value: Any) -> str:
        if value is None:
            return f"{name}: null"
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return f"{name}: {len(value)} values"
        return name

    return ", ".join(size(name, value) for name, value in values.items())


def _said(slow: _Running) -> str:
    """Look at a statement from a second connection: who blocks it, else by which plan it works."""
    try:
        with psycopg.connect(
            slow.session.dsn, password=slow.session.password or None, options=_OPTIONS, connect_timeout=5, autocommit=True, row_factory=dict_row,
            application_name="aisleflow slow statement",
        ) as second:  # fmt: skip
            blockers = second.execute(statement("diagnostics/list_blockers"), {"pid": slow.session.backend_pid}).fetchall()
            return " ".join(map(_blocker, blockers)) if blockers else _plan(second, slow)
    except psycopg.Error as error:
        return (
            f"Whether it waits or works could not be found out ({str(error).strip()}): look at pg_stat_activity (aisleflow warehouse psql)."
        )


def _blocker(row: Mapping[str, Any]) -> str:
    query = " ".join((row["query"] or "").split())
    since = f" since {row['transaction_at']:%Y-%m-%d %H:%M:%S} UTC" if row["transaction_at"] else ""
    return (
        f"It waits for a lock that process {row['pid']} holds ({row['application'] or 'unnamed'}, {row['state']}, in its transaction{since}; its last statement: "
        f"{query[:_QUERY_CHARACTERS] or 'none'}). If that hangs: SELECT pg_terminate_backend({row['pid']}) in aisleflow warehouse psql."
    )


def _plan(second: psycopg.Connection[Any], slow: _Running) -> str:
    works = "It waits for nobody: it is at work, so its plan is what to look at"
    if slow.text is None:
        return f"{works} (aisleflow warehouse psql, EXPLAIN)."
    try:
        lines = [row["QUERY PLAN"] for row in second.execute(cast(LiteralString, f"EXPLAIN {slow.text}"), slow.values).fetchall()]
    except psycopg.Error as error:  # a temporary table is seen by its own session only
        said = (error.diag.message_primary or str(error)).strip()
        return f"{works}; another session cannot be shown it ({said}). Say ANALYZE for the tables its header names, and send this line with a report."
    shown = "\n".join(line[:_PLAN_COLUMNS_MAX] for line in lines[:_PLAN_LINES_MAX])
    return f"{works}, as another session sees it now (without rows this transaction wrote):\n{shown}"
