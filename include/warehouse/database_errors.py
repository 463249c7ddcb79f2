"""Classifies database errors: transient, caused by data, or caused by the schema; with PostgreSQL's details.

PostgreSQL's five-character codes decide, not the wording: the server may use another language. No message contains a
connection string: psycopg's message about a failed connection has host and user, but never the password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import psycopg

from include.errors import TerminalError, TransientError
from include.warehouse.statements import statement

#: Transient classes: connection lost, transaction rolled back (deadlock, serialization), insufficient resources
#: (disk, memory, connections), operator intervention, system error.
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57", "58"})
#: lock not available, idle in transaction, idle session.
_TRANSIENT_CODES = frozenset({"55P03", "25P03", "25P04", "57P05"})
#: Classes that a value of a line can cause: data, integrity, limits of an index, a trigger's RAISE, a view's check option.
_DATA_CLASSES = frozenset({"22", "23", "54", "P0", "44", "09", "38", "39"})

_NEXT_STEP = {
    "53100": "The disk is full: free space (aisleflow doctor shows the disk; a lower AISLEFLOW_ARCHIVE_DAYS keeps less)",
    "53200": "The server is out of memory: run fewer tasks in parallel, or give it more",
    "53300": "All connections are in use: wait, or raise max_connections",
    "57014": "A statement took longer than AISLEFLOW_STATEMENT_TIMEOUT_SECONDS: the warning in the log of this task shows the lock it waited for, or its plan",
    "55P03": "Another session holds a lock for long: look at pg_stat_activity (aisleflow warehouse psql) and end the hanging session",
    "40P01": "Two transactions waited for each other (deadlock); one of them was ended",
    "40001": "Two transactions changed the same rows; one of them was ended",
}


@dataclass(frozen=True, slots=True)
class DatabaseErrorInfo:
    """One error with PostgreSQL's fields; missing ones are ``None``."""

    code: str | None
    message: str
    detail: str | None = None
    schema: str | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None
    context: str | None = None
    statement: str | None = None

    @classmethod
    def of(cls, error: psycopg.Error | UnicodeError) -> DatabaseErrorInfo:
        """Extract the fields of an error."""
        if not isinstance(error, psycopg.Error):
            return cls(None, f"text that cannot be stored: {error.__class__.__name__}, {getattr(error, 'reason', error)}")
        diag = error.diag
        message = diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
        statement = next(iter(getattr(error, "__notes__", ())), None)  # Connection.run adds the file
        return cls(
            error.sqlstate, message, diag.message_detail, diag.schema_name, diag.table_name, diag.column_name, diag.constraint_name, diag.context, statement
        )  # fmt: skip

    @property
    def copied_column(self) -> tuple[str, str] | None:
        """Column and value that ``COPY`` was reading, e.g. ``("price", "abc")``."""
        found = re.search(r"COPY \w+, \w+ \d+, \w+ (\w+): \"(.*)\"", self.context or "", re.DOTALL)
        return (found[1], found[2]) if found else None

    @property
    def function(self) -> str | None:
        """The trigger function that raised the error, if one did."""
        found = re.search(r"PL/pgSQL function (\S+?)\(", self.context or "")
        return found[1] if found else None


def database_error(error: BaseException) -> psycopg.Error | UnicodeError | None:
    """Return the database error in an error's chain of causes, if any."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, psycopg.Error | UnicodeEncodeError):
            return seen
        seen = seen.__cause__
    return None


def is_transient(error: psycopg.Error | UnicodeError) -> bool:
    """Return whether the same statement may succeed later."""
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:  # raised by psycopg: a lost connection, or a value it could not encode
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate[:2] in _TRANSIENT_CLASSES or error.sqlstate in _TRANSIENT_CODES


def is_data_error(error: psycopg.Error | UnicodeError) -> bool:
    """Return whether lines can cause the error."""
    if not isinstance(error, psycopg.Error):
        return True
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)
    return error.sqlstate[:2] in _DATA_CLASSES


def raise_unless_data_error(error: psycopg.Error | UnicodeError, operation: str) -> None:
    """Raise an error that lines cannot cause, with the next step.

    Raises:
        TransientError: connection, disk, timeout, lock, deadlock.
        TerminalError: caused by the schema, a privilege or the server.
    """
    info = DatabaseErrorInfo.of(error)
    code = (f", code {info.code}" if info.code else "") + (f", in {info.statement}" if info.statement else "")
    if is_transient(error):
        known = _NEXT_STEP.get(info.code or "", "Is the warehouse up? aisleflow status, aisleflow doctor")
        raise TransientError(
            f"{operation}: the warehouse failed ({info.message}{code}). Nothing of it was written, nothing is lost. {known}. "
            "The task is retried automatically; if it still fails, fix the cause and clear it."
        ) from error
    if not is_data_error(error):
        raise TerminalError(
            f"{operation}: the warehouse does not match this code ({info.message}{code}). Nothing of it was written. "
            f"{_schema_next_step(info.code)} Then clear the task."
        ) from error


def _schema_next_step(code: str | None) -> str:
    if code == "42501":
        return "Its user lacks a privilege: grant it, or connect as the owner of the warehouse."
    if (code or "").startswith("42"):
        return "Bring the schema up to date: aisleflow warehouse migrate. If it is, a table was changed manually: undo that change."
    return "Read the server's log (logs/ below AISLEFLOW_HOME; docker compose logs postgres) for the cause and fix it."


def constraint_of(connection: psycopg.Connection[Any], info: DatabaseErrorInfo) -> tuple[str | None, tuple[str, ...]]:
    """Return the definition and the columns of the constraint or index in an error."""
    if not info.constraint:
        return None, (info.column,) if info.column else ()
    values = {"name": info.constraint, "schema": info.schema, "relation": info.table}
    row = connection.execute(statement("warehouse/describe_constraint"), values).fetchone()
    if row is None:
        return None, (info.column,) if info.column else ()
    definition, columns = (row["definition"], row["columns"]) if isinstance(row, dict) else row
    return definition, tuple(columns)
