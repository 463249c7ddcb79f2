"""Reports slow statements while they run: the lock a statement waits for, or its plan.

One thread of the process checks the running statements once a second; a statement only costs two dictionary operations.
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

_CHECK_EVERY_SECONDS = 1.0
_PLAN_LINES_MAX, _PLAN_COLUMNS_MAX = 40, 160
_QUERY_CHARACTERS = 120
#: The second connection must not wait long for the same lock.
_OPTIONS = " ".join(
    f"-c {name}={value}" for name, value in {"statement_timeout": "5s", "lock_timeout": "2s", "TimeZone": "UTC", **PLANNING}.items()
)


@dataclass(slots=True)
class _Running:
    """One running statement."""

    session: psycopg.ConnectionInfo
    name: str
    text: LiteralString | None
    values: Mapping[str, Any] | None
    started: float
    report_at: float


class _Watcher:
    """The running statements of this process, and the thread that checks them; it starts with the first statement."""

    def __init__(self) -> None:
        self._running: dict[int, _Running] = {}
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def add(self, running: _Running) -> int:
        """Watch a statement; returns its number."""
        number = next(self._numbers)
        self._running[number] = running
        if self._thread is None:
            self._thread = threading.Thread(target=self._check, name="slow statements", daemon=True)
            self._thread.start()
        return number

    def remove(self, number: int) -> None:
        """Stop watching a statement, which has ended."""
        self._running.pop(number, None)

    def _check(self) -> None:
        while True:
            time.sleep(_CHECK_EVERY_SECONDS)
            now = time.monotonic()
            for number, slow in list(self._running.items()):
                if slow.report_at <= now:
                    slow.report_at = float("inf")  # once
                    findings = _inspect(slow)
                    if number in self._running:
                        log.warning("%s has been running for %.0f seconds. %s", slow.name, now - slow.started, findings)


_watcher = _Watcher()
os.register_at_fork(after_in_child=_watcher.__init__)  # type: ignore[misc]  # a forked process has neither the thread nor the statements


@contextmanager
def watched(
    connection: psycopg.Connection[Any], name: str, text: LiteralString | None, values: Mapping[str, Any] | None, slow_seconds: float
) -> Iterator[None]:
    """Report the statement of this context if it takes longer than ``slow_seconds`` (0 = never); its errors get its name.

    Args:
        connection: its connection.
        name: its file, relative to the project's folder.
        text: the statement, to show its plan; ``None``: no plan is shown.
        values: its parameters; only their sizes are shown.
        slow_seconds: duration from which it is reported.
    """
    full_name = f"{name} ({sizes(values)})" if values else name
    now = time.monotonic()
    number = _watcher.add(_Running(connection.info, full_name, text, values, now, now + slow_seconds)) if slow_seconds > 0 else None
    try:
        yield
    except psycopg.Error as error:
        error.add_note(full_name)
        raise
    finally:
        if number is not None:
            _watcher.remove(number)


def sizes(values: Mapping[str, Any]) -> str:
    """Return the names of parameters with the length of lists, never their values.

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


def _inspect(slow: _Running) -> str:
    """Inspect a statement from a second connection: the sessions that block it, else its plan."""
    try:
        with psycopg.connect(
            slow.session.dsn, password=slow.session.password or None, options=_OPTIONS, connect_timeout=5, autocommit=True, row_factory=dict_row,
            application_name="aisleflow slow statement",
        ) as second:  # fmt: skip
            blockers = second.execute(statement("diagnostics/list_blockers"), {"pid": slow.session.backend_pid}).fetchall()
            return " ".join(map(_blocker, blockers)) if blockers else _plan(second, slow)
    except psycopg.Error as error:
        return f"Its locks and plan could not be read ({str(error).strip()}): look at pg_stat_activity (aisleflow warehouse psql)."


def _blocker(row: Mapping[str, Any]) -> str:
    query = " ".join((row["query"] or "").split())
    since = f" since {row['transaction_at']:%Y-%m-%d %H:%M:%S} UTC" if row["transaction_at"] else ""
    return (
        f"It waits for a lock that process {row['pid']} holds ({row['application'] or 'unnamed'}, {row['state']}, in its transaction{since}; its last statement: "
        f"{query[:_QUERY_CHARACTERS] or 'none'}). If that hangs: SELECT pg_terminate_backend({row['pid']}) in aisleflow warehouse psql."
    )


def _plan(second: psycopg.Connection[Any], slow: _Running) -> str:
    works = "It waits for no lock; look at its plan"
    if slow.text is None:
        return f"{works} (aisleflow warehouse psql, EXPLAIN)."
    try:
        lines = [row["QUERY PLAN"] for row in second.execute(cast(LiteralString, f"EXPLAIN {slow.text}"), slow.values).fetchall()]
    except psycopg.Error as error:  # a temporary table is only visible in its own session
        message = (error.diag.message_primary or str(error)).strip()
        return (
            f"{works}; another session cannot get it ({message}). Run ANALYZE for the tables in its header, and add this line to a report."
        )
    plan = "\n".join(line[:_PLAN_COLUMNS_MAX] for line in lines[:_PLAN_LINES_MAX])
    return f"{works}, as of another session now (without rows this transaction wrote):\n{plan}"
