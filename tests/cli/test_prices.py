"""``aisleflow prices`` and ``coverage``: what a person finds, and how much is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from include.cli.main import app
from include.cli.prices import _with_size
from include.crawling import discovery
from include.ingestion import pipeline
from include.model.store import StoreRecord
from include.readers.search import search_prices
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, gtin, offer

MILK = gtin(1)
#: Melbourne, a suburb 5 km off, Sydney.
PLACES = {"3000": (-37.81, 144.96, "VIC"), "3121": (-37.82, 145.0, "VIC"), "2000": (-33.87, 151.21, "NSW")}


@pytest.fixture
def known(warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Milk of two sizes at two retailers in three places, one of them on special, and other goods."""
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    for retailer, store_id, postcode in (("aldi", "G1", "3000"), ("aldi", "G2", "2000"), ("coles", "COL:1", "3121")):
        latitude, longitude, state = PLACES[postcode]
        record = StoreRecord(
            retailer=retailer, store_id=store_id, online_store_id=None, name=store_id, state=state, postcode=postcode, latitude=latitude, longitude=longitude,
        )  # fmt: skip
        discovery.merge_found_stores(warehouse, retailer, [record])

    def milk(price: float, **more: Any) -> list[Any]:
        return [
            offer("1", price, name="Full Cream Milk 2L", size="2L", barcode=MILK, per_unit_price_string=f"${price / 2:.2f} / 1L", **more),
            offer("2", 1.6, name="Full Cream Milk 1L", size="1 L"),
            offer("3", 2, name="Full Cream Yoghurt 500g", size="500g"),
        ]  # fmt: skip

    store_day("aldi", "G1", lines=milk(3.1))
    store_day("aldi", "G2", state="NSW", lines=milk(3.3))
    store_day("coles", "COL:1", lines=milk(3.0, price_was=4.2, is_on_special=True))
    for retailer in ("aldi", "coles"):
        pipeline.ingest(warehouse, storage, retailer)
    return warehouse


def offered(found: dict[str, Any]) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """Return product → (retailer, lowest, highest price)."""
    return [
        (product["name"], [(price["retailer"], price["price_cents_min"], price["price_cents_max"]) for price in product["prices"]])
        for product in found["products"]
    ]


def test_a_product_is_found_by_words_and_size_with_every_retailers_price(known: Warehouse) -> None:
    assert offered(search_prices(known, "full cream MILKS 2 litres")) == [
        ("Full Cream Milk 2L", [("coles", 300, 300), ("aldi", 310, 330)]),
    ]  # fmt: skip
    [product] = search_prices(known, "milk 2l")["products"]
    coles, aldi = product["prices"]
    assert (coles["stores"], coles["stores_on_special"], coles["was_price_cents"], coles["unit_price_min"], coles["unit_of_measure"]) == (
        1,
        1,
        420,
        1.5,
        "L",
    )
    assert (aldi["stores"], aldi["stores_on_special"], aldi["age_hours"]) == (2, 0, pytest.approx(15.5, abs=24))


def test_words_narrow_and_exclude(known: Warehouse) -> None:
    def names(text: str) -> set[str]:
        return {product["name"] for product in search_prices(known, text)["products"]}

    assert names("full cream") == {"Full Cream Milk 2L", "Full Cream Milk 1L", "Full Cream Yoghurt 500g"}
    assert names("full cream -milk") == {"Full Cream Yoghurt 500g"}
    assert names("milk 3l") == names("bread") == set()


@pytest.mark.parametrize(
    ("place", "prices"),
    [
        ({"state": "nsw"}, [("aldi", 330, 330)]),
        ({"near": "3000"}, [("coles", 300, 300), ("aldi", 310, 310)]),
        ({"near": "3000", "within_km": 1}, [("aldi", 310, 310)]),
        ({"near": "aldi:G2"}, [("aldi", 330, 330)]),
        ({"near": "COL:1"}, [("coles", 300, 300), ("aldi", 310, 310)]),
    ],
)
def test_a_place_narrows_the_stores(known: Warehouse, place: dict[str, Any], prices: list[Any]) -> None:
    assert offered(search_prices(known, "milk 2l", **place)) == [("Full Cream Milk 2L", prices)]


def test_old_prices_count_only_where_there_are_no_current_ones(
    known: Warehouse, storage: Storage, store_day: StoreDays, fixed_clock: Callable[[str], None]
) -> None:
    fixed_clock("2026-11-24T09:00:00+00:00")
    store_day("aldi", "G1", at="2026-11-24T04:30:00+11:00", lines=[offer("1", 2.5, name="Full Cream Milk 2L", size="2L", barcode=MILK)])
    pipeline.ingest(known, storage, "aldi")
    [product] = search_prices(known, "milk 2l")["products"]
    assert [(price["retailer"], price["price_cents_max"], price["is_current"]) for price in product["prices"]] == [
        ("aldi", 250, True), ("coles", 300, False),
    ]  # fmt: skip


def test_the_command_shows_a_table(known: Warehouse) -> None:
    done = CliRunner().invoke(app, ["prices", "full cream milk 2l", "--state", "VIC"])
    assert done.exit_code == 0, done.output
    text = " ".join(done.stdout.split())
    assert "Full Cream Milk 2L coles $3.00 $1.50 / L was $4.20 1" in text and "aldi $3.10 $1.55 / L 1" in text


@pytest.mark.parametrize(
    ("name", "size", "shown"),
    [
        ("Oat Milk 1L", "1 L", "Oat Milk 1L"),
        ("Oat Milk", "1L", "Oat Milk 1L"),
        ("Bananas", "each", "Bananas each"),
        ("Gum 14g", "4x14g", "Gum 14g 4x14g"),
        ("Tea", None, "Tea"),
    ],
)
def test_a_size_is_shown_once(name: str, size: str | None, shown: str) -> None:
    assert _with_size(name, size) == shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2l"], "'2l' names no product"),
        (["milk", "--near", "9999"], "no store has this postcode or id"),
        (["milk", "--state", "XX"], "unknown state 'XX'. Known: NSW"),
    ],
)
def test_what_cannot_be_asked_has_a_reason(known: Warehouse, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["prices", *arguments])
    assert done.exit_code == 2 and said in done.stderr


def test_coverage_counts_stores_offers_age_and_quarantine(known: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path) -> None:
    store_day("aldi", "G1", run_key="again", at="2026-11-18T05:00:00+11:00", lines=[offer("1", 3), offer("9", -1)])
    pipeline.ingest(known, storage, "aldi")
    done = CliRunner().invoke(app, ["coverage", "--json"])
    assert done.exit_code == 0, done.output
    aldi, coles = json.loads(done.stdout)
    assert (aldi["retailer"], aldi["night"], aldi["stores"], aldi["stores_known"], aldi["stores_newest"]) == ("aldi", "2026-11-18", 2, 2, 2)
    assert aldi["quarantine_share"] == pytest.approx(1 / 8) and coles["quarantine_share"] == 0
    assert (coles["offers"], coles["stores"]) == (3, 1) and coles["age_hours"] > 0


@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<svg"), ("html", b"<!DOCTYPE html>"), ("png", b"\x89PNG")])
def test_coverage_is_drawn_without_a_network(known: Warehouse, tmp_path: Path, suffix: str, begins: bytes) -> None:
    target = tmp_path / f"coverage.{suffix}"
    done = CliRunner().invoke(app, ["coverage", "--chart", str(target)])
    assert done.exit_code == 0, done.output
    drawn = target.read_bytes()
    assert drawn.lstrip().startswith(begins)
    if suffix == "html":
        assert b"<script src=" not in drawn, "everything is in the file"
    if suffix == "svg":
        assert b"aldi" in drawn and b"share in quarantine" in drawn


@pytest.mark.parametrize(("target", "said"), [("coverage.xlsx", "drawn as html, svg, png"), ("none/coverage.svg", "there is no folder")])
def test_a_chart_that_cannot_be_drawn_has_a_reason(known: Warehouse, tmp_path: Path, target: str, said: str) -> None:
    done = CliRunner().invoke(app, ["coverage", "--chart", str(tmp_path / target)])
    assert done.exit_code == 2 and said in done.stderr


def test_what_a_price_is_for_and_what_several_cost(known: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    lines = [
        offer("7", 12.5, name="Beef Rump Steak", price_basis="kg"),
        offer("8", 3, name="Rump Steak Sauce", multi_buy_quantity=2, multi_buy_price=5),
    ]
    store_day("aldi", "G3", lines=lines)
    pipeline.ingest(known, storage, "aldi")
    shown = CliRunner().invoke(app, ["prices", "rump steak"]).stdout
    assert "$12.50 per kg" in shown and "2 for $5.00" in shown
