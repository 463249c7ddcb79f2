"""A warehouse for dry runs: steps run on it as on the real one, and nothing is committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from include.warehouse.engine import Connection, Warehouse


class DryRunWarehouse(Warehouse):
    """A warehouse whose transactions are savepoints inside one that is always rolled back."""

    is_dry_run = True

    def __init__(self, warehouse: Warehouse, connection: Connection) -> None:
        """``connection`` has an open transaction of ``warehouse``; see :func:`dry_run`."""
        self.url, self.settings = warehouse.url, warehouse.settings
        self.connection = connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield the connection inside a savepoint: released at the end, rolled back on any error."""
        with self.connection.transaction():
            yield self.connection

    @contextmanager
    def rolled_back(self) -> Iterator[Connection]:
        """Yield the connection inside a savepoint that is always rolled back, after deferred constraints were checked."""
        with self.connection.transaction():
            yield self.connection
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            raise psycopg.Rollback

    def close(self) -> None:
        """Close nothing: the connection is the real warehouse's."""


@contextmanager
def dry_run(warehouse: Warehouse) -> Iterator[DryRunWarehouse]:
    """Yield a dry-run warehouse; all its changes are rolled back at the end."""
    with warehouse.transaction() as connection:
        yield DryRunWarehouse(warehouse, connection)
        raise psycopg.Rollback
