"""Check results for operators: the command and Great Expectations' pages."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from include.cli.main import app
from include.ingestion import pipeline
from include.ingestion.checks import data_docs, results
from include.ingestion.checks.recording import EVALUATIONS_KEPT
from include.model.rules import RETAILER_RULES, ROW_RULES, STORE_DAY_RULES
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, StoreDays, offer, offers
from tests.warehouse.looking import one, rows


@pytest.fixture
def night(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> Warehouse:
    """A store-day that is held, one with a refused line, and one of another retailer, all of one night."""
    store_day(at=TUESDAY, lines=offers(100))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(lines=offers(40))
    store_day(store_id="G2", lines=[*offers(60), *(offer(f"b{number}", -1) for number in range(3)), offer("m", name="NestlÃ©")])
    store_day("iga", "2101", lines=offers(5))
    for retailer in ("aldi", "iga"):
        pipeline.ingest(strict_warehouse, storage, retailer)
    return strict_warehouse


def test_results_of_the_newest_night_list_holding_rules_first(night: Warehouse) -> None:
    newest = results.newest_night(night)
    assert newest == date(2026, 11, 18)
    found = results.results(night, newest)
    assert [(row["retailer"], row["files"], row["lines"], row["held"], row["broken"]) for row in found["checks"]] == [
        ("aldi", 2, 104, 1, {"price_not_positive": 3, "text_damaged": 1}),
        ("iga", 1, 5, 0, {}),
    ]
    shown = [
        (row["store_id"], row["rule_id"], row["scope"], row["severity"], row["is_holding"], row["failed"], row["detail"])
        for row in found["results"]
    ]
    assert shown == [
        ("G1", "row_count", "store_day", "critical", True, 60, "40 SKUs, the median of its last 1 complete store-days is 100"),
        ("G2", "price_not_positive", "row", "refuse", False, 3, "lines 61, 62, 63"),
        ("G2", "text_damaged", "row", "warning", False, 1, "line 64"),
    ]
    assert results.results(night, date(2026, 11, 17), "aldi")["results"] == [] and results.results(night, newest, "iga")["results"] == []
    every = results.results(night, newest, "iga", is_all=True)["results"]
    assert {row["rule_id"] for row in every} == {rule.rule_id for rule in STORE_DAY_RULES} | {
        rule.rule_id for rule in RETAILER_RULES
    } and all(row["is_passed"] for row in every)


def test_a_repeated_check_rewrites_its_row(night: Warehouse, storage: Storage) -> None:
    before = rows(night, "SELECT check_id, broken FROM ops.quality_check ORDER BY 1")
    with night.transaction() as connection:
        connection.execute("UPDATE ops.staged_file SET state = 'loaded', check_version = NULL, decided_by = 'ann' WHERE state = 'held'")
    pipeline.check(night, storage, "aldi")
    assert len(rows(night, "SELECT check_id FROM ops.quality_check")) == len(before), "released: the earlier result is valid"
    with night.transaction() as connection:
        connection.execute("UPDATE ops.quality_check SET catalogue_version = 'older'")
        connection.execute("UPDATE ops.staged_file SET check_version = NULL WHERE state = 'loaded'")
    pipeline.check(night, storage, "aldi")
    after = rows(night, "SELECT check_id, broken FROM ops.quality_check ORDER BY 1")
    assert len(after) == len(before) + 1, "another batch: the published store-day is not in it"
    with night.transaction() as connection:
        connection.execute("UPDATE ops.staged_file SET check_version = NULL WHERE state = 'loaded'")
    pipeline.check(night, storage, "aldi")
    assert rows(night, "SELECT check_id, broken FROM ops.quality_check ORDER BY 1") == after


def test_the_command_prints_them(night: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", night.url)
    run = CliRunner().invoke(app, ["quality", "results"])
    assert run.exit_code == 0 and "row_count" in run.output and "price_not_positive 3" in run.output, run.output
    run = CliRunner().invoke(app, ["quality", "results", "--retailer", "aldi", "--night", "2026-11-17", "--json"])
    shown = json.loads(run.stdout)
    assert (run.exit_code, shown["night"], shown["results"], shown["checks"][0]["lines"]) == (0, "2026-11-17", [], 100)
    assert "all rules passed" in CliRunner().invoke(app, ["quality", "results", "--night", "2026-11-17"]).output
    assert (
        "nothing was checked for the night of 2020-01-01" in CliRunner().invoke(app, ["quality", "results", "--night", "2020-01-01"]).output
    )
    assert CliRunner().invoke(app, ["quality", "results", "--night", "yesterday"]).exit_code == 2


def pages(storage: Storage) -> list[Path]:
    return sorted(Path(storage.full("data_docs/validations")).rglob("*.html"))


def test_pages_of_the_newest_checks_are_published_and_bounded(
    true_suite: None, warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data_docs.address(storage) is None and data_docs.publish(warehouse, storage) is None
    for number in range(EVALUATIONS_KEPT + 1):
        store_day(at=f"2026-11-1{number + 1}T04:30:00+11:00", lines=[offer("1"), offer("2", -number)])
        pipeline.ingest(warehouse, storage, "aldi")
        assert len(pages(storage)) == min(number + 1, EVALUATIONS_KEPT)
    assert one(warehouse, "SELECT count(*) FROM ops.quality_check WHERE evaluation IS NULL") == 1
    url = data_docs.address(storage)
    assert url is not None and url.startswith("file://") and "aldi-2026-11-16" in Path(url.removeprefix("file://")).read_text()
    newest = re.sub(r"<[^>]+>|\s+", " ", pages(storage)[-1].read_text())
    newest = re.sub(r" +", " ", newest)
    assert (
        "price_not_positive: the price is zero or less 1 (store G1, file 6: line 2)" in newest
        and f"Evaluated Expectations {len(ROW_RULES)}" in newest
    )
    size = sum(path.stat().st_size for path in Path(storage.full("data_docs")).rglob("*") if path.is_file())
    assert size < 8_000_000
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    monkeypatch.setenv("AISLEFLOW_STORAGE_ROOT", storage.url)
    assert CliRunner().invoke(app, ["quality", "docs"]).stdout.strip() == url
    assert json.loads(CliRunner().invoke(app, ["quality", "docs", "--json"]).stdout) == {"url": url, "path": url.removeprefix("file://")}


def test_prices_do_not_wait_for_pages(
    true_suite: None, warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(data_docs, "_copy", full)
    store_day(lines=offers(3))
    assert pipeline.ingest(warehouse, storage, "aldi").published.created == 3
    assert "no space left" in caplog.text and "aisleflow quality docs" in caplog.text
