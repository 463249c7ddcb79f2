"""Blocking: the few listings of the right list that a listing of the left one is compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from include.catalogue.matching.features import Aliases, veto
from include.catalogue.matching.listing import Described
from include.catalogue.matching.words import WordStatistics

#: Candidates of one listing; vetoed ones do not count.
CANDIDATES_MAX = 20
#: Listings looked at for one listing, the most similar first.
_LOOKED_AT_MAX = 120
#: Weight of an equal brand among the shared words: more than two rare words.
_BRAND_WEIGHT = 1.5
_SHARED_WEIGHT_MIN = 0.3


def candidates(left: Sequence[Described], right: Sequence[Described], statistics: WordStatistics, aliases: Aliases) -> Iterator[list[int]]:
    """Yield for each listing of the left list positions in the right one: those that share the most and are not vetoed."""
    places: dict[str, list[int]] = defaultdict(list)
    brands: dict[str, list[int]] = defaultdict(list)
    for position, item in enumerate(right):
        for word in {*item.words, *item.brand_words}:
            places[word].append(position)
        for brand in item.brands:
            brands[brand].append(position)
    postings = {word: np.array(found, dtype=np.int64) for word, found in places.items()}
    branded = {brand: np.array(found, dtype=np.int64) for brand, found in brands.items()}
    shared: NDArray[np.float64] = np.zeros(len(right))
    for item in left:
        shared[:] = 0.0
        for word in sorted({*item.words, *item.brand_words}):
            if word in postings:
                shared[postings[word]] += statistics.weight[word]
        for name in sorted({alias for brand in item.brands for alias in (brand, *aliases.get(brand, ()))}):
            if name in branded:
                shared[branded[name]] += _BRAND_WEIGHT
        possible = np.flatnonzero(shared >= _SHARED_WEIGHT_MIN)
        best = possible[np.argsort(-shared[possible], kind="stable")[:_LOOKED_AT_MAX]]
        chosen: list[int] = []
        for position in best.tolist():
            if len(chosen) == CANDIDATES_MAX:
                break
            if veto(item, right[position]) is None:
                chosen.append(position)
        yield chosen
