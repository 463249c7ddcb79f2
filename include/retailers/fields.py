"""Reading one page: JSON with exact money, required fields that say so when they are gone, texts and numbers.

Required fields are read by ``item["…"]``, optional ones by ``.get``: the difference is the contract.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from include.clock import STATE_ZONES
from include.retailers.errors import FieldGone, ShapeChanged, WrongType


class Fields(dict[str, Any]):
    """A JSON object whose missing keys say what was found instead."""

    def __missing__(self, key: str) -> Any:
        raise FieldGone(key, self)


def parse(body: bytes) -> Any:
    """Read JSON with exact money: numbers with a fraction are :class:`~decimal.Decimal`, objects :class:`Fields`.

    Raises:
        ValueError: not JSON, or not UTF-8.
    """
    return json.loads(body, parse_float=Decimal, object_hook=Fields)


@contextmanager
def reading(retailer: str, url: str) -> Iterator[None]:
    """Read one page inside this border; what the adapter cannot read becomes one clear error.

    Raises:
        ShapeChanged: a required field is gone or of another type. It says which, where, and what to do.
    """
    try:
        yield
    except FieldGone as error:
        raise ShapeChanged(retailer, f"field '{error.field}' is gone (found: {', '.join(error.found) or 'nothing'})", url) from error
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
        raise ShapeChanged(retailer, f"the page cannot be read ({type(error).__name__}: {error})", url) from error


def number(item: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a required number exactly, ``None`` where the site says null. Text or a bool is a changed shape.

    >>> number({"now": 5}, "now"), number({"now": Decimal("4.10")}, "now"), number({"now": None}, "now")
    (Decimal('5'), Decimal('4.10'), None)
    """
    return as_number(item[name], name)


def as_number(value: Any, name: str) -> Decimal | None:
    """Return a JSON number exactly.

    Raises:
        WrongType: neither a number nor null.
    """
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(f"field '{name}' is {type(value).__name__} {value!r}, a number was expected")
    return Decimal(value)


def was_price(now: Decimal | None, was: Decimal | None) -> Decimal | None:
    """Return the price before a reduction, ``None`` where there is none, however the site says so.

    >>> was_price(Decimal(4), Decimal(5)), was_price(Decimal(4), Decimal(0)), was_price(Decimal(4), Decimal(4)), was_price(None, Decimal(4))
    (Decimal('5'), None, None, None)
    """
    return was if now is not None and was is not None and was > now else None


def text(value: Any) -> str | None:
    """Return an optional text without the blanks around it, ``None`` where nothing is left.

    >>> text(" Oak "), text(""), text(None)
    ('Oak', None, None)
    """
    if value is not None and not isinstance(value, str):
        raise WrongType(f"{type(value).__name__} {value!r} stands where a text was expected")
    return (value or "").strip() or None


def required_text(item: Mapping[str, Any], name: str) -> str:
    """Return a required text without the blanks around it.

    Raises:
        WrongType: not a text, or blank.
    """
    found = text(item[name])
    if found is None:
        raise WrongType(f"field '{name}' is empty")
    return found


def sku_text(value: Any) -> str:
    """Return a SKU as text, zeros kept.

    >>> sku_text(8150288), sku_text("000000000000398449")
    ('8150288', '000000000000398449')
    """
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise WrongType(f"{type(value).__name__} {value!r} stands where a product number was expected")
    return str(value)


def postcode(value: Any) -> str | None:
    """Return a postcode as four digits; three get their zero back.

    >>> postcode("800"), postcode(" 3151"), postcode("ACT")
    ('0800', '3151', None)
    """
    digits = str(value or "").strip()
    return digits.zfill(4) if digits.isdigit() and len(digits) in (3, 4) else None


def state(value: Any) -> str | None:
    """Return one of the eight states in upper case; finders also hold blanks, and once a postcode.

    >>> state("act "), state("2913")
    ('ACT', None)
    """
    found = str(value or "").strip().upper()
    return found if found in STATE_ZONES else None


def position(latitude: Any, longitude: Any) -> tuple[float | None, float | None]:
    """Return a position in degrees; (0, 0) is how some finders say that they do not know.

    >>> position("-37.85", "145.1"), position(0, 0)
    ((-37.85, 145.1), (None, None))
    """
    if latitude in (None, "") or longitude in (None, ""):
        return None, None
    found = float(latitude), float(longitude)
    return found if found != (0.0, 0.0) else (None, None)
