"""The installation as its users have it: a scheduler that really schedules, nights over two dates, cleared and killed tasks.

The tests share one installation and build on one another, top to bottom.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

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
        assert row["updated"] > 0.1 * row["unchanged"], f"{row['retailer']}: prices move on Wednesdays"
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


@pytest.mark.parametrize(("task", "lock"), [("resolve", "resolve"), ("publish", "ledger-row")])
def test_a_task_killed_in_the_middle_is_cleared_and_ends_like_an_undisturbed_one(installation: Installation, task: str, lock: str):
    """The task is made to wait at a known point by a lock it needs, killed there with -9, and cleared."""
    store_days = sorted(SAMPLE.glob("**/woolworths*.jsonl.gz" if task == "resolve" else "**/iga*.jsonl.gz"))
    assert store_days, "the sample has store-days of this retailer"
    connection = installation.connect()
    if lock == "resolve":
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('aisleflow:resolve', 0))")
    else:
        connection.execute("LOCK TABLE core.price IN ACCESS EXCLUSIVE MODE")  # publishing waits here, reading what to publish does not
    started = installation.run("import", "--stage-only", *map(str, store_days))
    key = f"{started['files'][0]['retailer']}|{started['files'][0]['night']}"
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

    states = installation.query(
        "SELECT state, count(*) AS files FROM ops.staged_file WHERE retailer = %s GROUP BY state", key.partition("|")[0]
    )
    assert not {row["state"] for row in states} & {"waiting", "loaded"}
    files = installation.query(
        "SELECT rows, created + updated + unchanged + unavailable + outdated + folded + quarantined AS accounted FROM ops.staged_file WHERE state = 'published'"
    )
    assert all(row["rows"] == row["accounted"] for row in files)
