"""Barcodes: every retailer's format to GTIN-14, and which of them identify a product (GS1 General Specifications, 1.4 and 7.9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from include.errors import TerminalError

_SEPARATORS = re.compile(r"[\s,;/|]+")
_LENGTHS = range(8, 15)
_SHOP_CODE_LENGTHS = (4, 5)


class BarcodeInvalid(TerminalError):
    """The text is not a usable barcode; ``reason`` is one of 'not digits', 'length', 'check digit', 'in-store code'."""

    def __init__(self, raw: str, reason: str) -> None:
        super().__init__(f"Barcode {raw!r} is not usable ({reason}): correct it at the source, or leave the barcode empty.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Barcodes:
    """Content of a barcode field: usable GTIN-14s in the given order, and why the others were dropped."""

    gtins: tuple[str, ...] = ()
    note: str | None = None


def check_digit(digits: str) -> str:
    """The check digit of these digits (GS1 modulo 10; leading zeros have no effect).

    >>> check_digit("931007200123"), check_digit("9638507")
    ('4', '4')
    """
    total = sum(int(digit) * (1 if index % 2 else 3) for index, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def to_gtin14(raw: str) -> str:
    """Pad a code of 8 to 14 digits with a valid check digit to 14 digits; this restores leading zeros that sources dropped.

    Raises :class:`BarcodeInvalid` with the reason otherwise.

    >>> to_gtin14("9310072001234"), to_gtin14("96385074"), to_gtin14(" 22796900104 ")
    ('09310072001234', '00000096385074', '00022796900104')
    >>> to_gtin14("9310072001235")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    BarcodeInvalid: Barcode '9310072001235' is not usable (check digit): correct it at the source, or leave the barcode empty.
    """
    digits = raw.strip()
    if not (digits.isascii() and digits.isdigit()):
        raise BarcodeInvalid(raw, "not digits")
    if len(digits) in _SHOP_CODE_LENGTHS:
        raise BarcodeInvalid(raw, "in-store code")
    if len(digits) not in _LENGTHS:
        raise BarcodeInvalid(raw, "length")
    if check_digit(digits[:-1]) != digits[-1]:
        raise BarcodeInvalid(raw, "check digit")
    return digits.zfill(14)


def is_in_store(gtin14: str) -> bool:
    """Whether the code was assigned by a shop: GTIN-13 from 2x, GTIN-12 from 02x, GTIN-8 from 0 or 2, and codes of 4 or 5 digits.

    The same number has another meaning in another shop, so it never identifies a product.

    >>> is_in_store("02918940000005"), is_in_store("00272234000006"), is_in_store("00000000004011")
    (True, True, True)
    >>> is_in_store("09310072001234"), is_in_store("00000096385074")
    (False, False)
    """
    gtin14 = gtin14.zfill(14)
    if gtin14.startswith("000000"):
        return gtin14[6] in "02"
    return gtin14[1] == "2" or gtin14[1:3] == "02"


@lru_cache(maxsize=32_768)
def read_barcodes(text: str | None) -> Barcodes:
    """Every code of one barcode field; several are separated by commas, semicolons, slashes or spaces.

    The note names each reason once, in order of occurrence.

    >>> read_barcodes("7500464254412, 07500464254412")
    Barcodes(gtins=('07500464254412',), note=None)
    >>> read_barcodes("9310072001234,4011,9310072001235")
    Barcodes(gtins=('09310072001234',), note='in-store code, check digit')
    >>> read_barcodes(None), read_barcodes("none").note, read_barcodes("2918940000005").note
    (Barcodes(gtins=(), note=None), 'not digits', 'in-store code')
    """
    gtins: dict[str, None] = {}
    reasons: dict[str, None] = {}
    for part in _SEPARATORS.split(text or ""):
        if not part:
            continue
        try:
            gtin = to_gtin14(part)
        except BarcodeInvalid as invalid:
            reasons[invalid.reason] = None
            continue
        if is_in_store(gtin):
            reasons["in-store code"] = None
        else:
            gtins[gtin] = None
    return Barcodes(tuple(gtins), ", ".join(reasons) or None)
