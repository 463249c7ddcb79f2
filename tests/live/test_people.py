"""Decisions in Airflow: a held store-day waits for an operator there; the others are published."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Installation, fresh_installation, wait_for

pytestmark = pytest.mark.live

SAMPLE = Path(__file__).parents[2] / "sample" / "store-days"


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """A running installation with its UI users."""
    with fresh_installation("people") as made:
        made.run("up")
        yield made


def times_a_hundred(source: Path, target: Path) -> Path:
    """Write a store-day whose prices are 100 times too high."""
    with gzip.open(source, "rt") if source.suffix == ".gz" else source.open() as file:
        lines = [json.loads(line) for line in file]
    for line in lines:
        product = line["product"]
        product["price_current"] = product["price_current"] and round(product["price_current"] * 100, 2)
        product["price_was"] = product["price_was"] and round(product["price_was"] * 100, 2)
    target.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return target


def question(installation: Installation) -> dict[str, Any] | None:
    """Return the first waiting task instance of ``decide_held``."""
    for run in installation.api.list_runs("decide_held", limit=5):
        for task in installation.api.task_instances("decide_held", run["dag_run_id"]):
            if task["task_id"] == "ask" and task["state"] == "awaiting_input":
                return {**task, "dag_run_id": run["dag_run_id"]}
    return None


def test_a_held_store_day_is_released_in_airflow_without_delaying_the_others(running: Installation, tmp_path: Path):
    first, second = sorted(SAMPLE.glob("aldi-*"))[:2]
    other = sorted(SAMPLE.glob("iga-*"))[0]
    running.run("import", str(first))
    wrong = times_a_hundred(second, tmp_path / "wrong.jsonl")
    report = running.run("import", "--through-airflow", str(wrong), str(other), expect=3)

    states = {file["retailer"]: file["state"] for file in report["files"]}
    assert states == {"aldi": "held", "iga": "published"}
    held = next(file for file in report["files"] if file["state"] == "held")
    asked = wait_for(lambda: question(running), "the question in Airflow")
    path = f"/dags/decide_held/dagRuns/{asked['dag_run_id']}/taskInstances/ask/{asked['map_index']}/hitlDetails"
    details = running.api._call("GET", path)
    assert "price_scale" in details["subject"] and "aldi" in details["subject"]
    assert "Publication status of the night" in details["body"] and f"| {held['file_id']}, line " in details["body"]

    running.api._call("PATCH", path, body={"chosen_options": ["Release"], "params_input": {"why": "checked at the shelf"}})

    wait_for(
        lambda: running.query("SELECT FROM ops.staged_file WHERE file_id = %s AND state = 'published'", held["file_id"]), "its publication"
    )
    decided = running.query("SELECT decided_by, decision_reason FROM ops.staged_file WHERE file_id = %s", held["file_id"])
    assert decided == [{"decided_by": "admin", "decision_reason": "checked at the shelf"}]
    alerts = running.run("alerts")
    assert any("price_scale" in json.dumps(alert) for alert in alerts.get("alerts", alerts)), "the inbox has its alert"

    red = next(run for run in running.api.list_runs("ingest_prices") if run["state"] == "failed")
    running.api.clear("ingest_prices", red["dag_run_id"], ["report"], downstream=True)
    assert running.api.wait_for_run("ingest_prices", red["dag_run_id"], quiet_seconds=240)["state"] == "success"
