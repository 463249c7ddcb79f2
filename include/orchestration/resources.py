"""The resources of a task: the warehouse of its Airflow connection, and the storage root."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, cast

from include.config import settings
from include.orchestration.airflow_errors import airflow_errors

if TYPE_CHECKING:  # not while a DAG file is parsed: psycopg and SQLAlchemy import slowly
    import psycopg

    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

WAREHOUSE_CONNECTION = "aisleflow_warehouse"


@contextmanager
def resources() -> Iterator[tuple[Warehouse, Storage]]:
    """Yield the warehouse and the storage of this task; errors inside are converted to Airflow's."""
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

    with airflow_errors():
        configured = settings()
        warehouse = Warehouse(warehouse_url(), configured)
        try:
            yield warehouse, Storage(configured.storage)
        finally:
            warehouse.close()


def warehouse_url() -> str:
    """Return the libpq connection string of the Airflow connection ``aisleflow_warehouse``; its password never leaves the process.

    The provider's hook supports every form of an Airflow connection (extra parameters, cloud tokens). It connects once; the warehouse's
    pool then connects with the parameters that the driver used.

    Raises:
        WarehouseUnavailable: the server does not respond.
    """
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from psycopg import OperationalError
    from psycopg.conninfo import make_conninfo

    from include.warehouse.engine import WarehouseUnavailable

    try:
        with closing(PostgresHook(postgres_conn_id=WAREHOUSE_CONNECTION).get_conn()) as connection:
            used = cast("psycopg.Connection[Any]", connection).info
            return make_conninfo("", **used.get_parameters(), **({"password": used.password} if used.password else {}))
    except OperationalError as error:
        raise WarehouseUnavailable(
            f"the warehouse of the Airflow connection {WAREHOUSE_CONNECTION} does not respond ({str(error).strip()}). "
            "Check that it runs (`aisleflow status`), then clear the task."
        ) from error
