"""Checks after every adapter whether the printed unit price matches the retailer's own number, and price and size.

Unit prices are recomputed from the printed text alone (``include.wording.unit_price``). Here the three sources are compared.
A conflict is recorded in the offer (``notes``: kind → message) and counted in the outcome; nothing is corrected,
because it is unknown which of them is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from include.model.offer import Offer
from include.retailers.base import OfferRow, RetailerUnitPrice, Row
from include.wording.size import APPROXIMATE_TOLERANCE, TOLERANCE, Size, readings
from include.wording.size_units import Dimension
from include.wording.unit_price import UnitPrice, unit_price

#: The kinds of notes, as counted in the outcome.
NUMBER_AGAINST_TEXT = "unit price: number against text"
TEXT_AGAINST_SIZE = "unit price: text against price and size"
NUMBER_AGAINST_SIZE = "unit price: number against price and size"
UNREADABLE_TEXT = "unit price: unreadable text"

_AMOUNT = re.compile(r"\$\s*([\d,]*\.?\d+)")
_CENT = Decimal("0.01")
_NO_UNIT_PRICE = RetailerUnitPrice()
#: Dimension → (unit of a unit price, base units of a size in it).
_UNITS = {
    Dimension.MASS: ("kg", Decimal(1000)),
    Dimension.VOLUME: ("L", Decimal(1000)),
    Dimension.LENGTH: ("m", Decimal(1)),
    Dimension.COUNT: ("each", Decimal(1)),
}


def with_unit_price_notes(row: Row) -> Row:
    """Return a row with its conflicts recorded; the same row if there is none.

    >>> offer = Offer(sku="1", name="Milk", observed_at=None, price_current=Decimal(4), size="2L", per_unit_price_string="$20.00 per 1L")
    >>> with_unit_price_notes(OfferRow(offer)).offer.extra["notes"]
    {'unit price: text against price and size': '$20.00 per 1L, while 4 for 2L is 2.0000 per L'}
    """
    if not isinstance(row, OfferRow):
        return row
    notes = dict(_contradictions(row.offer, row.unit or _NO_UNIT_PRICE))
    return replace(row, offer=replace(row.offer, extra=row.offer.extra | {"notes": notes})) if notes else row


def _contradictions(offer: Offer, stated: RetailerUnitPrice) -> Iterator[tuple[str, str]]:
    printed = offer.per_unit_price_string
    parsed = unit_price(printed)
    amount = _amount(printed)
    if printed and parsed is None:
        yield UNREADABLE_TEXT, printed
    number = unit_price(f"${stated.amount} per {stated.per}") if stated.amount and stated.per else None
    if parsed and amount and stated.amount:
        # Without a reliable measure only the amounts are compared.
        differs = (
            abs(stated.amount - amount) > _CENT if stated.per is None else number is not None and not _within_a_cent(number, parsed, amount)
        )
        if differs:
            yield NUMBER_AGAINST_TEXT, f"{printed}, while the number is {stated.amount}{f' per {stated.per}' if stated.per else ''}"
    price, size = (offer.price_current if stated.size_price is None else stated.size_price), stated.size or offer.size
    # A name with more detail than the size is also parsed alone: "375ml 10 Pack" is ten cans.
    sizes = dict.fromkeys(readings(size) if stated.size else readings(size, offer.name) + readings(None, offer.name))
    if parsed and amount:
        expected, kind, description = (
            _contradiction_with_size(parsed, _CENT * parsed.value / amount, price, sizes),
            TEXT_AGAINST_SIZE,
            printed,
        )
    elif number and stated.amount:
        expected, kind, description = (
            _contradiction_with_size(number, _CENT * number.value / stated.amount, price, sizes),
            NUMBER_AGAINST_SIZE,
            f"${stated.amount} per {stated.per}",
        )
    else:
        return
    if expected:
        yield kind, f"{description}, while {price} for {size} is {expected}"


def _amount(printed: str | None) -> Decimal | None:
    found = _AMOUNT.search(printed or "")
    return Decimal(found[1].replace(",", "")) if found else None


def _within_a_cent(number: UnitPrice, parsed: UnitPrice, amount: Decimal) -> bool:
    """Whether both are equal within one cent of the printed amount."""
    return number.unit == parsed.unit and abs(number.value - parsed.value) <= _CENT * parsed.value / amount


def _contradiction_with_size(parsed: UnitPrice, cent_slack: Decimal, price: Decimal | None, sizes: Iterable[Size]) -> str | None:
    """Return the unit price from price and size if no reading of the size matches; ``cent_slack`` is one printed cent, in the unit of ``parsed``."""
    comparable = [size for size in sizes if _UNITS[size.dimension][0] == parsed.unit and _is_comparable(size)]
    if not price or not comparable or any(_matches_size(parsed, cent_slack, price, size) for size in comparable):
        return None
    return f"{price * _UNITS[comparable[0].dimension][1] / comparable[0].total:.4f} per {parsed.unit}"


def _is_comparable(size: Size) -> bool:
    """Whether a size can be compared: ``each`` states no count, it may contain six."""
    return bool(size.total) and not size.is_each


def _matches_size(parsed: UnitPrice, cent_slack: Decimal, price: Decimal, size: Size) -> bool:
    per_unit = _UNITS[size.dimension][1]
    tolerance = APPROXIMATE_TOLERANCE if size.is_approximate else TOLERANCE
    least, most = size.total / per_unit, (size.quantity_max or size.quantity) * size.pack_count / per_unit
    low, high = (parsed.value - cent_slack) * least * (1 - tolerance), (parsed.value + cent_slack) * most * (1 + tolerance)
    return low - _CENT <= price <= high + _CENT
