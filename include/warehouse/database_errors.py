"""What a database error means: worth another try, the data's fault, or the schema's; and what PostgreSQL says about it.

PostgreSQL's five-letter codes decide, not the wording: the server may speak another language. Nothing here repeats a
connection string: what psycopg says about a failed connection names host and user, never the password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import psycopg

from include.errors import TerminalError, TransientError
from include.warehouse.statements import statement

#: Classes of codes that pass by themselves: connection lost, transaction rolled back (deadlock, serialization), resources short
#: (disk, memory, connections), a person or a shutdown stepped in, the system below failed.
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57", "58"})
#: lock not available, idle in transaction, idle session.
_TRANSIENT_CODES = frozenset({"55P03", "25P03", "25P04", "57P05"})
#: Classes that a value of a line can cause: data, integrity, limits of an index, a trigger's RAISE, a view's check option.
_DATA_CLASSES = frozenset({"22", "23", "54", "P0", "44", "09", "38", "39"})

_NEXT_STEP = {
    "53100": "The disk is full: free space (aisleflow doctor shows the disk; a lower AISLEFLOW_ARCHIVE_DAYS keeps less)",
    "53200": "The server is out of memory: run less at once, or give it more",
    "53300": "All connections are taken: wait, or raise max_connections",
    "57014": "A statement took longer than AISLEFLOW_STATEMENT_TIMEOUT_SECONDS: the warning in the log of this task says whether it waited for a lock, and whose, or worked, and by which plan",
    "55P03": "Somebody holds a lock for long: look at pg_stat_activity (aisleflow warehouse psql) and end what hangs",
    "40P01": "Two transactions waited for each other (deadlock); one of them was ended",
    "40001": "Two transactions changed the same rows; one of them was ended",
}


@dataclass(frozen=True, slots=True)
class DatabaseErrorInfo:
    """One error as PostgreSQL describes it. Fields it did not fill are ``None``."""

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
        """Take the facts out of an error."""
        if not isinstance(error, psycopg.Error):
            return cls(None, f"text that cannot be stored: {error.__class__.__name__}, {getattr(error, 'reason', error)}")
        diag = error.diag
        message = diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
        statement = next(iter(getattr(error, "__notes__", ())), None)  # Connection.run notes the file
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
    """Return the database's error behind an error, if there is one: itself, or what it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, psycopg.Error | UnicodeEncodeError):
            return seen
        seen = seen.__cause__
    return None


def is_transient(error: psycopg.Error | UnicodeError) -> bool:
    """Say whether the same statement may succeed later."""
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:  # psycopg's own: a lost connection, or a value it could not hand over
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate[:2] in _TRANSIENT_CLASSES or error.sqlstate in _TRANSIENT_CODES


def is_data_error(error: psycopg.Error | UnicodeError) -> bool:
    """Say whether lines can be at fault, so that looking for them is worth while."""
    if not isinstance(error, psycopg.Error):
        return True
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)
    return error.sqlstate[:2] in _DATA_CLASSES


def raise_unless_data_error(error: psycopg.Error | UnicodeError, operation: str) -> None:
    """Raise what no line is to blame for, with the next step.

    Raises:
        TransientError: worth another try: connection, disk, timeout, lock, deadlock.
        TerminalError: the schema, a right or the server is at fault.
    """
    info = DatabaseErrorInfo.of(error)
    code = (f", code {info.code}" if info.code else "") + (f", in {info.statement}" if info.statement else "")
    if is_transient(error):
        known = _NEXT_STEP.get(info.code or "", "Is the warehouse up? aisleflow status, aisleflow doctor")
        raise TransientError(
            f"{operation}: the warehouse gave up ({info.message}{code}). Nothing of it was written, nothing is lost. {known}. "
            "The task is tried again by itself; if it stays red, mend that and clear it."
        ) from error
    if not is_data_error(error):
        raise TerminalError(
            f"{operation}: the warehouse is not as this code expects ({info.message}{code}). Nothing of it was written. "
            f"{_schema_next_step(info.code)} Then clear the task."
        ) from error


def _schema_next_step(code: str | None) -> str:
    if code == "42501":
        return "Its user lacks a right: grant it (the warehouse's owner may do all), or connect as the owner."
    if (code or "").startswith("42"):
        return "Bring the schema up to date: aisleflow warehouse migrate. If that says it is, somebody changed a table by hand: undo it."
    return "Read the server's log (logs/ below AISLEFLOW_HOME; docker compose logs postgres) for the cause and mend it."


def constraint_of(connection: psycopg.Connection[Any], info: DatabaseErrorInfo) -> tuple[str | None, tuple[str, ...]]:
    """Return the definition of the constraint or index an error names, and its columns."""
    if not info.constraint:
        return None, (info.column,) if info.column else ()
    values = {"name": info.constraint, "schema": info.schema, "relation": info.table}
    row = connection.execute(statement("warehouse/describe_constraint"), values).fetchone()
    if row is None:
        return None, (info.column,) if info.column else ()
    definition, columns = (row["definition"], row["columns"]) if isinstance(row, dict) else row
    return definition, tuple(columns)
