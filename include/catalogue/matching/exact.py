"""Pairs that need no score: an equal key, or the same brand, size and words, and no other product of either list that fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from include.catalogue.matching.listing import Described
from include.catalogue.matching.pairs import Pairs

#: Weight of words that only one listing has and that the lists themselves show to say little; one ordinary word weighs more.
_LEFT_OVER_MAX = 0.15


class Method(StrEnum):
    """What made a pair, the surest first: a key is a pure function of the texts, words are judged by both lists."""

    KEY = "key"
    WORDS = "words"
    SCORE = "score"


def exact_pairs(pairs: Pairs) -> dict[int, Method]:
    """Rows of pairs with an equal key or equal words. A listing that several others fit has neither."""
    return _equal_words(pairs) | _equal_keys(pairs)


def _equal_keys(pairs: Pairs) -> dict[int, Method]:
    left, right = _holders(pairs.left), _holders(pairs.right)
    found = {}
    for row, (mine, other) in enumerate(zip(pairs.left_at.tolist(), pairs.right_at.tolist(), strict=True)):
        shared = set(pairs.left[mine].keys).intersection(pairs.right[other].keys)
        if any(left[key] == right[key] == 1 for key in shared):
            found[row] = Method.KEY
    return found


def _holders(items: Sequence[Described]) -> Counter[str]:
    return Counter(key for item in items for key in item.keys)


def _equal_words(pairs: Pairs) -> dict[int, Method]:
    is_brand = pairs.column("brand_equal") + pairs.column("brand_related") > 0
    is_size = pairs.column("size_equal") + pairs.column("size_other_reading") > 0
    contradictions = ("class_conflict", "opposite_words", "number_one_sided", "number_conflict")
    is_contradicted = np.any([pairs.column(name) > 0 for name in contradictions], axis=0)
    left_over = pairs.column("left_over_left") + pairs.column("left_over_right")
    is_equal = is_brand & is_size & ~is_contradicted & (left_over <= _LEFT_OVER_MAX) & (pairs.column("words_shared") > 0)
    rows = np.flatnonzero(is_equal).tolist()
    left, right = Counter(pairs.left_at[rows].tolist()), Counter(pairs.right_at[rows].tolist())
    return {row: Method.WORDS for row in rows if left[int(pairs.left_at[row])] == right[int(pairs.right_at[row])] == 1}
