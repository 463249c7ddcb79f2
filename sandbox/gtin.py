"""Barcodes of the generated world: valid GTINs, and in-store codes, which are not GTINs."""

from __future__ import annotations


def check_digit(body: str) -> str:
    """Return the GS1 check digit of a GTIN written without it.

    >>> check_digit("931023296208")
    '5'
    """
    weighted = sum(int(digit) * (3 if index % 2 == 0 else 1) for index, digit in enumerate(reversed(body)))
    return str(-weighted % 10)


def gtin(number: int) -> str:
    """Return the valid GTIN of one product of the universe: mostly 13 digits, some of 12 and of 8.

    >>> gtin(0), len(gtin(7)), len(gtin(11))
    ('9301000000009', 12, 8)
    """
    form = number % 40
    if form == 11 and number // 40 < 100_000:  # there are few short codes
        body = f"93{number // 40:05d}"
    elif form in (7, 27):
        body = f"07{number:09d}"
    elif form in (3, 13, 23, 33):
        body = f"5012{number:08d}"
    else:
        body = f"9301{number:08d}"
    return body + check_digit(body)


def in_store_code(prefix: str, number: int) -> str:
    """Return a GS1 restricted code of one retailer: five digits of article, five of weight, a valid check digit.

    >>> in_store_code("02", 64011)
    '0264011000002'
    """
    body = f"{prefix}{number % 100_000:05d}00000"
    return body + check_digit(body)


def padded(code: str) -> str:
    """Return a barcode as 13 digits, the format of Woolworths and Coles.

    >>> padded("93010006")
    '0000093010006'
    """
    return code.zfill(13)
