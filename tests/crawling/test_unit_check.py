"""Printed unit price, the retailer's own number, price and size: conflicts are recorded, matching values are unchanged."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.crawling import unit_check
from include.crawling.unit_check import with_unit_price_notes
from include.model.offer import Offer
from include.retailers.base import OfferRow, RetailerUnitPrice, SkippedRow

AT = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)


def notes(
    printed: str | None,
    price: str | None,
    size: str | None,
    *,
    name: str = "Article",
    unit: RetailerUnitPrice | None = None,
    extra: dict[str, Any] | None = None,
) -> dict[str, str]:
    offer = Offer(
        sku="1",
        name=name,
        observed_at=AT,
        price_current=None if price is None else Decimal(price),
        size=size,
        per_unit_price_string=printed,
        extra=extra or {},
    )
    row = with_unit_price_notes(OfferRow(offer, unit=unit))
    assert isinstance(row, OfferRow)
    found: dict[str, str] = row.offer.extra.get("notes", {})
    return found


@pytest.mark.parametrize(
    ("printed", "price", "size"),
    [
        ("$25.00 per 1kg", "5", "200g"),
        ("$8.42/ 1L", "2.02", "240mL"),
        ("$0.45 / 100G", "3.60", "800g"),
        ("$2.43 per 1L", "4.85", "2L"),  # rounded up
        ("$2.42 per 1L", "4.85", "2L"),  # rounded down
        ("$0.01 per 1mL", "3.00", "0.3L"),  # the roughest rounding met
        ("$1.00 per 1ea", "6", "6x200mL"),
        ("$5.00 per 1L", "6", "6x200mL"),
        ("$0.48 / 100 sheets", "0.96", "200 sheets"),
        ("$4.50 per 1kg", "0.77", "approx. 170g"),
        ("$10.00 per 1kg", "12.00", "1kg - 1.3kg"),
        ("$1.53 each", "6.10", "Each"),  # each counts nothing: there may be four in it
        ("$4.00/kg", "3.00", "6 pack"),  # a count says nothing of a weight
        ("$4.00/kg", None, "1kg"),
        ("$4.00/kg", "4", None),
        (None, "4", "1kg"),
    ],
)
def test_matching_or_incomparable_values_are_unchanged(printed: str | None, price: str | None, size: str | None) -> None:
    assert notes(printed, price, size) == {}


def test_a_name_with_more_detail_than_the_size_is_used() -> None:
    assert notes("$12.00 per 1L", "45", "10 Pack", name="Lemonade Can 375ml 10 Pack") == {}


@pytest.mark.parametrize(
    ("printed", "price", "size", "said"),
    [
        ("$25.00 per 1kg", "5", "2kg", "$25.00 per 1kg, while 5 for 2kg is 2.5000 per kg"),
        ("$2.50 per 100g", "5", "500g", "$2.50 per 100g, while 5 for 500g is 10.0000 per kg"),
        ("$1.20 per 1ea", "6", "6 pack", "$1.20 per 1ea, while 6 for 6 pack is 1.0000 per each"),
        ("$4.50 per 1kg", "0.77", "approx. 100g", "$4.50 per 1kg, while 0.77 for approx. 100g is 7.7000 per kg"),
    ],
)
def test_a_text_that_conflicts_with_price_and_size_is_recorded(printed: str, price: str, size: str, said: str) -> None:
    assert notes(printed, price, size) == {unit_check.TEXT_AGAINST_SIZE: said}


def test_the_number_is_compared_with_the_text() -> None:
    same = [
        RetailerUnitPrice(amount=Decimal("2.5")),
        RetailerUnitPrice(amount=Decimal("25"), per="1KG"),
        RetailerUnitPrice(amount=Decimal("2.51"), per="100G"),
    ]
    other = RetailerUnitPrice(amount=Decimal("2.60"))
    wrong_measure = RetailerUnitPrice(amount=Decimal("2.5"), per="1KG")

    assert [notes("$2.50 per 100g", "5", "200g", unit=unit) for unit in same] == [{}, {}, {}]
    assert notes("$2.50 per 100g", "5", "200g", unit=other) == {unit_check.NUMBER_AGAINST_TEXT: "$2.50 per 100g, while the number is 2.60"}
    assert notes("$2.50 per 100g", "5", "200g", unit=wrong_measure) == {
        unit_check.NUMBER_AGAINST_TEXT: "$2.50 per 100g, while the number is 2.5 per 1KG"
    }


def test_without_a_text_the_number_is_compared_with_the_size() -> None:
    assert notes(None, "5", "200g", unit=RetailerUnitPrice(amount=Decimal("25"), per="1KG")) == {}
    assert notes(None, "5", "250g", unit=RetailerUnitPrice(amount=Decimal("25"), per="1KG")) == {
        unit_check.NUMBER_AGAINST_SIZE: "$25 per 1KG, while 5 for 250g is 20.0000 per kg"
    }


def test_a_price_per_kilogram_is_compared_with_its_quantity() -> None:
    assert notes("$4.00/kg", "4", "140g EachUnit", unit=RetailerUnitPrice(size_price=Decimal("0.56"), size="140g")) == {}
    assert notes("$14.00 / 1KG", "14", "Min. 300g", unit=RetailerUnitPrice(size="1kg")) == {}
    assert unit_check.TEXT_AGAINST_SIZE in notes("$4.00/kg", "4", "140g", unit=RetailerUnitPrice(size_price=Decimal("5.6"), size="140g"))


def test_an_unreadable_text_is_recorded() -> None:
    assert notes("per 1ea", "3", "1 each") == {unit_check.UNREADABLE_TEXT: "per 1ea"}


def test_other_fields_and_rows_without_offers_are_unchanged() -> None:
    skipped = SkippedRow("ad")
    offer = Offer(
        sku="1",
        name="A",
        observed_at=AT,
        price_current=Decimal(5),
        size="2kg",
        per_unit_price_string="$25.00 per 1kg",
        extra={"promotion": "SPECIAL"},
    )
    row = with_unit_price_notes(OfferRow(offer, is_sponsored=True))

    assert with_unit_price_notes(skipped) is skipped
    assert isinstance(row, OfferRow)
    assert row.is_sponsored
    assert row.offer.extra.keys() == {"promotion", "notes"}
    assert (row.offer.price_current, row.offer.per_unit_price_string) == (Decimal(5), "$25.00 per 1kg"), "nothing is corrected"


@pytest.mark.parametrize(
    ("name", "lines", "found"),
    [
        ("coles-firle-401-2025-09-23", 3446, {unit_check.NUMBER_AGAINST_TEXT: 42, unit_check.TEXT_AGAINST_SIZE: 5}),
        ("iga-local-grocer-north-sydney-2025-09-19", 2258, {unit_check.TEXT_AGAINST_SIZE: 1}),
        ("aldi-bankstown-g475-2025-09-20", 2801, {unit_check.TEXT_AGAINST_SIZE: 5}),
        ("aldi-nerang-g120-2025-09-12", 262, {}),
    ],
)
def test_real_store_days_have_few_conflicts(shared: Path, name: str, lines: int, found: dict[str, int]) -> None:
    """Goods priced by the kilogram beside the size of a piece are no contradiction; a bread mix of 2.4 g is."""
    counted: Counter[str] = Counter()
    products = [
        json.loads(line, parse_float=Decimal)["product"]
        for line in gzip.decompress((shared / "store-days" / f"{name}.jsonl.gz").read_bytes()).splitlines()
    ]
    for product in products:
        printed, size, number = product["per_unit_price_string"], product["size"] or "", product["per_unit_price_value"]
        is_by_weight = "EachUnit" in size or (size.startswith("approx") and name.startswith("aldi") and number == product["price_current"])
        unit = RetailerUnitPrice(amount=None if number is None else Decimal(number), size="1kg" if is_by_weight else None)
        price = None if product["price_current"] is None else str(product["price_current"])
        counted.update(notes(printed, price, size, name=product["name"], unit=unit).keys())

    assert len(products) == lines
    assert counted == found
