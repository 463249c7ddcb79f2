"""Aldi's format: limits, errors, offsets, special buys before they are on sale."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from sandbox.generated import GeneratedWorld, WorldSize

NOW = datetime.fromisoformat("2026-11-18T04:00:00+11:00")


def search(client: Any, **params: Any) -> Any:
    return client.get("/aldi/v3/product-search", **({"servicePoint": "G100", "limit": 30, "offset": 0} | params))


def pantry(client: Any) -> str:
    tree = client.get("/aldi/v2/product-category-tree", servicePoint="G100").json()["data"]
    return str(next(node["key"] for node in tree if node["name"] == "Pantry"))


@pytest.mark.parametrize(
    ("params", "code"), [({"limit": 36}, "3731"), ({"limit": ""}, None), ({"servicePoint": ""}, "3801"), ({"servicePoint": "G999"}, "3801")]
)
def test_wrong_limits_and_stores_are_errors_with_codes(client: Any, params: dict[str, Any], code: str | None) -> None:
    response = search(client, **params)
    if code is None:
        assert response.status_code == 200
    else:
        assert response.status_code == 400 and response.json()["errors"][0]["code"] == code


def test_an_unknown_product_is_an_error_with_status_200(client: Any) -> None:
    response = client.get("/aldi/v2/products/000000000000000001", servicePoint="G100")
    assert response.status_code == 200 and response.json()["errors"][0]["code"] == "007"


def test_past_the_last_offset_comes_one_empty_page_then_an_error(client: Any, world: Any) -> None:
    key, seen, offset = pantry(client), [], 0
    while rows := search(client, categoryKey=key, offset=offset).json()["data"]:
        seen += [row["sku"] for row in rows]
        offset += 30
    total = search(client, categoryKey=key).json()["meta"]["pagination"]["totalCount"]
    assert len(seen) == len(set(seen)) == total
    assert set(seen) == set(world.shelf("aldi", "G100", NOW).skus(("Pantry",)))
    assert search(client, categoryKey=key, offset=offset + 60).status_code == 400


def test_rows_are_in_cents_not_for_sale_and_without_barcode(client: Any, world: Any) -> None:
    shelf = world.shelf("aldi", "G100", NOW)
    for row in search(client, categoryKey=pantry(client)).json()["data"]:
        assert row["price"]["amount"] == shelf.offer(row["sku"]).price_cents
        assert row["notForSale"] is True and len(row["sku"]) == 18
        assert not any("barcode" in key.lower() or "gtin" in key.lower() for key in row)
        assert row["brandName"] == row["brandName"].upper()
        assert row["price"]["comparison"] is None or row["price"]["comparisonDisplay"].startswith(
            f"${row['price']['comparison'] / 100:.2f} per "
        )


def test_a_reduction_is_a_text(client: Any, world: Any) -> None:
    special = next(offer for offer in world.truth("aldi", "G100", NOW) if offer.is_on_special)
    row = client.get("/aldi/v2/products", skus=f"{special.sku},1", servicePoint="G100").json()["data"][0]
    assert row["price"]["wasPriceDisplay"] == f"${special.was_price_cents / 100:.2f}"
    assert row["price"]["savingsDisplay"]


def test_sorting_by_price(client: Any) -> None:
    amounts = [row["price"]["amount"] for row in search(client, categoryKey=pantry(client), sort="price_asc").json()["data"]]
    assert amounts == sorted(amounts)


def test_facet_counts_may_exceed_the_total(client: Any) -> None:
    meta = search(client, q="cheese").json()["meta"]
    assert meta["facets"][0]["docCount"] >= meta["pagination"]["totalCount"] > 0


def test_special_buys_are_upcoming_in_no_category_and_not_in_the_truth(client: Any, world: Any) -> None:
    today = date(2026, 11, 18)
    found = search(client, q="tent").json()["data"]
    coming = [row for row in found if row["onSaleDate"]]
    assert coming and all(date.fromisoformat(row["onSaleDate"]) > today and row["categories"] == [] for row in coming)
    assert coming[0]["onSaleDateDisplay"].startswith("On Sale Sat 21 Nov")
    shelf = world.shelf("aldi", "G100", NOW)
    assert all(row["sku"] not in shelf for row in coming)
    promotions = client.get("/aldi/v2/promotion-tree").json()["data"]["promotions"]
    days = [date.fromisoformat(entry["key"]) for entry in promotions]
    assert {day.weekday() for day in days} == {2, 5} and max(days) > today
    assert search(client, promotionKey=promotions[-1]["key"]).json()["data"][0]["onSaleDate"] == promotions[-1]["key"]


def test_service_points_are_paged_and_a_silent_store_lists_nothing(client_of: Any) -> None:
    client = client_of(GeneratedWorld(7, WorldSize(stores=3, products=100, silent_stores=1)))
    first = client.get("/aldi/v2/service-points", limit=2, offset=0).json()
    rest = client.get("/aldi/v2/service-points", limit=9, offset=2).json()
    ids = [point["id"] for page in (first, rest) for point in page["data"]]
    assert len(ids) == len(set(ids)) == first["meta"]["pagination"]["totalCount"] == 4
    silent = search(client, servicePoint=ids[-1], q="")
    assert (silent.status_code, silent.json()["data"]) == (200, [])
    assert client.get("/aldi/v2/product-category-tree", servicePoint=ids[-1]).json() == {"data": []}


def test_an_error_may_have_status_200(client: Any) -> None:
    response = client.get("/aldi/v2/product-category-tree", serviceType="walk-in")
    assert response.status_code == 200 and response.json()["errors"][0]["code"] == "3801"


def test_parents_of_variants_have_numbers_of_two_kinds(client: Any) -> None:
    rows = client.get("/aldi/v3/product-search", servicePoint="G100", limit=60, categoryKey="970000000").json()["data"]
    assert {row["abstractSku"] == f"{row['sku']}A" for row in rows} == {True, False}
    assert all(len(row["abstractSku"].rstrip("A")) == 18 for row in rows)
