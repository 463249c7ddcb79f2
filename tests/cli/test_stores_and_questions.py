"""Store commands with ids that nobody knows or that a hostile file wrote, and the question about such a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from include.alerts.alerts import held_alert
from include.alerts.held_question import held_question
from include.cli.main import app
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, offer, offers
from tests.warehouse.looking import rows


@pytest.fixture
def call(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on the test's warehouse."""
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_a_store_that_nobody_knows_is_an_error(
    call: Callable[..., Result], warehouse: Warehouse, storage: Storage, store_day: StoreDays
) -> None:
    store_day(store_id="G102", lines=offers(3))
    pipeline.ingest(warehouse, storage, "aldi")
    unknown = call("store", "files", "aldi:G103")
    assert unknown.exit_code == 2
    assert "aldi has no store 'G103' here. Similar ids: G102" in unknown.stderr
    assert call("store", "files", "aldi:G102").exit_code == 0


@pytest.mark.parametrize("name", ["[/b]boom", "[red]R1", "=1+1", "\x1b[2J[bold]"])
def test_a_hostile_store_name_is_listed_as_it_is(
    name: str, call: Callable[..., Result], warehouse: Warehouse, storage: Storage, store_day: StoreDays
) -> None:
    store_day(store_id="G102", lines=offers(3))
    pipeline.ingest(warehouse, storage, "aldi")
    rows(warehouse, "UPDATE core.store SET name = %s RETURNING name", name)
    listed = call("store", "list", "aldi")
    assert listed.exit_code == 0, listed.output
    assert name.replace("\x1b", "\\x1b") in listed.stdout and "\x1b" not in listed.stdout


def test_question_and_alert_show_a_hostile_line_as_text(make_warehouse: Any, storage: Storage, store_day: StoreDays) -> None:
    warehouse = make_warehouse(hold_quarantined_share=0.01)
    store_day(store_id="G102", store_name="[x](javascript:1)", lines=[*offers(5), offer("9", -1, name="<img src=x>\x1b[2J *n*")])
    pipeline.ingest(warehouse, storage, "aldi")
    question = held_question(warehouse, [1])
    alert = held_alert(warehouse, [1], storage)
    for text in (question.subject, question.body, alert.title, alert.body):
        assert "\x1b" not in text
    assert "[x](javascript:1)" in question.subject
    as_markdown = question.body.replace("\\<", "").replace("\\[", "")  # an escaped bracket is no markup
    assert "<img" not in as_markdown and "[x](java" not in as_markdown
