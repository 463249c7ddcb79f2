"""Merging: which groups of stores share one price list, judged by their anchors alone. Pure functions over price lists.

Groups form stars: every store that joins a group was itself compared with the group's anchor on all common products. So a chain
(A matches B, B matches C, A and C differ) never makes one group.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.groups.comparison import Comparison, MatchRules, PriceLists

#: Of the comparisons without a match, the evidence of so many nearest ones of each store is kept.
NEAREST_KEPT = 10


@dataclass(frozen=True, slots=True)
class Merging:
    """What a round of comparisons found.

    ``matches`` (left: the anchor that stays, right: the one that joins it); ``nearest``: of the others, those that are among the :data:`NEAREST_KEPT` nearest of one of their stores;
    ``compared``: pairs compared on all common products.
    """

    matches: tuple[Comparison, ...]
    nearest: tuple[Comparison, ...]
    compared: int

    @property
    def joining(self) -> frozenset[int]:
        """The anchors whose groups join another one."""
        return frozenset(match.right for match in self.matches)


def find_matches(lists: PriceLists, sizes: Mapping[int, int], is_cooled: NDArray[np.bool_], rules: MatchRules) -> Merging:
    """Find the groups that join another one: always the smaller joins the larger.

    The largest group takes in all groups whose anchors match its own, then the largest of the others, until none is left. Of
    groups of equal size the longer list comes first, then the smaller key: neither the order of stores nor the size of
    blocks decides anything.

    Args:
        lists: one price list per anchor.
        sizes: stores in each anchor's group.
        is_cooled: pairs that were compared lately, in the rows of ``lists``; they are not compared.
    """
    may = lists.candidates(rules) & ~is_cooled
    order = sorted(range(len(lists.keys)), key=lambda row: (-sizes[int(lists.keys[row])], -lists.listed[row], lists.keys[row]))
    left = np.ones(len(order), np.bool_)
    matches: list[Comparison] = []
    others_of: list[NDArray[np.int64]] = [np.empty((4, 0), np.int64)]  # row, other row, common and equal products of pairs without a match
    compared = 0
    for row in order:
        if not left[row]:
            continue
        left[row] = False
        others = np.flatnonzero(may[row] & left)
        compared += len(others)
        common, equal = lists.count(row, others)
        is_match = lists.matching(row, others, common, equal, rules)
        left[others[is_match]] = False
        matches += [
            lists.evidence(row, int(other), int(both), int(same), is_match=True)
            for other, both, same in zip(others[is_match], common[is_match], equal[is_match], strict=True)
        ]
        others_of.append(np.stack([np.full(len(others), row), others, common, equal])[:, ~is_match])
    nearest = _nearest(np.concatenate(others_of, axis=1))
    return Merging(tuple(matches), tuple(lists.evidence(*map(int, pair), is_match=False) for pair in nearest), compared)


def _nearest(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs (row, other row, common, equal) that are among the nearest of one of their stores, by their equal share; shape (pairs, 4)."""
    rows, others, common, equal = pairs
    order = np.lexsort((others, rows, -equal / np.maximum(common, 1)))
    taken: dict[int, int] = {}
    kept = []
    for place in order:
        pair = int(rows[place]), int(others[place])
        if min(taken.get(row, 0) for row in pair) < NEAREST_KEPT:
            kept.append(place)
            for row in pair:
                taken[row] = taken.get(row, 0) + 1
    return pairs[:, kept].T


def pairs_to_cool(keys: Collection[int], joining: Collection[int], is_cooled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pairs that were compared now and did not match, for the cooldown: pairs with a store that joins another group are left out."""
    stays = np.array([key not in joining for key in keys], np.bool_)
    return ~is_cooled & stays[:, None] & stays[None, :] & ~np.eye(len(stays), dtype=np.bool_)
