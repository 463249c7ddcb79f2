"""The product key: equal for two listings with equivalent name, brand and size, at any retailer. Barcodes are not used.

A key is a pure function of the text and of :data:`RULE_VERSION`. The word lists are fixed in ``product_key_words``, so no
catalogue can change a key. It has each word of name and brand once, in alphabetical order (retailers' word order differs),
then the order of the few words whose order changes the meaning, then the size: ``chocolate milk paul chocolate>milk|300ml``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from include.wording.brand import fold_brand
from include.wording.product_key_words import CHOCOLATE_KINDS, CONTAINERS, NOISE, ORDERED, PHRASES, SPELLINGS, UNSURE
from include.wording.size import Readings, readings, without_sizes
from include.wording.size_units import Dimension
from include.wording.text import fold

RULE_VERSION = 2

_DIGIT = re.compile(r"\d")
_SERVES = re.compile(r"\bserves\s+\d+", re.IGNORECASE)
_PHRASES = {tuple(phrase.split()): tuple(replacement.split()) for phrase, replacement in PHRASES.items()}
_PHRASE_STARTS = frozenset(phrase[0] for phrase in _PHRASES)
_DROPPED_AT_MOST = NOISE | CONTAINERS | UNSURE


def product_key(name: str | None, brand: str | None = None, size: str | None = None) -> str:
    """The key of the likeliest size reading; ``""`` (no key, never matched) when no word identifies the product.

    >>> product_key("Chips Salt & Vinegar", "Thins", "175g") == product_key("Thins Salt and Vinegar Potato Chips", "THINS", "175 g")
    True
    >>> product_key("Milk Chocolate", "Pauls", "300mL"), product_key("Chocolate Milk", "Pauls", "300mL")
    ('chocolate milk paul milk>chocolate|300ml', 'chocolate milk paul chocolate>milk|300ml')
    >>> product_key("500g", "Coles", "500g"), product_key("", None, None)
    ('', '')
    """
    keys = product_keys(name, brand, size)
    return keys[0] if keys else ""


def loose_key(name: str | None, brand: str | None = None, size: str | None = None) -> str:
    """The key without words that may distinguish two products: equal ones are worth a proposal, never a join.

    >>> loose_key("Ham on the Bone", "Primo", "1kg"), product_key("Ham on the Bone", "Primo", "1kg")
    ('bone ham primo|1000g', 'bone ham on primo|1000g')
    """
    keys = _keys(name, brand, size, True)
    return keys[0] if keys else ""


def product_keys(name: str | None, brand: str | None = None, size: str | None = None, sizes: Readings | None = None) -> tuple[str, ...]:
    """One key for each reading of the size, the likeliest first; empty when no word identifies the product.

    ``sizes`` are readings from other evidence (:func:`include.wording.priced_size.readings_with_price`) instead of those of ``size``.

    Two listings are one product when they share a key and :func:`include.wording.size.sizes_conflict` finds no conflict
    between their readings: a count alone (``6ea``) is shared by packs of different weights.

    >>> product_keys("LCMs Kaleidos Snack Bars 6 pack", "Kellogg's", "132g")[0]
    'bar kaleido kellogg lcm snack|6x22g'
    >>> product_keys("Kellogg's Lcms Kaleidos Snack Bars", "Kellogg's", "6 pack")
    ('bar kaleido kellogg lcm snack|6ea',)
    """
    return _keys(name, brand, size, False, sizes)


def name_words(name: str, sizes: Readings) -> list[str]:
    """The words of a name in their order, as :func:`spelling` writes them, without sizes and without words that never distinguish two products.

    >>> name_words("Cadbury Dairy Milk Chocolate Block 180g", readings("180g"))
    ['cadbury', 'dairy', 'milk']
    """
    dimensions = {size.dimension for size in sizes}
    dropped = NOISE | CONTAINERS if dimensions - {Dimension.COUNT} else NOISE
    spelt = [spelling(word) for word in fold(_without_numbers(name)).split()]
    return [word for word in _without_phrases(spelt, Dimension.MASS in dimensions) if word not in dropped]


def _without_numbers(name: str) -> str:
    return without_sizes(_SERVES.sub(" ", name)) if _DIGIT.search(name) else name


@lru_cache(maxsize=32_768)
def _keys(name: str | None, brand: str | None, size: str | None, is_loose: bool, sizes: Readings | None = None) -> tuple[str, ...]:
    name = name or ""
    if sizes is None:
        sizes = readings(size, name if _DIGIT.search(name) else None)
    name = _without_numbers(name)
    words = _identifying_words(name, brand, sizes, is_loose)
    if not words:
        return ()
    return tuple(f"{words}|{reading.canonical}" for reading in sizes) or (f"{words}|",)


def _identifying_words(name: str, brand: str | None, sizes: Readings, is_loose: bool) -> str:
    spelt = [spelling(word) for word in fold(name).split()]
    if all(word.isdigit() for word in set(spelt) - _DROPPED_AT_MOST):
        return ""
    brand_words = {spelling(word) for word in fold_brand(brand).split()} - NOISE
    dimensions = {size.dimension for size in sizes}
    dropped = brand_words | NOISE
    if dimensions - {Dimension.COUNT}:
        dropped |= CONTAINERS
    if is_loose:
        dropped |= _DROPPED_AT_MOST
    body = [word for word in _without_phrases(spelt, Dimension.MASS in dimensions) if word not in dropped]
    if not body:
        body = [word for word in spelt if word not in NOISE and word not in brand_words]
    ordered = dict.fromkeys(word for word in body if word in ORDERED)
    bag = " ".join(sorted(brand_words.union(body)))
    return f"{bag} {'>'.join(ordered)}" if len(ordered) > 1 else bag


def _without_phrases(words: list[str], is_solid: bool) -> list[str]:
    """Replace phrases by their canonical form; for solid products also ``milk chocolate`` by ``milk``."""
    found: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        replacement = _PHRASES.get((word, words[index + 1])) if word in _PHRASE_STARTS and index + 1 < len(words) else None
        if replacement is not None:
            found.extend(replacement)
            index += 2
            continue
        if not (is_solid and word == "chocolate" and found and found[-1] in CHOCOLATE_KINDS):
            found.append(word)
        index += 1
    return found


@lru_cache(maxsize=100_000)
def spelling(word: str) -> str:
    """One spelling of a folded word: variants replaced, plural to singular. Only equality matters, not correct English.

    >>> spelling("yogurt"), spelling("chips"), spelling("berries"), spelling("cookie") == spelling("cookies"), spelling("swiss")
    ('yoghurt', 'chip', 'berry', True, 'swiss')
    """
    if word in SPELLINGS:
        return SPELLINGS[word]
    if len(word) <= 3:
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith("ie") and len(word) > 4:
        return f"{word[:-2]}y"
    if word.endswith(("oes", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and word[-2] not in "ius":
        return word[:-1]
    return word
