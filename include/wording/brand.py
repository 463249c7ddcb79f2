"""Brands: one spelling for comparison, and the private labels of the retailers."""

from __future__ import annotations

from functools import lru_cache

from include.wording.brand_own_labels import FIRST_WORDS, OWN_LABELS
from include.wording.text import clean, fold

# Placeholders for a missing brand.
_NO_BRAND = frozenset(
    {"licensee name withheld for privacy reasons", "unbranded", "no brand", "not branded", "branded", "unknown", "n a", "none", "null"}
)
_LEGAL_FORMS = frozenset({"ltd", "limited", "pty", "inc", "llc", "plc", "gmbh", "srl", "sau", "bv", "sa", "spa", "ag"})
# What company names have besides a name; dropped beside a legal form only: "Passage Foods" is a brand.
_COMPANY_WORDS = _LEGAL_FORMS | frozenset(
    [
        "australia",
        "aust",
        "australasia",
        "nz",
        "oceania",
        "america",
        "nederland",
        "iberica",
        "company",
        "co",
        "bros",
        "foods",
        "food",
        "quality",
        "fine",
        "products",
        "industries",
        "enterprises",
        "group",
        "operations",
        "laboratories",
        "manufacturing",
        "international",
        "holdings",
        "technical",
        "services",
        "distribution",
        "trading",
        "s",
        "a",
        "u",
        "b",
        "v",
    ]
)


@lru_cache(maxsize=50_000)
def fold_brand(brand: str | None) -> str:
    """A brand for comparison, as folded words. ``""`` only for a missing brand or a placeholder.

    A brand in another script keeps its letters, and one that consists of signs keeps its signs, so neither becomes "no brand".

    >>> fold_brand("Kellogg's"), fold_brand(" ORAL-B "), fold_brand("Yumi&#039;s"), fold_brand("Nestlé")
    ('kelloggs', 'oral b', 'yumis', 'nestle')
    >>> fold_brand("舒适刀片(广州)有限公司"), fold_brand("+&+")
    ('舒适刀片 广州 有限公司', '+&+')
    >>> fold_brand(None), fold_brand("  "), fold_brand("Licensee name withheld for privacy reasons")
    ('', '', '')
    """
    cleaned = clean(brand)
    if cleaned is None:
        return ""
    folded = fold(cleaned) or cleaned.casefold()
    return "" if folded in _NO_BRAND else folded


@lru_cache(maxsize=50_000)
def own_label_of(brand: str | None) -> str | None:
    """The retailer that owns this private label, else None. A private label never matches at another retailer.

    >>> own_label_of("Coles Kitchen"), own_label_of("MACRO"), own_label_of("Black & Gold"), own_label_of("FARMDALE")
    ('coles', 'woolworths', 'iga', 'aldi')
    >>> own_label_of("Macro Mike"), own_label_of("Cadbury"), own_label_of("Coles Limited"), own_label_of(None)
    (None, None, None, None)
    """
    folded = fold_brand(brand)
    if folded in OWN_LABELS:
        return OWN_LABELS[folded]
    first, _, rest = folded.partition(" ")
    # A company name is a licence holder's, not a label: "Coles Limited" is printed on chocolate of every retailer.
    return FIRST_WORDS.get(first) if _LEGAL_FORMS.isdisjoint(rest.split()) else None


# Companies that are known by a short name; their goods have brands of their own.
_HOUSES = frozenset(
    {
        "blue diamond",
        "ferrero",
        "mars",
        "mondelez",
        "nestle",
        "pepsico",
        "procter and gamble",
        "procter gamble",
        "reckitt",
        "sanitarium",
        "unilever",
    }
)


@lru_cache(maxsize=50_000)
def is_company(folded: str) -> bool:
    """Whether a folded brand is the name of a company, a licence holder's: it may own several brands.

    >>> is_company("riviana foods pty ltd"), is_company("general mills iberica s a u"), is_company("nestle"), is_company("passage foods")
    (True, True, True, False)
    """
    words = folded.split()
    return folded in _HOUSES or not _LEGAL_FORMS.isdisjoint(words[1:]) or words[-3:] == ["s", "a", "u"] or words[-2:] == ["b", "v"]


@lru_cache(maxsize=50_000)
def short_brand(folded: str) -> str:
    """A folded brand; of a company, its name without legal form, country and trade.

    >>> short_brand("riviana foods pty ltd"), short_brand("yumis quality foods pty ltd"), short_brand("passage foods"), short_brand("foods pty ltd")
    ('riviana', 'yumis', 'passage foods', 'foods pty ltd')
    """
    if not is_company(folded):
        return folded
    return " ".join(word for word in folded.split() if word not in _COMPANY_WORDS) or folded
