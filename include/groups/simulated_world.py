"""The truth of a simulation: stores, price zones, Wednesday changes, local differences. Everything follows from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

#: Stores of the invented directory, by retailer.
STORES = {"coles": 827, "woolworths": 1131, "aldi": 495, "iga": 931}
#: Price zones per state; 0: every shop has prices of its own.
ZONES_PER_STATE = {"coles": 2, "woolworths": 2, "aldi": 1, "iga": 0}
#: The retailer of which a zone splits.
SPLITTING = "woolworths"
#: Stores per state, in proportion.
_STATES = {"NSW": 32, "VIC": 26, "QLD": 20, "WA": 11, "SA": 7, "TAS": 2, "ACT": 2, "NT": 1}


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated. Shares are 0 to 1.

    ``products``: per retailer. ``zone_share``: prices in which two zones differ. ``change_share``: prices that change on a Wednesday.
    ``local_share``: prices of a store that differ from its zone's. ``gap_share``: products that a store does not list. ``split_night``: the night on which half of the
    largest zone of :data:`SPLITTING` becomes a zone of its own, from 1. ``closing_share``: stores that close, a night.
    """

    products: int = 2_000
    zone_share: float = 0.014
    change_share: float = 0.3
    local_share: float = 0.0003
    gap_share: float = 0.03
    split_night: int = 20
    closing_share: float = 0.0001


class RetailerTruth:
    """The stores of one retailer and what they really charge, night by night.

    Attributes:
        states: state of each store. zones: its true price zone. is_open: whether it trades.
    """

    def __init__(self, retailer: str, stores: Sequence[tuple[str, str]], world: World, seed: int) -> None:
        """``stores``: (store id, state) of each."""
        self.retailer, self._world = retailer, world
        self._random = np.random.default_rng([seed, crc32(retailer.encode())])
        self.store_ids = [store_id for store_id, _ in stores]
        self.states = [state for _, state in stores]
        self.is_open = np.ones(len(stores), np.bool_)
        per_state = ZONES_PER_STATE[retailer]
        names = [(state, crc32(store_id.encode()) % per_state) if per_state else (store_id, 0) for store_id, state in stores]
        numbers = {name: number for number, name in enumerate(sorted(set(names)))}
        self.zones: NDArray[np.int64] = np.array([numbers[name] for name in names], np.int64)
        self._listed = self._random.random((len(stores), world.products)) >= world.gap_share
        self._national = self._random.integers(100, 3_000, world.products)
        self._zone_offsets = np.zeros((len(numbers), world.products), np.int64)
        share = world.zone_share if per_state else 0.5
        for zone in range(len(numbers)):
            self._zone_offsets[zone] = self._draw_offsets(share / 2 if per_state else share)
        self._local = self._draw_local()

    def pass_night(self, night: int, is_wednesday: bool) -> None:
        """Change prices on a Wednesday, close stores, and split a zone on its night."""
        if is_wednesday:
            changed = self._random.random(self._world.products) < self._world.change_share
            self._national[changed] = self._random.integers(100, 3_000, int(changed.sum()))
            self._local = self._draw_local()
        self.is_open &= self._random.random(len(self.is_open)) >= self._world.closing_share
        if night == self._world.split_night and self.retailer == SPLITTING:
            largest = int(np.bincount(self.zones).argmax())
            inside = np.flatnonzero(self.zones == largest)
            moved = self._zone_offsets[largest] + self._draw_offsets(2 * self._world.zone_share)
            self._zone_offsets = np.vstack([self._zone_offsets, moved])
            self.zones[inside[: len(inside) // 2]] = len(self._zone_offsets) - 1

    def prices(self, stores: Sequence[int]) -> NDArray[np.int32]:
        """Return what stores charge now, in cents, shape (stores, products); 0 = not listed."""
        rows = np.asarray(stores, np.int64)
        cents = self._national + self._zone_offsets[self.zones[rows]] + self._local[rows]
        return np.where(self._listed[rows], np.maximum(cents, 1), 0).astype(np.int32)

    def _draw_offsets(self, share: float) -> NDArray[np.int64]:
        offsets = self._random.integers(1, 60, self._world.products) * self._random.choice([-1, 1], self._world.products)
        return np.where(self._random.random(self._world.products) < share, offsets, 0)

    def _draw_local(self) -> NDArray[np.int16]:
        local = np.zeros((len(self.store_ids), self._world.products), np.int16)
        many = self._random.binomial(self._world.products, self._world.local_share, len(self.store_ids))
        rows = np.repeat(np.arange(len(self.store_ids)), many)
        local[rows, self._random.integers(0, self._world.products, len(rows))] = self._random.integers(1, 50, len(rows))
        return local


def invented_stores(retailer: str, share: float = 1.0) -> list[tuple[str, str]]:
    """Return (store id, state) of an invented directory with this share of the real number of stores.

    >>> len(invented_stores("aldi")), invented_stores("aldi")[0]
    (495, ('1', 'NSW'))
    """
    count = max(int(STORES[retailer] * share), 1)
    total = sum(_STATES.values())
    states: list[Any] = [state for state, weight in _STATES.items() for _ in range(round(count * weight / total))]
    return [(str(number + 1), states[number] if number < len(states) else "NSW") for number in range(count)]
