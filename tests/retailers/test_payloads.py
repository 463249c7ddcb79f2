"""One test reads every page under ``tests/payloads/<retailer>/``.

A case is a folder ``<what_is_special>/`` with ``page.json`` (or ``page.html``), ``source.json`` and ``expect.json``, or, where the page
is short, one file ``<what_is_special>.json`` with the keys ``page``, ``source`` and ``expect``. Rows are compared after the step that
follows every adapter (``unit_check``), so ``extra`` holds the notes of what contradicts itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.crawling.unit_check import with_unit_price_notes
from include.model.store import StoreRef
from include.retailers.base import Category, OfferRow, Row, SkippedRow
from include.retailers.bounds import parse
from include.retailers.errors import ErrorResponse
from include.retailers.registry import RETAILERS

PAYLOADS = Path(__file__).parents[1] / "payloads"


@dataclass(frozen=True)
class Case:
    """One page of a retailer, where it is from, and what it must give."""

    path: Path

    @property
    def retailer(self) -> str:
        return self.path.relative_to(PAYLOADS).parts[0]

    @property
    def name(self) -> str:
        return f"{self.retailer}/{self.path.relative_to(PAYLOADS).parts[1].removesuffix('.json')}"

    def part(self, name: str) -> Any:
        """Return the case's page, source or expect, numbers exact."""
        if name == "page" and self.path.suffix == ".html":
            return self.path.read_text()
        if self.path.stem == "page":
            return parse(self.path.with_name(f"{name}.json").read_bytes())
        return parse(self.path.read_bytes())[name]


CASES = [Case(path) for path in sorted([*PAYLOADS.glob("*/*/page.json"), *PAYLOADS.glob("*/*/page.html"), *PAYLOADS.glob("*/*.json")])]
OBSERVED_AT = datetime(2026, 11, 19, 17, 0, tzinfo=UTC)  # Friday 20 November in Melbourne
STORE = StoreRef("", "COL:401", "East", "VIC", "401")


def told(rows: Iterator[Row]) -> Iterator[dict[str, Any]]:
    """Return rows as ``expect.json`` writes them."""
    for row in map(with_unit_price_notes, rows):
        if isinstance(row, SkippedRow):
            yield {"skipped": row.reason} | ({"sku": row.sku} if row.sku else {})
        else:
            offer = {name: getattr(row.offer, name) for name in row.offer.__dataclass_fields__}
            deal = row.offer.multi_buy and [row.offer.multi_buy.quantity, row.offer.multi_buy.price]
            yield offer | {"category_path": list(row.offer.category_path), "sponsored": row.is_sponsored, "multi_buy": deal}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_page_gives_the_expected_offers(case: Case) -> None:
    retailer, body = RETAILERS[case.retailer], case.part("page")
    expected = case.part("expect")
    category = Category(key="k", path=("Top", "Leaf"), address={"slugs": "top/leaf", "slug": "leaf", "level": "2", "name": "Leaf"})
    asked = retailer.first_page(STORE, category)
    if "error" in expected:
        with pytest.raises(ErrorResponse) as raised:
            list(retailer.rows(body, STORE, OBSERVED_AT))
        assert str(raised.value) == expected["error"]
        return

    rows = list(told(retailer.rows(body, STORE, OBSERVED_AT)))

    assert [{name: row.get(name) for name in expect} for row, expect in zip(rows, expected["rows"], strict=True)] == expected["rows"]
    assert retailer.total(body) == expected["total"]
    assert retailer.store_on_page(body) == expected["shown_store"]
    assert (retailer.next_page(asked, body) is not None) == expected["has_next"]
    assert all(row["observed_at"] == OBSERVED_AT for row in rows if "skipped" not in row)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_prices_are_exact(case: Case) -> None:
    retailer, body = RETAILERS[case.retailer], case.part("page")
    if "error" in case.part("expect"):
        pytest.skip("this page has no rows")
    for row in retailer.rows(body, STORE, OBSERVED_AT):
        if isinstance(row, OfferRow):
            for price in (row.offer.price_current, row.offer.price_was):
                assert price is None or (isinstance(price, Decimal) and -price.as_tuple().exponent <= 2)  # type: ignore[operator]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_page_has_a_source(case: Case) -> None:
    source = case.part("source")

    assert source.keys() == {"route", "era", "why"}


def test_every_retailer_has_a_page() -> None:
    without = RETAILERS.keys() - {case.retailer for case in CASES}

    assert not without, f"add at least one page for {sorted(without)} (see CONTRIBUTING.md)"
