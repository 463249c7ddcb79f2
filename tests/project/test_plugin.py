"""The plugin: Airflow loads it, its links have the right targets, its pages serve permitted files to permitted users only."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.api_fastapi.core_api import security
from fastapi.testclient import TestClient

from include.model.offer import Offer
from include.model.store import StoreRef
from include.orchestration.links import DataDocsLink, HeldQuestionLink, StagedFilesLink, StoreOperator
from include.orchestration.scrape import scrape_dag
from include.staging.staged_file import StoreDayWriter
from include.staging.storage import Stage, Storage
from tests.project.files import ROOT

STORE = StoreRef("coles", "COL:401", "Coles <b>Firle</b>", "SA")


def key(dag_id: str, task_id: str) -> SimpleNamespace:
    return SimpleNamespace(dag_id=dag_id, task_id=task_id, run_id="r", map_index=-1)


@pytest.fixture(autouse=True)
def address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://airflow.example/base/")


@pytest.mark.parametrize("path", sorted((ROOT / "plugins").glob("*.py")), ids=lambda path: path.name)
def test_a_plugin_imports_the_task_sdk_airflows_security_and_lower_layers(path: Path) -> None:
    imported = {node.module or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
    allowed = (
        "airflow.sdk",
        "airflow.providers.",
        "airflow.api_fastapi.core_api.security",
        "include.",
        "fastapi",
        "__future__",
        *sys.stdlib_module_names,
    )
    assert not [name for name in imported if not name.startswith(allowed)]


@pytest.mark.slow
def test_airflow_loads_the_plugin_without_its_pages(tmp_path: Path) -> None:
    airflow = {"CORE__PLUGINS_FOLDER": str(ROOT / "plugins"), "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path / 'airflow.db'}"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment = inherited | {f"AIRFLOW__{name}": value for name, value in airflow.items()}
    command = [sys.executable, str(Path(__file__).with_name("plugin_facts.py"))]
    done = subprocess.run(
        command,
        env=environment | {"AIRFLOW_HOME": str(tmp_path), "AISLEFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])

    assert found["alert"] == "critical: ingest_prices.load failed: RuntimeError: disk full", (
        "the callback finds the notifier in the plugins folder"
    )
    assert found["errors"] == {} and "aisleflow" in found["plugins"]
    assert {"Data Docs", "Held data: the question"} <= set(found["links"])
    assert found["apps"]["Aisleflow"] == "/aisleflow"
    assert not found["pages_loaded"], "every component loads the plugin, one serves pages"


@pytest.mark.parametrize("task", [("ingest_prices", "report"), ("ingest_prices", "announce_held"), ("sweep_outbox", "announce_held")])
def test_a_task_that_holds_data_links_to_the_question(task: tuple[str, str]) -> None:
    link = HeldQuestionLink().get_link(None, ti_key=key(*task))
    assert link == "http://airflow.example/base/dags/decide_held/required_actions?response_received=false"


@pytest.mark.parametrize("task", [("ingest_prices", "check"), ("ingest_prices", "report"), ("decide_held", "ask")])
def test_a_task_that_checks_links_to_the_data_docs(task: tuple[str, str]) -> None:
    assert DataDocsLink().get_link(None, ti_key=key(*task)) == "http://airflow.example/base/aisleflow/data-docs/index.html"


def test_other_tasks_have_no_link() -> None:
    for link in (HeldQuestionLink(), DataDocsLink()):
        assert link.get_link(None, ti_key=key("scrape_aldi", "report")) == ""


def test_a_crawled_store_links_to_its_files() -> None:
    dag = scrape_dag("coles", peculiar="# Scrape Coles\n\nCrawls.")
    for name in ("crawl", "crawl_rest"):
        assert [link.name for link in dag.get_task(name).operator_extra_links] == ["Staged files"]
    item = {"store": {"retailer": "coles", "store_id": "COL:401"}}
    task = StoreOperator(task_id="crawl", python_callable=lambda item: item, op_args=[], op_kwargs={"item": item})

    assert (
        StagedFilesLink().get_link(task, ti_key=key("scrape_coles", "crawl"))
        == "http://airflow.example/base/aisleflow/stores/coles/COL%3A401"
    )


class Visitor:
    """An Airflow user with or without the permission to read DAGs."""

    may_read = True


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch, storage: Storage) -> TestClient:
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))
    monkeypatch.setenv("AISLEFLOW_STORAGE_ROOT", storage.url)
    return TestClient(importlib.import_module("aisleflow_pages").app)


@pytest.fixture
def visitor(pages: TestClient, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    found, asked = Visitor(), []

    def is_authorized_dag(*, method: str, details: Any, user: Visitor, **_: Any) -> bool:
        asked.append((method, details.id))
        return user.may_read and asked[-1] == ("GET", "ingest_prices")

    monkeypatch.setattr(security, "get_auth_manager", lambda: SimpleNamespace(is_authorized_dag=is_authorized_dag))
    monkeypatch.setattr("airflow.models.DagModel.get_team_name", lambda dag_id: None)
    app: Any = pages.app
    monkeypatch.setitem(app.dependency_overrides, security.get_user, lambda: found)
    return found


@pytest.mark.parametrize("path", ["/data-docs/index.html", "/stores/coles/COL:401"])
def test_a_page_requires_a_login_and_the_permission_to_read_the_dag(
    pages: TestClient, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, path: str
) -> None:
    assert pages.get(path).status_code == 401
    visitor: Visitor = request.getfixturevalue("visitor")
    visitor.may_read = False

    assert pages.get(path).status_code == 403


def test_only_files_of_the_data_docs_are_served(pages: TestClient, visitor: Visitor, storage: Storage) -> None:
    storage.write("data_docs/index.html", b"<h1>Checks</h1>")
    storage.write("data_docs/static/styles/a.css", b"h1 {}")
    storage.write("outbox/secret.html", b"no page")

    shown = pages.get("/data-docs/index.html")

    assert (shown.status_code, shown.text) == (200, "<h1>Checks</h1>")
    assert shown.headers["content-security-policy"].startswith("sandbox") and shown.headers["content-type"].startswith("text/html")
    assert pages.get("/data-docs/static/styles/a.css").headers["content-type"].startswith("text/css")
    for path in (
        "../outbox/secret.html",
        "%2e%2e/outbox/secret.html",
        "static/%2e%2e/%2e%2e/outbox/secret.html",
        "..%2foutbox%2fsecret.html",
        "/etc/passwd",
        "",
        "static",
        "none.html",
    ):
        assert pages.get(f"/data-docs/{path}").status_code == 404, path


def test_only_styles_need_no_login(pages: TestClient, storage: Storage) -> None:
    storage.write("data_docs/static/a.css", b"h1 {}")
    storage.write("data_docs/index.html", b"<h1>Checks</h1>")

    assert pages.get("/data-docs/static/a.css").status_code == 200
    assert pages.get("/data-docs/static/%2e%2e/index.html").status_code in (401, 404)


def test_a_store_lists_its_files_in_all_stages(pages: TestClient, visitor: Visitor, storage: Storage) -> None:
    for stage, day in ((Stage.ARCHIVE, 17), (Stage.OUTBOX, 18)):
        with StoreDayWriter(storage, stage, STORE, date(2026, 11, day), "run") as writer:
            writer.write(Offer(sku="1", name="Milk", observed_at=datetime(2026, 11, day, tzinfo=UTC), price_current=Decimal(4)))
            writer.publish(complete=True)
    storage.write("refused/coles/COL%3A401/2026-11-16--<x>--0.manifest.json", b"damaged")

    page = pages.get("/stores/coles/COL%3A401").text

    assert page.index("2026-11-18") < page.index("2026-11-17") < page.index("refused/coles")
    assert "&lt;x&gt;" in page and "<x>" not in page
    assert "No file of this store" in pages.get("/stores/coles/COL:402").text
    assert pages.get("/stores/spar/1").status_code == 404
    assert pages.get("/stores/coles/%2e%2e").status_code == 404, "an id cannot climb"
