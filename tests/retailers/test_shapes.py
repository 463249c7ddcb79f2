"""A page that lost a field, or holds one of another type, is one clear sentence; a page that gained one is no news."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.retailers.errors import ShapeChanged
from include.retailers.fields import parse, reading
from include.retailers.registry import RETAILERS
from include.staging.offer import StoreRef

AT = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
FIRLE = StoreRef("coles", "COL:401", "Firle", "SA")
PAYLOADS = Path(__file__).parents[1] / "payloads"


PAGES = {
    "coles": ("next_listing_with_ads", ["id", "name", "brand", "size", "pricing", "availability", "now", "was", "_type"]),
    "woolworths": ("market_sponsored_unavailable", ["Stockcode", "Name", "Brand", "PackageSize", "Barcode", "Price", "WasPrice", "IsAvailable"]),
    "aldi": ("cents_liquor_special_buys", ["sku", "name", "brandName", "sellingSize", "price", "amount"]),
    "iga": ("weighed_reduced_unavailable", ["productId", "name", "brand", "barcode", "unitOfSize", "available", "wholePrice", "priceSource", "wasWholePrice"]),
}  # fmt: skip


def renamed(node: Any, field: str) -> Any:
    if isinstance(node, list):
        return [renamed(child, field) for child in node]
    if isinstance(node, dict):
        return {f"{key}New" if key == field else key: renamed(value, field) for key, value in node.items()}
    return node


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, (_, fields) in PAGES.items() for field in fields])
def test_a_renamed_required_field_is_one_clear_sentence(name: str, field: str) -> None:
    page = json.loads((PAYLOADS / name / PAGES[name][0] / "page.json").read_text())
    body = parse(json.dumps(renamed(page, field)).encode())

    with pytest.raises(ShapeChanged) as raised, reading(name, "http://x/list?page=7"):
        list(RETAILERS[name].offers(body, FIRLE, AT))

    assert str(raised.value).startswith(f"{name}: field '{field}' is gone (found: ")
    assert f"{field}New" in str(raised.value)
    assert str(raised.value).endswith(
        f") at http://x/list?page=7. Add a page of the new shape under tests/payloads/{name}/ and adapt include/retailers/{name}.py"
    )


PRICES = {"coles": "now", "woolworths": "Price", "aldi": "amount", "iga": "wholePrice"}


def retyped(node: Any, field: str, value: Any) -> Any:
    if isinstance(node, list):
        return [retyped(child, field, value) for child in node]
    if isinstance(node, dict):
        return {key: value if key == field else retyped(child, field, value) for key, child in node.items()}
    return node


@pytest.mark.parametrize("name", PRICES)
@pytest.mark.parametrize("value", ["4.10", "$4.10", True, [4]])
def test_a_price_of_another_type_is_never_guessed(name: str, value: Any) -> None:
    page = json.loads((PAYLOADS / name / PAGES[name][0] / "page.json").read_text())
    body = parse(json.dumps(retyped(page, PRICES[name], value)).encode())

    with pytest.raises(ShapeChanged, match=f"field '{PRICES[name]}' is .* a number was expected"), reading(name, "http://x/"):
        list(RETAILERS[name].offers(body, FIRLE, AT))


@pytest.mark.parametrize("name", PAGES)
def test_new_keys_do_no_harm(name: str) -> None:
    page = json.loads((PAYLOADS / name / PAGES[name][0] / "page.json").read_text())

    def grown(node: Any) -> Any:
        if isinstance(node, list):
            return [grown(child) for child in node]
        return {key: grown(value) for key, value in node.items()} | {"somethingNew": 1} if isinstance(node, dict) else node

    before = list(RETAILERS[name].rows(parse(json.dumps(page).encode()), FIRLE, AT))
    assert list(RETAILERS[name].rows(parse(json.dumps(grown(page)).encode()), FIRLE, AT)) == before
