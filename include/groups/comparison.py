"""Compares price lists of stores: many stores at once, as integer matrices. It knows arrays only, no database.

A price list is a row of a matrix of cents; a column is a SKU sold by one price basis, so that prices of different basis never
meet; 0 means that the store does not list it. All lists of a matrix are of one price week.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]

#: Cells of a matrix that one step works on: they stay in the processor's cache.
BLOCK_CELLS = 1_000_000
#: Columns of a fingerprint: those that most stores list.
FINGERPRINT_COLUMNS = 512
#: A fingerprint may differ by so many times the share by which matching lists may differ, and always by so many prices: lists
#: that match are hardly ever lost, and every candidate is compared completely afterwards.
FINGERPRINT_SLACK, FINGERPRINT_DIFFERENCES = 6.0, 8
#: Differences kept as evidence.
DIFFERENCES_KEPT = 10


@dataclass(frozen=True, slots=True)
class MatchRules:
    """When two price lists match: the equal share of their common products, the least number of those, and their least share of the larger list."""

    equal_share: float = 0.995
    common_min: int = 200
    list_share: float = 0.5


@dataclass(frozen=True, slots=True)
class Difference:
    """A product that two stores sell at different prices: its column, and both prices in cents."""

    column: int
    left_cents: int
    right_cents: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The evidence of one comparison: products listed by each store, common ones, those of equal price, and the largest differences."""

    left: int
    right: int
    left_listed: int
    right_listed: int
    common: int
    equal: int
    is_match: bool
    differences: tuple[Difference, ...] = ()

    @property
    def equal_share(self) -> float:
        """Share of the common products that cost the same; 0 without any."""
        return self.equal / self.common if self.common else 0.0

    @property
    def range_overlap(self) -> float:
        """Share of the larger list that both stores have; 0 for empty lists."""
        larger = max(self.left_listed, self.right_listed)
        return self.common / larger if larger else 0.0


class PriceLists:
    """The price lists of some stores in one price week.

    Attributes:
        keys: the stores, ascending, shape (stores,).
        columns: the products, ascending, shape (columns,).
        cents: prices, shape (stores, columns); 0 = not listed.
        listed: products per store, shape (stores,).
    """

    def __init__(self, keys: Keys, columns: Keys, cents: NDArray[np.int32]) -> None:
        """``keys`` and ``columns`` are ascending, ``cents`` has a row per key and a column per column."""
        self.keys, self.columns, self.cents = keys, columns, cents
        self.listed: NDArray[np.int64] = np.count_nonzero(cents, axis=1)

    @classmethod
    def of_stores(cls, lists: Sequence[tuple[int, NDArray[Any], NDArray[Any]]]) -> PriceLists:
        """Make the matrix from one (store, columns, cents) per store, in any order."""
        ordered = sorted(lists, key=lambda one: one[0])
        parts = [np.asarray(columns, dtype=np.int64) for _, columns, _ in ordered]
        columns = np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)
        cents = np.zeros((len(ordered), len(columns)), np.int32)
        for row, part in enumerate(parts):
            cents[row, np.searchsorted(columns, part)] = ordered[row][2]
        return cls(np.array([key for key, _, _ in ordered], np.int64), columns, cents)

    def row(self, key: int) -> int:
        """Return the row of a store.

        Raises:
            KeyError: it has no list here.
        """
        found = int(np.searchsorted(self.keys, key))
        if found == len(self.keys) or self.keys[found] != key:
            raise KeyError(key)
        return found

    def compare(self, left: int, rights: Sequence[int], rules: MatchRules) -> list[Comparison]:
        """Compare one store with others on all their common products; the result is in the order of ``rights``.

        >>> lists = PriceLists.of_stores([(7, np.array([1, 2, 3]), np.array([100, 200, 300])), (9, np.array([2, 3, 4]), np.array([200, 350, 1]))])
        >>> one = lists.compare(7, [9], MatchRules(common_min=2))[0]
        >>> one.common, one.equal, one.is_match, one.differences
        (2, 1, False, (Difference(column=3, left_cents=300, right_cents=350),))
        """
        first, rows = self.row(left), np.array([self.row(key) for key in rights], np.int64)
        common, equal = self.count(first, rows)
        matching = self.matching(first, rows, common, equal, rules)
        return [
            self.evidence(first, int(row), int(common[place]), int(equal[place]), is_match=bool(matching[place]))
            for place, row in enumerate(rows)
        ]

    def count(self, first: int, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the products that one row has in common with others, and those of them that cost the same, both of shape (rows,)."""
        is_listed = self.cents[first] > 0
        mine = np.where(is_listed, self.cents[first], -1)  # equal to no price: what is not listed here is not common
        common, equal = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
        for place in _blocks(len(rows), self.cents.shape[1], BLOCK_CELLS):
            theirs = self.cents[rows[place]]
            equal[place] = np.count_nonzero(theirs == mine, axis=1)
            common[place] = np.count_nonzero((theirs > 0) & is_listed, axis=1)
        return common, equal

    def matching(
        self, first: int, rows: NDArray[np.int64], common: NDArray[np.int64], equal: NDArray[np.int64], rules: MatchRules
    ) -> NDArray[np.bool_]:
        """Return which rows match the first one, from their counts."""
        larger = np.maximum(self.listed[first], self.listed[rows])
        matches: NDArray[np.bool_] = (
            (common >= rules.common_min) & (common >= rules.list_share * larger) & (equal + 1e-9 >= rules.equal_share * common)
        )
        return matches

    def evidence(self, left: int, right: int, common: int, equal: int, *, is_match: bool) -> Comparison:
        """Return the comparison of two rows from its counts, with the largest differences."""
        return Comparison(
            int(self.keys[left]), int(self.keys[right]), int(self.listed[left]), int(self.listed[right]), common, equal, is_match,
            self._differences(left, right) if equal < common else (),
        )  # fmt: skip

    def _differences(self, left: int, right: int) -> tuple[Difference, ...]:
        mine, theirs = self.cents[left], self.cents[right]
        at = np.flatnonzero((mine != theirs) & (mine > 0) & (theirs > 0))
        by_size = at[np.lexsort((self.columns[at], -np.abs(mine[at] - theirs[at])))][:DIFFERENCES_KEPT]
        return tuple(Difference(int(self.columns[place]), int(mine[place]), int(theirs[place])) for place in by_size)

    def candidates(self, rules: MatchRules) -> NDArray[np.bool_]:
        """Return which pairs of stores may match, by their fingerprints: a symmetric matrix of shape (stores, stores), false on the diagonal.

        A pair whose lists are too small to match is no candidate either.
        """
        count = len(self.keys)
        listing = np.count_nonzero(self.cents, axis=0)
        chosen = np.sort(np.lexsort((self.columns, -listing))[:FINGERPRINT_COLUMNS])
        prints = np.ascontiguousarray(self.cents[:, chosen])
        listed = (prints > 0).astype(np.float32)
        may = np.zeros((count, count), np.bool_)
        for block in _blocks(count, count * len(chosen), 16 * BLOCK_CELLS):
            part = prints[block]
            equal = np.count_nonzero((part[:, None, :] == prints[None, :, :]) & (part[:, None, :] > 0), axis=2)
            common = (listed[block] @ listed.T).astype(np.int64)  # exact: whole numbers below 2^24
            allowed = np.maximum(FINGERPRINT_DIFFERENCES, FINGERPRINT_SLACK * (1 - rules.equal_share) * common)
            smaller = np.minimum(self.listed[block][:, None], self.listed[None, :])
            larger = np.maximum(self.listed[block][:, None], self.listed[None, :])
            may[block] = (common - equal <= allowed) & (smaller >= rules.common_min) & (smaller >= rules.list_share * larger)
        np.fill_diagonal(may, False)
        return may


def _blocks(rows: int, width: int, cells: int) -> Iterator[slice]:
    """Split rows so that a block of them, with ``width`` cells each, has about this number of cells."""
    step = max(cells // max(width, 1), 1)
    for start in range(0, rows, step):
        yield slice(start, start + step)
