"""Products and barcodes against the goods of the world: a barcode of another good is a fault; wrong and missing joins are counted apart."""

from __future__ import annotations

from typing import Any

import pytest

from include.catalogue import conflicts
from include.ingestion import pipeline
from include.readers.published import last_complete, stream_prices
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from sandbox.verify import verify
from tests.ingestion.store_days import StoreDays
from tests.ingestion.store_days import offer as line
from tests.sandbox.test_sandbox_verify import AT, compare, offer, row
from tests.warehouse.looking import rows

A, B = "9300000000014", "9300000000021"


def test_a_barcode_of_another_good_is_a_fault() -> None:
    truth = [offer("1", 5, barcode=A, identity="b1"), offer("2", 5, barcode=B, identity="b2"), offer("3", 5, identity="b1")]
    right = compare([row("1", 5, barcode=f"0{A}"), row("2", 5, barcode=f"0{B}", product_id=2), row("3", 5, barcode=f"0{A}")], truth)
    assert right.is_right and (right.identity.skus, right.identity.with_barcode) == (3, 3)
    wrong = compare([row("1", 5, barcode=f"0{A}"), row("2", 5, barcode=f"0{A}", product_id=2), row("3", 5)], truth)
    assert not wrong.is_right and wrong.identity.wrong_barcode.samples == [f"coles SKU 2 'Oat Bars': 0{A}, the truth is 0{B}"]
    invented = compare([row("3", 5, barcode=f"0{B}")], [offer("3", 5, identity="b3")])
    assert invented.identity.wrong_barcode.count == 1, "a good without a barcode has none"


def test_wrong_and_missing_joins_are_counted_and_no_faults() -> None:
    truth = [offer("1", 5, identity="b1"), offer("2", 5, identity="b2"), offer("3", 5, identity="b2"), offer("4", 5)]
    found = compare([row("1", 5), row("2", 5), row("3", 5, product_id=3), row("4", 5)], truth)
    assert found.is_right and (found.identity.wrong_joins.count, found.identity.missing_joins.count, found.identity.skus) == (1, 1, 3)
    assert found.identity.wrong_joins.samples == ["coles SKU 1 'Oat Bars' and coles SKU 2 'Oat Bars'"]
    assert "1 wrong joins, 1 missing joins" in "\n".join(found.lines())


def test_a_delisted_sku_is_not_judged() -> None:
    assert compare([row("1", 5, listed=False, barcode=A)], []).identity.skus == 0


@pytest.mark.slow
def test_a_world_without_coles_barcodes_has_no_wrong_code(warehouse: Warehouse, storage: Storage, world: Any) -> None:
    for retailer in ("woolworths", "aldi", "iga", "coles"):
        stage(storage, world, retailer)
        pipeline.ingest(warehouse, storage, retailer)
    found = verify(stream_prices(warehouse), world.truth, last_complete(warehouse))  # type: ignore[arg-type]
    assert found.identity.wrong_barcode.count == 0, found.identity.wrong_barcode.samples
    assert found.identity.skus > 3_000 and found.identity.wrong_joins.count < 20, "loose produce whose size a site does not write"
    assert found.identity.missing_joins.count > 0, "Coles writes names in its own way, and shows no barcode"


@pytest.mark.slow
def test_planted_codes_of_other_goods_are_conflicts_or_found(warehouse: Warehouse, storage: Storage, world: Any) -> None:
    """A wrong code on a SKU that has its own is a conflict and shown nowhere; on a SKU without one it is published, and verify says so."""
    stage(storage, world, "woolworths", hour=3)
    pipeline.ingest(warehouse, storage, "woolworths")
    codes = rows(warehouse, "SELECT sku, gtin FROM core.sku WHERE gtin IS NOT NULL ORDER BY sku LIMIT 40")
    planted = {mine["sku"]: other["gtin"] for mine, other in zip(codes[:20], codes[20:], strict=True)}
    stage(storage, world, "woolworths", hour=4, codes=planted)
    pipeline.ingest(warehouse, storage, "woolworths")
    assert {row["sku"]: row["gtin"] for row in conflicts.list_conflicts(warehouse)} == planted
    found = verify(stream_prices(warehouse), world.truth, last_complete(warehouse))  # type: ignore[arg-type]
    assert found.identity.wrong_barcode.count == 0
    shown = rows(warehouse, "SELECT barcode, contested_barcode FROM core.store_price WHERE sku = ANY (%s)", list(planted))
    assert (
        len(shown) > 15
        and {row["contested_barcode"] for row in shown} <= set(planted.values())
        and not {row["barcode"] for row in shown} & set(planted.values())
    )
    accepted = {row["conflict_id"]: "accept" for row in conflicts.list_conflicts(warehouse)[:1]}
    conflicts.decide_conflicts(warehouse, accepted, "ann", "a mistake", "command line")  # type: ignore[arg-type]
    after = verify(stream_prices(warehouse), world.truth, last_complete(warehouse))  # type: ignore[arg-type]
    assert after.identity.wrong_barcode.count + after.identity.wrong_joins.count > found.identity.wrong_joins.count, (
        "a wrong decision is found"
    )


def stage(storage: Storage, world: Any, retailer: str, *, hour: int = 4, codes: dict[str, str] | None = None) -> None:
    """Stage the shelf of one store of a world; Coles' without barcodes, some lines with other codes."""
    store = world.default_store(retailer)
    lines = [
        line(
            found.sku, found.price_cents / 100 if found.price_cents else None, name=found.label, brand=found.brand_label, size=found.pack,
            barcode=(codes or {}).get(found.sku, None if retailer == "coles" else found.barcode), price_was=(found.was_price_cents or 0) / 100 or None,
        )
        for found in world.shelf(retailer, store.store_id, AT).offers()
    ]  # fmt: skip
    StoreDays(storage)(retailer, store.store_id, at=f"2026-11-18T{hour:02}:00:00+11:00", lines=lines)
