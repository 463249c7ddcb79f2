"""The installation as its users have it: a scheduler that really schedules, nights over two dates, cleared and killed tasks.

The tests share one installation and build on one another, top to bottom.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from include import clock
from tests.live.conftest import Installation

pytestmark = pytest.mark.live

TUESDAY, WEDNESDAY = "2026-11-17", "2026-11-18"
WORLD = ("--stores", "2", "--products", "300", "--seed", "11")
SAMPLE = Path(__file__).parents[2] / "sample"


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 180) -> Any:
    """Return the condition's value once it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")


def is_proven(report: dict[str, Any]) -> bool:
    verdict = report["verify"]
    return verdict["right"] > 0 and not (
        verdict["wrong"]["count"] or verdict["missing"]["count"] or verdict["extra"]["count"] or verdict["unjudged"]
    )


def test_a_tuesday_is_crawled_published_and_proven(installation: Installation):
    report = installation.run("night", *WORLD, "--date", TUESDAY)

    assert is_proven(report), report["verify"]
    assert report["missing"] == []
    assert {row["retailer"]: (row["planned"], row["crawled"]) for row in report["retailers"]} == dict.fromkeys(
        ("coles", "woolworths", "aldi", "iga"), (2, 2)
    )
    for row in report["retailers"]:
        assert (
            row["offers"]
            == row["created"]
            + row["updated"]
            + row["unchanged"]
            + row["unavailable"]
            + row["outdated"]
            + row["folded"]
            + row["quarantined"]
        )


def test_the_wednesday_after_moves_prices_and_delists_what_is_gone(installation: Installation):
    report = installation.run("night", "--date", WEDNESDAY)

    assert is_proven(report), report["verify"]
    for row in report["retailers"]:
        least_share = 0.01 if row["retailer"] == "aldi" else 0.1  # Aldi's everyday prices move little
        assert row["updated"] > least_share * row["unchanged"], f"{row['retailer']}: prices move on Wednesdays"
        assert row["delisted"] > 0


def test_every_run_of_both_nights_is_green(installation: Installation):
    runs = [run for run in installation.api.list_runs() if run["dag_id"] != "sweep_outbox"]

    assert {run["dag_id"] for run in runs} >= {"discover_stores", "scrape_aldi", "enrich_barcodes", "ingest_prices"}
    assert {run["dag_run_id"]: run["state"] for run in runs if run["state"] != "success"} == {}
    crawl = [
        task
        for run in runs
        if run["dag_id"] == "scrape_aldi"
        for task in installation.api.task_instances("scrape_aldi", run["dag_run_id"])
        if task["task_id"] == "crawl"
    ]
    assert all(task["rendered_map_index"].startswith("G") for task in crawl), "mapped tasks carry the store's name"


@pytest.mark.parametrize("task", ["load", "check", "resolve", "publish"])
def test_clearing_any_task_of_a_past_run_changes_no_price(installation: Installation, task: str):
    before = installation.prices()
    run = next(run for run in installation.api.list_runs("ingest_prices") if run["partition_key"] == f"iga|{TUESDAY}")

    installation.api.clear("ingest_prices", run["dag_run_id"], [task], downstream=True)
    again = installation.api.wait_for_run("ingest_prices", run["dag_run_id"], timeout_seconds=240)

    assert again["state"] == "success"
    assert installation.prices() == before


def test_a_cleared_store_of_a_past_night_is_crawled_afresh_and_stays_true(installation: Installation):
    run = next(run for run in installation.api.list_runs("scrape_iga") if run["partition_key"] == TUESDAY)
    installation.api.clear("scrape_iga", run["dag_run_id"], [("crawl", 0)], downstream=True)
    installation.api.wait_for_run("scrape_iga", run["dag_run_id"], timeout_seconds=240)

    wait_for(
        lambda: not installation.query("SELECT FROM ops.staged_file WHERE state IN ('waiting', 'loaded')"),
        "the new store-day's publication",
    )

    verdict = installation.run("sandbox", "verify")
    assert verdict["is_right"], verdict


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[Installation]:
    """A warehouse into which the same store-days went without a disturbance."""
    home = Path(tempfile.mkdtemp(prefix="aisleflow-calm-"))
    calm = Installation(home)
    try:
        for retailer in ("aldi", "woolworths", "iga"):
            calm.run("import", *map(str, sample_of(retailer)), expect=None)
        yield calm
    finally:
        calm.run("down")
        shutil.rmtree(home, ignore_errors=True)


def sample_of(retailer: str) -> list[Path]:
    """Two store-days of the sample: one store on two nights."""
    return sorted((SAMPLE / "store-days").glob(f"{retailer}-*"))[:2]


def sample_prices(installation: Installation, stores: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return every published row of some stores, without surrogate keys and times of publishing."""
    wanted = [f"{retailer}|{store_id}" for retailer, store_id in stores]
    return installation.query(
        "SELECT to_jsonb(p) - 'product_id' - 'is_current' - 'changed_at' AS row FROM core.store_price AS p "
        "WHERE retailer || '|' || store_id = ANY(%s) ORDER BY retailer, store_id, sku",
        wanted,
    )


@pytest.mark.parametrize(
    ("task", "retailer", "lock"),
    [
        ("load", "aldi", "SELECT pg_advisory_xact_lock(hashtextextended('aisleflow:file:{file_id}', 0))"),
        ("resolve", "woolworths", "SELECT pg_advisory_xact_lock(hashtextextended('aisleflow:resolve', 0))"),
        ("publish", "iga", "LOCK TABLE core.price IN EXCLUSIVE MODE"),  # writing waits, reading does not
    ],
    ids=["load", "resolve", "publish"],
)
def test_a_task_killed_in_the_middle_is_cleared_and_ends_like_an_undisturbed_one(
    installation: Installation, undisturbed: Installation, monkeypatch: pytest.MonkeyPatch, task: str, retailer: str, lock: str
):
    """The task is made to wait at a known point by a lock it needs, killed there with -9, and cleared."""
    monkeypatch.setenv("AISLEFLOW_HOME", str(installation.home))
    clock.set_sandbox_clock(datetime(2026, 11, 18, 9, tzinfo=UTC))  # the sample's Wednesday is not to lie in the future
    staged = installation.run("import", "--stage-only", *map(str, sample_of(retailer)))["files"]
    connection = installation.connect()
    connection.execute(lock.format(file_id=staged[0]["file_id"]))
    key = f"{retailer}|{staged[0]['night']}"
    installation.api.post_asset_event("outbox", partition_key=key)

    run = wait_for(
        lambda: next(
            (
                r
                for r in installation.api.list_runs("ingest_prices", limit=5, order_by="-run_after")
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
                for t in installation.api.task_instances("ingest_prices", run["dag_run_id"])
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
        state = next(t["state"] for t in installation.api.task_instances("ingest_prices", run["dag_run_id"]) if t["task_id"] == task)
        return state in ("up_for_retry", "failed")

    wait_for(settled, "the scheduler's notice of the kill")
    installation.api.clear("ingest_prices", run["dag_run_id"], [task], downstream=True)
    installation.api.wait_for_run("ingest_prices", run["dag_run_id"], timeout_seconds=300)

    stores = [(row["retailer"], row["store_id"]) for row in staged]
    assert sample_prices(installation, stores) == sample_prices(undisturbed, stores)
    states = installation.query("SELECT state, count(*) AS files FROM ops.staged_file WHERE retailer = %s GROUP BY state", retailer)
    assert not {row["state"] for row in states} & {"waiting", "loaded"}
    files = installation.query(
        "SELECT rows, created + updated + unchanged + unavailable + outdated + folded + quarantined AS accounted FROM ops.staged_file WHERE state = 'published'"
    )
    assert all(row["rows"] == row["accounted"] for row in files)
