"""The unit price from the text beside the price: the only reliable unit price of a staged line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal

from include.wording.size_units import Dimension, base_units
from include.wording.text import clean

Unit = Literal["kg", "L", "m", "each"]

# dimension -> (unit of the result, its number of base units of the size table)
_ANSWERS: dict[Dimension, tuple[Unit, Decimal]] = {
    Dimension.MASS: ("kg", Decimal(1000)),
    Dimension.VOLUME: ("L", Decimal(1000)),
    Dimension.LENGTH: ("m", Decimal(1)),
    Dimension.COUNT: ("each", Decimal(1)),
}
_TEXT = re.compile(
    r"""\s* \$ \s* (?P<amount> \d{1,3}(?:,\d{3}){1,2}(?:\.\d+)? | \d{1,9}(?:\.\d+)? | \.\d+ )
        (?: \s* avg )?  (?: \s* / \s* | \s* per \s* | \s+ )           # "$0.21 each" has no separator
        (?P<count> \d{1,3}(?:,\d{3}){1,2} | \d{1,9}(?:\.\d+)? )? \s*
        (?P<unit> [a-z]+ ) \.? \s* """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_FOUR_DECIMALS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """Dollars with four decimals for one ``unit``: a kilogram, a litre, a metre, or each."""

    value: Decimal
    unit: Unit


@dataclass(frozen=True, slots=True)
class PrintedUnitPrice:
    """``amount`` dollars, rounded to cents by the retailer, for ``base_units`` grams, millilitres, metres or pieces."""

    amount: Decimal
    base_units: Decimal
    dimension: Dimension


@lru_cache(maxsize=32_768)
def unit_price(text: str | None) -> UnitPrice | None:
    """Dollars per kg, L, m or each. None for a text without an amount, without a known unit, or with an amount of zero.

    >>> unit_price("$25.00 per 1kg"), unit_price("$8.42/ 1L")
    (UnitPrice(value=Decimal('25.0000'), unit='kg'), UnitPrice(value=Decimal('8.4200'), unit='L'))
    >>> unit_price("$3.06 / 100G"), unit_price("$0.48 / 100 sheets")
    (UnitPrice(value=Decimal('30.6000'), unit='kg'), UnitPrice(value=Decimal('0.0048'), unit='each'))
    >>> unit_price("$1,440.00 per 10g"), unit_price("$0.21 each")
    (UnitPrice(value=Decimal('144000.0000'), unit='kg'), UnitPrice(value=Decimal('0.2100'), unit='each'))
    >>> unit_price("$0.21\\u00a0each"), unit_price("$2.10&nbsp;per\\u202f1kg")
    (UnitPrice(value=Decimal('0.2100'), unit='each'), UnitPrice(value=Decimal('2.1000'), unit='kg'))
    >>> unit_price("per 1ea"), unit_price(""), unit_price(None)
    (None, None, None)
    """
    printed = printed_unit_price(text)
    if printed is None:
        return None
    unit, base_units_of_unit = _ANSWERS[printed.dimension]
    return UnitPrice((printed.amount * base_units_of_unit / printed.base_units).quantize(_FOUR_DECIMALS, ROUND_HALF_UP), unit)


@lru_cache(maxsize=32_768)
def printed_unit_price(text: str | None) -> PrintedUnitPrice | None:
    """The unit price as it is printed; None where :func:`unit_price` has none.

    >>> printed_unit_price("$3.06 / 100G")
    PrintedUnitPrice(amount=Decimal('3.06'), base_units=Decimal('100'), dimension=<Dimension.MASS: 'g'>)
    """
    match = _TEXT.fullmatch(clean(text) or "")  # a no-break space is white space
    known = base_units(match["unit"].lower()) if match else None
    if match is None or known is None:
        return None
    amount = Decimal(match["amount"].replace(",", ""))
    count = Decimal((match["count"] or "1").replace(",", ""))
    return PrintedUnitPrice(amount, count * known[1], known[0]) if amount and count else None
