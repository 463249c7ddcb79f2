"""What a task works with: the warehouse behind its Airflow connection, and the storage root."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, cast

from include.config import settings
from include.errors import TransientError
from include.orchestration.border import border

if TYPE_CHECKING:  # not while a DAG file is parsed: psycopg and SQLAlchemy take their time
    import psycopg

    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

WAREHOUSE_CONNECTION = "aisleflow_warehouse"


@contextmanager
def resources() -> Iterator[tuple[Warehouse, Storage]]:
    """Yield the warehouse and the storage of this task, inside the error border."""
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

    with border():
        configured = settings()
        warehouse = Warehouse(warehouse_url(), configured)
        try:
            yield warehouse, Storage(configured.storage)
        finally:
            warehouse.close()


def warehouse_url() -> str:
    """Return the libpq URL behind the Airflow connection ``aisleflow_warehouse``; its password never leaves the process.

    The provider's hook knows what an Airflow connection may hold (extra parameters, tokens of a cloud). It connects once; what the driver
    then used is what the warehouse's own pool connects with.

    Raises:
        TransientError: the server does not answer.
    """
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from psycopg import OperationalError
    from psycopg.conninfo import make_conninfo

    try:
        with closing(PostgresHook(postgres_conn_id=WAREHOUSE_CONNECTION).get_conn()) as connection:
            used = cast("psycopg.Connection[Any]", connection).info
            return make_conninfo("", **used.get_parameters(), **({"password": used.password} if used.password else {}))
    except OperationalError as error:
        raise TransientError(
            f"the warehouse of the Airflow connection {WAREHOUSE_CONNECTION} does not answer ({str(error).strip()}). "
            "Is it up? `aisleflow status`, then clear the task."
        ) from error
