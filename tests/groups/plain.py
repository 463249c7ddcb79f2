"""The rules of matching and merging in plain Python, without arrays: what the engine is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from include.groups.comparison import MatchRules

#: Store → product → cents.
Lists = Mapping[int, Mapping[int, int]]


def counts(lists: Lists, left: int, right: int) -> tuple[int, int]:
    """Return the common products of two stores, and those that cost the same."""
    common = lists[left].keys() & lists[right].keys()
    return len(common), sum(lists[left][product] == lists[right][product] for product in common)


def do_match(lists: Lists, left: int, right: int, rules: MatchRules) -> bool:
    """Return whether two price lists match."""
    common, equal = counts(lists, left, right)
    larger = max(len(lists[left]), len(lists[right]))
    return (
        common >= rules.common_min
        and common >= Fraction(str(rules.list_share)) * larger
        and equal >= Fraction(str(rules.equal_share)) * common
    )


def stars(lists: Lists, sizes: Mapping[int, int], rules: MatchRules) -> dict[int, int]:
    """Return the anchor of every store: the largest group takes in all that match it, then the next one."""
    anchor_of: dict[int, int] = {}
    alike = {left: {right for right in lists if right != left and do_match(lists, left, right, rules)} for left in lists}
    for left in sorted(lists, key=lambda store: (-sizes[store], -len(lists[store]), store)):
        if left not in anchor_of:
            anchor_of[left] = left
            anchor_of |= {right: left for right in alike[left] if right not in anchor_of}
    return anchor_of
