"""The report about barcodes: coverage, what each night gained, and what it cost."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from include import clock
from include.diagnostics.barcodes import draw_barcodes, night_gains, report_barcodes
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, gtin, offer

NIGHT = date(2026, 11, 18)  # of the tests' clock


@pytest.fixture
def night(warehouse: Warehouse, storage: Storage) -> Warehouse:
    """Two retailers: three goods, of which two have a barcode at one of them and one at the other; one claim is refused."""
    stage = StoreDays(storage)
    tea: dict[str, Any]
    rice: dict[str, Any]
    tea, rice = {"name": "Zorbo Tea", "brand": "Zorbo", "size": "100g"}, {"name": "Quux Rice", "brand": "Quux", "size": "1kg"}
    stage("iga", at="2026-11-18T04:00:00+11:00", lines=[offer("i", barcode=gtin(1), **tea), offer("j", barcode=gtin(2), **rice)])
    stage(
        "aldi",
        at="2026-11-18T04:10:00+11:00",
        lines=[offer("1", **tea), offer("2", barcode=gtin(2), **rice), offer("3", size="3kg", barcode=gtin(2))],
    )
    for retailer in ("iga", "aldi"):
        pipeline.ingest(warehouse, storage, retailer)
    return warehouse


def test_coverage_by_retailer_category_and_store(night: Warehouse) -> None:
    found = report_barcodes(night)
    assert [(row["retailer"], row["skus"], row["with_barcode"], row["product_with_barcode"], row["open_conflicts"]) for row in found["retailers"]] == [
        ("aldi", 3, 1, 2, 1), ("iga", 2, 2, 2, 0)
    ]  # fmt: skip
    assert [(row["retailer"], row["category"], row["share"]) for row in found["categories"]] == [
        ("aldi", "Pantry", 0.3333),
        ("iga", "Pantry", 1.0),
    ]
    assert [(row["retailer"], row["share"]) for row in found["stores"]] == [("aldi", 0.3333), ("iga", 1.0)]
    assert report_barcodes(night, "iga")["retailers"] == found["retailers"][1:]


def test_what_a_night_gained(night: Warehouse) -> None:
    with night.transaction() as connection:
        connection.execute(
            "INSERT INTO ops.lookup_night (night, retailer, requests, asked, started_at, finished_at) VALUES (%s, 'aldi', 2, 40, %s, %s)",
            (NIGHT, clock.now(), clock.now()),
        )
        connection.execute(
            "UPDATE core.sku_barcode SET source = 'a look-up', file_id = NULL FROM core.sku WHERE sku.sku_key = sku_barcode.sku_key AND sku = '2'"
        )
    gains = night_gains(night, NIGHT)
    assert {name: gains["aldi"][name] for name in ("skus", "with_barcode", "from_lines", "from_look_ups", "joined", "requests", "requests_per_sku", "requests_per_barcode")} == {
        "skus": 3, "with_barcode": 1, "from_lines": 0, "from_look_ups": 1, "joined": 2, "requests": 2, "requests_per_sku": 0.05, "requests_per_barcode": 2.0
    }  # fmt: skip
    assert (gains["iga"]["from_lines"], gains["iga"]["joined"], gains["iga"]["requests"]) == (2, 0, None)
    assert report_barcodes(night)["nights"] == [gains["aldi"], gains["iga"]] and night_gains(night, date(2026, 11, 19)) == {}


@pytest.mark.parametrize("suffix", ["html", "svg"])
def test_the_nights_are_drawn(night: Warehouse, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"barcodes.{suffix}"
    draw_barcodes(report_barcodes(night)["nights"], target)
    assert "joined across retailers" in target.read_text()
