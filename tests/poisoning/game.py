"""The poisoning game: an adversary damages a growing share of a store's nights; what of it is published before something is held?"""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from sandbox.generated import GeneratedWorld, WorldSize
from tests.checks.nights import instant, line_of
from tests.ingestion.store_days import StoreDays
from tests.poisoning.attacks import ATTACKS
from tests.warehouse.looking import rows

RETAILER = "coles"
STATE = "VIC"
#: A Sunday: two ordinary nights, then poisoned ones with a Wednesday among them.
FIRST = date(2026, 11, 8)
CLEAN_NIGHTS = 2
#: Share of the lines damaged on the first poisoned night, and by what it grows every night.
SHARE, GROWTH = 0.005, 1.6
#: So many wrong lines are less than a percent of a real store.
FEW = 6


@dataclass
class Outcome:
    """What came of one attack."""

    name: str
    held_on: int | None = None
    nights: int = 0
    damaged: int = 0
    published: int = 0
    scaled: int = 0
    #: Wrong prices published in a night that is no Wednesday, beyond a percent of the store.
    beyond: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return one line of the report."""
        held = "never held" if self.held_on is None else f"held on night {self.held_on + 1}"
        return f"{self.name}: {held}; {self.published} of {self.damaged} wrong prices published before ({self.published / max(self.damaged, 1):.1%})"


@dataclass
class Game:
    """One seed: a world of stores, one attack on each, some stores left alone."""

    seed: int
    warehouse: Warehouse
    folder: Path
    nights: int = 7
    products: int = 700

    def play(self, patch: pytest.MonkeyPatch) -> tuple[list[Outcome], list[str]]:
        """Play all nights; return the outcome of every attack, and the ordinary store-days that were held."""
        names = [*ATTACKS, *(f"left alone {number}" for number in range(3))]
        world = GeneratedWorld(self.seed, WorldSize(stores=len(names), products=self.products))
        stores = [store.store_id for store in world.stores(RETAILER) if store.has_shelf]
        attacked = dict(zip(stores, names, strict=False))
        outcomes = {name: Outcome(name) for name in attacked.values()}
        for number in range(CLEAN_NIGHTS + self.nights):
            night = FIRST + timedelta(days=number)
            patch.setenv("AISLEFLOW_NOW", f"{night}T09:00:00+00:00")
            storage = Storage(f"file://{self.folder / str(number)}")
            poison = {
                store: wrong
                for store, name in attacked.items()
                if (wrong := self._stage(storage, world, store, name, night, number - CLEAN_NIGHTS, outcomes[name])) is not None
            }
            pipeline.ingest(self.warehouse, storage, RETAILER)
            self._judge(night, number - CLEAN_NIGHTS, attacked, poison, outcomes)
        alone = [name for name, outcome in outcomes.items() if name not in ATTACKS and outcome.held_on is not None]
        return [outcome for name, outcome in outcomes.items() if name in ATTACKS], alone

    def _stage(
        self, storage: Storage, world: Any, store: str, name: str, night: date, poisoned: int, outcome: Outcome
    ) -> dict[str, tuple[int, int]] | None:
        """Stage one store-day; return its wrong prices, SKU → (wrong cents, true cents); None: nothing is staged."""
        if outcome.held_on is not None or (poisoned < 0 and name.startswith("new ") and name != "new numbers"):
            return None
        true = [line_of(found) for found in world.shelf(RETAILER, store, _at(night)).offers()]
        lines, rng = deepcopy(true), random.Random(f"{self.seed} {name} {poisoned}")
        if poisoned >= 0 and name in ATTACKS:
            lines = ATTACKS[name](lines, min(1.0, SHARE * GROWTH**poisoned), poisoned, rng)
            outcome.nights += 1
        StoreDays(storage)(RETAILER, store, instant(night, STATE), lines, state=STATE, night=night)
        prices = {str(line["product"]["sku"]): line["product"]["price_current"] for line in true}
        by_name = {line["product"]["name"]: line["product"]["price_current"] for line in true}
        wrong = {}
        for line in lines:
            said, expected = line["product"]["price_current"], prices.get(str(line["product"]["sku"]), by_name.get(line["product"]["name"]))
            if said and expected and said != expected:
                wrong[str(line["product"]["sku"])] = (round(said * 100), round(expected * 100))
        outcome.damaged += len(wrong)
        return wrong

    def _judge(
        self,
        night: date,
        poisoned: int,
        attacked: dict[str, str],
        poison: dict[str, dict[str, tuple[int, int]]],
        outcomes: dict[str, Outcome],
    ) -> None:
        held = {
            row["store_id"]
            for row in rows(self.warehouse, "SELECT store_id FROM ops.staged_file WHERE state = 'held' AND night = %s", night)
        }
        for store, wrong in poison.items():
            outcome = outcomes[attacked[store]]
            if store in held:
                outcome.held_on = max(poisoned, 0)
                continue
            listed = {
                row["sku"]: row["price_cents"]
                for row in rows(
                    self.warehouse,
                    "SELECT sku, price_cents FROM core.store_price WHERE is_listed AND retailer = %s AND store_id = %s",
                    RETAILER,
                    store,
                )
            }
            published = {sku: cents for sku, cents in wrong.items() if listed.get(sku) == cents[0]}
            outcome.published += len(published)
            outcome.scaled += sum(max(cents[0] / cents[1], cents[1] / cents[0]) > 50 for cents in published.values())
            if night.weekday() != 2 and len(published) > max(FEW, 0.01 * len(listed)):
                outcome.beyond.append(f"{outcome.name}, night {poisoned + 1}: {len(published)} of {len(listed)}")


def _at(night: date) -> datetime:
    return datetime.fromisoformat(instant(night, STATE))
