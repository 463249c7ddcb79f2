from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.wording.size import Size, canonical, readings, sizes_conflict, total, without_sizes
from include.wording.size_units import Dimension

SIZES = {
    "1.25L": "1250ml", "12.5L": "12500ml", "1,250 ml": "1250ml", "2 LITRE": "2000ml", "28 mL": "28ml", "0.315 kg": "315g",
    "1.36Kg": "1360g", "123GRAM": "123g", "92.3 GRAM": "92.3g", "100mg": "0.1g", "60M": "60m", "18cm each": "0.18m", "30 meters": "30m",
    "each": "1ea", "1 Each": "1ea", "Bunch": "1ea", "24 Pack": "24ea", "2pk": "2ea", "4ea": "4ea", "pack 20": "20ea", "1 dozen": "12ea",
    "60 tablets": "60ea", "3,240 sheets": "3240ea", "7440SS": "7440ea", "2 pair": "2ea", "20's": "20ea", "120 page": "120ea",
    "465g Each": "465g", "180g EachUnit": "180g", "approx. 340g each": "340g", "approx.130g": "130g", "approx .150g": "150g",
    "Min. 300g": "300g", "approx. 0.08 kg per piece": "80g", "approx. 1 ea per package": "1ea", "per 350g": "350g", "PERKG": "1000g",
    "per kg": "1000g", "100g block": "100g", "450g gift box": "450g", "125g Punnet": "125g",
    "6x200mL": "6x200ml", "6 x300ml": "6x300ml", "4 x 250 g": "4x250g", "4×250 g": "4x250g", "250ml x4 pack": "4x250ml",
    "375ml x24 case": "24x375ml", "200mlx6": "6x200ml", "4x500ml pack": "4x500ml", "95g x 12 pack": "12x95g", "2pkx100g": "2x100g",
    "3 x 120 pack": "3x120ea", "(5x3pk)": "5x3ea", "125g 5 pack": "5x25g", "8pk 560g": "8x70g", "1 pack + 250ml": "250ml",
    "1kg - 1.3kg": "1000-1300g", "250g - 700g": "250-700g", "500-650g": "500-650g", "700g - 1.4kg": "700-1400g",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SIZES.items())
def test_size_texts_of_the_four_retailers(text: str, expected: str) -> None:
    assert canonical(text) == expected


@pytest.mark.parametrize("text", ["", " ", "6--8", "10--12", "5", "-", "x", "large", "1,5L", "0g", "1/2 kg", "9" * 40 + "g"])
def test_a_text_without_a_size_gives_none(text: str) -> None:
    assert canonical(text) is None
    assert readings(text) == ()


@given(st.sampled_from(sorted(SIZES)), st.sampled_from([str.lower, str.upper, str.title]), st.sampled_from(["", " ", "\t\u00a0"]))
def test_case_and_spaces_do_not_change_a_size(text: str, change: type[str], blank: str) -> None:
    assert canonical(blank + change(text).replace(" ", "  ") + blank) == SIZES[text]


@given(st.decimals(Decimal("0.1"), 5000, places=1), st.sampled_from(["g", "mL", "L", "kg"]), st.integers(2, 48))
def test_equal_sizes_have_equal_texts(quantity: Decimal, unit: str, count: int) -> None:
    small = {"kg": ("g", 1000), "L": ("ml", 1000)}.get(unit, (unit, 1))
    assert canonical(f"{quantity}{unit}") == canonical(f"{quantity * small[1]:f} {small[0]}")
    assert canonical(f"{count}x{quantity}{unit}") == canonical(f"{quantity} {unit} x {count} Pack")


@given(st.text(), st.text())
def test_any_text_is_read(text: str, name: str) -> None:
    for size in readings(text, name):
        assert size.quantity > 0 and size.pack_count >= 1 and size.canonical


@given(
    st.sampled_from(Dimension),
    st.decimals(Decimal("0.001"), 99_999, places=3),
    st.integers(1, 200),
    st.none() | st.decimals(1, 3, places=2),
)
def test_a_size_survives_print_and_parse(dimension: Dimension, quantity: Decimal, count: int, span: Decimal | None) -> None:
    if dimension is Dimension.COUNT:
        quantity, span = Decimal(int(quantity) + 1), None
    size = Size(dimension, quantity, count, quantity * span if span and span > 1 and count == 1 else None)
    again = readings(size.canonical)[0]
    assert again.canonical == size.canonical
    assert again.agrees_with(size) and not sizes_conflict((size,), size.canonical)


@given(
    st.from_regex(
        r"(approx\. )?([1-9][0-9]? ?x ?)?[1-9][0-9]{0,3}([.,][0-9]{1,3})? ?(g|kg|ml|l|pack|sheets|m)( [1-9] pack)?", fullmatch=True
    )
)
def test_every_reading_survives_print_and_parse(text: str) -> None:
    for size in readings(text):
        assert readings(size.canonical)[0].canonical == size.canonical


@pytest.mark.parametrize(("text", "expected"), [("1000,000kg", "1000000000g"), ("0.1234567kg", "123.4567g"), ("12345678901234567 g", None)])
def test_a_long_number_is_one_number_or_none(text: str, expected: str | None) -> None:
    assert canonical(text) == expected


def test_a_canonical_text_is_read_unchanged() -> None:
    for expected in SIZES.values():
        assert canonical(expected) == expected


def test_all_readings_of_pack_and_content_are_kept() -> None:
    assert [size.canonical for size in readings("500mL", "Zero Ultra Cans 4 Pack")] == ["4x125ml", "500ml", "4x500ml", "4ea"]
    assert [size.canonical for size in readings("750mL", "Liquid Breakfast 3 x 250ml")] == ["3x250ml", "3ea", "750ml"]
    assert [size.canonical for size in readings(None, "Thickened Cream 600ml")] == ["600ml"]
    assert [size.canonical for size in readings("Each", "Prepack Carrots 1kg")] == ["1000g"]


def test_doses_dimensions_and_body_weights_are_not_sizes() -> None:
    for name in ("Vitamin B3 500mg", "Alfoil 30cm x 60cm", "Nappies 6-11kg", "Nappies up to 8kg", "Nappies 15kg+", "Serves 3", "2 In 1"):
        assert readings("50 pack", name) == readings("50 pack")
        assert without_sizes(name) == name


def test_conflicts() -> None:
    assert sizes_conflict("1.25L", "12.5L")
    assert sizes_conflict("140ml", "150ml")
    assert not sizes_conflict("384g", "385g")
    assert sizes_conflict("4x500ml", "500ml")
    assert not sizes_conflict("4x500ml", "2L")
    assert sizes_conflict("6 pack", "12 pack")
    assert not sizes_conflict("1kg - 1.3kg", "1.2kg") and sizes_conflict("1kg - 1.3kg", "1.4kg")
    assert not sizes_conflict("approx. 170g", "180g EachUnit") and sizes_conflict("170g", "180g")
    assert sizes_conflict(readings("132g", "Bars 6 pack"), readings("192g", "Bars 6 pack"))
    assert not sizes_conflict(readings("132g", "Bars 6 pack"), readings("6x22g"))
    assert not sizes_conflict(None, "1kg") and not sizes_conflict("each", "12 pack")


@given(st.sampled_from(sorted(SIZES)), st.sampled_from(sorted(SIZES)))
def test_conflict_is_symmetric_and_never_reflexive(left: str, right: str) -> None:
    assert sizes_conflict(left, right) == sizes_conflict(right, left)
    assert not sizes_conflict(left, left)


def test_totals() -> None:
    assert total("6x200mL") == (Decimal(1200), "ml")
    assert total("each") is None and total(None) is None
    assert total("approx. 340g") is None and total("1kg - 1.3kg") is None


def _recorded_sizes(data: Path) -> Iterator[str]:
    for path in (data / "store-days").glob("*.jsonl.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from (json.loads(line)["product"].get("size") or "" for line in lines)
    for path, column in [(data / "matching" / "products_2020.csv.gz", "size"), *((p, "size_raw") for p in (data / "series").glob("*.gz"))]:
        with gzip.open(path, "rt", encoding="utf-8") as rows:
            yield from (row[column] for row in csv.DictReader(rows))


def test_recorded_sizes_are_parsed(shared_data: Path) -> None:
    texts = [text for text in _recorded_sizes(shared_data) if text]
    failed = [text for text in texts if canonical(text) is None]
    assert len(texts) > 40_000
    assert len(failed) / len(texts) < 0.0002, f"not parsed: {sorted(set(failed))}"
    assert all(re.fullmatch(r"\d+--\d+", text) for text in failed)  # clothing
