"""Whether two texts can be about the same good, or likely are: retailers edit texts, and sometimes give a number to another good."""

from __future__ import annotations

from functools import lru_cache

from include.wording.brand import fold_brand
from include.wording.product_key import spelling
from include.wording.product_key_words import CONTAINERS, NOISE, UNSURE
from include.wording.size import readings, sizes_conflict, without_sizes
from include.wording.text import fold

#: Name, brand and size, as a retailer writes them.
Text = tuple[str, str | None, str | None]

_EMPTY_WORDS = NOISE | CONTAINERS | UNSURE


@lru_cache(maxsize=32_768)
def may_be_same_good(left: Text, right: Text) -> bool:
    """Whether name, brand and size leave it possible that both texts are about one good.

    Brand and size each agree, contradict, or say nothing. Both contradict: two goods, unless the names share two thirds of their words. Names without
    a common word are two goods too, unless brand or size agrees and neither contradicts, or a name is a single word, which says too little.

    >>> may_be_same_good(("Black Tea", "Zorbo", "100g"), ("Zorbo Tea Black 100 Grams", None, None))
    True
    >>> may_be_same_good(("Black Tea", "Zorbo", "100g"), ("Garden Hose", "Quux", "15m")), may_be_same_good(("Black Tea", None, None), ("Garden Hose", None, None))
    (False, False)
    """
    evidence = {_brands(left, right), _sizes(left, right)}
    mine, other = identifying_words(left), identifying_words(right)
    fewest = min(len(mine), len(other))
    if evidence == {-1}:
        return fewest > 0 and len(mine & other) >= fewest * 2 / 3
    return not mine.isdisjoint(other) or fewest < 2 or evidence in ({1}, {0, 1})


def is_likely_same_good(left: Text, right: Text) -> bool:
    """Whether two texts name one good as far as texts tell: neither brand nor size contradicts, and the names share two thirds of the shorter one's words.

    >>> is_likely_same_good(("Green Tea", "Zorbo", "100g"), ("Zorbo Tea Green Leaf", None, "100 g"))
    True
    >>> is_likely_same_good(("Green Tea", "Zorbo", "100g"), ("Black Tea", "Zorbo", "100g")), is_likely_same_good(("Tea", None, "1kg"), ("Tea", None, "2kg"))
    (False, False)
    """
    mine, other = identifying_words(left), identifying_words(right)
    shared = len(mine & other)
    return shared > 0 and shared >= min(len(mine), len(other)) * 2 / 3 and -1 not in (_brands(left, right), _sizes(left, right))


def _brands(left: Text, right: Text) -> int:
    """1: related; -1: different; 0: one is missing."""
    mine, other = fold_brand(left[1]), fold_brand(right[1])
    if not mine or not other:
        return 0
    return 1 if set(mine.split()) & set(other.split()) or mine.replace(" ", "") == other.replace(" ", "") else -1


def _sizes(left: Text, right: Text) -> int:
    """1: they agree; -1: they conflict, or one is measured in another unit; 0: one counts nothing."""
    mine, other = ({size for size in readings(text[2], text[0]) if not size.is_each} for text in (left, right))
    if not mine or not other:
        return 0
    if {size.dimension for size in mine}.isdisjoint({size.dimension for size in other}):
        return -1
    return -1 if sizes_conflict(tuple(mine), tuple(other)) else 1


def identifying_words(text: Text) -> frozenset[str]:
    """The words of the name and the brand that identify something."""
    words = {spelling(word) for word in fold(without_sizes(text[0])).split()}
    identifying = {word for word in words - _EMPTY_WORDS if not word.isdigit()} - {spelling(word) for word in fold_brand(text[1]).split()}
    return frozenset(identifying or words)
