"""A task killed and cleared like by an operator: the warehouse equals an undisturbed one row for row."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live.conftest import Installation, fresh_installation, wait_for

pytestmark = pytest.mark.live

SAMPLE = Path(__file__).parents[2] / "sample"


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[Installation]:
    """A warehouse with the same store-days, ingested undisturbed."""
    with fresh_installation("calm") as calm:
        for retailer in ("aldi", "woolworths", "iga"):
            calm.run("import", *map(str, sample_of(retailer)), expect=None)
        yield calm


@pytest.fixture(scope="module")
def disturbed() -> Iterator[Installation]:
    """A running installation whose tasks are killed."""
    with fresh_installation("kills") as running:
        running.run("up")
        yield running


def sample_of(retailer: str) -> list[Path]:
    """Two store-days of the sample: one store on two nights."""
    return sorted((SAMPLE / "store-days").glob(f"{retailer}-*"))[:2]


def sample_prices(installation: Installation, stores: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return every published row of some stores, without surrogate keys, times of publishing, and the barcode that another retailer may bring later."""
    wanted = [f"{retailer}|{store_id}" for retailer, store_id in stores]
    return installation.query(
        "SELECT to_jsonb(p) - 'product_id' - 'barcode' - 'is_current' - 'changed_at' AS row FROM core.store_price AS p "
        "WHERE retailer || '|' || store_id = ANY(%s) ORDER BY retailer, store_id, sku",
        wanted,
    )


@pytest.mark.parametrize(
    ("task", "retailer", "lock"),
    [
        ("load", "aldi", "SELECT pg_advisory_xact_lock(hashtextextended('aisleflow:file:{file_id}', 0))"),
        ("resolve", "woolworths", "SELECT pg_advisory_xact_lock(hashtextextended('aisleflow:resolve', 0))"),
        ("publish", "iga", "LOCK TABLE core.price IN EXCLUSIVE MODE"),  # blocks writers, not readers
    ],
    ids=["load", "resolve", "publish"],
)
def test_a_killed_and_cleared_task_ends_like_an_undisturbed_one(
    disturbed: Installation, undisturbed: Installation, task: str, retailer: str, lock: str
):
    """A lock makes the task wait at a known point, where it is killed with -9; then it is cleared."""
    staged = disturbed.run("import", "--stage-only", *map(str, sample_of(retailer)))["files"]
    connection = disturbed.connect()
    connection.execute(lock.format(file_id=staged[0]["file_id"]))
    key = f"{retailer}|{staged[0]['night']}"
    disturbed.api.post_asset_event("outbox", partition_key=key)

    run = wait_for(
        lambda: next(
            (
                r
                for r in disturbed.api.list_runs("ingest_prices", limit=5, order_by="-run_after")
                if r["partition_key"] == key and r["state"] == "running"
            ),
            None,
        ),
        "the ingestion run",
    )
    found = wait_for(
        lambda: next(
            (
                t
                for t in disturbed.api.task_instances("ingest_prices", run["dag_run_id"])
                if t["task_id"] == task and t["state"] == "running" and t["pid"]
            ),
            None,
        ),
        f"{task} at work",
    )
    time.sleep(2)  # it has reached the lock
    victim = psutil.Process(found["pid"])
    for process in [*victim.children(recursive=True), victim]:
        os.kill(process.pid, signal.SIGKILL)
    connection.rollback()
    connection.close()

    def settled() -> bool:
        state = next(t["state"] for t in disturbed.api.task_instances("ingest_prices", run["dag_run_id"]) if t["task_id"] == task)
        return state in ("up_for_retry", "failed")

    wait_for(settled, "the detection of the kill by the scheduler")
    disturbed.api.clear("ingest_prices", run["dag_run_id"], [task], downstream=True)
    disturbed.api.wait_for_run("ingest_prices", run["dag_run_id"], quiet_seconds=300)

    stores = [(row["retailer"], row["store_id"]) for row in staged]
    assert sample_prices(disturbed, stores) == sample_prices(undisturbed, stores)
    states = disturbed.query("SELECT state, count(*) AS files FROM ops.staged_file WHERE retailer = %s GROUP BY state", retailer)
    assert not {row["state"] for row in states} & {"waiting", "loaded"}
    files = disturbed.query(
        "SELECT rows, created + updated + unchanged + unavailable + outdated + folded + quarantined AS accounted FROM ops.staged_file WHERE state = 'published'"
    )
    assert all(row["rows"] == row["accounted"] for row in files)
