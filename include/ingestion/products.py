"""Converts the product of a raw line to columns of ``staging.offer``, without checking rules.

Stores of one retailer repeat most products byte for byte, so read products are cached by their bytes, in bounded memory.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from include.ingestion.copying import copy_text
from include.model.offer import PRICE_BASES, LineProduct, Number, PriceBasis, decode_product
from include.staging.staged_file import COUNTED_FIELDS
from include.wording.barcode import read_barcodes
from include.wording.text import clean
from include.wording.unit_price import unit_price

_NUMBER_LENGTH_MAX = 24
#: Entries of each field's cache: a retailer's range fits in, and memory is the same for 10 and 1,000 store-days.
_CACHE = 32_768
#: Size of the product cache in bytes of JSON: 30,000 products, a large supermarket's range. The parsed parts take as much again.
_KEPT_BYTES = 48 << 20
_KEPT_PRODUCT_BYTES_MAX = 16_384


class ProductPart(NamedTuple):
    """One product's columns from ``sku`` to ``barcode_note``, and its input to the line's other columns.

    ``text`` is the columns in the text form of ``COPY``; ``raw_time`` is the product's own time of observation (older files);
    ``missing`` are its empty fields among :data:`COUNTED_FIELDS`.
    """

    columns: tuple[str | int | None, ...]
    text: str
    defects: tuple[str, ...]
    raw_time: Any
    missing: tuple[str, ...]


_kept: dict[bytes, ProductPart] = {}
_kept_bytes = 0


def read_product(raw: bytes) -> ProductPart:
    """Read the JSON of a product. Never raises for the values of its fields.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: not a JSON object.
    """
    global _kept, _kept_bytes  # noqa: PLW0603 one cache per process; a race between threads only loses an entry
    part = _kept.get(raw)
    if part is None:
        part = _read(decode_product(raw))
        if len(raw) <= _KEPT_PRODUCT_BYTES_MAX:
            if _kept_bytes + len(raw) > _KEPT_BYTES:
                _kept, _kept_bytes = {}, 0
            _kept[raw] = part
            _kept_bytes += len(raw)
    return part


def _read(product: LineProduct) -> ProductPart:
    defects: list[str] = []
    if product.price_current is msgspec.UNSET:
        defects.append("price_key_missing")
        price = None
    else:
        price = _number(product.price_current, "price_not_a_number", defects)
    was_price = _number(product.price_was, "was_price_not_a_number", defects)
    basis = _price_basis(product.price_basis, defects)
    unit_price_value, unit = _unit_price(product.per_unit_price_string)
    if unit_price_value is None and basis != "each" and price is not None and _fits_unit_price(str(price)):
        unit_price_value, unit = str(price), basis
    gtins, barcode_note = _barcodes(product.barcode)
    columns = (
        _sku(product.sku), read_text(product.name), read_text(product.brand), read_text(product.size), read_text(product.url),
        read_text(product.image_url), _category(product.category_path), price, was_price, unit_price_value, unit,
        "t" if product.is_on_special is True else "f", basis, _multi_buy_quantity(product.multi_buy_quantity), _number(product.multi_buy_price, None, defects),
        gtins, barcode_note,
    )  # fmt: skip
    return ProductPart(columns, copy_text(columns), tuple(defects), product.scraped_date, _missing(product))


def _missing(product: LineProduct) -> tuple[str, ...]:
    return tuple(
        name for name in COUNTED_FIELDS if (value := getattr(product, name)) is None or value is msgspec.UNSET or value == "" or value == []
    )


def _price_basis(value: Any, defects: list[str]) -> PriceBasis | None:
    """Return what the price is for: an item, where the line does not say so. Add a defect for anything unknown."""
    if value is None:
        return "each"
    for basis in PRICE_BASES:
        if value == basis:
            return basis
    defects.append("price_basis_unknown")
    return None


def _multi_buy_quantity(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 10**9 else None


def _number(value: Any, defect: str | None, defects: list[str]) -> str | int | None:
    """Return a JSON number as PostgreSQL reads it, exactly; add the defect, if there is one, for anything else but null."""
    if value is None:
        return None
    kind = type(value)
    if kind is Number and _fits_column(value):
        return str.__str__(value)
    if kind is int and -(10**12) < value < 10**12:
        return int(value)
    if defect is not None:
        defects.append(defect)
    return None


@lru_cache(_CACHE)
def _fits_column(text: str) -> bool:
    # a huge exponent is valid JSON and would overflow the column
    if len(text) > _NUMBER_LENGTH_MAX:
        return False
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    size = value.copy_abs()  # abs() would round, and overflow with an exponent of 10 digits
    return value.is_finite() and size < 10**12 and (value == 0 or size > Decimal("1e-12"))


def _sku(value: Any) -> str | None:
    if type(value) is int:
        return str(value)
    # text is kept unchanged, with its zero padding; a fraction is not a SKU
    return read_text(value) if type(value) is str else None


def _clean(text: str) -> str | None:
    # most texts need no cleaning, and this test is cheaper than a cache look-up
    if text and text.isprintable() and "&" not in text and "  " not in text and text[0] != " " and text[-1] != " ":
        return text
    return _clean_other(text)


@lru_cache(_CACHE)
def _clean_other(text: str) -> str | None:
    return clean(text)


def read_text(value: Any) -> str | None:
    """Return cleaned text, an integer as text, and ``None`` for anything else."""
    if type(value) is str:
        return _clean(value)
    return str(value) if type(value) is int else None


def _category(path: Any) -> str | None:
    if not isinstance(path, list):
        return None
    return _category_text(tuple(part for part in path if type(part) is str))


@lru_cache(_CACHE)
def _category_text(path: tuple[str, ...]) -> str | None:
    return " > ".join(cleaned for part in path if (cleaned := _clean(part))) or None


@lru_cache(_CACHE)
def _unit_price_of(text: str) -> tuple[str | None, str | None]:
    parsed = unit_price(text)
    return (None, None) if parsed is None or not _fits_unit_price(str(parsed.value)) else (str(parsed.value), parsed.unit)


@lru_cache(_CACHE)
def _fits_unit_price(text: str) -> bool:
    # the column is numeric(12, 4); a larger unit price is implausible
    return 0 < Decimal(text) < 10**8 - 1


def _unit_price(value: Any) -> tuple[str | None, str | None]:
    return _unit_price_of(value) if type(value) is str else (None, None)


@lru_cache(_CACHE)
def _barcodes_of(text: str) -> tuple[str | None, str | None]:
    barcodes = read_barcodes(text)
    return "{" + ",".join(barcodes.gtins) + "}" if barcodes.gtins else None, barcodes.note


def _barcodes(value: Any) -> tuple[str | None, str | None]:
    if type(value) is int:
        value = str(value)
    return _barcodes_of(value) if type(value) is str else (None, None)
