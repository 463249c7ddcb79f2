"""What the catalogue itself says about words: how rare one is, and which ones tell products of one brand and size apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log

from include.catalogue.matching.listing import Described

#: Products of one brand and size that are compared with each other to learn which words tell them apart.
_SISTERS_MAX = 60
#: Further products without the word that are assumed: a word seen once implies nothing.
_DOUBT = 2

#: Products with a word, and with two words (in alphabetical order).
Beside = tuple[Counter[str], Counter[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class WordStatistics:
    """``weight``: 0 (everywhere) to 1 (once). ``left`` and ``right``: the share of each list's products that have the word.

    ``apart`` counts the pairs of products of one list, brand and size that differ by exactly this word, or by this word against another one;
    ``opposites`` are the pairs of words that do so. ``brands``: those of each list.
    ``beside``: for each list, how many of its products have a word, and two words together.
    """

    weight: dict[str, float]
    left: dict[str, float]
    right: dict[str, float]
    apart: Counter[str]
    opposites: frozenset[tuple[str, str]]
    brands: tuple[frozenset[str], frozenset[str]]
    count: Counter[str]
    beside: tuple[Beside, Beside]


def word_statistics(left: Sequence[Described], right: Sequence[Described]) -> WordStatistics:
    """Count the words of both lists."""
    counts = [Counter(word for item in items for word in {*item.words, *item.brand_words}) for items in (left, right)]
    total = len(left) + len(right) + 1
    both = counts[0] + counts[1]
    weight = {word: log(total / count) / log(total) for word, count in both.items()}
    shares = [
        {word: count / max(len(items), 1) for word, count in found.items()} for found, items in zip(counts, (left, right), strict=True)
    ]
    apart: Counter[str] = Counter()
    opposites: set[tuple[str, str]] = set()
    for items in (left, right):
        for sisters in _sisters(items):
            for one, other in combinations(sisters, 2):
                mine, yours = one - other, other - one
                if len(mine) <= 1 and len(yours) <= 1 and (mine or yours):
                    apart.update(mine | yours)
                    if mine and yours:
                        opposites.update(((*mine, *yours), (*yours, *mine)))  # type: ignore[arg-type]
    brands = (frozenset(brand for item in left for brand in item.brands), frozenset(brand for item in right for brand in item.brands))
    return WordStatistics(weight, shares[0], shares[1], apart, frozenset(opposites), brands, both, (_beside(left), _beside(right)))


def _sisters(items: Sequence[Described]) -> list[list[frozenset[str]]]:
    groups: dict[tuple[str, str], set[frozenset[str]]] = defaultdict(set)
    for item in items:
        if item.brands and item.sizes:
            groups[item.brands[0], item.sizes[0].canonical].add(frozenset(item.words))
    return [sorted(group, key=sorted)[:_SISTERS_MAX] for group in groups.values() if len(group) > 1]


def _beside(items: Sequence[Described]) -> Beside:
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for item in items:
        found = sorted({*item.words, *item.brand_words})
        words.update(found)
        pairs.update(combinations(found, 2))
    return words, pairs


def implied(word: str, others: Iterable[str], beside: Beside) -> float:
    """How far other words of the product imply a word, 0 to 1: the share of products with one of them that have it ("flakes" beside "corn")."""
    words, pairs = beside
    return max((pairs[(word, other) if word < other else (other, word)] / (words[other] + _DOUBT) for other in others), default=0.0)
