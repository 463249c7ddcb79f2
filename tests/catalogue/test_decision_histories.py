"""Random histories of store-days, look-ups and decisions on the product and on a plain model: the same products, barcodes and conflicts after every step."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from include.catalogue import conflicts
from include.catalogue.resolve import FoundBarcode, learn_barcodes
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.catalogue.plain_catalogue import Good, PlainCatalogue, Sku
from tests.ingestion.store_days import StoreDays, gtin, offer
from tests.warehouse.looking import rows

GOODS = [
    Good("Zorbo Green Tea", "Zorbo", 100, kind="tea"), Good("Zorbo Tea Leaf Green", "Zorbo", 100, kind="tea"), Good("Quux Rice", "Quux", 1000), Good("Bramble Leaves", None, 200), Good("Coles Leaves", "Coles", 100, "coles"),
    Good("Juicy Pellets", None, None), Good("Bramble Flakes", "Bramble", 100),
]  # fmt: skip
STORES = {"aldi": "G1", "coles": "COL:1", "iga": "2101"}
GTINS = [f"0{gtin(number)}" for number in range(1, 6)]
STEPS = 12


class Played:
    """One history on both."""

    def __init__(self, warehouse: Warehouse, storage: Storage, chance: random.Random) -> None:
        self.warehouse, self.storage, self.chance = warehouse, storage, chance
        self.model = PlainCatalogue({(retailer, f"{number}"): chance.choice(GOODS) for retailer in STORES for number in range(5)})
        self.told: list[str] = []

    def play(self) -> None:
        for step in range(STEPS):
            kind = self.chance.choice(["lines", "lines", "look_up", "decide", "decide", "undo"]) if step > 1 else "lines"
            getattr(self, kind)()
            assert self.found() == self.expected(), "\n".join(self.told)

    def lines(self) -> None:
        retailer, hour, minute = self.chance.choice(list(STORES)), self.chance.randrange(10), len(self.told)
        skus = self.chance.sample([sku for sku in self.model.goods if sku[0] == retailer], self.chance.randint(1, 4))
        given = {sku: tuple(self.chance.sample(GTINS, self.chance.choice([0, 1, 1, 1, 1, 2]))) for sku in skus}
        self.told.append(f"{retailer} at {hour}:{minute}: {given} ({[self.model.goods[sku].name for sku in skus]})")
        StoreDays(self.storage)(
            retailer, STORES[retailer], at=f"2026-11-18T{hour:02}:{minute:02}:00+11:00", complete=False,
            lines=[self._line(sku, codes) for sku, codes in given.items()],
        )  # fmt: skip
        pipeline.ingest(self.warehouse, self.storage, retailer)
        self.model.meet(hour * 60 + minute, given)

    def look_up(self) -> None:
        retailer = self.chance.choice(list(STORES))
        known = sorted({sku for _, sku, _ in self.model.lines if sku[0] == retailer})
        minute = len(self.told)
        given: dict[Sku, tuple[str, ...]] = {sku: (self.chance.choice(GTINS),) for sku in self.chance.sample(known, min(len(known), 2))}
        self.told.append(f"looked up after all lines: {given}")
        at = datetime.fromisoformat(f"2026-11-18T12:{minute:02}:00+11:00")
        found = [FoundBarcode(sku[1], codes, self._text(sku), at, "a source") for sku, codes in given.items()]
        with self.warehouse.transaction() as connection:
            learn_barcodes(connection, retailer, found)
        if given:
            self.model.meet(12 * 60 + minute, given)

    def _text(self, sku: Sku) -> tuple[str, str | None, str | None]:
        good = self.model.goods[sku]
        return good.name, good.brand, f"{good.grams}g" if good.grams else None

    def _line(self, sku: Sku, codes: tuple[str, ...]) -> Any:
        good = self.model.goods[sku]
        return offer(
            sku[1], name=good.name, brand=good.brand, size=f"{good.grams}g" if good.grams else None, barcode=",".join(codes) or None
        )

    def decide(self) -> None:
        for _ in range(self.chance.choice([1, 1, 2])):
            found = sorted((sku, code) for sku, code, *_ in self.model.conflicts())
            if not found:
                return
            sku, code = self.chance.choice(found)
            choice: Any = self.chance.choice(list(conflicts.CHOICES))
            self.told.append(f"{choice} {sku} {code}")
            number = self._number(sku, code)
            done = conflicts.decide_conflicts(self.warehouse, {number: choice}, "ann", "looked at both", "command line")
            assert (list(done.applied) == [number]) == self.model.decide(sku, code, choice), "\n".join(self.told)

    def undo(self) -> None:
        if not self.model.decisions:
            return
        sku, code = self.chance.choice(sorted(self.model.decisions))
        self.told.append(f"undo {sku} {code}")
        conflicts.undo_decisions(self.warehouse, [self._number(sku, code)], "ann", "too early")
        self.model.undo(sku, code)

    def _number(self, sku: Sku, code: str) -> int:
        (row,) = rows(
            self.warehouse, "SELECT conflict_id FROM ops.barcode_conflict WHERE retailer = %s AND sku = %s AND gtin = %s", *sku, code
        )
        return int(row["conflict_id"])

    def expected(self) -> Any:
        return self.model.groups, self.model.owners(), self.model.conflicts()

    def found(self) -> Any:
        groups: dict[int, set[Sku]] = {}
        for row in rows(self.warehouse, "SELECT retailer, sku, product_id FROM core.sku"):
            groups.setdefault(row["product_id"], set()).add((row["retailer"], row["sku"]))
        owners = {
            row["gtin"]: frozenset(groups[row["product_id"]])
            for row in rows(self.warehouse, "SELECT gtin, product_id FROM core.product_barcode")
        }
        found = rows(self.warehouse, "SELECT retailer, sku, gtin, reason, choice, is_open FROM ops.barcode_conflict")
        return (
            {frozenset(group) for group in groups.values()}, owners,
            {((row["retailer"], row["sku"]), row["gtin"], row["reason"], row["choice"], row["is_open"]) for row in found},
        )  # fmt: skip


def play(make_warehouse: Callable[..., Warehouse], folder: Path, seeds: range) -> None:
    warehouse = make_warehouse()
    kinds: set[str | None] = set()
    for seed in seeds:
        with warehouse.transaction() as connection:
            connection.execute("TRUNCATE ops.staged_file, core.product, core.brand, staging.offer, staging.loaded_file CASCADE")
        played = Played(warehouse, Storage(f"file://{folder / str(seed)}"), random.Random(seed))
        played.play()
        kinds |= {reason for _, _, reason, _, _ in played.model.conflicts()}
    assert kinds >= {"size", "own_label", "other_barcode", "product_barcode", "rejected", None}, "all was played"


def test_random_decisions_give_what_a_plain_model_gives(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    play(make_warehouse, tmp_path, range(6))


@pytest.mark.campaign
def test_a_thousand_histories_of_decisions(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    play(make_warehouse, tmp_path, range(1_000, 2_000))
