"""From one raw line to one row of ``staging.offer``. The reader judges nothing.

What SQL could not see any more (not JSON, a price that is text) is noted in ``defects``; the rule catalogue turns
it into reasons. Of a key that stands in a line more than once the last one counts, as everywhere in JSON.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec

from include.model.instants import read_instant
from include.model.offer import Number, decode
from include.staging.manifest import Manifest
from include.staging.staged_file import RawLine
from include.wording.barcode import read_barcodes
from include.wording.text import clean
from include.wording.unit_price import unit_price

#: A clock that runs a little ahead is no news; a line further ahead than this is.
FUTURE_TOLERANCE = timedelta(minutes=10)
_NUMBER_LENGTH_MAX = 24
#: Entries of each memory below: a retailer's range fits in, and memory stays the same for 10 and 1,000 store-days.
_CACHE = 32_768


class LineReader:
    """Turns a raw line into a row of ``staging.offer``, values in PostgreSQL's text form."""

    def __init__(self, file_id: int, manifest: Manifest, now: datetime) -> None:
        self._file_id = file_id
        self._retailer, self._store_id, self._state = manifest.retailer, manifest.store_id, manifest.state
        self._file_instant = manifest.observed_at
        self._latest = now + FUTURE_TOLERANCE

    def __call__(self, line: RawLine) -> tuple[Any, ...]:
        """Return one row in the order of :data:`COLUMNS`. Never raises for what stands in the line."""
        if line.problem is not None:
            return self._unreadable(line.number, line.problem)
        try:
            decoded = decode(line.raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._unreadable(line.number, "not_json")
        product, metadata = decoded.product, decoded.metadata
        defects: list[str] = []
        if metadata.company != self._retailer or str(metadata.store_id) != self._store_id:
            defects.append("foreign_store")
        if product.price_current is msgspec.UNSET:
            defects.append("price_key_missing")
            price = None
        else:
            price = _number(product.price_current, "price_not_a_number", defects)
        was_price = _number(product.price_was, "was_price_not_a_number", defects)
        raw_time = metadata.scraped_at or metadata.scraped_date or product.scraped_date
        observed_at = self._instant(raw_time, metadata.state, defects)
        unit_price_value, unit = _unit_price(product.per_unit_price_string)
        gtins, barcode_note = _barcodes(product.barcode)
        return (
            self._file_id, line.number, _text(metadata.company), _text(metadata.store_id), _sku(product.sku),
            _text(product.name), _text(product.brand), _text(product.size), _text(product.url), _text(product.image_url),
            _category(product.category_path), price, was_price, unit_price_value, unit, "t" if product.is_on_special is True else "f",
            gtins, barcode_note, observed_at, "{" + ",".join(defects) + "}" if defects else None,
        )  # fmt: skip

    def _unreadable(self, number: int, defect: str) -> tuple[Any, ...]:
        return (self._file_id, number, *[None] * 13, "f", None, None, None, "{" + defect + "}")

    def _instant(self, raw_time: Any, state: Any, defects: list[str]) -> str:
        instant = (
            self._file_instant
            if raw_time is None
            else read_instant(raw_time, state if isinstance(state, str) else self._state)
            if isinstance(raw_time, str)
            else None
        )
        if instant is None:
            defects.append("time_unreadable")
            return _iso(self._file_instant)
        if instant > self._latest:
            defects.append("time_in_future")
        return _iso(instant)


@lru_cache(_CACHE)
def _iso(instant: datetime) -> str:
    return instant.isoformat()


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
    return _text(value) if type(value) is str else None


def _clean(text: str) -> str | None:
    # most texts have nothing to clean, and saying so is cheaper than remembering them
    if text and text.isprintable() and "&" not in text and "  " not in text and text[0] != " " and text[-1] != " ":
        return text
    return _clean_other(text)


@lru_cache(_CACHE)
def _clean_other(text: str) -> str | None:
    return clean(text.replace("\x00", " "))


def _text(value: Any) -> str | None:
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
