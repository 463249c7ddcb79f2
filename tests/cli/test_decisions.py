"""``aisleflow catalogue decisions``: joins are listed with what they rest on, and the listed number undoes them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from include.catalogue.matching.match import Tier
from include.cli.main import app
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.catalogue.test_reconcile import found
from tests.ingestion.store_days import StoreDays, offer


@pytest.fixture
def call(warehouse: Warehouse, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on a warehouse with two pairs that the matcher joined and one that a person keeps apart."""
    for retailer, prefix in (("coles", "c"), ("aldi", "a")):
        lines = [offer(f"{prefix}{n}", name=f"{retailer} good number{n}", brand="Quux", size=f"{100 + 9 * n}g") for n in range(3)]
        StoreDays(storage)(retailer, lines=lines, complete=False)
        pipeline.ingest(warehouse, storage, retailer)
    found(warehouse, ("c0", "a0", 0.99, Tier.AUTOMATIC), ("c1", "a1", 0.95, Tier.AUTOMATIC))
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    run = CliRunner()
    assert run.invoke(app, ["catalogue", "separate", "coles:c2", "aldi:a2", "--why", "two goods"]).exit_code == 0
    return lambda *arguments: run.invoke(app, ["catalogue", *arguments])


def listed(answer: Result) -> list[tuple[str, str, str]]:
    assert answer.exit_code == 0, answer.output
    return [(row["sku"], row["other_sku"], row["decided_via"]) for row in json.loads(answer.stdout)["listed"]]


def test_the_joins_of_a_night_are_listed_least_sure_first_and_undone_by_number(call: Callable[..., Result]) -> None:
    scored = [("c1", "a1", "score"), ("c0", "a0", "score")]
    assert listed(call("decisions", "--via", "score", "--since", "2026-11-18", "--json")) == scored
    assert listed(call("decisions", "--via", "person", "--json")) == [("c2", "a2", "command line")]
    assert listed(call("decisions", "--since", "2026-11-19", "--json")) == listed(call("decisions", "--via", "brands", "--json")) == []
    assert sorted(listed(call("decisions", "--json"))) == sorted([*scored, ("c2", "a2", "command line")])
    row = json.loads(call("decisions", "--via", "score", "--limit", "1", "--json").stdout)["listed"][0]
    assert row["score"] == "0.95" and row["evidence"]["features"] == {"brand_equal": 1.0} and row["moves"] == 1
    table = call("decisions", "--via", "score")
    assert "coles good number1" in table.stdout and "same brand; same size" in table.stdout and "catalogue undo" in table.stdout

    assert call("undo", str(row["decision_id"]), "--why", "two goods").exit_code == 0
    assert listed(call("decisions", "--via", "score", "--json")) == scored[1:]
    assert listed(call("decisions", "--via", "score", "--all", "--json")) == scored
    assert "no such decision" in call("decisions", "--via", "release").stdout
