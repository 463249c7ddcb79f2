"""One cause, one alert, in a running Airflow: a crawl that fails before it begins, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.conftest import Installation, fresh_installation

pytestmark = pytest.mark.live

NIGHT = "2026-11-18"


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """An installation of its own: that of the other nights serves another world and has alerts."""
    with fresh_installation("alert") as made:
        yield made


def states(installation: Installation, run_id: str) -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in installation.api.task_instances("scrape_aldi", run_id)}


def crawl(installation: Installation, **conf: Any) -> tuple[str, dict[str, str]]:
    run = installation.api.trigger("scrape_aldi", partition_key=NIGHT, conf=conf)
    ended = installation.api.wait_for_run("scrape_aldi", run["dag_run_id"], quiet_seconds=240)
    return ended["state"], states(installation, run["dag_run_id"])


def test_a_store_id_that_does_not_exist_raises_one_alert(installation: Installation):
    installation.run("night", "--stores", "1", "--products", "60", "--seed", "11", "--date", NIGHT)
    assert installation.run("alerts")["alerts"] == []

    state, tasks = crawl(installation, stores=["G999"])
    assert state == "failed"
    assert tasks["plan"] == "failed" and tasks["crawl"] == tasks["run_succeeded"] == "upstream_failed"
    assert {tasks[name] for name in ("emit", "refused", "ask_continue", "crawl_rest", "emit_rest", "every_store_crawled")} <= {
        "skipped",
        "upstream_failed",
    }
    [alert] = installation.run("alerts")["alerts"]
    assert alert["title"].startswith("critical: scrape_aldi.plan failed: aldi has no store G999.")

    state, tasks = crawl(installation)
    assert state == "success" and tasks["every_store_crawled"] == "success" and tasks["run_succeeded"] == "success"
    [row] = installation.query("SELECT source, retailer, end_reason FROM ops.alert WHERE ended_at IS NOT NULL")
    assert (row["source"], row["retailer"]) == ("scrape_aldi.plan", "aldi") and "succeeded" in row["end_reason"]
