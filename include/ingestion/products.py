"""From the product of a raw line to columns of ``staging.offer``. The reader judges nothing.

Stores of one retailer repeat most products byte for byte: what was read from a product is kept, in bounded memory, for the next
line that holds the same bytes.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from include.ingestion.copying import copy_text
from include.model.offer import LineProduct, Number, decode_product
from include.staging.staged_file import COUNTED_FIELDS
from include.wording.barcode import read_barcodes
from include.wording.text import clean
from include.wording.unit_price import unit_price

_NUMBER_LENGTH_MAX = 24
#: Entries of each memory of one field below: a retailer's range fits in, and memory stays the same for 10 and 1,000 store-days.
_CACHE = 32_768
#: Products kept, by the bytes of their JSON: 30,000 products, a large supermarket's range. What is kept of each takes as much again.
_KEPT_BYTES = 48 << 20
_KEPT_PRODUCT_BYTES_MAX = 16_384


class ProductPart(NamedTuple):
    """What one product gives: its columns from ``sku`` to ``barcode_note``, and what the line's other columns need of it.

    ``text`` is the columns in the text form of ``COPY``; ``raw_time`` is when the product itself says it was seen (older files);
    ``missing`` are the fields of :data:`COUNTED_FIELDS` it does not fill.
    """

    columns: tuple[str | int | None, ...]
    text: str
    defects: tuple[str, ...]
    raw_time: Any
    missing: tuple[str, ...]


_kept: dict[bytes, ProductPart] = {}
_kept_bytes = 0


def read_product(raw: bytes) -> ProductPart:
    """Read the JSON of a product. Never raises for what stands in its fields.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is no JSON object.
    """
    global _kept, _kept_bytes  # noqa: PLW0603 one memory a process, and threads may lose an entry to each other
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
    unit_price_value, unit = _unit_price(product.per_unit_price_string)
    gtins, barcode_note = _barcodes(product.barcode)
    columns = (
        _sku(product.sku), read_text(product.name), read_text(product.brand), read_text(product.size), read_text(product.url),
        read_text(product.image_url), _category(product.category_path), price, was_price, unit_price_value, unit,
        "t" if product.is_on_special is True else "f", gtins, barcode_note,
    )  # fmt: skip
    return ProductPart(columns, copy_text(columns), tuple(defects), product.scraped_date, _missing(product))


def _missing(product: LineProduct) -> tuple[str, ...]:
    return tuple(
        name for name in COUNTED_FIELDS if (value := getattr(product, name)) is None or value is msgspec.UNSET or value == "" or value == []
    )


def _number(value: Any, defect: str, defects: list[str]) -> str | int | None:
    """Return a JSON number as PostgreSQL reads it, exactly; note a defect for anything else but null."""
    if value is None:
        return None
    kind = type(value)
    if kind is Number and _fits_column(value):
        return str.__str__(value)
    if kind is int and -(10**12) < value < 10**12:
        return int(value)
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
    size = value.copy_abs()  # abs() would calculate, and overflow with an exponent of 10 digits
    return value.is_finite() and size < 10**12 and (value == 0 or size > Decimal("1e-12"))


def _sku(value: Any) -> str | None:
    if type(value) is int:
        return str(value)
    # text is kept as it is, zero padding and all; a fraction is no product number
    return read_text(value) if type(value) is str else None


def _clean(text: str) -> str | None:
    # most texts have nothing to clean, and saying so is cheaper than remembering them
    if text and text.isprintable() and "&" not in text and "  " not in text and text[0] != " " and text[-1] != " ":
        return text
    return _clean_other(text)


@lru_cache(_CACHE)
def _clean_other(text: str) -> str | None:
    return clean(text.replace("\x00", " "))


def read_text(value: Any) -> str | None:
    """Return a text cleaned, a whole number as text, and nothing for anything else."""
    if type(value) is str:
        return _clean(value)
    return str(value) if type(value) is int else None


def _category(path: Any) -> str | None:
    if not isinstance(path, list):
        return None
    return _categoryread_text(tuple(part for part in path if type(part) is str))


@lru_cache(_CACHE)
def _categoryread_text(path: tuple[str, ...]) -> str | None:
    return " > ".join(cleaned for part in path if (cleaned := _clean(part))) or None


@lru_cache(_CACHE)
def _unit_price_of(text: str) -> tuple[str | None, str | None]:
    parsed = unit_price(text)
    # numeric(12, 4): what is larger is no unit price of a supermarket
    return (None, None) if parsed is None or parsed.value >= 10**8 else (str(parsed.value), parsed.unit)


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
