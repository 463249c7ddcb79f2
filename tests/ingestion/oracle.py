"""Predicts the outcome of every line independently: plain Python over the standard JSON reader, without the rule catalogue, the SQL or the reader.

Only the pure text functions of ``include.catalogue`` are shared (cleaning, barcodes, unit prices): they have separate tests.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NoReturn

from include.clock import zone_of
from include.wording.barcode import read_barcodes
from include.wording.text import clean
from include.wording.unit_price import unit_price

#: Deeper than this a reader may give up; tests stay far from it on either side.
NESTING_MAX = 300
LINE_BYTES_MAX = 1_000_000
PRODUCT = {"sku", "name", "brand", "size", "barcode", "description", "url", "image_url", "category_path", "price_current", "price_was", "price_basis", "multi_buy_quantity", "multi_buy_price", "is_on_special",
           "is_available", "per_unit_price_string", "scraped_date"}  # fmt: skip
METADATA = {"company", "store_id", "store_name", "state", "scraped_at", "scraped_date"}
_HALF_A_PAIR = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # escaped; U+DC80 to U+DCFF represent damaged bytes here
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[][{}]', re.DOTALL)


class Fraction(str):
    """The text of a number with a fraction or an exponent."""

    __slots__ = ()


class Unreadable(Exception):
    """Not JSON, or not a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that can be read. ``complaints`` are words of this module; empty = it may be published."""

    number: int
    complaints: frozenset[str]
    sku: str | None
    cents: int | None
    was_cents: int | None
    is_on_special: bool
    observed_at: datetime
    likeness: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ExpectedOutcome:
    """What should become of a file's lines, by line number."""

    lines: dict[int, bytes]
    accepted: dict[int, Line]
    folded: set[int]
    refused: dict[int, str]

    @property
    def prices(self) -> dict[str, Line]:
        """Accepted lines with a price, by SKU."""
        return {str(line.sku): line for line in self.accepted.values() if line.cents is not None}


def predict(
    data: bytes, retailer: str, store_id: str, state: str | None, file_instant: datetime, now: datetime, last: datetime | None = None
) -> ExpectedOutcome:
    """Predict the outcome of every line of a file; ``last`` is the last instant of its manifest, by default its first."""
    lines = {number: raw for number, raw in enumerate(data.split(b"\n"), start=1) if raw.strip()}
    refused, read, variants = dict[int, str](), list[Line](), defaultdict[str | None, set[tuple[Any, ...]]](set)
    for number, raw in lines.items():
        try:
            line = _line(number, raw, retailer, store_id, state, (file_instant, last or file_instant), now)
        except (Unreadable, ValueError, RecursionError) as error:
            refused[number] = f"unreadable: {error}"
            continue
        read.append(line)
        if not any(word.startswith("reading:") for word in line.complaints):
            variants[line.sku].add(line.likeness)
    accepted, folded, seen = dict[int, Line](), set[int](), set[str | None]()
    for line in read:
        if line.complaints:
            refused[line.number] = ", ".join(sorted(line.complaints))
        elif len(variants[line.sku]) > 1:
            refused[line.number] = "contradicted"
        elif line.sku in seen:
            folded.add(line.number)
        else:
            seen.add(line.sku)
            accepted[line.number] = line
    return ExpectedOutcome(lines, accepted, folded, refused)


def _line(
    number: int, raw: bytes, retailer: str, store_id: str, state: str | None, window: tuple[datetime, datetime], now: datetime
) -> Line:
    product, metadata = _read(raw)
    wrong: set[str] = set()
    named = metadata.get("store_id")  # text is trimmed, a whole number is its digits, anything else names no store
    named = named.strip() if type(named) is str else str(named) if type(named) is int else None
    if metadata.get("company") != retailer or named != store_id:
        wrong.add("reading: another store")
    if "price_current" not in product:
        wrong.add("reading: no price key")
    price, was = (_number(product.get(key), key, wrong) for key in ("price_current", "price_was"))
    observed_at = _instant(product, metadata, state, window, now, wrong)
    sku, name, brand, size, url, image = (_text(product.get(key)) for key in ("sku", "name", "brand", "size", "url", "image_url"))
    if sku is None or _bytes(sku) > 64 or any(sign.isspace() or unicodedata.category(sign) == "Cc" for sign in sku):
        wrong.add("SKU")
    if name is None or _bytes(name) > 500:
        wrong.add("name")
    elif re.search(r"\bdonations?\b", name, re.IGNORECASE):
        wrong.add("donation")
    path = product.get("category_path")
    category = " > ".join(part for item in path if (part := _text(item if type(item) is str else None))) if isinstance(path, list) else ""
    if any(_bytes(text or "") > most for text, most in ((brand, 300), (size, 300))) or any(
        len((text or "").encode()) > most for text, most in ((url, 2000), (image, 2000), (category, 1000))
    ):
        wrong.add("text too long")
    if product.get("price_basis") not in (None, "each", "kg", "L", "m"):
        wrong.add("reading: price basis")
    is_on_special = product.get("is_on_special") is True
    for value, what in ((price, "price"), (was, "was-price")):
        if value is not None and (not 0 < value <= 20_000 or value * 100 % 1):
            wrong.add(what)
    if is_on_special and price is not None and was is not None and was <= price:
        wrong.add("was-price not above")
    printed, barcode = product.get("per_unit_price_string"), product.get("barcode")
    unit = unit_price(printed) if type(printed) is str else None
    gtins = read_barcodes(str(barcode)).gtins if type(barcode) in (str, int) else ()
    measured = (unit.value, str(unit.unit)) if unit and unit.value < 10**8 else None
    if measured is None and price is not None and 0 < price < 10**8 and product.get("price_basis") in ("kg", "L", "m"):
        measured = price, product["price_basis"]
    cents, was_cents = (int(value * 100) if value is not None and not wrong else None for value in (price, was))
    return Line(
        number, frozenset(wrong), sku, cents, was_cents if was_cents and cents and was_cents > cents else None, is_on_special, observed_at,
        (name, brand, size, price, was, measured, is_on_special, gtins),
    )  # fmt: skip


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _bytes(text: str) -> int:
    return max(len(text.encode()), len(unicodedata.normalize("NFKD", text).encode()))


def _read(raw: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(raw) > LINE_BYTES_MAX:
        raise Unreadable("longer than allowed")
    if raw.count(b"[") + raw.count(b"{") > NESTING_MAX and _depth(raw) > NESTING_MAX:
        raise Unreadable("nested too deep")
    text = raw.decode("utf-8", "surrogateescape")  # damage in unread fields has no effect
    whole = json.loads(text, parse_float=Fraction, parse_constant=_no_constant, object_pairs_hook=_pairs)
    if not isinstance(whole, dict):
        raise Unreadable("no object")
    for name, read in (("product", PRODUCT), ("metadata", METADATA)):
        found = [value for key, value in whole.get(_ALL, ()) if key == name]
        if not found or not all(isinstance(value, dict) for value in found):
            raise Unreadable(f"no {name}")
        for key, value in (pair for part in found for pair in part.get(_ALL, ())):
            if _HALF_A_PAIR.search(key):
                raise Unreadable("a lone surrogate is not a valid key")
            if key in read:
                _whole_characters(value)
    return whole["product"], whole["metadata"]


def _depth(raw: bytes) -> int:
    depth = deepest = 0
    for token in _BRACKETS.finditer(raw):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token[0], 0)
        deepest = max(deepest, depth)
    return deepest


_ALL = "\x00all pairs"


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(pairs) | {_ALL: pairs} if pairs else {}


def _no_constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not JSON")


def _whole_characters(value: Any) -> None:
    if isinstance(value, str):
        value.encode()  # a lone surrogate is not valid text
    elif isinstance(value, list):
        for item in value:
            _whole_characters(item)
    elif isinstance(value, dict):
        for key, item in value.get(_ALL, ()):
            key.encode()
            _whole_characters(item)


def _number(value: Any, key: str, wrong: set[str]) -> Decimal | None:
    """The exact number; numbers out of the range of prices are not numbers here."""
    if value is None:
        return None
    if type(value) is int and abs(value) < 10**12:
        return Decimal(value)
    if type(value) is Fraction and len(value) <= 24:
        exact = Decimal(value)
        if exact.copy_abs() < 10**12 and (exact == 0 or exact.copy_abs() > Decimal("1e-12")):
            return exact
    wrong.add(f"reading: {key} is no number")
    return None


def _text(value: Any) -> str | None:
    if type(value) is str:
        return clean(value.replace("\x00", " "))
    return str(value) if type(value) is int else None


def _instant(
    product: dict[str, Any], metadata: dict[str, Any], state: str | None, window: tuple[datetime, datetime], now: datetime, wrong: set[str]
) -> datetime:
    raw_time = metadata.get("scraped_at") or metadata.get("scraped_date") or product.get("scraped_date")
    if raw_time is None:
        return window[0]
    try:
        if type(raw_time) is not str:
            raise ValueError(raw_time)
        local = metadata.get("state") if type(metadata.get("state")) is str else state
        instant = datetime.combine(date.fromisoformat(raw_time), time(12)) if _is_date(raw_time) else datetime.fromisoformat(raw_time)
        instant = (instant if instant.tzinfo else instant.replace(tzinfo=zone_of(local))).astimezone(UTC)
    except (ValueError, OverflowError):
        wrong.add("reading: time")
        return window[0]
    if instant > now + timedelta(minutes=10):
        wrong.add("reading: future")
    elif (
        instant >= datetime(2015, 1, 1, tzinfo=UTC)
        and not window[0] - (reach := timedelta(hours=36 if _is_date(raw_time) else 12)) <= instant <= window[1] + reach
    ):
        wrong.add("reading: outside its crawl")
    if instant < datetime(2015, 1, 1, tzinfo=UTC):
        wrong.add("too old")
    return instant
