"""A missing field or one of another type raises one clear error; a new field is ignored."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.model.store import StoreRef
from include.retailers.bounds import Fields, parse
from include.retailers.coles import Coles
from include.retailers.errors import ShapeChanged
from include.retailers.fields import reading
from include.retailers.registry import RETAILERS

AT = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
FIRLE = StoreRef("coles", "COL:401", "Firle", "SA")
PAYLOADS = Path(__file__).parents[1] / "payloads"


PAGES = {
    "coles": ("next_listing_with_ads", ["id", "name", "brand", "size", "pricing", "availability", "now", "was", "_type"]),
    "woolworths": ("market_sponsored_unavailable", ["Stockcode", "Name", "Brand", "PackageSize", "Barcode", "Price", "WasPrice", "IsAvailable"]),
    "aldi": ("cents_liquor_special_buys", ["sku", "name", "brandName", "sellingSize", "price", "amount"]),
    "iga": ("weighed_reduced_unavailable", ["productId", "name", "brand", "unitOfSize", "available", "wholePrice", "priceSource", "wasWholePrice"]),
}  # fmt: skip


def renamed(node: Any, field: str) -> Any:
    if isinstance(node, list):
        return [renamed(child, field) for child in node]
    if isinstance(node, dict):
        return {f"{key}New" if key == field else key: renamed(value, field) for key, value in node.items()}
    return node


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, (_, fields) in PAGES.items() for field in fields])
def test_a_renamed_required_field_raises_one_clear_error(name: str, field: str) -> None:
    page = json.loads((PAYLOADS / name / PAGES[name][0] / "page.json").read_text())
    body = parse(json.dumps(renamed(page, field)).encode())

    with pytest.raises(ShapeChanged) as raised, reading(name, "http://x/list?page=7"):
        list(RETAILERS[name].offers(body, FIRLE, AT))

    assert str(raised.value).startswith(f"{name}: field '{field}' is missing (found: ")
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
def test_new_keys_are_ignored(name: str) -> None:
    page = json.loads((PAYLOADS / name / PAGES[name][0] / "page.json").read_text())

    def grown(node: Any) -> Any:
        if isinstance(node, list):
            return [grown(child) for child in node]
        return {key: grown(value) for key, value in node.items()} | {"somethingNew": 1} if isinstance(node, dict) else node

    before = list(RETAILERS[name].rows(parse(json.dumps(page).encode()), FIRLE, AT))
    assert list(RETAILERS[name].rows(parse(json.dumps(grown(page)).encode()), FIRLE, AT)) == before


# The shape that a run's opening request is compared with


def page_of(name: str) -> Any:
    return parse((PAYLOADS / name / PAGES[name][0] / "page.json").read_bytes())


def rename(row: Any, path: str) -> None:
    """Give the last key of a path another name, wherever the path leads in a row."""
    first, _, rest = path.partition(".")
    for subset in row if isinstance(row, list) else [row]:
        if subset and first in subset:
            if rest:
                rename(subset[first], rest)
            else:
                subset[f"{first}New"] = subset.pop(first)


@pytest.mark.parametrize("name", PAGES)
def test_a_valid_page_has_the_shape_on_record(name: str) -> None:
    RETAILERS[name].check_shape(page_of(name), "http://x/")

    assert RETAILERS[name].expected_shape < RETAILERS[name].shape(page_of(name)), "other keys of a row are reported too"


@pytest.mark.parametrize(("name", "path"), [(name, path) for name in PAGES for path in sorted(RETAILERS[name].expected_shape)])
def test_a_renamed_key_is_reported_with_both_shapes(name: str, path: str) -> None:
    retailer, body = RETAILERS[name], page_of(name)
    for row in list(retailer.products(body)):
        rename(row, path)

    with pytest.raises(ShapeChanged) as raised:
        retailer.check_shape(body, "http://x/list")

    said = str(raised.value)
    if path == "_type":  # what tells product rows from advertisements
        assert said.startswith(f"{name}: field '_type' is missing (found: _typeNew, ")
    else:
        lost, expected = said.removeprefix(f"{name}: product rows have lost ").split(" (expected: ")
        assert path in lost.split(", ")
        assert f"{', '.join(sorted(retailer.expected_shape))}; found: " in expected
        assert f"{path}New" in expected


@pytest.mark.parametrize("name", PAGES)
def test_the_shape_on_record_matches_the_keys_read_by_the_adapter(name: str) -> None:
    """A path in it is read: without it rows differ or cannot be read. A key that an ordinary row must have is in it."""
    retailer = RETAILERS[name]
    before = list(retailer.rows(page_of(name), FIRLE, AT))

    def without(path: str, rows: int | None) -> list[Any] | None:
        body = page_of(name)
        for row in list(retailer.products(body))[:rows]:
            rename(row, path)
        try:
            with reading(name, "http://x/"):
                return list(retailer.rows(body, FIRLE, AT))
        except ShapeChanged:
            return None

    unread = {path for path in retailer.expected_shape if without(path, None) == before}
    unlisted = {path for path in retailer.shape(page_of(name)) - retailer.expected_shape if without(path, 1) is None}

    assert unread == set()
    assert unlisted == set()


@pytest.mark.parametrize("name", PAGES)
def test_keys_null_or_absent_on_some_rows_are_not_missing(name: str) -> None:
    retailer, body = RETAILERS[name], page_of(name)
    for row in list(retailer.products(body))[1:]:
        for path in retailer.expected_shape - {"_type"}:
            rename(row, path)

    retailer.check_shape(body, "http://x/")


def test_keys_below_an_object_that_is_null_on_every_row_are_unknown() -> None:
    body = page_of("coles")
    for row in Coles().products(body):
        row["pricing"], row["onlineHeirs"] = None, []  # type: ignore[index]

    Coles().check_shape(body, "http://x/")

    for row in Coles().products(body):
        row["prices"] = row.pop("pricing")  # type: ignore[attr-defined,index]
    with pytest.raises(ShapeChanged, match=r"product rows have lost pricing, pricing\.comparable, pricing\.now, pricing\.was \(expected"):
        Coles().check_shape(body, "http://x/")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_a_product_row_fails_the_shape_check(name: str) -> None:
    nothing = {
        "coles": {"pageProps": {"searchResults": {"results": [{"_type": "SINGLE_TILE"}]}}},
        "woolworths": {"Products": None, "SearchResultsCount": 0},
        "aldi": {"meta": {}, "data": []},
        "iga": {"items": []},
    }[name]

    with pytest.raises(ShapeChanged, match=rf"{name}: no product row \(expected: .*; found: nothing\) at http://x/"):
        RETAILERS[name].check_shape(parse(json.dumps(nothing).encode()), "http://x/")


def test_every_retailer_has_a_shape_on_record() -> None:
    assert [name for name, retailer in RETAILERS.items() if not retailer.expected_shape] == []


def test_the_shape_goes_into_lists_and_no_deeper_than_the_record() -> None:
    body = Fields(items=[Fields(tprPrice=[Fields(wholePrice=4)], unitOfSize=Fields(size=1, label="Each"))])

    assert RETAILERS["iga"].shape(body) == {"tprPrice", "unitOfSize", "unitOfSize.size", "unitOfSize.label"}
