"""Every DAG: imports, explains itself, is owned and tagged, has its tasks in order, and is cheap to parse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from include.orchestration.defaults import OWNER, Tag
from include.retailer_names import RETAILERS
from tests.project.files import ROOT, name_of

pytestmark = pytest.mark.slow

Facts = dict[str, Any]

#: Every DAG there is; a new one is added here, with its order of tasks below where the order matters.
EXPECTED = {
    "discover_stores", "enrich_barcodes", "ingest_prices", "look_up_barcodes", "sweep_outbox", "watch_night",
    "decide_conflicts", "decide_held", "decide_proposals", "maintain_store_groups", "publish_bargains", "reconcile_catalogue",
    *(f"scrape_{retailer}" for retailer in RETAILERS),
}  # fmt: skip

#: Pairs (task, direct follower) without which a DAG would do harm.
ORDER = {
    "ingest_prices": ["load", "check", "resolve", "publish", "report"],
    "decide_conflicts": ["list_questions", "ask", "apply", "close"],
    "decide_proposals": ["list_questions", "ask", "apply", "close"],
    "reconcile_catalogue": ["reconcile", "write_tables"],
    "look_up_barcodes": ["plan", "look_up", "report"],
    "maintain_store_groups": ["health", "compare", "merge", "announce_bargains"],
    "publish_bargains": ["publish", "export"],
    "decide_held": ["list_held", "ask", "apply", "publish"],
    **{f"scrape_{retailer}": ["canary", "plan", "crawl", "emit"] for retailer in RETAILERS},
}

#: A refused store: approval is requested, the refused stores are crawled and announced; a missing decision is checked afterwards.
BOT_WALL = {
    "crawl": {"refused", "every_store_crawled"}, "refused": {"ask_continue", "crawl_rest"}, "ask_continue": {"crawl_rest", "every_store_crawled"},
    "crawl_rest": {"emit_rest", "every_store_crawled"}, "emit_rest": {"every_store_crawled"},
}  # fmt: skip

DAG_FILES = sorted((ROOT / "dags").glob("[!_]*.py"))
DAG_IDS = [path.stem for path in DAG_FILES]

PARTS = ("**Starts**", "**Reads**", "**Writes**", "**Safe to run again**", "**When it fails**")


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """Return Airflow's view of ``dags/``, from a process with a separate home."""
    home = tmp_path_factory.mktemp("airflow")
    airflow = {
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAG_DISCOVERY_SAFE_MODE": "True",  # the default elsewhere: a file without the words "airflow" and "dag" is skipped silently
        "CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment = (
        inherited | {f"AIRFLOW__{name}": value for name, value in airflow.items()} | {"AIRFLOW_HOME": str(home), "PYTHONPATH": str(ROOT)}
    )
    command = [sys.executable, str(Path(__file__).with_name("dag_facts.py")), str(ROOT / "dags")]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found: Facts = json.loads(done.stdout.splitlines()[-1])
    return found


def test_dag_files_import_without_errors(facts: Facts) -> None:
    assert facts["import_errors"] == {}
    assert facts["files"] == [path.name for path in DAG_FILES]


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_a_dags_tasks_are_in_the_module_of_its_name(dag_id: str) -> None:
    built_by = {"decide_conflicts": "choices", "decide_proposals": "choices"}
    module = "scrape" if dag_id.startswith("scrape_") else built_by.get(dag_id, dag_id)
    assert (ROOT / "include" / "orchestration" / f"{module}.py").exists()
    assert (
        f"import {module}" in (ROOT / "dags" / f"{dag_id}.py").read_text()
        or f".{module} import" in (ROOT / "dags" / f"{dag_id}.py").read_text()
    )


def test_a_dag_is_named_after_its_file_and_expected(facts: Facts) -> None:
    assert {dag_id: dag["file"] for dag_id, dag in facts["dags"].items()} == {path.stem: path.name for path in DAG_FILES}
    unexpected, missing = sorted(facts["dags"].keys() - EXPECTED), sorted(EXPECTED - facts["dags"].keys())
    assert not unexpected, f"unexpected {unexpected}: document them, then add them here"
    assert not missing, f"missing {missing}: remove a deleted DAG from this list too"


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_dag_has_a_complete_page_for_operators(facts: Facts, dag_id: str) -> None:
    document = facts["dags"][dag_id]["doc"]
    assert document.startswith("# "), "the docstring begins with a title"
    first = document.split("\n\n")[1]
    assert first
    assert not first.startswith("**"), "the second paragraph states what the DAG does"
    missing = [part for part in PARTS if part not in document]
    assert not missing, f"the page of {dag_id} lacks {missing}. See CONTRIBUTING.md, 'Add a DAG'."
    undocumented = [task for task in facts["dags"][dag_id]["tasks"] if f"`{task}`" not in document]
    assert not undocumented, f"tasks {undocumented} are missing from the table of tasks"


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_dag_is_owned_tagged_and_never_catches_up(facts: Facts, dag_id: str) -> None:
    dag = facts["dags"][dag_id]
    assert dag["tags"]
    assert set(dag["tags"]) <= set(Tag)
    assert {task["owner"] for task in dag["tasks"].values()} == {OWNER}
    assert dag["catchup"] is False
    assert dag["start_date"] is None, "a past start_date runs the DAG immediately when it is unpaused"
    if dag_id != "sweep_outbox":  # it only reads, and skips when no file waits
        assert not dag["starts_when_unpaused"], (
            "the first `make up` would crawl: take the timetable from include/orchestration/timetable.py"
        )
    if dag["schedule"] == "PartitionedAssetTimetable":
        assert dag["max_active_runs"] > 1, "max_active_runs=1 on a consumer of an asset swallows events: take an advisory lock"


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_tasks_have_time_limits_and_mapped_ones_a_name(facts: Facts, dag_id: str) -> None:
    for name, task in facts["dags"][dag_id]["tasks"].items():
        assert task["timeout_seconds"], f"{dag_id}.{name} has no execution_timeout"
        assert task["map_index_template"] or not task["is_mapped"], f"{dag_id}.{name} is mapped without map_index_template"


@pytest.mark.parametrize("dag_id", ORDER)
def test_tasks_have_their_order(facts: Facts, dag_id: str) -> None:
    tasks = facts["dags"][dag_id]["tasks"]
    for task, follower in zip(ORDER[dag_id], ORDER[dag_id][1:], strict=False):
        assert follower in tasks[task]["downstream"], f"{dag_id}: {follower} does not follow {task}"


@pytest.mark.parametrize("retailer", RETAILERS)
def test_a_bot_wall_requests_approval_and_delays_no_crawled_store(facts: Facts, retailer: str) -> None:
    tasks = facts["dags"][f"scrape_{retailer}"]["tasks"]
    for task, followers in BOT_WALL.items():
        assert followers <= set(tasks[task]["downstream"]), f"{task} is followed by {tasks[task]['downstream']}"
    assert not tasks["emit"]["downstream"], "the announcement of staged files waits for no decision"


def test_a_failed_step_of_ingestion_makes_the_run_red(facts: Facts) -> None:
    tasks = facts["dags"]["ingest_prices"]["tasks"]
    assert tasks["every_step_done"]["downstream"] == [], "the leaves of a run decide its state, and `report` runs after any failure"
    assert "every_step_done" in tasks["publish"]["downstream"]


@pytest.mark.parametrize("retailer", RETAILERS)
def test_a_failed_crawl_makes_its_run_red_although_the_report_runs(facts: Facts, retailer: str) -> None:
    tasks = facts["dags"][f"scrape_{retailer}"]["tasks"]
    assert tasks["run_succeeded"]["downstream"] == []
    for task in ("plan", "every_store_crawled"):
        assert "run_succeeded" in tasks[task]["downstream"]


def test_stores_are_crawled_in_the_pool_of_their_retailer(facts: Facts) -> None:
    for retailer in RETAILERS:
        tasks = facts["dags"][f"scrape_{retailer}"]["tasks"]
        crawls = {name: task["pool"] for name, task in tasks.items() if name.startswith("crawl")}
        assert set(crawls.values()) == {f"crawl_{retailer}"}, f"without its pool many tasks request a site in parallel: {crawls}"


@pytest.mark.parametrize("path", DAG_FILES, ids=name_of)
def test_parsing_imports_nothing_heavy(facts: Facts, path: Path) -> None:
    found = facts["heavy_imports"][path.name]
    assert not found, f"parsing {path.name} imports {found}. Move the import into the task's body."
