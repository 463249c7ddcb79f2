"""What speaks for and against two listings being one product, as numbers that a person can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from include.catalogue.matching.listing import Described
from include.catalogue.matching.words import WordStatistics, implied
from include.wording.size import Readings, sizes_conflict
from include.wording.word_classes import class_of

Aliases = Mapping[str, frozenset[str]]

#: In the order of the coefficients of :mod:`include.catalogue.matching.model`.
FEATURES = (
    "brand_equal", "brand_related", "brand_in_name", "brand_unknown", "brand_apart",
    "size_equal", "size_other_reading", "size_unknown",
    "words_shared", "words_shared_share", "words_contained", "all_words", "no_words",
    "left_over_left", "left_over_right", "left_over_both", "opposite_words", "telling_words", "class_conflict", "class_one_sided",
    "number_conflict", "number_one_sided",
)  # fmt: skip

_FUZZY_WEIGHT = 0.8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two listings compared: the values of :data:`FEATURES`, and the words that only one of them has."""

    values: tuple[float, ...]
    only_left: tuple[str, ...]
    only_right: tuple[str, ...]


def veto(left: Described, right: Described) -> str | None:
    """Why two listings are never one product, whatever their names: ``own_label``, ``barcode`` or ``size``.

    A private label is sold by one retailer, so it belongs to no list whose retailer is unknown.
    """
    for mine, other in ((left, right), (right, left)):
        if mine.own_label_of and mine.own_label_of != (other.listing.retailer or other.own_label_of):
            return "own_label"
    if left.listing.gtins and right.listing.gtins and not set(left.listing.gtins) & set(right.listing.gtins):
        return "barcode"
    return "size" if size_relation(left.sizes, right.sizes) == "conflict" else None


@lru_cache(maxsize=200_000)
def size_relation(left: Readings, right: Readings) -> str:
    """``equal``, ``other_reading`` (less likely readings agree), ``unknown`` (nothing to compare) or ``conflict``."""
    if sizes_conflict(left, right):
        return "conflict"
    mine, other = ([size for size in readings if not size.is_each] for readings in (left, right))
    if not mine or not other:
        return "unknown"
    if mine[0].agrees_with(other[0]) and mine[0].pack_count == other[0].pack_count:
        return "equal"
    return "other_reading" if any(a.agrees_with(b) for a in mine for b in other) else "unknown"


def brand_relation(left: Described, right: Described, aliases: Aliases) -> str:
    """``equal`` (also by a learnt alias), ``related``, ``in_name``, ``unknown`` (one is missing) or ``different``."""
    if any(brand in right.brands or not aliases.get(brand, _NONE).isdisjoint(right.brands) for brand in left.brands):
        return "equal"
    if not left.brands or not right.brands:
        return "unknown"
    mine, other = left.brand_words, right.brand_words
    if mine == other or (left.is_company and other and other <= mine) or (right.is_company and mine and mine <= other):
        return "equal"
    if left.brands[0].replace(" ", "") == right.brands[0].replace(" ", ""):
        return "equal"
    if (mine and mine <= other) or (other and other <= mine) or similar(left.brands[0].replace(" ", ""), right.brands[0].replace(" ", "")):
        return "related"
    if (mine and mine <= {*right.words, *other}) or (other and other <= {*left.words, *mine}):
        return "in_name"
    return "different"


_NONE: frozenset[str] = frozenset()


def compare(left: Described, right: Described, statistics: WordStatistics, aliases: Aliases) -> Comparison:
    """Compare two listings whose sizes do not conflict."""
    brand, size = brand_relation(left, right, aliases), size_relation(left.sizes, right.sizes)
    # A brand that both retailers use is not written as another one.
    is_apart = brand == "different" and (
        left.brands[0] in statistics.brands[1] or right.brands[0] in statistics.brands[0] or not (left.is_company or right.is_company)
    )
    mine = [word for word in left.words if word not in right.brand_words or word in right.words]
    other = [word for word in right.words if word not in left.brand_words or word in left.words]
    shared = set(mine) & set(other)
    only_left = [word for word in mine if word not in shared and word not in right.size_words]
    only_right = [word for word in other if word not in shared and word not in left.size_words]
    weight = statistics.weight
    shared_weight = sum(weight[word] for word in sorted(shared))
    if only_left and only_right:
        shared_weight += _pair_up(only_left, only_right, weight)
    # A word that one list hardly uses is missing there for no reason of the product: "block" in one catalogue, nothing in the other.
    # Neither for one that the shared words imply: "corn" beside "flakes".
    common = sorted(shared | (left.brand_words & right.brand_words))
    over_left = sum(_surprise(word, common, statistics, 0) for word in only_left)
    over_right = sum(_surprise(word, common, statistics, 1) for word in only_right)
    total = 2 * shared_weight + sum(weight[word] for word in only_left) + sum(weight[word] for word in only_right)
    whole_left = shared_weight + sum(weight[word] for word in only_left)
    whole_right = shared_weight + sum(weight[word] for word in only_right)
    classes_left = {name for word in only_left if (name := class_of(word))}
    classes_right = {name for word in only_right if (name := class_of(word))}
    numbers_left, numbers_right = (any(any(c.isdigit() for c in word) for word in words) for words in (only_left, only_right))
    is_empty = not mine or not other
    telling = max(
        (statistics.apart[word] / (statistics.apart[word] + statistics.count[word]) for word in (*only_left, *only_right)), default=0.0
    )
    is_opposite = _is_order_turned(left, right) or any((a, b) in statistics.opposites for a in only_left for b in only_right)
    values = (
        float(brand == "equal"), float(brand == "related"), float(brand == "in_name"), float(brand == "unknown"), float(is_apart),
        float(size == "equal"), float(size == "other_reading"), float(size == "unknown"),
        min(shared_weight, 3.0), 2 * shared_weight / total if total else 0.0,
        max(shared_weight / whole_left if whole_left else 0.0, shared_weight / whole_right if whole_right else 0.0),
        float(not only_left and not only_right), float(is_empty),
        min(over_left, 3.0), min(over_right, 3.0), min(over_left, over_right, 2.0),
        float(is_opposite), telling,
        float(bool(classes_left & classes_right)), float(bool(classes_left ^ classes_right)),
        float(numbers_left and numbers_right), float(numbers_left != numbers_right),
    )  # fmt: skip
    return Comparison(values, tuple(only_left), tuple(only_right))


def _is_order_turned(left: Described, right: Described) -> bool:
    """Whether words that both names have stand in another order that changes the meaning: "milk chocolate" and "chocolate milk"."""
    mine, other = ([word for word in item.ordered_words if word not in left.brand_words | right.brand_words] for item in (left, right))
    return [word for word in mine if word in other] != [word for word in other if word in mine]


def _surprise(word: str, common: list[str], statistics: WordStatistics, side: int) -> float:
    """Weight of a word that the other listing lacks: less where the other list hardly uses it, or where the common words imply it."""
    shares = statistics.left, statistics.right
    expected = max(0.25, min(1.0, shares[1 - side].get(word, 0.0) / shares[side][word]))
    return statistics.weight[word] * expected * (1.0 - implied(word, common, statistics.beside[side]))


def _pair_up(only_left: list[str], only_right: list[str], weight: dict[str, float]) -> float:
    """Take words from both lists that are one: joined or split ("roll ups", "rollups"), short forms, one letter off. Returns their weight."""
    found = 0.0
    for mine, other in ((only_left, only_right), (only_right, only_left)):
        for first, second in list(pairwise(mine)):
            if first + second in other and first in mine and second in mine:
                found += weight[first + second]
                other.remove(first + second)
                mine.remove(first)
                mine.remove(second)
    for word in list(only_left):
        twin = next((candidate for candidate in only_right if similar(word, candidate)), None)
        if twin is not None:
            found += _FUZZY_WEIGHT * min(weight[word], weight[twin])
            only_left.remove(word)
            only_right.remove(twin)
    return found


@lru_cache(maxsize=500_000)
def similar(left: str, right: str) -> bool:
    """Whether one word is a short form of the other (at least four letters), or both have at least six and differ by one.

    >>> similar("aero", "aerosol"), similar("caramello", "carmello"), similar("white", "whole"), similar("500mg", "600mg")
    (True, True, False, False)
    """
    if any(c.isdigit() for c in left + right):
        return False
    short, long = sorted((left, right), key=len)
    if len(short) >= 4 and long.startswith(short):
        return True
    if len(short) < 6 or len(long) - len(short) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at:] == long[at + 1 :] or short[at + 1 :] == long[at + 1 :]
