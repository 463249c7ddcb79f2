"""The quantity of a pack worked out from its price and unit price, where the size text says only "each" or nothing."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from functools import lru_cache

from include.wording.size import Readings, Size, readings
from include.wording.size_units import Dimension
from include.wording.unit_price import printed_unit_price

#: The printed unit price must fix the quantity to this share: $0.01 per 100 g fixes nothing.
_SPREAD_MAX = Decimal("0.04")
_QUANTITY_MAX = Decimal(100_000)


@lru_cache(maxsize=32_768)
def size_from_price(price_cents: int | None, unit_price: str | None) -> Size | None:
    """The size that price (cents) and the text of the unit price imply; None when they fix none, or exactly one unit.

    A unit price is rounded to cents, so the quotient is a range: a count must be its only whole number, a weight, volume or length is its roundest one. One
    unit says nothing: a good that is sold by weight has the price of one kilogram.

    >>> size_from_price(340, "$1.13 each").canonical, size_from_price(450, "$1.80 per 100g").canonical
    ('3ea', '250g')
    >>> size_from_price(450, "$4.50 per 1kg"), size_from_price(1200, "$0.02 each"), size_from_price(450, None)
    (None, None, None)
    """
    printed = printed_unit_price(unit_price)
    if printed is None or not price_cents or price_cents <= 0:
        return None
    dollars, half_a_cent = Decimal(price_cents) / 100, Decimal("0.005")
    low = dollars / (printed.amount + half_a_cent) * printed.base_units
    high = dollars / (printed.amount - half_a_cent) * printed.base_units if printed.amount > half_a_cent else _QUANTITY_MAX
    if high >= _QUANTITY_MAX:
        return None
    if printed.dimension is Dimension.COUNT:
        count = low.to_integral_value(ROUND_CEILING)
        return Size(Dimension.COUNT, count) if 1 < count <= high < count + 1 else None
    quantity = _roundest(low, high)
    return Size(printed.dimension, quantity) if high - low <= _SPREAD_MAX * low and quantity != printed.base_units else None


def readings_with_price(size: str | None, name: str | None, price_cents: int | None, unit_price: str | None) -> Readings:
    """The readings of size and name; the size that the price implies instead, where they say "each", or nothing.

    >>> [size.canonical for size in readings_with_price("Each", "Bread Rolls", 340, "$1.13 each")]
    ['3ea']
    >>> [size.canonical for size in readings_with_price("500g", "Pasta", 200, "$0.40 per 100g")]
    ['500g']
    """
    stated = readings(size, name)
    if not all(reading.is_each for reading in stated):
        return stated
    implied = size_from_price(price_cents, unit_price)
    return (implied,) if implied else stated


def sizes_with_pieces(size: str | None, name: str | None, piece_count: int | None) -> Readings:
    """The readings of size and name; a number of pieces instead, where they say "each", or nothing.

    >>> [size.canonical for size in sizes_with_pieces("Each", "Bread Rolls", 3)], [size.canonical for size in sizes_with_pieces("Each", "Rolls 6 pack", 3)]
    (['3ea'], ['6ea'])
    """
    stated = readings(size, name)
    return (Size(Dimension.COUNT, Decimal(piece_count)),) if piece_count and all(reading.is_each for reading in stated) else stated


def _roundest(low: Decimal, high: Decimal) -> Decimal:
    """The number of the range with the fewest digits that are not zero at the end."""
    middle = (low + high) / 2
    for exponent in range(4, -5, -1):
        for step in (Decimal(5), Decimal(1)):
            unit = step * Decimal(10) ** exponent
            rounded = (middle / unit).to_integral_value(ROUND_HALF_UP) * unit
            if rounded and low <= rounded <= high:
                return rounded
    return middle
