"""Decisions in Airflow: a held store-day waits for an operator there, the others are published; proposed products are approved and rejected."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ingestion.store_days import gtin
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


def questions(installation: Installation, dag_id: str) -> list[str]:
    """Return the paths of the waiting questions of a DAG, of the newest run first."""
    return [
        f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}/taskInstances/ask/{task['map_index']}/hitlDetails"
        for run in installation.api.list_runs(dag_id, limit=5)
        for task in installation.api.task_instances(dag_id, run["dag_run_id"])
        if task["task_id"] == "ask" and task["state"] == "awaiting_input"
    ]


def answer(installation: Installation, dag_id: str, body: dict[str, Any]) -> None:
    """Answer the waiting questions of a DAG, some seconds after they were asked, as a person would.

    Call it until the outcome is there: Airflow loses an answer that comes before its scheduler has noticed that the task waits, and asks again.
    """
    for path in questions(installation, dag_id):
        time.sleep(5)
        if not installation.api._call("GET", path)["response_received"]:
            installation.api._call("PATCH", path, body=body)


def test_a_held_store_day_is_released_in_airflow_without_delaying_the_others(running: Installation, tmp_path: Path):
    first, second = sorted(SAMPLE.glob("aldi-*"))[:2]
    other = sorted(SAMPLE.glob("iga-*"))[0]
    running.run("import", str(first))
    wrong = times_a_hundred(second, tmp_path / "wrong.jsonl")
    report = running.run("import", "--through-airflow", str(wrong), str(other), expect=3)

    states = {file["retailer"]: file["state"] for file in report["files"]}
    assert states == {"aldi": "held", "iga": "published"}
    held = next(file for file in report["files"] if file["state"] == "held")
    path = wait_for(lambda: questions(running, "decide_held"), "the question in Airflow")[0]
    details = running.api._call("GET", path)
    assert "price_scale" in details["subject"] and "aldi" in details["subject"]
    assert "Publication status of the night" in details["body"] and f"| {held['file_id']}, line " in details["body"]

    def published() -> bool:
        answer(running, "decide_held", {"chosen_options": ["Release"], "params_input": {"why": "checked at the shelf"}})
        return bool(running.query("SELECT FROM ops.staged_file WHERE file_id = %s AND state = 'published'", held["file_id"]))

    wait_for(published, "its publication")
    decided = running.query("SELECT decided_by, decision_reason FROM ops.staged_file WHERE file_id = %s", held["file_id"])
    assert decided == [{"decided_by": "admin", "decision_reason": "checked at the shelf"}]
    alerts = running.run("alerts")
    assert any("price_scale" in json.dumps(alert) for alert in alerts.get("alerts", alerts)), "the inbox has its alert"

    red = next(run for run in running.api.list_runs("ingest_prices") if run["state"] == "failed")
    running.api.clear("ingest_prices", red["dag_run_id"], ["report"], downstream=True)
    assert running.api.wait_for_run("ingest_prices", red["dag_run_id"], quiet_seconds=240)["state"] == "success"


def store_day(folder: Path, retailer: str, store_id: str, *goods: tuple[str, str, str]) -> str:
    """Write a store-day of goods (SKU, name, barcode); return its path."""
    metadata = {"company": retailer, "store_id": store_id, "state": "VIC", "scraped_at": "2026-11-18T05:00:00+11:00"}
    lines = [
        {"product": {"sku": sku, "name": name, "size": "100g", "barcode": code, "price_current": 2.5}, "metadata": metadata}
        for sku, name, code in goods
    ]
    path = folder / f"{retailer}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_proposed_products_are_decided_in_airflow_and_the_alert_ends(running: Installation, tmp_path: Path):
    running.run("import", store_day(tmp_path, "coles", "COL:9", ("x1", "Zorbo Leaf Tea", gtin(801)), ("x2", "Quux Rice Flour", gtin(802))))
    running.run("import", store_day(tmp_path, "iga", "9009", ("y1", "Zorbo Leaf Tea", gtin(803)), ("y2", "Quux Rice Flour", gtin(804))))
    waiting = {
        row["sku"]: row["proposal_id"]
        for row in running.run("catalogue", "proposals", "--limit", "1000")["listed"]
        if row["sku"] in ("x1", "x2")
    }
    assert len(waiting) == 2, "the same keys, other barcodes"

    run_id = running.api.trigger("decide_proposals", conf={"retailer": "coles"})["dag_run_id"]  # the samples of others may be proposed, too
    choices = {f"proposal_{waiting['x1']}": "approve", f"proposal_{waiting['x2']}": "reject"}
    [path] = wait_for(lambda: questions(running, "decide_proposals"), "the form in Airflow")
    details = running.api._call("GET", path)
    assert "| one | other | barcodes |" in details["body"] and choices.keys() <= details["params"].keys()

    def is_over() -> bool:
        answer(running, "decide_proposals", {"chosen_options": ["Record"], "params_input": choices | {"why": "compared the packs"}})
        return running.api.run("decide_proposals", run_id)["state"] in ("success", "failed")

    wait_for(is_over, "the end of the questions about proposals", seconds=300)
    assert running.api.run("decide_proposals", run_id)["state"] == "success"
    [alert] = [row for row in running.run("alerts")["alerts"] if re.match("warning: .*may be one: decide by", row["title"])]
    assert "AEDT" in alert["title"] and "UTC" in alert["title"] and "aisleflow catalogue proposals approve" in alert["body"]

    products = {row["sku"]: row["product_id"] for row in running.query("SELECT sku, product_id FROM core.sku WHERE sku ~ '^[xy][12]$'")}
    assert products["x1"] == products["y1"] and products["x2"] != products["y2"]
    made = [row for row in running.run("catalogue", "decisions", "--via", "person")["listed"] if row["sku"] in ("x1", "x2")]
    assert {row["choice"] for row in made} == {"join", "apart"}
    assert {(row["decided_by"], row["decision_reason"]) for row in made} == {("admin", "compared the packs")}
    [ended] = running.query("SELECT item, ended_at, end_told_at FROM ops.alert WHERE title LIKE %s", "%may be one: decide by%")
    assert ended["item"] == "proposal" and ended["ended_at"] is not None and ended["end_told_at"] is not None
