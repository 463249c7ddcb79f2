"""Connections to the warehouse: one SQLAlchemy engine over psycopg 3."""

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
from include.warehouse.storable_text import store_any_text


class WarehouseUnavailable(TransientError):
    """The server of the warehouse does not respond, or the connection was lost."""


class Connection(psycopg.Connection[DictRow]):
    """A connection to the warehouse. It runs the statements of ``sql/`` by name and reports slow ones."""

    #: Seconds after which a running statement is reported; 0 = never.
    slow_seconds: float = 0

    def run(self, name: str, values: Mapping[str, Any] | None = None) -> psycopg.Cursor[DictRow]:
        """Execute ``sql/<name>.sql``, e.g. ``publishing/merge_prices``, with its parameters.

        Raises:
            psycopg.Error: the database's error; a note has the statement's file and the sizes of its parameters.
        """
        text = statement(name)
        with watched(self, f"sql/{name}.sql", text, values, self.slow_seconds):
            return self.execute(text, values or {})  # without values psycopg would leave %% doubled

    def send(self, name: str, values: Mapping[str, Any]) -> AbstractContextManager[psycopg.Copy]:
        """Begin the ``COPY … TO STDOUT`` in ``sql/<name>.sql``; it is not watched, because its duration depends on the reader."""
        return self.cursor().copy(statement(name), values)


class Warehouse:
    """The warehouse at one libpq URL. It connects when first used."""

    #: True if nothing is ever committed (``include/ingestion/isolation/dry_run.py``).
    is_dry_run = False

    def __init__(self, url: str, settings: Settings) -> None:
        """``url`` is a libpq URL (``postgresql://…``, also with a unix socket in ``host=``)."""
        self.url = url
        self.settings = settings
        # the creator gets the unchanged libpq URL: SQLAlchemy's URLs support fewer forms of a socket path
        self._engine = create_engine(
            "postgresql+psycopg://", creator=self._connect, poolclass=QueuePool, pool_size=2, max_overflow=4, pool_pre_ping=True
        )

    def _connect(self) -> Any:
        options_by_name = {
            "statement_timeout": f"{self.settings.statement_timeout_seconds}s", "TimeZone": "UTC", "lock_timeout": "300s",
            "idle_in_transaction_session_timeout": "900s",
        }  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in (options_by_name | PLANNING).items())
        # never prepared: each execution is planned for its own values and the current statistics
        connection = Connection.connect(self.url, options=options, connect_timeout=10, application_name="aisleflow", prepare_threshold=None)
        store_any_text(connection)
        connection.slow_seconds = self.settings.slow_statement_seconds
        return connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a psycopg connection inside one transaction: committed at the end, rolled back on any error.

        The session uses the project's clock (``aisleflow.now``) and settings (hours for which a price is current, the change log).

        Raises:
            WarehouseUnavailable: the server cannot be reached, or the connection was lost.
        """
        try:
            pooled = self._engine.raw_connection()
        except Exception as error:
            if isinstance(getattr(error, "orig", error), psycopg.OperationalError):
                raise WarehouseUnavailable(
                    f"the warehouse does not respond ({error}). Is it up? `aisleflow status`, then clear the task."
                ) from error
            raise
        try:
            connection: Connection = pooled.driver_connection  # type: ignore[assignment]
            connection.row_factory = dict_row  # not earlier: SQLAlchemy reads the server's version from a tuple
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
            raise WarehouseUnavailable(
                f"the connection to the warehouse was lost ({str(error).strip()}). Uncommitted changes are rolled back, nothing is lost. Is it up? `aisleflow status`. Then repeat the command, or clear the task."
            ) from error
        finally:
            pooled.close()

    def close(self) -> None:
        """Close pooled connections."""
        self._engine.dispose()


def lock(connection: Connection, name: str) -> None:
    """Take a named advisory lock until the transaction ends; waits for its holder.

    The names in use: ``ingest:<retailer>``, ``check:<retailer>``, ``ledger:<retailer>``, ``price-changes``, ``resolve``, ``reconcile``, ``groups:<retailer>``, ``store:<retailer>:<store_id>``,
    ``translation-tables``.
    Where several are taken, the order is: groups, price-changes, resolve, store; rows of files and stores come after them.
    """
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"aisleflow:{name}",))
