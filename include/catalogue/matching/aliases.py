"""Brand aliases: brands that name the same goods, learnt from products that are joined already and from names that agree without them.

One licence holder has several brands, so an alias is a set: ``{"general mills": {"old el paso", "betty crocker"}}``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from include.catalogue.matching.features import Aliases, brand_relation, size_relation
from include.catalogue.matching.listing import Described
from include.catalogue.matching.words import WordStatistics

#: Products whose names agree that make a company's name and a brand aliases. A pair of products never proves itself: the others do.
_PRODUCTS_MIN = 2
#: The same of two names of brands, which rarely mean one: two shops sell "sparkling mineral water" and "still mineral water" of different brands.
_PRODUCTS_OF_BRANDS_MIN = 4
#: Weight of the words that two names must share to count: one rare word and a common one.
_SHARED_WEIGHT_MIN = 1.0
_RELATION_KNOWN = frozenset({"equal", "unknown"})


def learn_aliases(joined: Iterable[tuple[Described, Described]]) -> Aliases:
    """Aliases from pairs of listings that are certainly one product: joined by barcode or by a person."""
    return _symmetric((mine.brands[0], other.brands[0]) for mine, other in joined if brand_relation(mine, other, {}) not in _RELATION_KNOWN)


def aliases_from_names(
    left: Sequence[Described], right: Sequence[Described], chosen: Sequence[Sequence[int]], statistics: WordStatistics
) -> Aliases:
    """Aliases from products of different brands with the same words and size: two where one of the brands is a company's name, else four.

    ``chosen`` has the candidates of each listing of the left list. A name that fits several products proves nothing.
    """
    fits: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for position, (mine, candidates) in enumerate(zip(left, chosen, strict=True)):
        found = [at for at in candidates if _names_agree(mine, right[at], statistics)]
        if len({right[at].brands for at in found}) == 1 and brand_relation(mine, right[found[0]], {}) == "different":
            fits[found[0]].append((position, mine.brands[0]))
    products: dict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    for at, found_left in fits.items():
        if len({brand for _, brand in found_left}) == 1:
            products[found_left[0][1], right[at].brands[0]].add(tuple(sorted(right[at].words)))
    companies = {item.brands[0] for item in (*left, *right) if item.is_company}
    return _symmetric(
        brands
        for brands, names in products.items()
        if len(names) >= (_PRODUCTS_OF_BRANDS_MIN if companies.isdisjoint(brands) else _PRODUCTS_MIN)
    )


def merge_aliases(one: Aliases, other: Aliases) -> Aliases:
    """The aliases of both."""
    return {brand: one.get(brand, frozenset()) | other.get(brand, frozenset()) for brand in {**one, **other}}


def _names_agree(mine: Described, other: Described, statistics: WordStatistics) -> bool:
    shared = {*mine.words, *mine.brand_words} & {*other.words, *other.brand_words}
    if set(mine.words) - shared or set(other.words) - shared or size_relation(mine.sizes, other.sizes) != "equal":
        return False
    return len(shared) > 1 and sum(statistics.weight[word] for word in sorted(shared)) >= _SHARED_WEIGHT_MIN


def _symmetric(pairs: Iterable[tuple[str, str]]) -> Aliases:
    found: dict[str, set[str]] = defaultdict(set)
    for mine, other in pairs:
        found[mine].add(other)
        found[other].add(mine)
    return {brand: frozenset(others) for brand, others in sorted(found.items())}
