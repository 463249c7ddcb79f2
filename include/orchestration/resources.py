"""What a task works with: the warehouse behind its Airflow connection, the storage root, the key of its run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import Connection

from include.clock import night_of
from include.config import settings
from include.errors import ConfigurationError
from include.orchestration.border import border

if TYPE_CHECKING:  # not while a DAG file is parsed: psycopg and SQLAlchemy take their time
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
    """Return the libpq URL of the Airflow connection ``aisleflow_warehouse``; its password never leaves the process."""
    from psycopg.conninfo import make_conninfo

    connection = Connection.get(WAREHOUSE_CONNECTION)
    extra: dict[str, Any] = json.loads(connection.extra) if connection.extra else {}
    parts = {
        "host": connection.host,
        "port": connection.port,
        "user": connection.login,
        "password": connection.password,
        "dbname": connection.schema,
    }
    return make_conninfo("", **{name: value for name, value in (parts | extra).items() if value})


def run_key(dag_run: Any, params: Any) -> tuple[str | None, str]:
    """Return (retailer or ``None`` for all, night) of a run: its partition key, else its params, else its ``run_after``.

    Never "now": a task cleared on another day must find the same night.

    Raises:
        ConfigurationError: the partition key is not ``retailer|night``.
    """
    key = dag_run.partition_key
    if key:
        retailer, bar, night = key.partition("|")
        if not bar:
            raise ConfigurationError(
                f"partition key {key!r} is not `retailer|night`, e.g. aldi|2026-11-18. Trigger the DAG again with such a key."
            )
        return retailer, night
    return params.get("retailer"), params.get("night") or night_of(dag_run.run_after).isoformat()
