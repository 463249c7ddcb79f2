"""Invalid lines: valid ones, mutated with knowledge of their structure, all from one seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.ingestion.store_days import gtin

#: An object as pairs, because a key may be repeated.
Pairs = list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON text that is written unchanged, valid or not."""

    text: str


NUMBERS = [
    "0", "-0", "-0.0", "0.0", "0.01", "0.009", "0.010", "9.999", "9.99", "9.990", "19999.99", "20000", "20000.00", "20000.01", "1e400", "-1e400", "1e-400", "1E2",
    "1e+2", "12.5e-1", "1e2000000000", "199e-2", "1995e-3", "100000000000000000000000", "18446744073709551616", "-9223372036854775809", "999999999999",
    "0.1000000000000000055511151231257827", "3.00000000000000000000000000001", "2.5000000000000000000000000", "1000000000000", "1e12", "1e-12", "4.10", "5", "1.0", "9" * 300, "9" * 5_000, "1." + "0" * 5_000, "1e" + "9" * 30,
    "NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5", "0x10", "1_000", "1,99",
]  # fmt: skip
TEXTS = [
    "", " ", "\t", "\x00", "a\x00b", "\u0007bell", "\u200b", "\ufeff", "\u00ad", "\u00a0", "\u2028line\u2029", "\ufffd", "NestlÃ©", "Kelloggâ€™s", "Crème brûlée", "舒适刀片",
    "e\u0301", "😀 Biscuits", "\U0010ffff", "null", "NULL", "\\N", "\\", '"', "'; DROP TABLE core.price; --", "%s %(file_id)s", "{}", "{a,b}", "$1.00", "donation", "Red Nose Donation $2",
    "donations welcome", "Donationware", "&amp;amp;", "&#0;", "&#55296;", "x" * 64, "x" * 65, "y" * 300, "y" * 301, "z" * 500, "z" * 501, "w" * 2001, "\u202eesrever", "\x85", "a\u0085b", "\x7f", "\x9fAPC",
    "ﬁ", "İ", "ß", " lead and trail ", "two  blanks", "0", "007", "1.0", "true", "C:\\temp", "a" * 20_001,
]  # fmt: skip
TIMES = [
    "2026-11-18T04:30:00+11:00", "2026-11-18T04:30:00", "2026-11-18", "2026-11-17T17:30:00Z", "2026-11-17T17:30:00.123456789Z", "20261118T043000+1100", "2026-W47-3",
    "2026-11-18 04:30:00", "2026-11-18T04:30", "2026-11-18T24:00:00", "2026-11-18T04:30:60", "2026-02-30", "2026-11-18T09:09:59+00:00", "2026-11-18T09:10:01+00:00", "2027-01-01",
    "2014-12-31T23:59:59Z", "2015-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31", "10000-01-01",
    "18/11/2026", "Wed, 18 Nov 2026 04:30:00 GMT", "1795000000", "now", "2026-11-18T04:30:00+99:00", "2026-11-18T04:30:00+11:00:30", "-2026-11-18", "２０２６-11-18", "2026-10-04T02:30:00", "2026-04-05T02:30:00",
]  # fmt: skip
UNIT_PRICES = [
    "$1.23 per 100g",
    "$1,440.00 per 10g",
    "$0.00 / 1kg",
    "$99999999999 / 1kg",
    "$5 / 0kg",
    "$1 / 1 parsec",
    "per 1ea",
    "$0.21 each",
    "$999999999.99 per 1g",
]
BARCODES = [
    "none",
    "0",
    "4011",
    "2918940000005",
    "0272234000006",
    "93000000000190",
    "9310072001234,4011",
    "9310072001234 / 9310072001234",
    "٣" * 13,
    "9" * 400,
]
OTHERS: list[Any] = [None, True, False, [], [None], {}, {"a": {"b": [1, "x"]}}, [[[[]]]], 0, 1, -1, Raw("1.5"), "x"]
FIELDS = ["sku", "name", "brand", "size", "barcode", "description", "url", "image_url", "category_path", "price_current", "price_was", "price_basis", "multi_buy_quantity",
          "multi_buy_price", "is_on_special", "is_available", "per_unit_price_string", "scraped_date"]  # fmt: skip
METADATA = ["company", "store_id", "store_name", "state", "scraped_at", "scraped_date"]
_WORDS = [
    "Zorbo",
    "Kettle",
    "Ember",
    "Tasman",
    "Oat",
    "Milk",
    "Choc",
    "Tea",
    "Rice",
    "Corn",
    "Crisps",
    "Soap",
    "Lemon",
    "Double",
    "Family",
    "Pack",
]
DEEP, SHALLOW = 3_000, 50


class Mutator:
    """Writes lines of one store. The same seed gives the same bytes."""

    def __init__(self, seed: int, retailer: str, store_id: str, at: datetime, skus: int = 3_000) -> None:
        self._dice, self._retailer, self._store_id, self._at, self._skus = random.Random(seed), retailer, store_id, at.isoformat(), skus
        self._next, self._earlier = 0, list[bytes]()

    def lines(self, count: int) -> Iterator[bytes]:
        """Yield lines; damaged ones may contain line breaks."""
        for _ in range(count):
            line = self._line()
            if len(self._earlier) < 500:
                self._earlier.append(line)
            yield line

    def _line(self) -> bytes:
        rng, kind = self._dice, self._dice.random()
        if kind < 0.03 and self._earlier:
            return self._double(rng.choice(self._earlier))
        if kind < 0.035:
            line = _text(_line(*self._sound()))
            return self._double(line) + b"\n" + line
        product, metadata = self._sound()
        if kind < 0.40:
            return _text(_line(product, metadata))
        if kind < 0.80:
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                self._spoil_value(product, metadata)
            return _text(_line(product, metadata), rng)
        if kind < 0.92:
            return self._spoil_structure(product, metadata)
        return self._spoil_bytes(_text(_line(product, metadata), rng))

    def _double(self, line: bytes) -> bytes:
        """Return a line again, sometimes with other values in fields that do not distinguish duplicates."""
        match self._dice.randrange(5):
            case 0:
                return line.replace(b"https://", b"https://" + b"w" * 2_000)
            case 1:
                return line.replace(self._at.encode(), self._dice.choice(TIMES).encode())
            case 2:
                return line.replace(b"Pantry", b"Freezer" * self._dice.choice((1, 200)))
            case _:
                return line

    def _sound(self) -> tuple[Pairs, Pairs]:
        rng = self._dice
        self._next += 1
        # one in fifty repeats a SKU with its current values
        number = rng.randrange(max(1, self._next)) if rng.random() < 0.02 else self._next
        cents = rng.randrange(1, 5_000)
        name = " ".join(rng.choices(_WORDS, k=3))
        product: Pairs = [
            ("sku", f"{number:06d}" if rng.random() < 0.9 else number), ("name", f"{name} {number}"), ("brand", rng.choice([*_WORDS, None])),
            ("size", rng.choice(["500 g", "1.25L", "6 x 330ml", "each", None])), ("barcode", gtin(number) if rng.random() < 0.3 else None),
            ("category_path", ["Pantry", rng.choice(_WORDS)]), ("price_current", Raw(f"{cents / 100:.2f}") if rng.random() < 0.97 else None),
            ("price_was", Raw(f"{(cents + 100) / 100:.2f}") if rng.random() < 0.1 else None), ("is_on_special", rng.random() < 0.1), ("is_available", True),
            ("per_unit_price_string", rng.choice(["$1.23 per 100g", "$2.50 / 1L", None])), ("url", f"https://example.test/{number}"),
        ]  # fmt: skip
        metadata: Pairs = [
            ("company", self._retailer),
            ("store_id", self._store_id),
            ("store_name", "Somewhere"),
            ("state", "VIC"),
            ("scraped_at", self._at),
        ]
        return product, metadata

    def _odd(self) -> Any:
        rng = self._dice
        return rng.choice(
            (lambda: Raw(rng.choice(NUMBERS)), lambda: rng.choice(TEXTS), lambda: rng.choice(TIMES), lambda: rng.choice(OTHERS))
        )()

    def _spoil_value(self, product: Pairs, metadata: Pairs) -> None:
        rng = self._dice
        fitting: dict[str, Callable[[], Any]] = {
            "price_current": lambda: Raw(rng.choice(NUMBERS)), "price_was": lambda: Raw(rng.choice(NUMBERS)), "name": lambda: rng.choice(TEXTS),
            "brand": lambda: rng.choice(TEXTS), "sku": lambda: rng.choice([*TEXTS, *map(Raw, NUMBERS[:-9])]), "barcode": lambda: rng.choice(BARCODES),
            "per_unit_price_string": lambda: rng.choice(UNIT_PRICES), "scraped_at": lambda: rng.choice(TIMES), "scraped_date": lambda: rng.choice(TIMES),
            "state": lambda: rng.choice(["nsw ", "WA", "XX", "", None, 7]), "store_id": lambda: rng.choice(["G2", "g1", 1147, None, self._store_id + " "]),
            "company": lambda: rng.choice(["coles", "ALDI", None, ""]), "category_path": lambda: [rng.choice(TEXTS) for _ in range(rng.randrange(4))],
            "price_basis": lambda: rng.choice(["kg", "each", "L", "lb", "KG", None]), "multi_buy_quantity": lambda: rng.choice([1, 2, 10**12, "2", None]),
            "multi_buy_price": lambda: Raw(rng.choice(NUMBERS)), "is_on_special": lambda: rng.choice([True, "true", 1, None]), "url": lambda: rng.choice(TEXTS), "image_url": lambda: rng.choice(TEXTS),
        }  # fmt: skip
        part, names = (metadata, METADATA) if rng.random() < 0.2 else (product, FIELDS)
        name = rng.choice(names)
        value = fitting[name]() if name in fitting and rng.random() < 0.75 else self._odd()
        part[:] = [(key, old) for key, old in part if key != name]
        part.insert(rng.randrange(len(part) + 1), (name, value))

    def _spoil_structure(self, product: Pairs, metadata: Pairs) -> bytes:
        rng = self._dice
        whole: Pairs = [("product", product), ("metadata", metadata)]
        part = rng.choice((product, metadata, whole))
        position = rng.randrange(len(part))
        key, value = part[position]
        what = rng.randrange(9)
        if what == 0:
            del part[position]
        elif what == 1:
            part[position] = (rng.choice([key.upper(), f" {key}", key[:-1], "", key + "\x00", "prodüct"]), value)
        elif what == 2:
            part.insert(rng.randrange(len(part) + 1), (key, self._odd()))  # a repeated key: the last value counts
        elif what == 3:
            part.append((rng.choice(["extra", "price", "_"]), _nested(rng.choice((SHALLOW, DEEP)), rng.choice(("[]", "{}")))))
        elif what == 4:
            part[position] = (key, _nested(rng.choice((SHALLOW, DEEP)), "[]"))
        elif what == 5:
            whole = [("metadata", metadata), ("product", product)]
        elif what == 6:
            return _text(self._odd())
        elif what == 7:
            return _text([whole, whole]) if rng.random() < 0.5 else _text([("product", [product]), ("metadata", metadata)])
        else:
            part.extend((f"extra{number}", number) for number in range(rng.choice((1, 20, 200))))
        return _text(whole, rng)

    def _spoil_bytes(self, line: bytes) -> bytes:
        rng = self._dice
        position = rng.randrange(len(line))
        match rng.randrange(14):
            case 0:
                return line[:position]
            case 1:
                return line[position:]
            case 2:
                return line[:position] + bytes([rng.randrange(256)]) + line[position + 1 :]
            case 3:
                return line[:position] + line[position + 1 :]
            case 4:
                return line[:position] + rng.randbytes(rng.randrange(1, 9)) + line[position:]
            case 5:
                return b"\xef\xbb\xbf" + line
            case 6:
                return rng.choice((b"", b" ", b"\t")) + line + rng.choice((b"\r", b" \r", b"\x00", b",", b"}", b" {}", b"\x0c"))
            case 7:
                return line.replace(b"Somewhere", "Café".encode("latin-1"))
            case 8:
                return line.decode().encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "cp037")), "replace")
            case 9:
                return line.replace(
                    b'"name"', rng.choice((rb'"na\u006de"', rb'"n\ud800"', rb'"n\udc00\ud800"', rb'"n\x"', b"'name'", b"name")), 1
                )
            case 10:
                return line.replace(
                    b"Pantry",
                    rng.choice(
                        (
                            rb"\ud83d\ude00",
                            rb"\ud83d",
                            rb"\u0000",
                            b"\x00",
                            b"\x1b",
                            b"\x7f",
                            b"\xed\xa0\x80",
                            b"\xc0\x80",
                            b"\xf4\x90\x80\x80",
                        )
                    ),
                    1,
                )
            case 11:
                return line + b"\n" + line[: rng.randrange(len(line))]
            case 12:
                return rng.choice((b"", b"   ", b"\t\r", b"\x0b\x0c", b"\x00", b"null", b"[]", b"{}", b'""', b"0", b"{", b"\xff" * 40))
            case _:
                return line.replace(b": ", rng.choice((b":", b" : ", b":\t", b"=")), rng.randrange(1, 20))


def _line(product: Pairs, metadata: Pairs) -> Pairs:
    return [("product", product), ("metadata", metadata)]


def _nested(depth: int, brackets: str) -> Raw:
    opening = "[" if brackets == "[]" else '{"a":'
    return Raw(opening * depth + "0" + brackets[1] * depth)


def _text(value: Any, rng: random.Random | None = None) -> bytes:
    return _dump(value, rng is not None and rng.random() < 0.5).encode("utf-8", "surrogatepass")


def _dump(value: Any, escaped: bool) -> str:
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        return "{" + ", ".join(f"{json.dumps(key)}: {_dump(item, escaped)}" for key, item in value) + "}"
    if isinstance(value, dict):
        return _dump(list(value.items()), escaped) if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_dump(item, escaped) for item in value) + "]"
    return json.dumps(value, ensure_ascii=escaped)
