"""Sizes: texts such as ``1.25L``, ``6x200mL``, ``125g 5 pack`` and ``approx. 340g each`` in one comparable form.

A text can often be read in several ways (is ``500mL``, ``4 pack`` one bottle or the total?). All readings are kept, the likeliest
first; two sizes conflict only when no pair of readings agrees.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache

from include.wording.size_units import APPROXIMATE, COUNTS, MEASURES, PACKS, Dimension, base_units

TOLERANCE = Decimal("0.01")
# Weighed products are sold by the average piece, which differs between retailers.
APPROXIMATE_TOLERANCE = Decimal("0.25")
_STEP = Decimal("0.0001")

_DIGIT = re.compile(r"\d")
_NO_NUMBER = re.compile(r"\d{16}")  # a code, not a quantity
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ABBREVIATION = re.compile(r"\b(approx|avg|min)\s*\.")  # its full stop is not a decimal point: "approx.130g", "approx .150g"
_TIMES = re.compile(r"(?<=[\da-z)])x(?=\d)|(?<=\d)x(?=\b)")
_TOKENS = re.compile(r"(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<word>[^\W\d_]+)|(?P<dash>[-\u2013\u2014]+)|\S")

# not the upper end of a body weight ("Nappies 6-11kg", "up to 8kg", "15kg+"): that is not a size
_NUMBER = r"(?<![\w.-])(?<!up\ to\ )\d+(?:[.,]\d+)?"
_NAME_MEASURE = r"(?:g|gm|grams?|kgs?|ml|l|lt|ltr|litres?)"
_NAME_COUNT = r"(?:packs?|pk|pkt|pieces?|pce|pcs|tablets?|tabs|capsules?|caps|sachets?|sheets?|rolls?|wipes?|teabags?|ea|each|dozen)"
_IN_NAME = re.compile(
    rf"""{_NUMBER}\s*x\s*\d+(?:\.\d+)?\s*(?:{_NAME_MEASURE}|{_NAME_COUNT})\b(?:\s*packs?\b)?   # 4 x 250g, 3x80 pack
        |{_NUMBER}\s*{_NAME_MEASURE}\s*x\s*\d+\b(?:\s*{_NAME_COUNT}\b)?                         # 375mL x 10 Pack
        |{_NUMBER}[\s-]*(?:{_NAME_MEASURE}|{_NAME_COUNT})\b(?!\+)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Size:
    """``pack_count`` items of ``quantity`` base units (g, mL, m, each) each; ``quantity_max`` is the upper end of a range. ``counts_packs``: a number of packs, even of one."""

    dimension: Dimension
    quantity: Decimal
    pack_count: int = 1
    quantity_max: Decimal | None = None
    is_approximate: bool = False
    counts_packs: bool = field(default=False, compare=False)

    @property
    def is_each(self) -> bool:
        """One piece: says nothing of what is in it."""
        return self.dimension is Dimension.COUNT and self.total == 1

    @property
    def total(self) -> Decimal:
        """Base units of the whole pack; the lower end of a range."""
        return self.quantity * self.pack_count

    @property
    def canonical(self) -> str:
        """``1250ml``, ``6x200ml``, ``12ea``, ``1000-1300g``: equal sizes have equal texts."""
        top = f"-{_plain(self.quantity_max)}" if self.quantity_max is not None else ""
        return f"{f'{self.pack_count}x' if self.pack_count > 1 else ''}{_plain(self.quantity)}{top}{self.dimension}"

    def agrees_with(self, other: Size) -> bool:
        """Same dimension, and the totals differ by at most the tolerance; ranges agree when they overlap."""
        if self.dimension is not other.dimension:
            return False
        tolerance = APPROXIMATE_TOLERANCE if self.is_approximate and other.is_approximate else TOLERANCE
        low, high = sorted((self, other), key=lambda size: size.total)
        top = low.total if low.quantity_max is None else low.quantity_max * low.pack_count
        return high.total <= top * (1 + tolerance)


Readings = tuple[Size, ...]


@dataclass(slots=True)
class _Term:
    """One number of a size text (or two, of a range) with the unit words after it."""

    number: Decimal
    is_times: bool  # follows an x
    unit: str | None = None
    top: Decimal | None = None
    top_unit: str | None = None

    def take(self, word: str) -> bool:
        """Whether this word is the missing unit of the last number."""
        if (self.unit if self.top is None else self.top_unit) or base_units(word) is None:
            return False
        if self.top is None:
            self.unit = word
        else:
            self.top_unit = word
        return True

    def size(self) -> Size | None:
        """None for a number without a unit."""
        known = base_units(self.unit or self.top_unit or "")
        if known is None:
            return Size(Dimension.COUNT, self.number) if self.is_times and self.top is None else None
        dimension, factor = known
        top_dimension, top_factor = base_units(self.top_unit or "") or known
        top = None if self.top is None else self.top * top_factor
        if dimension is not top_dimension:
            return None
        return Size(dimension, self.number * factor, quantity_max=top, counts_packs=self.unit in PACKS and top is None)


@lru_cache(maxsize=50_000)
def _plain(quantity: Decimal) -> str:
    text = f"{quantity.quantize(_STEP):f}"
    return text.rstrip("0").rstrip(".")


@lru_cache(maxsize=100_000)
def readings(text: str | None, name: str | None = None) -> Readings:
    """Every size the size text (and the name beside it) can mean, the likeliest first; empty when it has none.

    >>> [size.canonical for size in readings("4x500ml pack")]
    ['4x500ml', '4ea']
    >>> [size.canonical for size in readings("132g", "Kaleidos Snack Bars 6 pack")]
    ['6x22g', '132g', '6x132g', '6ea']
    >>> [size.canonical for size in readings("1 pack", "Relax & Sleep 60 Tablets")]
    ['60ea']
    >>> readings("10--12")
    ()
    """
    stated = _parse(text) if text else ()
    named = _parse(" ".join(_IN_NAME.findall(name))) if name and _DIGIT.search(name) else ()
    if not named or (stated and stated[0].pack_count > 1):
        return stated
    if not stated:
        return named
    if stated[0].dimension is Dimension.COUNT:
        if stated[0].is_each:
            return named
        measure = next((size for size in named if size.dimension is not Dimension.COUNT), None)
        return _packed(measure, int(stated[0].total)) if measure and stated[0].total % 1 == 0 else stated
    if named[0].pack_count > 1 and named[0].agrees_with(stated[0]):
        return tuple(dict.fromkeys(named + stated))
    count = next((size for size in named if size.dimension is Dimension.COUNT and size.total > 1), None)
    return stated if count is None or len(stated) > 1 else _packed(stated[0], int(count.total))


def canonical(text: str | None) -> str | None:
    """The likeliest reading of a size text in canonical form; None when it has no size.

    >>> canonical("1.25L"), canonical("12.5 Litre"), canonical("6x200mL"), canonical("12 Pack"), canonical("1 dozen")
    ('1250ml', '12500ml', '6x200ml', '12ea', '12ea')
    >>> canonical("125g 5 pack"), canonical("approx. 340g each"), canonical("1kg - 1.3kg"), canonical("PERKG"), canonical("10--12")
    ('5x25g', '340g', '1000-1300g', '1000g', None)
    """
    sizes = readings(text)
    return sizes[0].canonical if sizes else None


def total(text: str | None, name: str | None = None) -> tuple[Decimal, str] | None:
    """Total and base unit in the likeliest reading; used to veto a join.

    None if a size cannot veto: none, ``each``, which counts nothing, an approximate size or a range.

    >>> total("6x200mL"), total("1.5kg"), total("1 pack", "Fish Oil 200 Capsules"), total("each")
    ((Decimal('1200'), 'ml'), (Decimal('1500.0'), 'g'), (Decimal('200'), 'ea'), None)
    """
    likeliest = next(iter(readings(text, name)), None)
    if likeliest is None or likeliest.is_approximate or likeliest.quantity_max is not None:
        return None
    if likeliest.is_each:
        return None
    return likeliest.total, likeliest.dimension.value


def telling_sizes(text: str | None, name: str | None = None) -> Readings:
    """The readings of a size that may veto a join; none where the likeliest is approximate or a range.

    >>> [size.canonical for size in telling_sizes("500mL", "Water 4 pack")], telling_sizes("approx. 340g each"), telling_sizes("1kg - 1.3kg")
    (['4x125ml', '500ml', '4x500ml', '4ea'], (), ())
    """
    found = readings(text, name)
    return () if found and (found[0].is_approximate or found[0].quantity_max is not None) else found


def sizes_conflict(left: str | Readings | None, right: str | Readings | None) -> bool:
    """Whether two size texts (or their readings) conflict by more than 1 percent in a dimension that both state.

    No conclusion is drawn from mass against volume, from a count against a mass, or from ``each``, which counts nothing. One pack is another size than two packs,
    but may have any number of tablets.

    >>> sizes_conflict("1.25L", "12.5L"), sizes_conflict("384mL", "385mL"), sizes_conflict("1kg", "1000 g")
    (True, False, False)
    >>> sizes_conflict("245mL", "150g"), sizes_conflict("6 pack", "132g"), sizes_conflict("each", "6 pack")
    (False, False, False)
    >>> sizes_conflict("1 pack", "2 pack"), sizes_conflict("1 pack", "20 tablets"), sizes_conflict("1 pack", "each")
    (True, False, False)
    """
    by_left, by_right = _by_dimension(left), _by_dimension(right)
    for dimension in by_left.keys() & by_right.keys():
        mine, other = _telling(by_left[dimension], by_right[dimension]), _telling(by_right[dimension], by_left[dimension])
        if mine and other and not any(one.agrees_with(two) for one in mine for two in other):
            return True
    return False


def without_sizes(name: str) -> str:
    """A name without the sizes it states; doses and dimensions (mg, iu, cm) stay, they are part of the name.

    >>> without_sizes("Schweppes Infused Water 375mL x 10 Pack").split()
    ['Schweppes', 'Infused', 'Water']
    >>> without_sizes("Vitamin B3 500mg 60 Tablets").split()
    ['Vitamin', 'B3', '500mg']
    """
    return _IN_NAME.sub(" ", name)


def _by_dimension(size: str | Readings | None) -> dict[Dimension, list[Size]]:
    groups: dict[Dimension, list[Size]] = {}
    for reading in size if isinstance(size, tuple) else readings(size):
        groups.setdefault(reading.dimension, []).append(reading)
    return groups


def _telling(sizes: list[Size], others: list[Size]) -> list[Size]:
    """The sizes that say something beside the others: one piece does only where both count packs."""
    return [size for size in sizes if not size.is_each or (size.counts_packs and any(other.counts_packs for other in others))]


def _packed(measure: Size, count: int) -> Readings:
    """The readings of a quantity beside a number of pieces: the total (usual without an x), or the quantity of each piece."""
    if count <= 1:
        return (measure,)
    if measure.quantity_max is not None or measure.pack_count > 1:
        return (measure, Size(Dimension.COUNT, Decimal(count)))
    each = measure.quantity / count
    portions = (replace(measure, quantity=each, pack_count=count),) if each >= _STEP else ()
    return (
        *portions,
        measure,
        replace(measure, pack_count=count),
        Size(Dimension.COUNT, Decimal(count)),
    )


@lru_cache(maxsize=100_000)
def _parse(text: str) -> Readings:
    """Parse one text without a name."""
    if _NO_NUMBER.search(text):
        return ()
    lowered = unicodedata.normalize("NFKC", text).lower().replace("\u00d7", "x")
    lowered = _ABBREVIATION.sub(r"\1 ", lowered)
    terms, words = _terms(_TIMES.sub(" x ", _THOUSANDS.sub("", lowered)))
    is_approximate = not APPROXIMATE.isdisjoint(words)
    if not terms:
        return _without_number(words, is_approximate)
    groups: list[list[Size]] = []
    for term in terms:
        size = term.size()
        if size is None or not size.quantity:
            return ()  # an unexplained number: no reading is better than a wrong one
        if term.is_times and groups:
            groups[-1].append(size)
        else:
            groups.append([size])
    products = [replace(_product(group), is_approximate=is_approximate) for group in groups]
    measure = next((size for size in products if size.dimension is not Dimension.COUNT), None)
    count = next((size for size in products if size.dimension is Dimension.COUNT), None)
    if measure is None:
        assert count is not None
        return (count,) if count.pack_count == 1 else (count, Size(Dimension.COUNT, count.total))
    if measure.pack_count > 1:
        return (measure, Size(Dimension.COUNT, Decimal(measure.pack_count)))
    return _packed(measure, int(count.total)) if count and count.total % 1 == 0 else (measure,)


def split_size(text: str) -> tuple[str, tuple[Decimal, str] | None]:
    """Split words and size of a text, e.g. of a search; the size as :func:`total` gives it.

    >>> split_size("full cream milk 2l"), split_size("eggs 12 pack free range"), split_size("cola zero")
    (('full cream milk', (Decimal('2000'), 'ml')), ('eggs free range', (Decimal('12'), 'ea')), ('cola zero', None))
    """
    size = total(None, text)
    return (" ".join(_IN_NAME.sub(" ", text).split()), size) if size else (text, None)


def _without_number(words: list[str], is_approximate: bool) -> Readings:
    """``each``, ``Bunch``: one piece. ``per kg``, ``PERKG``: sold by weight."""
    for word in words:
        known = MEASURES.get(word.removeprefix("per"))
        if known is not None and ("per" in words or word.startswith("per") or len(words) == 1):
            return (Size(known[0], known[1], is_approximate=True),)
    return (Size(Dimension.COUNT, Decimal(1), is_approximate=is_approximate),) if any(word in COUNTS for word in words) else ()


def _terms(text: str) -> tuple[list[_Term], list[str]]:
    """The numbers of a text with their units, and its other words."""
    terms: list[_Term] = []
    words: list[str] = []
    is_times = is_range = False
    for token in _TOKENS.finditer(text):
        kind, value = token.lastgroup, token[0]
        if kind == "number":
            if is_range and terms[-1].top is None:
                terms[-1].top = Decimal(value)
            else:
                terms.append(_Term(Decimal(value), is_times))
                if len(terms) == 1 and words and words[-1] in COUNTS:
                    terms[0].unit = words[-1]  # "pack 20"
            is_times = is_range = False
        elif value == "x":
            is_times = bool(terms)
            if terms:
                terms[-1].take("ea")  # "4 x 250g": the 4 counts
        elif kind == "dash":
            is_range = bool(terms)
        elif kind == "word" and not (terms and terms[-1].take(value)):
            words.append(value)
    if "eachunit" in text:
        words.append("eachunit")
    return terms, words


def _product(group: list[Size]) -> Size:
    """Sizes joined by x: the measure is the item (of several the longest, 30cm x 60m), else the last count; other counts multiply."""
    item = max((size for size in group if size.dimension is not Dimension.COUNT), key=lambda size: size.quantity, default=group[-1])
    pack_count = 1
    for size in group:
        if size is not item and size.dimension is Dimension.COUNT:
            pack_count *= max(int(size.quantity), 1)
    return replace(item, pack_count=pack_count)
