"""Reading one page: errors for missing required fields, texts and numbers.

Required fields are read by ``item["…"]``, optional ones by ``.get``: the difference is the contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from include.model.offer import MultiBuy
from include.retailers.bounds import PRODUCTS_MAX, SKU_MAX
from include.retailers.errors import MissingField, ShapeChanged, UnexpectedType


@contextmanager
def reading(retailer: str, url: str) -> Iterator[None]:
    """Read one page inside this context; converts the adapter's errors to one error type.

    Raises:
        ShapeChanged: a required field is missing or of another type. The message names field, URL and next step.
    """
    try:
        yield
    except MissingField as error:
        raise ShapeChanged(retailer, f"field '{error.field}' is missing (found: {', '.join(error.found) or 'nothing'})", url) from error
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        raise ShapeChanged(retailer, f"the page cannot be read ({type(error).__name__}: {error})", url) from error


def number(item: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a required number exactly, ``None`` for null. Text or a bool is a changed shape.

    >>> number({"now": 5}, "now"), number({"now": Decimal("4.10")}, "now"), number({"now": None}, "now")
    (Decimal('5'), Decimal('4.10'), None)
    """
    return as_number(item[name], name)


def as_number(value: Any, name: str) -> Decimal | None:
    """Return a JSON number exactly.

    Raises:
        UnexpectedType: neither a number nor null.
    """
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnexpectedType(f"field '{name}' is {type(value).__name__} {quoted(value)}, a number was expected")
    return Decimal(value)


def was_price(now: Decimal | None, was: Decimal | None) -> Decimal | None:
    """Return the price before a reduction, ``None`` if there is none, in all forms used by the sites.

    >>> was_price(Decimal(4), Decimal(5)), was_price(Decimal(4), Decimal(0)), was_price(Decimal(4), Decimal(4)), was_price(None, Decimal(4))
    (Decimal('5'), None, None, None)
    """
    return was if now is not None and was is not None and was > now else None


def multi_buy(quantity: Any, price: Any) -> MultiBuy | None:
    """Return an offer of several items for one price in dollars, ``None`` without one, or if it is for a single item.

    >>> multi_buy(2, Decimal("9.00")), multi_buy(1, Decimal(5)), multi_buy(None, None)
    (MultiBuy(quantity=2, price=Decimal('9.00')), None, None)
    """
    items, together = as_number(quantity, "multi-buy quantity"), as_number(price, "multi-buy price")
    if items is None or together is None or items < 2 or items % 1:
        return None
    return MultiBuy(int(items), together.quantize(Decimal("0.01"), ROUND_HALF_UP))


def text(value: Any) -> str | None:
    """Return an optional text without surrounding blanks, ``None`` if it is empty.

    >>> text(" Oak "), text(""), text(None)
    ('Oak', None, None)
    """
    if value is not None and not isinstance(value, str):
        raise UnexpectedType(f"{type(value).__name__} {quoted(value)}, a text was expected")
    return (value or "").strip() or None


def required_text(item: Mapping[str, Any], name: str) -> str:
    """Return a required text without surrounding blanks.

    Raises:
        UnexpectedType: not a text, or blank.
    """
    found = text(item[name])
    if found is None:
        raise UnexpectedType(f"field '{name}' is empty")
    return found


def sku_text(value: Any) -> str:
    """Return a SKU as text, zeros kept.

    >>> sku_text(8150288), sku_text("000000000000398449")
    ('8150288', '000000000000398449')
    """
    if isinstance(value, bool) or not isinstance(value, int | str) or not 0 < len(str(value)) <= SKU_MAX:
        raise UnexpectedType(f"{type(value).__name__} {quoted(value)}, a product number was expected")
    return str(value)


def announced(item: Mapping[str, Any], name: str) -> int:
    """Return a required number of products.

    Raises:
        UnexpectedType: not a whole number from 0 to :data:`~include.retailers.bounds.PRODUCTS_MAX`.

    >>> announced({"total": 12}, "total"), announced({"total": Decimal("12.0")}, "total")
    (12, 12)
    """
    found = as_number(item[name], name)
    if found is None or not 0 <= found <= PRODUCTS_MAX or found % 1:
        raise UnexpectedType(f"field '{name}' is {quoted(item[name])}, a number of products from 0 to {PRODUCTS_MAX:,} was expected")
    return int(found)


def quoted(value: Any) -> str:
    """Return a value of a page for a message, cut to a readable length.

    >>> quoted("no such store"), quoted(404), len(quoted("x" * 10**6))
    ("'no such store'", '404', 300)
    """
    return repr(value)[:300]


_STATES = {
    "new south wales": "NSW", "victoria": "VIC", "queensland": "QLD", "western australia": "WA", "south australia": "SA",
    "tasmania": "TAS", "northern territory": "NT", "australian capital territory": "ACT",
}  # fmt: skip


def state_name(value: Any) -> Any:
    """Return the abbreviation of a state's full name; any other value unchanged.

    >>> state_name("New South Wales "), state_name("ACT "), state_name(None)
    ('NSW', 'ACT ', None)
    """
    return _STATES.get(str(value).strip().lower(), value)


def store_name(name: Any, brand: str | None, suburb: str | None) -> str | None:
    """Return a store's name; without one, or for ``N/A``, a name built from brand and suburb.

    >>> store_name(" Coles Firle ", "Coles", "Firle"), store_name("N/A", "Coles", "Firle"), store_name(None, None, None)
    ('Coles Firle', 'Coles Firle', None)
    """
    found = text(name)
    if found and found.upper() != "N/A":
        return found
    return " ".join(filter(None, (brand, suburb))) or None
