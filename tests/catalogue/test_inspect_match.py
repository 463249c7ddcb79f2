"""``aisleflow inspect match``: why two SKUs are one product, or not."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from include.cli.main import app
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, gtin, offer

RUN = CliRunner()


@pytest.fixture
def known(warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    flavours = ("Apple", "Pear", "Plum", "Quince")
    store_day("coles", "COL:1", lines=[
        *[offer(f"c{n}", 2, name=f"Zing {word} Yoghurt Tub", brand="Zorbo", size="170g", barcode=gtin(n)) for n, word in enumerate(flavours[:3])],
        offer("c9", 2, name="Zing Quince Yoghurt Tub Thick", brand="Zorbo", size="170g", barcode=None),
        offer("c8", 2, name="Full Cream Milk", brand="Coles", size="2L", barcode=None),
    ])  # fmt: skip
    store_day("iga", "21", lines=[
        *[offer(f"i{n}", 3, name=f"Zorbo Zing Yoghurt {word}", brand="Zorbo", size="170g", barcode=gtin(n) if n < 2 else None) for n, word in enumerate(flavours)],
        offer("i8", 3, name="Full Cream Milk", brand="Pura", size="2L", barcode=None),
        offer("i7", 3, name="Zorbo Zing Yoghurt Apple", brand="Zorbo", size="1kg", barcode=None),
    ])  # fmt: skip
    for retailer in ("coles", "iga"):
        pipeline.ingest(warehouse, storage, retailer)
    return warehouse


def inspect(left: str, right: str) -> dict[str, object]:
    answer = RUN.invoke(app, ["inspect", "match", left, right, "--json"])
    assert answer.exit_code == 0, answer.output
    found: dict[str, object] = json.loads(answer.output)
    return found


def test_two_skus_of_one_product_and_what_speaks_for_it(known: Warehouse) -> None:
    found = inspect("coles:c0", "iga:i0")
    assert (found["is_one_product"], found["shared_barcodes"], found["veto"]) == (True, [gtin(0).zfill(14)], None)
    assert "brand_equal" in str(found["features"]) and found["rivals"]


def test_a_word_more_is_named_and_waits_or_joins_by_its_score(known: Warehouse) -> None:
    found = inspect("coles:c9", "iga:i3")
    assert not found["is_one_product"] and found["veto"] is None and "only left: thick" in str(found["reason"])
    answer = RUN.invoke(app, ["inspect", "match", "coles:c9", "iga:i3"])
    assert answer.exit_code == 0 and "in the warehouse: two products" in answer.output and "probability" in answer.output


@pytest.mark.parametrize(
    ("left", "right", "reason"), [("coles:c0", "iga:i7", "size"), ("coles:c8", "iga:i8", "own_label"), ("coles:c0", "iga:i1", "barcode")]
)
def test_a_veto_is_named(known: Warehouse, left: str, right: str, reason: str) -> None:
    found, turned = inspect(left, right), inspect(right, left)
    assert found["veto"] == turned["veto"] == reason and found["tier"] is None
    assert "never joined by text" in RUN.invoke(app, ["inspect", "match", left, right]).output


def test_two_skus_of_one_retailer_are_no_rivals_of_themselves(known: Warehouse) -> None:
    found = inspect("coles:c0", "coles:c1")
    assert found["veto"] == "barcode"
    assert all(rival["left"] != rival["right"] for rival in found["rivals"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [("c0", "iga:i0", "no SKU"), ("coles:none", "iga:i0", "coles:none is unknown"), ("coles:c0", "coles:c0", "compared with itself")],
)
def test_a_mistake_is_named(known: Warehouse, left: str, right: str, message: str) -> None:
    answer = RUN.invoke(app, ["inspect", "match", left, right])
    assert answer.exit_code == 1 and message in answer.output
