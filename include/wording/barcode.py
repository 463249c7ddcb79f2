"""Barcodes: every retailer's format to GTIN-14, and which of them identify a product (GS1 General Specifications, 1.4 and 7.9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from include.errors import TerminalError

_SEPARATORS = re.compile(r"[\s,;/|]+")
_LENGTHS = range(8, 15)
_SHOP_CODE_LENGTHS = (4, 5)
_COUPONS = ("05", "980", "981", "982", "983", "984", "99")

Restriction = Literal["in-store code", "coupon", "variable measure"]


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


def restriction_of(gtin14: str) -> Restriction | None:
    """Why a code never identifies a product; None for a code that may.

    Restricted numbers have another meaning in another shop: prefixes 02, 04 and 2 and zeros of GTIN-13, 0 and 2 of GTIN-8, and codes of 4 or
    5 digits. Coupons (05, 980-984, 99) and refund receipts are no products, and indicator 9 marks goods whose weight varies.

    >>> [restriction_of(code) for code in ("02918940000005", "00272234000006", "00000000004011", "00400003104536")]
    ['in-store code', 'in-store code', 'in-store code', 'in-store code']
    >>> restriction_of("00512345000001"), restriction_of("09812345000007"), restriction_of("99310072001230")
    ('coupon', 'coupon', 'variable measure')
    >>> restriction_of("09310072001234"), restriction_of("00000096385074"), restriction_of("00009542005979"), restriction_of("19310645111763")
    (None, None, None, None)
    """
    gtin14 = gtin14.zfill(14)
    if gtin14[0] == "9":
        return "variable measure"
    if gtin14.startswith("000000"):
        return "in-store code" if gtin14[6] in "02" else None
    gtin13 = gtin14[1:]
    if gtin13.startswith(("02", "04", "2")):
        return "in-store code"
    return "coupon" if gtin13.startswith(_COUPONS) else None


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
        if restriction := restriction_of(gtin):
            reasons[restriction] = None
        else:
            gtins[gtin] = None
    return Barcodes(tuple(gtins), ", ".join(reasons) or None)
