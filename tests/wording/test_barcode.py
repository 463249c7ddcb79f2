from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import TerminalError
from include.wording.barcode import BarcodeInvalid, check_digit, read_barcodes, restriction_of, to_gtin14


@pytest.mark.parametrize(
    ("raw", "gtin14"),
    [
        ("9310645111766", "09310645111766"),
        ("022796900104", "00022796900104"),
        ("22796900104", "00022796900104"),  # the source dropped the zero
        ("96385074", "00000096385074"),
        ("19310645111763", "19310645111763"),
        (" 9310645111766\n", "09310645111766"),
    ],
)
def test_any_form_becomes_gtin14(raw: str, gtin14: str) -> None:
    assert to_gtin14(raw) == gtin14


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("9310645111767", "check digit"),
        ("4011", "in-store code"),
        ("94011", "in-store code"),
        ("123", "length"),
        ("123456", "length"),
        ("1" * 15, "length"),
        ("", "not digits"),
        ("93106451x1766", "not digits"),
        ("٩٣١٠٦٤٥١١١٧٦٦", "not digits"),
        ("9.31065E+12", "not digits"),
    ],
)
def test_an_invalid_barcode_has_a_reason(raw: str, reason: str) -> None:
    with pytest.raises(BarcodeInvalid) as caught:
        to_gtin14(raw)
    assert caught.value.reason == reason
    assert isinstance(caught.value, TerminalError)
    assert repr(raw) in str(caught.value) and reason in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        ("2918940000005", "in-store code"),
        ("0272234000006", "in-store code"),
        ("272234000006", "in-store code"),
        ("21234567", "in-store code"),
        ("400003104536", "in-store code"),  # a company's own numbers
        ("0000000123457", "in-store code"),
        ("512345000009", "coupon"),
        ("9800000000007", "coupon"),
        ("9812345678901", "coupon"),
        ("9841234567890", "coupon"),
        ("9912345678901", "coupon"),
        ("93106451117660", "variable measure"),
    ],
)
def test_a_restricted_number_never_identifies_a_product(raw: str, note: str) -> None:
    digits = raw[:-1] + check_digit(raw[:-1])
    assert restriction_of(to_gtin14(digits)) == note
    assert read_barcodes(digits).gtins == ()
    assert read_barcodes(digits).note == note


@pytest.mark.parametrize(
    "raw", ["009542005979", "9781234567890", "9771234567890", "9851234567890", "9501234567890", "5012345678900", "19310645111760"]
)
def test_a_number_beside_the_restricted_ranges_identifies_a_product(raw: str) -> None:
    digits = raw[:-1] + check_digit(raw[:-1])
    assert read_barcodes(digits).gtins == (digits.zfill(14),)


def test_zeros_alone_do_not_identify_a_product() -> None:
    assert read_barcodes("0000000000000").gtins == ()


def test_several_codes_keep_their_order_without_duplicates() -> None:
    read = read_barcodes("9310645111766 7500464254412, 07500464254412;4011")
    assert read.gtins == ("09310645111766", "07500464254412")
    assert read.note == "in-store code"


def test_the_note_names_each_reason_once() -> None:
    assert read_barcodes("1, 2, 9310645111767, x").note == "length, check digit, not digits"
    assert read_barcodes(" ").note is None


@given(st.text("0123456789", min_size=7, max_size=13))
def test_padding_does_not_change_the_gtin(body: str) -> None:
    digits = body + check_digit(body)
    gtin = to_gtin14(digits)
    assert len(gtin) == 14
    assert to_gtin14(gtin) == gtin
    assert all(to_gtin14(digits.zfill(length)) == gtin for length in range(len(digits), 15))


@given(st.text("0123456789", min_size=7, max_size=13), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_always_detected(body: str, index: int, shift: int) -> None:
    digits = list(body + check_digit(body))
    index %= len(digits)
    digits[index] = str((int(digits[index]) + shift) % 10)
    with pytest.raises(BarcodeInvalid, match="check digit"):
        to_gtin14("".join(digits))


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(len(gtin) == 14 and restriction_of(gtin) is None for gtin in read_barcodes(text).gtins)
