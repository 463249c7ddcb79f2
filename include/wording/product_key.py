"""The product key: equal for two listings with equivalent name, brand and size, at any retailer. Barcodes are not used.

A key is a pure function of the text and of :data:`RULE_VERSION`. The word lists are fixed in ``product_key_words``, so no
catalogue can change a key. It has each word of name and brand once, in alphabetical order (retailers' word order differs),
then the order of the few words whose order changes the meaning, then the size: ``chocolate milk paul chocolate>milk|300ml``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from include.wording.brand import fold_brand, is_company, short_brand
from include.wording.product_key_words import (
    CHIPS_OF,
    CHOCOLATE_COLOURS,
    CHOCOLATE_FORMS,
    CHOCOLATE_KINDS,
    CHOCOLATE_MAKERS,
    CLAIMS,
    COMPOUNDS,
    CONTAINERS,
    DOSE_FORMS,
    IMPLIED,
    KINDS,
    NOISE,
    ORDERED,
    PACK_EXTENTS,
    PACK_KINDS,
    PHRASES,
    SPELLINGS,
    UNSURE,
)
from include.wording.size import Readings, readings, without_sizes
from include.wording.size_units import Dimension
from include.wording.text import fold

RULE_VERSION = 4

_DIGIT = re.compile(r"\d")
_SERVES = re.compile(r"\bserves\s+\d+", re.IGNORECASE)
_DIGITS_APART = re.compile(r"\d+|[^\d\s]+")
_COMPOUNDS = {(first, second): first + second for first, second in (pair.split("_") for pair in COMPOUNDS)}
_COMPOUND_SECONDS = frozenset(second for _, second in _COMPOUNDS)
_PHRASES = {tuple(phrase.split()): tuple(replacement.split()) for phrase, replacement in PHRASES.items()}
_PHRASE_STARTS = frozenset(phrase[0] for phrase in _PHRASES)
_PHRASE_LENGTHS = sorted({len(phrase) for phrase in _PHRASES}, reverse=True)
_NO_WORDS: frozenset[str] = frozenset()
_DROPPED_AT_MOST = NOISE | CONTAINERS | UNSURE
#: A weight or volume is rounded to this many steps per power of ten, beside the exact one: 384 and 385 mL are one good.
_ROUNDED_TO = 200


def product_key(name: str | None, brand: str | None = None, size: str | None = None) -> str:
    """The key of the likeliest reading; ``""`` (no key, never matched) when no word identifies the product.

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
    """A key for each reading of the texts, the likeliest first; empty when no word identifies the product.

    ``sizes`` are readings from other evidence (:func:`include.wording.priced_size.readings_with_price`) instead of those of ``size``. There are several readings
    of a size; of the brand, which may be a company's that no pack shows; and of the name, which may lack the form of the doses that the size has.

    Two listings are one product when they share a key and :func:`include.wording.size.sizes_conflict` finds no conflict
    between their readings: a count alone (``6ea``) is shared by packs of different weights.

    >>> product_keys("LCMs Kaleidos Snack Bars 6 pack", "Kellogg's", "132g")[0]
    'bar kaleido kellogg lcm|6x22g'
    >>> product_keys("Kellogg's Lcms Kaleidos Snack Bars", "Kellogg's", "6 pack")
    ('bar kaleido kellogg lcm|6ea',)
    >>> product_keys("Magnesium", "Zorbo", "60 tablets")
    ('magnesium zorbo|60ea', 'magnesium tablet zorbo|60ea')
    """
    return _keys(name, brand, size, False, sizes)


def name_words(name: str, sizes: Readings) -> list[str]:
    """The words of a name in their order, as :func:`spelling` writes them, without sizes and without words that never distinguish two products.

    >>> name_words("Cadbury Dairy Milk Chocolate Block 180g", readings("180g"))
    ['cadbury', 'dairy', 'milk']
    """
    dimensions = {size.dimension for size in sizes}
    dropped = NOISE | CONTAINERS if dimensions - {Dimension.COUNT} else NOISE
    spelt = _spelt(fold(_without_numbers(name)))
    return [word for word in _without_phrases(spelt, dimensions) if word not in dropped]


def ordered_words(name: str) -> tuple[str, ...]:
    """The words of a name whose order changes the meaning, in their order.

    >>> ordered_words("Honey Soy Milk Chocolate"), ordered_words("Chocolate Milk"), ordered_words("Crackers")
    (('honey', 'milk', 'chocolate'), ('chocolate', 'milk'), ())
    """
    return tuple(dict.fromkeys(word for word in _without_phrases(_spelt(fold(_without_numbers(name))), ()) if word in ORDERED))


def _without_numbers(name: str) -> str:
    return without_sizes(_SERVES.sub(" ", name)) if _DIGIT.search(name) else name


def _spelt(folded: str) -> list[str]:
    """The words of a folded text in one spelling: digits apart from letters ("SPF50", "2in1"), and as one word what is also written so ("sour dough")."""
    words = _DIGITS_APART.findall(folded) if _DIGIT.search(folded) else folded.split()
    found: list[str] = []
    for word in map(spelling, words):
        if word in _COMPOUND_SECONDS and found and (found[-1], word) in _COMPOUNDS:
            found[-1] = _COMPOUNDS[found[-1], word]
        else:
            found.append(word)
    return found


@lru_cache(maxsize=32_768)
def _keys(name: str | None, brand: str | None, size: str | None, is_loose: bool, sizes: Readings | None = None) -> tuple[str, ...]:
    name = name or ""
    if sizes is None:
        sizes = readings(size, name if _DIGIT.search(name) else None)
    forms = {spelling(word) for word in fold(f"{size or ''} {name}").split()} & DOSE_FORMS
    found: dict[str, None] = {}
    brands = _brand_readings(brand)
    for brand_words in brands:
        body = _identifying_words(_without_numbers(name), brand_words, sizes, is_loose)
        without_company = [word for word in body if word not in brands[0]]
        if len(without_company) > 1:
            body = without_company
        if body:
            found[_text(body, brand_words)] = None
            found[_text([*body, *sorted(forms - set(body))], brand_words)] = None
    return tuple(dict.fromkeys(f"{words}|{size_text}" for words in found for size_text in _size_texts(sizes)))


def _brand_readings(brand: str | None) -> list[frozenset[str]]:
    """The words of the brand; of a company also its first word, and none: what the pack shows is at the front of the product's name."""
    folded = fold_brand(brand)
    stated = frozenset(_spelt(short_brand(folded))) - NOISE
    if not is_company(folded):
        return [stated]
    first = frozenset({spelling(word) for word in folded.split()[:1]})
    return list(dict.fromkeys((stated, first, _NO_WORDS)))


def _size_texts(sizes: Readings) -> list[str]:
    """The readings of the size, each exact and rounded."""
    found = [size.canonical for size in sizes]
    for size in sizes:
        if size.dimension is not Dimension.COUNT and size.quantity_max is None:
            step = Decimal(10) ** (size.quantity.adjusted() + 1) / _ROUNDED_TO
            found.append(replace(size, quantity=(size.quantity / step).to_integral_value(ROUND_HALF_UP) * step).canonical)
    return found or [""]


def _text(body: list[str], brand_words: frozenset[str]) -> str:
    ordered = dict.fromkeys(word for word in body if word in ORDERED)
    bag = " ".join(sorted(brand_words.union(body)))
    return f"{bag} {'>'.join(ordered)}" if len(ordered) > 1 else bag


def _identifying_words(name: str, brand_words: frozenset[str], sizes: Readings, is_loose: bool) -> list[str]:
    spelt = _spelt(fold(name))
    if all(word.isdigit() for word in set(spelt) - _DROPPED_AT_MOST):
        return []
    dimensions = {size.dimension for size in sizes}
    dropped = brand_words | NOISE
    if dimensions - {Dimension.COUNT}:
        dropped |= CONTAINERS
    if Dimension.VOLUME in dimensions:
        dropped |= {"liquid"}  # what else, in millilitres
    if is_loose:
        dropped |= _DROPPED_AT_MOST
    body = [word for word in _without_phrases(spelt, dimensions) if word not in dropped]
    if Dimension.MASS in dimensions and not CHOCOLATE_COLOURS.isdisjoint(body):
        body = [word for word in body if word != "chocolate"]
    if not body:
        body = [word for word in spelt if word not in NOISE and word not in brand_words]
    said = brand_words.union(body)
    general = {word for word in body if not IMPLIED.get(word, _NO_WORDS).isdisjoint(said)}
    if Dimension.VOLUME not in dimensions and not CHOCOLATE_MAKERS.isdisjoint(said):
        general |= CHOCOLATE_FORMS
    for words in (general, CLAIMS, KINDS):
        body = _without_general(body, words)
    return body


def _without_general(body: list[str], general: Collection[str]) -> list[str]:
    """The words without general ones, as long as another word is left."""
    kept = [word for n, word in enumerate(body) if word not in general or (word == "chip" and n > 0 and body[n - 1] in CHIPS_OF)]
    return kept if any(not word.isdigit() for word in kept) else body


def _without_phrases(words: list[str], dimensions: Collection[Dimension]) -> list[str]:
    """Replace phrases by their canonical form; of measured goods drop extents of packs, of solid ones replace ``milk chocolate`` by ``milk``."""
    has_measure, is_solid = bool(set(dimensions) - {Dimension.COUNT}), Dimension.MASS in dimensions
    found: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        after = words[index + 1] if index + 1 < len(words) else ""
        if has_measure and ((word in PACK_EXTENTS and after in PACK_KINDS) or (word in PACK_KINDS and after in PACK_EXTENTS)):
            index += 2
            continue
        phrase = _phrase_at(words, index) if word in _PHRASE_STARTS else None
        if phrase is not None:
            found.extend(_PHRASES[phrase])
            index += len(phrase)
            continue
        if not (is_solid and word == "chocolate" and found and found[-1] in CHOCOLATE_KINDS):
            found.append(word)
        index += 1
    return found


def _phrase_at(words: list[str], index: int) -> tuple[str, ...] | None:
    return next((phrase for length in _PHRASE_LENGTHS if (phrase := tuple(words[index : index + length])) in _PHRASES), None)


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
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("ie") and len(word) > 4:
        return f"{word[:-2]}y"
    if word.endswith(("oes", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and word[-2] not in "ius":
        return word[:-1]
    return word
