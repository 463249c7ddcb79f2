"""After a complete reconciliation the matcher's joins and proposals, and the brands, follow from the catalogue, whatever the order of nights, look-ups and reconciliations before."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from include.catalogue.reconcile import reconcile
from include.catalogue.resolve import FoundBarcode, learn_barcodes
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.catalogue.test_any_order import outcome
from tests.ingestion.store_days import Line, StoreDays, gtin, offer
from tests.warehouse.looking import rows

FLAVOURS = ("Apple", "Pear", "Plum", "Quince", "Mango", "Peach")
STORES = {"aldi": "G1", "coles": "COL:1", "iga": "2101", "woolworths": "1"}


def _shelf(
    prefix: str, words: str, brand: str, flavours: tuple[str, ...] = FLAVOURS, code: int | None = None, size: str = "170g"
) -> list[Line]:
    return [
        offer(f"{prefix}{FLAVOURS.index(flavour)}", 2, name=words.format(flavour), brand=brand, size=size,
              barcode=gtin(code + FLAVOURS.index(flavour)) if code else None)
        for flavour in flavours
    ]  # fmt: skip


#: Store-days of one hour each. Rivals, sizes and barcodes come on different days; Zorbo and Quux are one brand by barcodes.
_DAYS: list[tuple[str, int, list[Line]]] = [
    ("coles", 0, _shelf("c", "Zing Thick {} Yoghurt", "Zorbo")),
    ("iga", 1, _shelf("i", "Zorbo Zing {} Yoghurt Tub", "Zorbo", FLAVOURS[:4])),
    ("iga", 2, _shelf("j", "Zing {} Thick Yoghurt Pot", "Zorbo", FLAVOURS[1:3])),
    ("aldi", 3, _shelf("a", "Zing {} Yoghurt Cup", "Zorbo", FLAVOURS[2:], code=200)),
    ("woolworths", 4, _shelf("w", "{} Yoghurt Zing", "Quux", code=200)),
    ("coles", 5, _shelf("c", "Zing Thick {} Yoghurt", "Zorbo", FLAVOURS[:2], code=300)),
    ("woolworths", 6, _shelf("x", "Zing Thick Yoghurt {}", "Quux Foods", FLAVOURS[:3], size="340g")),
]  # fmt: skip

#: What must be the same besides: joins by score with their pairs, what waits by products and score, brands.
_SAME = (
    """
SELECT least(one.retailer || one.sku, two.retailer || two.sku), greatest(one.retailer || one.sku, two.retailer || two.sku), decision.score
  FROM ops.match_decision AS decision JOIN ops.match_pair AS pair USING (decision_id) JOIN core.sku AS one ON one.sku_key = left_sku_key
  JOIN core.sku AS two ON two.sku_key = right_sku_key WHERE decision.ended_at IS NULL AND decided_via = 'score' ORDER BY 1, 2
""",
    """
SELECT least(one.sku, two.sku), greatest(one.sku, two.sku), proposal.score
  FROM ops.proposal JOIN LATERAL (SELECT min(retailer || sku) AS sku FROM core.sku WHERE product_id = left_product_id) AS one ON true
  JOIN LATERAL (SELECT min(retailer || sku) AS sku FROM core.sku WHERE product_id = right_product_id) AS two ON true
 WHERE proposal.state = 'waiting' AND (proposal.score IS NOT NULL OR starts_with(proposal.reason, 'score')) ORDER BY 1, 2
""",
    "SELECT brand.folded, canonical.folded AS canonical FROM core.brand LEFT JOIN core.brand AS canonical ON canonical.brand_id = brand.canonical_id ORDER BY 1",
)


def state(warehouse: Warehouse) -> list[list[dict[str, Any]]]:
    return [*outcome(warehouse), *(rows(warehouse, text) for text in _SAME)]


def _look_up(warehouse: Warehouse) -> None:
    """A barcode of the yoghurt that has none: known or not, the second time it changes nothing."""
    at = datetime.fromisoformat("2026-11-18T12:00:00+11:00")
    found = [FoundBarcode("i1", (f"0{gtin(401)}",), ("Zorbo Zing Pear Yoghurt Tub", "Zorbo", "170g"), at, "a source")]
    with warehouse.transaction() as connection:
        learn_barcodes(connection, "iga", found)


def arrive(warehouse: Warehouse, storage: Storage, chance: random.Random) -> None:
    """Stage the days in a random order; ingest, look up and reconcile after some of them."""
    for retailer, hour, lines in chance.sample(_DAYS, len(_DAYS)):
        StoreDays(storage)(
            retailer, STORES[retailer], at=f"2026-11-18T0{hour}:00:00+11:00", lines=chance.sample(lines, len(lines)), complete=False
        )
        pipeline.ingest(warehouse, storage, retailer)
        if chance.random() < 0.3:
            _look_up(warehouse)
        if chance.random() < 0.6:
            reconcile(warehouse)
    _look_up(warehouse)
    reconcile(warehouse)


def play(make_warehouse: Callable[..., Warehouse], folder: Path, orders: range) -> tuple[list[list[dict[str, Any]]], int]:
    """Play some orders; returns the state that all end in, and how many differed from it before the complete reconciliation."""
    expected, warehouse, differing = None, make_warehouse(), 0
    for seed in orders:
        with warehouse.transaction() as connection:
            connection.execute(
                "TRUNCATE ops.staged_file, core.product, core.brand, staging.offer, staging.loaded_file, ops.reconciliation CASCADE"
            )
        arrive(warehouse, Storage(f"file://{folder / str(seed)}"), random.Random(seed))
        before = state(warehouse)
        reconcile(warehouse, is_complete=True)
        found = state(warehouse)
        expected = expected or found
        assert found == expected, f"order {seed}"
        differing += before != found
        assert reconcile(warehouse, is_complete=True).moved == 0 and state(warehouse) == found, "again changes nothing"
        with warehouse.transaction() as connection:
            connection.execute("UPDATE core.sku SET sku_changed_at = sku_changed_at + interval '1 second'")
        again = reconcile(warehouse)
        assert again.is_due and not again.is_complete and state(warehouse) == found, "nor does looking at them as changed"
    assert expected is not None
    return expected, differing


def test_any_order_ends_in_one_state_after_a_complete_reconciliation(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    found, differing = play(make_warehouse, tmp_path, range(4))
    joins, proposals, brands = found[-3:]
    assert joins and proposals and any(row["canonical"] for row in brands), "all was played"
    assert differing, "what the matcher joins on the way depends on the order"


@pytest.mark.campaign
def test_two_hundred_orders_end_in_one_state(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    play(make_warehouse, tmp_path, range(200))
