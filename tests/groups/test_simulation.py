"""The simulation of many stores and nights: the figures it judges by are right, and the groups keep their promises in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from include.cli.main import app
from include.groups.comparison import MatchRules
from include.groups.simulated_world import RetailerTruth, World, invented_stores
from include.groups.simulation import NightRow, Simulation, simulate, summarise

SMALL = Simulation(nights=26, budget=20, world=World(products=1_500, split_night=16))
STORES = {retailer: invented_stores(retailer, 0.1) for retailer in ("aldi", "iga", "woolworths")}


@pytest.fixture(scope="module")
def rows() -> list[NightRow]:
    """A small simulation: a tenth of the stores, and of the nightly budget."""
    return simulate(SMALL, STORES)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_rows(rows: list[NightRow]) -> None:
    assert simulate(SMALL, STORES) == rows
    assert simulate(replace(SMALL, seed=2), STORES) != rows


@pytest.mark.slow
def test_groups_save_crawls_and_give_hardly_a_wrong_price(rows: list[NightRow]) -> None:
    result = summarise(rows, SMALL, settled_after=12)
    assert result.false_merges == 0 and all(row.false_merges == 0 for row in rows)
    assert result.saved_share > 0.75, "of 150 stores many are alone in their zone"
    assert result.wrong_share < 0.002
    assert all(row.groups == len(STORES["iga"]) for row in rows if row.retailer == "iga"), "shops with prices of their own stay alone"


@pytest.mark.slow
def test_a_split_zone_is_noticed_and_repaired(rows: list[NightRow]) -> None:
    result = summarise(rows, SMALL)
    assert result.noticed_after is not None and 0 <= result.noticed_after <= SMALL.verification_nights
    assert result.repaired_after is not None and result.repaired_after <= 2
    mixed = [row.night for row in rows if row.mixed_groups]
    assert mixed and mixed[0] == SMALL.world.split_night


@pytest.mark.slow
def test_limits_that_are_too_wide_merge_zones_and_are_seen(rows: list[NightRow]) -> None:
    """The judge of the simulation can fail: with 98 percent neighbouring zones become one group."""
    wide = simulate(replace(SMALL, nights=6, rules=MatchRules(equal_share=0.97)), STORES)
    assert sum(row.false_merges for row in wide) > 0
    assert max(row.wrong_share for row in wide) > 0.001


def test_prices_of_a_zone_are_equal_but_for_local_differences_and_zones_differ_as_stated() -> None:
    truth = RetailerTruth("coles", invented_stores("coles", 0.1), World(products=20_000, gap_share=0), seed=3)
    zones = truth.zones.tolist()
    same = next((0, other) for other in range(1, len(zones)) if zones[other] == zones[0])
    apart = next((0, other) for other in range(1, len(zones)) if zones[other] != zones[0])
    for (left, right), low, high in ((same, 0.0, 0.001), (apart, 0.01, 0.02)):
        prices = truth.prices([left, right])
        assert low <= float((prices[0] != prices[1]).mean()) <= high


@pytest.mark.slow
def test_the_command_prints_the_result_and_draws_the_nights(tmp_path: Path) -> None:
    directory = tmp_path / "directory"
    directory.mkdir()
    (directory / "company.json").write_text(json.dumps([{"model": "company", "pk": 1, "fields": {"name": "Aldi"}}]))
    (directory / "division.json").write_text("[]")
    stores = [
        {"model": "store", "pk": n, "fields": {"company": 1, "division": None, "store_id": f"G{n}", "store_name": f"Aldi {n}", "state": "VIC", "last_updated": "2026-11-01T00:00:00Z"}}
        for n in range(1, 9)
    ]  # fmt: skip
    (directory / "store.json").write_text(json.dumps(stores))
    chart = tmp_path / "nights.svg"
    done = CliRunner().invoke(app, ["groups", "simulate", "--directory", str(directory), "--nights", "4", "--chart", str(chart)])
    assert done.exit_code == 0, done.output
    assert "no store left its group after the split of night 20" in done.output and chart.read_text().startswith("<svg")
    report = json.loads(CliRunner().invoke(app, ["groups", "simulate", "--directory", str(directory), "--nights", "4", "--json"]).stdout)
    assert [(row["night"], row["stores"], row["groups"]) for row in report["nights"]] == [(n, 8, 1) for n in range(1, 5)]
    wrong = CliRunner().invoke(app, ["groups", "simulate", "--chart", str(tmp_path / "nights.gif")])
    assert wrong.exit_code == 2 and "html, svg, png" in wrong.output
