"""Triggers ingestion through the running scheduler and waits for the result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from include.cli.output import Progress
from include.errors import TransientError

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.warehouse.engine import Warehouse

#: Given up when nothing has moved for so long.
_QUIET_SECONDS = 900


def ingest_through_airflow(warehouse: Warehouse, file_ids: Sequence[int], show_progress: Progress) -> None:
    """Emit the asset ``outbox`` for every (retailer, night) of the files and wait until the ledger has decided each.

    Raises:
        TransientError: Airflow does not respond, or or no file was decided for 15 minutes.
    """
    from include.config import settings
    from include.embedded.airflow_api import client
    from include.embedded.deadline import Deadline

    if not file_ids:
        return
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_nights", {"file_ids": list(file_ids)}).fetchall()
    api = client(settings().home, patience_seconds=_QUIET_SECONDS)
    for row in rows:
        api.post_asset_event("outbox", partition_key=f"{row['retailer']}|{row['night']}", extra={"from": "aisleflow import"})
    deadline = Deadline(_QUIET_SECONDS)
    while undecided := _count_undecided(warehouse, file_ids):
        show_progress(f"the scheduler is running: {len(file_ids) - undecided} of {len(file_ids)} store-days decided")
        if deadline.is_over(undecided):
            raise TransientError(
                f"{undecided} store-day(s) are undecided, and none was decided for {_QUIET_SECONDS // 60} minutes. Look at the runs of ingest_prices in the Airflow UI."
            )
        time.sleep(1)
    _wait_until_quiet(show_progress)


def _count_undecided(warehouse: Warehouse, file_ids: Sequence[int]) -> int:
    with warehouse.transaction() as connection:
        row = connection.run("ledger/count_undecided", {"file_ids": list(file_ids)}).fetchone()
    assert row is not None
    return int(row["files"])


def _wait_until_quiet(show_progress: Progress) -> None:
    from include.config import settings
    from include.embedded.airflow_api import client

    api = client(settings().home, patience_seconds=_QUIET_SECONDS)
    for run in api.list_runs("ingest_prices", limit=50, order_by="-run_after"):
        if run["state"] in ("queued", "running"):
            api.wait_for_run(
                "ingest_prices",
                run["dag_run_id"],
                quiet_seconds=_QUIET_SECONDS,
                progress=lambda _state, _tasks: show_progress("waiting for the last ingestion runs to end"),
            )
