from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.wording.unit_price import UnitPrice, unit_price


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$25.00 per 1kg", "25.0000", "kg"), ("$8.42/ 1L", "8.4200", "L"), ("$3.06 / 100G", "30.6000", "kg"),
        ("$0.87 per 100 ml", "8.7000", "L"),
        ("$3.18/100g", "31.8000", "kg"), ("$0.21 each", "0.2100", "each"), ("$4.00/kg", "4.0000", "kg"), ("$0.72 / 1EA", "0.7200", "each"),
        ("$24.95 per 1 kg", "24.9500", "kg"), ("$0.84 per 100 sheets", "0.0084", "each"), ("$0.13 per 1 m", "0.1300", "m"),
        ("$0.13 / 1 M", "0.1300", "m"), ("$1,440.00 per 10g", "144000.0000", "kg"), ("$12.00 / 100EA", "0.1200", "each"),
        ("$0.44 per 1ea", "0.4400", "each"), ("$5.20/l", "5.2000", "L"), ("$0.30 per 1g", "300.0000", "kg"),
        ("$0.56 avg/ea", "0.5600", "each"),
    ],
)  # fmt: skip
def test_every_format_of_the_four_retailers(text: str, value: str, unit: str) -> None:
    read = unit_price(text)
    assert read is not None
    assert (str(read.value), read.unit) == (value, unit)


@pytest.mark.parametrize(
    "text", [None, "", "per 1ea", "per 100mL", "100 sheets", "$", "$2.00", "$25g", "$2.00 per 0g", "$0.00 / 100G", "$2 per furlong"]
)
def test_a_text_without_an_amount_or_a_unit_gives_none(text: str | None) -> None:
    assert unit_price(text) is None


@given(st.integers(1, 10_000_000), st.sampled_from([("g", "kg"), ("mL", "L")]))
def test_the_price_scale_is_corrected_once(cents: int, units: tuple[str, str]) -> None:
    dollars = Decimal(cents) / 100
    assert unit_price(f"${dollars} per 100{units[0]}") == UnitPrice(dollars.quantize(Decimal("0.0001")) * 10, units[1])  # type: ignore[arg-type]
    assert unit_price(f"${dollars:,} / 1{units[1].upper()}") == UnitPrice(dollars.quantize(Decimal("0.0001")), units[1])  # type: ignore[arg-type]


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    unit_price(text)
    unit_price(f"$1.00 per {text}")


def _texts(value: Any) -> list[str]:
    keys = {"per_unit_price_string", "comparable", "CupString", "InstoreCupString", "comparisonDisplay", "pricePerUnit", "unitPriceDisplay"}
    if isinstance(value, dict):
        found = [child for key, child in value.items() if key in keys and isinstance(child, str)]
        return found + [text for child in value.values() for text in _texts(child)]
    return [text for child in value for text in _texts(child)] if isinstance(value, list) else []


def test_recorded_texts_are_parsed(shared_data: Path) -> None:
    texts: list[str] = []
    for path in (shared_data / "store-days").glob("*.jsonl.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts += [text for line in lines for text in _texts(json.loads(line))]
    for path in (shared_data / "payloads").glob("*/*.json*"):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if path.suffix != ".jsonl":
            texts += _texts(json.loads(raw))
    stated = [text for text in texts if "$" in text]
    assert len(stated) > 37_000
    assert [text for text in stated if unit_price(text) is None] == []
