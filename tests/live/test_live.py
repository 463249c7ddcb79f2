"""A real installation with its scheduler: nights over two dates, cleared and killed tasks.

The tests share one installation and build on one another, top to bottom.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.embedded.airflow_api import FINISHED
from tests.live.conftest import Installation, wait_for

pytestmark = pytest.mark.live

TUESDAY, WEDNESDAY = "2026-11-17", "2026-11-18"
WORLD = ("--stores", "2", "--products", "300", "--seed", "11")
SAMPLE = Path(__file__).parents[2] / "sample"


def is_proven(report: dict[str, Any]) -> bool:
    result = report["verify"]
    return result["right"] > 0 and not (
        result["wrong"]["count"] or result["missing"]["count"] or result["extra"]["count"] or result["not_compared"]
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


def test_the_next_wednesday_changes_prices_and_delists_missing_products(installation: Installation):
    report = installation.run("night", "--date", WEDNESDAY)

    assert is_proven(report), report["verify"]
    for row in report["retailers"]:
        least_share = 0.01 if row["retailer"] == "aldi" else 0.1  # Aldi's everyday prices change rarely
        assert row["updated"] > least_share * row["unchanged"], f"{row['retailer']}: prices change on Wednesdays"
        assert row["delisted"] > 0


def test_every_run_of_both_nights_succeeds(installation: Installation):
    def list_runs() -> list[dict[str, Any]]:
        return [run for run in installation.api.list_runs() if run["dag_id"] != "sweep_outbox"]

    # store groups are maintained after prices are published, and a night does not wait for them
    wait_for(lambda: all(run["state"] in FINISHED for run in list_runs()), "the end of every run", seconds=300)
    runs = list_runs()
    assert {run["dag_id"] for run in runs} >= {"discover_stores", "scrape_aldi", "enrich_barcodes", "ingest_prices"}
    assert {run["dag_run_id"]: run["state"] for run in runs if run["state"] != "success"} == {}
    crawl = [
        task
        for run in runs
        if run["dag_id"] == "scrape_aldi"
        for task in installation.api.task_instances("scrape_aldi", run["dag_run_id"])
        if task["task_id"] == "crawl"
    ]
    assert all(task["rendered_map_index"].startswith("G") for task in crawl), "mapped tasks are labelled with the store's name"


@pytest.mark.parametrize("task", ["load", "check", "resolve", "publish"])
def test_clearing_any_task_of_a_past_run_changes_no_price(installation: Installation, task: str):
    before = installation.prices()
    run = next(run for run in installation.api.list_runs("ingest_prices") if run["partition_key"] == f"iga|{TUESDAY}")

    installation.api.clear("ingest_prices", run["dag_run_id"], [task], downstream=True)
    again = installation.api.wait_for_run("ingest_prices", run["dag_run_id"], quiet_seconds=240)

    assert again["state"] == "success"
    assert installation.prices() == before


def test_a_cleared_store_of_a_past_night_is_crawled_again_and_stays_correct(installation: Installation):
    run = next(run for run in installation.api.list_runs("scrape_iga") if run["partition_key"] == TUESDAY)
    installation.api.clear("scrape_iga", run["dag_run_id"], [("crawl", 0)], downstream=True)
    installation.api.wait_for_run("scrape_iga", run["dag_run_id"], quiet_seconds=240)

    wait_for(
        lambda: not installation.query("SELECT FROM ops.staged_file WHERE state IN ('waiting', 'loaded')"),
        "the new store-day's publication",
    )

    result = installation.run("sandbox", "verify")
    assert result["is_right"], result
