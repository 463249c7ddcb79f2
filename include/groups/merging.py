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


@dataclass(frozen=True, slots=True)
class Merging:
    """What a round of comparisons found: the matches (left: the anchor that stays, right: the one that joins it), and all comparisons made."""

    matches: tuple[Comparison, ...]
    comparisons: tuple[Comparison, ...]

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
    comparisons: list[Comparison] = []
    for row in order:
        if not left[row]:
            continue
        left[row] = False
        others = np.flatnonzero(may[row] & left)
        found = lists.compare(int(lists.keys[row]), [int(lists.keys[other]) for other in others], rules)
        comparisons += found
        for other, comparison in zip(others, found, strict=True):
            if comparison.is_match:
                left[other] = False
                matches.append(comparison)
    return Merging(tuple(matches), tuple(comparisons))


def pairs_to_cool(keys: Collection[int], joining: Collection[int], is_cooled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pairs that were compared now and did not match, for the cooldown: pairs with a store that joins another group are left out."""
    stays = np.array([key not in joining for key in keys], np.bool_)
    return ~is_cooled & stays[:, None] & stays[None, :] & ~np.eye(len(stays), dtype=np.bool_)
