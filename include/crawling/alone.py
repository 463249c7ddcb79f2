"""Two runs of one crawl: a store is crawled by one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg

from include.crawling.crawl_run import CrawlRun
from include.warehouse.engine import Warehouse, WarehouseUnavailable


@contextmanager
def alone(warehouse: Warehouse, run: CrawlRun) -> Iterator[bool]:
    """Yield whether no other process crawls this store now; the lock ends with this block, or with the process."""
    try:
        connection = psycopg.connect(warehouse.url, autocommit=True, connect_timeout=10, application_name="aisleflow crawl")
    except psycopg.OperationalError as error:
        raise WarehouseUnavailable(
            f"the warehouse does not respond ({error}). Is it up? `aisleflow status`, then clear the task."
        ) from error
    with connection:
        name = f"aisleflow:crawl:{run.store.retailer}:{run.store.store_id}"
        row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (name,)).fetchone()
        yield row == (True,)


def crawled_by_other(warehouse: Warehouse, run: CrawlRun, since: datetime) -> str | None:
    """Return the key of another run that crawled this store completely for the same night; ``None`` without one.

    Args:
        since: only outcomes recorded after this instant of the machine's clock.
    """
    values = {"retailer": run.store.retailer, "store_id": run.store.store_id, "night": run.night, "run_key": run.run_key, "since": since}
    with warehouse.transaction() as connection:
        row = connection.run("crawl/find_other_crawl", values).fetchone()
    return str(row["run_key"]) if row else None
