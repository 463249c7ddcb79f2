"""The listings of a list as the matcher reads them: brand words, words of the name, readings of the size."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from include.wording.brand import fold_brand, is_company, own_label_of, short_brand
from include.wording.priced_size import readings_with_price, sizes_with_pieces
from include.wording.product_key import name_words, ordered_words, product_keys, spelling
from include.wording.product_key_words import NOISE
from include.wording.size import Readings
from include.wording.text import fold

#: A name can begin with its brand; longer brands than this are company names.
_BRAND_WORDS_MAX = 4
#: Words of a brand and of a name that are compared: far more than any label has.
_STATED_WORDS_MAX = 12
_WORDS_MAX = 40
_RANGE_MIN = 3
_RANGE_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Listing:
    """A product of one list. ``price_cents`` and ``unit_price`` (the printed text), or a known ``piece_count``, serve sizes such as "each"; the other fields may be empty."""

    id: str
    name: str
    brand: str | None = None
    size: str | None = None
    price_cents: int | None = None
    unit_price: str | None = None
    retailer: str | None = None
    gtins: tuple[str, ...] = ()
    piece_count: int | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """A listing with its text in comparable form.

    ``brands``: the one stated, without legal form, and the one with which the name begins, as :func:`stated_brand` writes them. ``brand_words`` are the words of all of them, ``words``
    the other ones of the name without sizes and words that distinguish nothing, ``ordered_words`` those whose order changes the meaning, ``size_words`` those of the
    size ("tablets").
    """

    listing: Listing
    brands: tuple[str, ...]
    is_company: bool
    brand_words: frozenset[str]
    words: tuple[str, ...]
    ordered_words: tuple[str, ...]
    size_words: frozenset[str]
    sizes: Readings
    own_label_of: str | None
    keys: tuple[str, ...]


def describe(left: Iterable[Listing], right: Iterable[Listing]) -> tuple[list[Described], list[Described]]:
    """Describe two lists, each in an order that depends on its content alone.

    Brands of both lists are found at the front of names. A listing without any gets the brand whose range its name has: "excellence" of one chocolate maker.
    """
    lists = list(left), list(right)
    known_brands = _front_brands([*lists[0], *lists[1]])
    found = [[_describe(listing, known_brands) for listing in listings] for listings in lists]
    ranges = _ranges([*found[0], *found[1]])
    mine, other = (sorted((_with_range(item, ranges) for item in items), key=_content) for items in found)
    return mine, other


def _content(item: Described) -> tuple[tuple[str, ...], tuple[str, ...], str, str, str]:
    return item.brands, item.words, item.listing.size or "", item.listing.name, item.listing.id


def stated_brand(listing: Listing) -> str:
    """The brand of a listing in comparable form, without legal form; ``""`` without one."""
    return " ".join(spelling(word) for word in short_brand(fold_brand(listing.brand)).split()[:_STATED_WORDS_MAX])


def _front_brands(listings: Sequence[Listing]) -> frozenset[str]:
    """Brands that can be recognised in a name. A single word must be a brand more often than a word of other brands' names: "extra", "simple"."""
    brands = Counter(filter(None, map(stated_brand, listings)))
    words: Counter[str] = Counter()
    for listing in listings:
        brand = stated_brand(listing)
        words.update({word for word in map(spelling, fold(listing.name).split()) if word != brand})
    return frozenset(brand for brand, count in brands.items() if " " in brand or count >= words[brand])


def _ranges(items: Sequence[Described]) -> dict[str, str]:
    """Words that name a range: in the names of three products at least, nine tenths of them of one brand."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        if item.brands and not item.is_company:
            for word in item.words:
                found[word][item.brands[0]] += 1
    ranges = {}
    for word, brands in found.items():
        brand, count = min(brands.items(), key=lambda pair: (-pair[1], pair[0]))
        if count >= _RANGE_MIN and count >= _RANGE_SHARE * brands.total():
            ranges[word] = brand
    return ranges


def _with_range(item: Described, ranges: Mapping[str, str]) -> Described:
    found = {ranges[word] for word in item.words if word in ranges} if not item.brands else set()
    return replace(item, brands=(found.pop(),)) if len(found) == 1 else item


def _describe(listing: Listing, known_brands: Collection[str]) -> Described:
    stated, front = stated_brand(listing), brand_in_front(listing.name, known_brands)
    brands = tuple(dict.fromkeys(brand for brand in (stated, front) if brand))
    brand_words = frozenset(word for brand in brands for word in brand.split()) - NOISE
    sizes = sizes_with_pieces(listing.size, listing.name, listing.piece_count)
    if listing.piece_count is None:
        sizes = readings_with_price(listing.size, listing.name, listing.price_cents, listing.unit_price)
    words = tuple(dict.fromkeys(word for word in name_words(listing.name, sizes) if word not in brand_words))[:_WORDS_MAX]
    size_words = frozenset(spelling(word) for word in fold(listing.size or "").split() if word.isalpha())
    keys = product_keys(listing.name, listing.brand if stated else front, listing.size, sizes)
    company = is_company(fold_brand(listing.brand))
    return Described(
        listing,
        brands,
        company,
        brand_words,
        words,
        ordered_words(listing.name),
        size_words,
        sizes,
        own_label_of(listing.brand or front),
        keys,
    )


def brand_in_front(name: str, known_brands: Collection[str]) -> str:
    """The longest known brand with which a name begins, as :func:`stated_brand` writes it; ``""`` without one, or when the name has no other word.

    >>> brand_in_front("Coca-Cola Classic 1.25L", {"coca cola", "coca"}), brand_in_front("Bananas", {"banana"})
    ('coca cola', '')
    """
    words = [spelling(word) for word in fold(name).split()]
    for length in range(min(_BRAND_WORDS_MAX, len(words) - 1), 0, -1):
        if (front := " ".join(words[:length])) in known_brands:
            return front
    return ""
