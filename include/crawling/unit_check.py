"""The step after every adapter: does the printed unit price agree with the retailer's own number, and with price and size?

Unit prices are recomputed from the printed text alone (``include.wording.unit_price``). Here the three sayings are held against
one another. A contradiction is noted in the offer (``notes``: kind → sentence) and counted in the outcome; nothing is put right,
for nobody can know which of them is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from include.model.offer import Offer
from include.retailers.base import Row, Shown, UnitFacts
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
_NOTHING = UnitFacts()
#: Dimension → (unit of a unit price, base units of a size in it).
_UNITS = {
    Dimension.MASS: ("kg", Decimal(1000)),
    Dimension.VOLUME: ("L", Decimal(1000)),
    Dimension.LENGTH: ("m", Decimal(1)),
    Dimension.COUNT: ("each", Decimal(1)),
}


def checked(row: Row) -> Row:
    """Return a row with what contradicts itself noted; the same row where nothing does.

    >>> offer = Offer(sku="1", name="Milk", observed_at=None, price_current=Decimal(4), size="2L", per_unit_price_string="$20.00 per 1L")
    >>> checked(Shown(offer)).offer.extra["notes"]
    {'unit price: text against price and size': '$20.00 per 1L, while 4 for 2L is 2.0000 per L'}
    """
    if not isinstance(row, Shown):
        return row
    notes = dict(_contradictions(row.offer, row.unit or _NOTHING))
    return replace(row, offer=replace(row.offer, extra=row.offer.extra | {"notes": notes})) if notes else row


def _contradictions(offer: Offer, facts: UnitFacts) -> Iterator[tuple[str, str]]:
    printed = offer.per_unit_price_string
    told = unit_price(printed)
    amount = _amount(printed)
    if printed and told is None:
        yield UNREADABLE_TEXT, printed
    number = unit_price(f"${facts.amount} per {facts.per}") if facts.amount and facts.per else None
    if told and amount and facts.amount:
        # Without a measure to be trusted the amounts alone are compared.
        differs = abs(facts.amount - amount) > _CENT if facts.per is None else number is not None and not _is_near(number, told, amount)
        if differs:
            yield NUMBER_AGAINST_TEXT, f"{printed}, while the number is {facts.amount}{f' per {facts.per}' if facts.per else ''}"
    price, size = (offer.price_current if facts.size_price is None else facts.size_price), facts.size or offer.size
    # A name that tells more than the size may be read on its own: "375ml 10 Pack" is ten cans.
    sizes = dict.fromkeys(readings(size) if facts.size else readings(size, offer.name) + readings(None, offer.name))
    if told and amount:
        wrong, kind, said = _against_size(told, _CENT * told.value / amount, price, sizes), TEXT_AGAINST_SIZE, printed
    elif number and facts.amount:
        wrong, kind, said = (
            _against_size(number, _CENT * number.value / facts.amount, price, sizes),
            NUMBER_AGAINST_SIZE,
            f"${facts.amount} per {facts.per}",
        )
    else:
        return
    if wrong:
        yield kind, f"{said}, while {price} for {size} is {wrong}"


def _amount(printed: str | None) -> Decimal | None:
    found = _AMOUNT.search(printed or "")
    return Decimal(found[1].replace(",", "")) if found else None


def _is_near(number: UnitPrice, told: UnitPrice, amount: Decimal) -> bool:
    """Whether both say the same but for a cent of what is printed."""
    return number.unit == told.unit and abs(number.value - told.value) <= _CENT * told.value / amount


def _against_size(told: UnitPrice, slack: Decimal, price: Decimal | None, sizes: Iterable[Size]) -> str | None:
    """Return what price and size say where no reading of the size agrees; ``slack`` is a cent of what is printed, in the unit of ``told``."""
    comparable = [size for size in sizes if _UNITS[size.dimension][0] == told.unit and _says_something(size)]
    if not price or not comparable or any(_agrees(told, slack, price, size) for size in comparable):
        return None
    return f"{price * _UNITS[comparable[0].dimension][1] / comparable[0].total:.4f} per {told.unit}"


def _says_something(size: Size) -> bool:
    """Whether a size can contradict: ``each`` counts nothing, there may be six in it."""
    return bool(size.total) and not (size.dimension is Dimension.COUNT and size.total == 1)


def _agrees(told: UnitPrice, slack: Decimal, price: Decimal, size: Size) -> bool:
    per_unit = _UNITS[size.dimension][1]
    tolerance = APPROXIMATE_TOLERANCE if size.is_approximate else TOLERANCE
    least, most = size.total / per_unit, (size.quantity_max or size.quantity) * size.pack_count / per_unit
    low, high = (told.value - slack) * least * (1 - tolerance), (told.value + slack) * most * (1 + tolerance)
    return low - _CENT <= price <= high + _CENT
