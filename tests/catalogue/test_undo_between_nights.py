"""Merges made and undone while nights, look-ups and retractions go on leave the catalogue as it would be without them.

Not the proposals: a night proposes pairs of the products that it finds, merged or not.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.catalogue import brands, merges, proposals
from include.catalogue.matching.exact import Method
from include.catalogue.matching.match import Tier
from include.catalogue.matching.warehouse import SkuMatch
from include.catalogue.reconcile import apply_matches
from include.catalogue.resolve import FoundBarcode, learn_barcodes
from include.ingestion import pipeline
from include.ingestion.retract import retract
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse, lock
from tests.ingestion.store_days import StoreDays, gtin, offer
from tests.warehouse.looking import rows

STORES = {"aldi": "G1", "coles": "COL:1", "iga": "2101"}
#: Few texts and barcodes, so that SKUs meet by both.
TEXTS = [
    ("Zorbo Green Tea", "Zorbo", "100g"),
    ("Tea Leaves Green", "Zorbo", "100g"),
    ("Zorbo Rice", "Zorbo Kitchens", "1kg"),
    ("Juicy Pellets", None, None),
]
STEPS = 10

#: What must be as without the merges, by SKU: numbers of products and decisions may differ.
_SAME = {
    "product": "SELECT string_agg(retailer || sku, ' ' ORDER BY retailer, sku) AS skus, p.name, b.name AS brand, p.size FROM core.sku AS s JOIN core.product AS p USING (product_id) LEFT JOIN core.brand AS b USING (brand_id) GROUP BY product_id, p.name, b.name, p.size",
    "sku": "SELECT retailer, sku, joined_by, match_evidence, name, gtin FROM core.sku AS s",
    "barcode": "SELECT gtin, is_primary, first_seen_at, (SELECT min(retailer || sku) FROM core.sku WHERE product_id = b.product_id) AS sku FROM core.product_barcode AS b",
    "claim": "SELECT retailer, sku, c.gtin, together, first_seen_at, refused_because FROM core.sku_barcode AS c JOIN core.sku USING (sku_key)",
    "alias": "SELECT product_key, (SELECT min(retailer || sku) FROM core.sku WHERE product_id = a.product_id) AS sku FROM core.product_alias AS a",
    "conflict": "SELECT retailer, sku, gtin, reason, is_open FROM ops.barcode_conflict",
    "brand": "SELECT folded, canonical_id IS NULL AS is_canonical FROM core.brand",
    "price": "SELECT s.retailer, s.sku, price_cents, is_listed, p.observed_at FROM core.price AS p JOIN core.sku AS s USING (sku_key)",
}  # fmt: skip


def state(warehouse: Warehouse) -> dict[str, list[str]]:
    return {name: sorted(map(str, rows(warehouse, text))) for name, text in _SAME.items()}


class History:
    """The same nights, look-ups and retractions on any warehouse; merges and undos on one of them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.texts = {(retailer, str(n)): self.chance.choice(TEXTS) for retailer in STORES for n in range(4)}
        self.facts = [self._fact(step) for step in range(STEPS)]
        self.open: list[int] = []
        self.made: set[str] = set()

    def _fact(self, step: int) -> tuple[str, str, Any]:
        kind, retailer = (
            self.chance.choice(["night", "night", "night", "look_up", "retract"]) if step > 2 else "night",
            self.chance.choice(list(STORES)),
        )
        skus = [sku for sku in self.texts if sku[0] == retailer and self.chance.random() < 0.7]
        return kind, retailer, {sku: self.chance.choice([None, None, gtin(1), gtin(2), gtin(3)]) for sku in skus}

    def play(self, warehouse: Warehouse, storage: Storage, chance: random.Random | None = None) -> None:
        """Play the facts; with ``chance`` merge and undo in between, and undo everything before the last ones."""
        for step, (kind, retailer, given) in enumerate(self.facts):
            if kind == "retract":
                self._retract(warehouse, storage, retailer)
            elif kind == "look_up":
                at = datetime(2026, 11, 18, 12, step, tzinfo=UTC)
                found = [
                    FoundBarcode(sku, (f"0{code}",), self.texts[retailer, sku], at, "a source")
                    for (retailer, sku), code in given.items()
                    if code
                ]
                with warehouse.transaction() as connection:
                    learn_barcodes(connection, retailer, found)
            elif given:
                lines = [
                    offer(sku[1], name=self.texts[sku][0], brand=self.texts[sku][1], size=self.texts[sku][2], barcode=code)
                    for sku, code in given.items()
                ]
                StoreDays(storage)(retailer, STORES[retailer], at=f"2026-11-18T{step:02}:00:00+11:00", lines=lines, complete=False)
                pipeline.ingest(warehouse, storage, retailer)
            if chance is not None:
                for _ in range(chance.randint(0, 3)):
                    self._merge(warehouse, chance)
                if self.open and chance.random() < 0.4:
                    self._undo(warehouse, chance)
        while self.open:
            self._undo(warehouse, chance or self.chance)

    def _retract(self, warehouse: Warehouse, storage: Storage, retailer: str) -> None:
        published = rows(
            warehouse, "SELECT file_id FROM ops.staged_file WHERE state = 'published' AND retailer = %s ORDER BY observed_at DESC", retailer
        )
        if published:
            retract(warehouse, storage, retailer, STORES[retailer], published[0]["file_id"], "ann", "wrong")

    def _merge(self, warehouse: Warehouse, chance: random.Random) -> None:
        before = {row["decision_id"] for row in rows(warehouse, "SELECT decision_id FROM ops.match_decision")}
        kind = chance.choice(["score", "person", "person", "brand"])
        waiting = [row["proposal_id"] for row in proposals.list_proposals(warehouse)]
        keys = [row["sku_key"] for row in rows(warehouse, "SELECT sku_key FROM core.sku ORDER BY retailer, sku")]
        if kind == "person" and waiting:
            proposals.decide_proposals(
                warehouse, {chance.choice(waiting): chance.choice(["join", "apart"])}, "ann", "looked", "command line"
            )
        elif kind == "score" and len(keys) > 1:
            left, right = chance.sample(keys, 2)
            match = SkuMatch(left, right, 0.95, Tier.AUTOMATIC, Method.SCORE, {"reason": "same brand", "features": {}, "rule_version": 1})
            with warehouse.transaction() as connection:
                lock(connection, "resolve")
                apply_matches(connection, [match], datetime(2026, 11, 18, tzinfo=UTC), 1)
        elif kind == "brand":
            found = [row["brand_id"] for row in rows(warehouse, "SELECT brand_id FROM core.brand ORDER BY folded")]
            if len(found) > 1:
                left, right = sorted(chance.sample(found, 2))
                with warehouse.transaction() as connection:
                    lock(connection, "resolve")
                    connection.run(
                        "brands/record_joins",
                        {
                            "brand_ids": [left],
                            "alias_ids": [right],
                            "products": [2],
                            "gtins": [""],
                            "now": datetime(2026, 11, 18, tzinfo=UTC),
                        },
                    )
                    brands.apply_merges(connection)
        new = [
            row
            for row in rows(warehouse, "SELECT decision_id, decided_via, choice FROM ops.match_decision ORDER BY 1")
            if row["decision_id"] not in before
        ]
        self.open += [row["decision_id"] for row in new]
        self.made |= {f"{row['decided_via']} {row['choice']}" for row in new}

    def _undo(self, warehouse: Warehouse, chance: random.Random) -> None:
        chance.shuffle(self.open)
        some = [self.open.pop() for _ in range(min(len(self.open), chance.randint(1, 3)))]
        merges.undo(warehouse, some, "ann", "no")


def play(make_warehouse: Callable[..., Warehouse], folder: Path, seeds: range) -> set[str]:
    warehouses, made = [make_warehouse(), make_warehouse()], set()
    for seed in seeds:
        history = History(seed)
        for number, warehouse in enumerate(warehouses):
            with warehouse.transaction() as connection:
                connection.execute(
                    "TRUNCATE ops.staged_file, core.product, core.brand, staging.offer, staging.loaded_file, ops.reconciliation CASCADE"
                )
            history.play(warehouse, Storage(f"file://{folder / f'{seed}-{number}'}"), random.Random(seed) if number else None)
        without, undone = map(state, warehouses)
        differing = {
            name: {"lost": sorted(set(without[name]) - set(undone[name])), "new": sorted(set(undone[name]) - set(without[name]))}
            for name in without
            if without[name] != undone[name]
        }
        assert differing == {}, f"seed {seed}: {history.facts}"
        made |= history.made
    return made


def test_what_was_merged_and_undone_leaves_no_trace(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    assert play(make_warehouse, tmp_path, range(4)) >= {"score join", "brands join", "command line join", "command line apart"}, (
        "all was played"
    )


@pytest.mark.campaign
def test_a_hundred_and_fifty_histories_of_merges(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    play(make_warehouse, tmp_path, range(100, 250))
