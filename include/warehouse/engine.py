"""The way to a warehouse connection: one SQLAlchemy engine, psycopg 3 beneath it for ``COPY``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from include import clock
from include.config import Settings
from include.errors import TransientError
from include.warehouse.slow_statements import watched
from include.warehouse.statements import PLANNING, statement


class Connection(psycopg.Connection[DictRow]):
    """A connection to the warehouse. It runs the statements of ``sql/`` by name, and one that takes long says so."""

    #: Seconds after which a running statement is reported; 0 = never.
    slow_seconds: float = 0

    def run(self, name: str, values: Mapping[str, Any] | None = None) -> psycopg.Cursor[DictRow]:
        """Execute ``sql/<name>.sql``, e.g. ``publishing/merge_prices``, with its parameters.

        Raises:
            psycopg.Error: what the database says, with the statement's file and the sizes of its parameters as a note.
        """
        text = statement(name)
        with watched(self, f"sql/{name}.sql", text, values, self.slow_seconds):
            return self.execute(text, values or {})  # without values psycopg would leave %% doubled

    def send(self, name: str, values: Mapping[str, Any]) -> AbstractContextManager[psycopg.Copy]:
        """Begin the ``COPY … TO STDOUT`` in ``sql/<name>.sql``; how long it takes is the reader's affair, so it is not watched."""
        return self.cursor().copy(statement(name), values)


class Warehouse:
    """The warehouse behind one libpq URL. Cheap to make; connects when first used."""

    #: True where nothing is ever committed (``include/ingestion/isolation/dry_run.py``).
    is_dry_run = False

    def __init__(self, url: str, settings: Settings) -> None:
        """``url`` is what libpq takes (``postgresql://…``, a unix socket in ``host=`` included)."""
        self.url = url
        self.settings = settings
        # the creator keeps the libpq URL as it is: SQLAlchemy's own URL form knows fewer spellings of a socket path
        self._engine = create_engine(
            "postgresql+psycopg://", creator=self._connect, poolclass=QueuePool, pool_size=2, max_overflow=4, pool_pre_ping=True
        )

    def _connect(self) -> Any:
        chosen = {
            "statement_timeout": f"{self.settings.statement_timeout_seconds}s", "TimeZone": "UTC", "lock_timeout": "300s",
            "idle_in_transaction_session_timeout": "900s",
        }  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in (chosen | PLANNING).items())
        # never prepared: each execution is planned for its own values and the tables as they are then
        connection = Connection.connect(self.url, options=options, connect_timeout=10, application_name="aisleflow", prepare_threshold=None)
        connection.slow_seconds = self.settings.slow_statement_seconds
        return connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a psycopg connection inside one transaction: committed at the end, rolled back on any error.

        The session follows the project's clock (``aisleflow.now``) and settings (what is current, the change log).

        Raises:
            TransientError: the server cannot be reached, or went away.
        """
        try:
            pooled = self._engine.raw_connection()
        except Exception as error:
            if isinstance(getattr(error, "orig", error), psycopg.OperationalError):
                raise TransientError(
                    f"the warehouse does not answer ({error}). Is it up? `aisleflow status`, then clear the task."
                ) from error
            raise
        try:
            connection: Connection = pooled.driver_connection  # type: ignore[assignment]
            connection.row_factory = dict_row  # only here: SQLAlchemy asks for the server's version in tuples
            with connection.transaction():
                connection.execute(
                    "SELECT set_config('aisleflow.now', %s, true), set_config('aisleflow.current_hours', %s, true), set_config('aisleflow.change_log', %s, true)",
                    (clock.now().isoformat(), str(self.settings.current_hours), "on" if self.settings.change_log else "off"),
                )
                yield connection
        except psycopg.OperationalError as error:
            if not connection.broken:
                raise
            pooled.invalidate()
            raise TransientError(
                f"the warehouse broke the connection ({str(error).strip()}). What was not committed is undone, nothing is lost. Is it up? `aisleflow status`. Then do the same again, or clear the task."
            ) from error
        finally:
            pooled.close()

    def close(self) -> None:
        """Close pooled connections."""
        self._engine.dispose()


def lock(connection: Connection, name: str) -> None:
    """Take a named advisory lock until the transaction ends; waits for whoever holds it.

    The names in use: ``ingest:<retailer>``, ``resolve``, ``store:<store_key>``.
    """
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"aisleflow:{name}",))
