"""The recorded responses of the four sites: every row is accounted for, every field equals an independent reading.

The expectations are computed here from the plain JSON, by other means than the adapters' own.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.crawling.responses import read_response
from include.crawling.unit_check import with_unit_price_notes
from include.model.offer import Offer
from include.model.store import StoreRef
from include.retailers.base import Category, OfferRow, Page, RetailerUnitPrice, Row, SkippedRow
from include.retailers.bounds import parse
from include.retailers.coles import Coles
from include.retailers.coles_rows import offer_of
from include.retailers.errors import Blocked
from include.retailers.registry import RETAILERS
from include.staging.landing import PageResponse

AT = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)
STORE = StoreRef("", "COL:584", "Burwood East", "VIC", "0584")


def load(path: Path) -> tuple[Any, Any]:
    """Return a page as adapters get it, and as plain JSON with floats."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return parse(content), json.loads(content)


def cents(dollars: Decimal | float | None) -> int | None:
    return None if dollars is None else round(float(dollars) * 100)


def read(retailer: str, body: Any) -> list[Row]:
    return list(RETAILERS[retailer].rows(body, STORE, AT))


def offers(rows: list[Row]) -> Iterator[Offer]:
    return (row.offer for row in rows if isinstance(row, OfferRow))


COLES = {
    "NEXT_DATA_browse_dairy-eggs-fridge_p4.json.gz": (58, 10, {"ad": 5}, 1940),
    "next_data_browse_bakery_p7.json.gz": (48, 0, {"ad": 2}, 573),
    "bff_search_milk_2026-10_trimmed.json": (4, 3, {"ad": 1, "association": 1}, 297),
    "bff_specials_multibuy_2026-10_trimmed.json": (2, 1, {}, 1773),
}


@pytest.mark.parametrize("name", COLES)
def test_coles_listings(shared: Path, name: str) -> None:
    body, plain = load(shared / "payloads" / "coles" / name)
    listing = plain if "results" in plain else plain.get("props", plain)["pageProps"]["searchResults"]
    products, sponsored, skipped, total = COLES[name]

    rows = read("coles", body)

    assert len(rows) == len(listing["results"])
    assert sum(isinstance(row, OfferRow) for row in rows) == products
    assert sum(isinstance(row, OfferRow) and row.is_sponsored for row in rows) == sponsored
    assert Counter(row.reason for row in rows if isinstance(row, SkippedRow)) == skipped
    assert RETAILERS["coles"].total(body) == total
    for item, offer in zip((item for item in listing["results"] if item["_type"] == "PRODUCT"), offers(rows), strict=True):
        pricing = item["pricing"] or {"now": None, "was": None}
        was = pricing["was"] if pricing["was"] and pricing["was"] > pricing["now"] else None
        heirs = {(heir["subCategory"], heir["category"], heir["aisle"]) for heir in item["onlineHeirs"]}
        assert (offer.sku, offer.name, offer.size) == (str(item["id"]), item["name"].strip(), item["size"].strip() or None)
        assert (cents(offer.price_current), cents(offer.price_was)) == (cents(pricing["now"]), cents(was))
        assert offer.is_on_special == (was is not None)
        assert offer.is_available == (item["availability"] and item["pricing"] is not None)
        assert offer.per_unit_price_string == pricing.get("comparable")
        assert offer.category_path in heirs
        assert offer.barcode is None


def test_coles_store_echo_of_a_recorded_page(shared: Path) -> None:
    body, _ = load(shared / "payloads" / "coles" / "NEXT_DATA_browse_dairy-eggs-fridge_p4.json.gz")

    assert Coles().store_on_page(body) == "0584"
    Coles().check_store(body, STORE)


def test_coles_next_page_follows_the_count_of_products_not_of_rows(shared: Path) -> None:
    body, _ = load(shared / "payloads" / "coles" / "NEXT_DATA_browse_dairy-eggs-fridge_p4.json.gz")
    at = lambda number: Page(path="x", params={"page": number}, number=number)  # noqa: E731

    assert Coles().next_page(at(4), body) == at(5)
    assert Coles().next_page(at(40), body) == at(41)  # 1,940 goods are 41 pages of 48, though 31 of 63 rows
    assert Coles().next_page(at(41), body) is None


def test_coles_barcodes_of_a_batch(shared: Path) -> None:
    body, plain = load(shared / "payloads" / "coles" / "graphql_products_info_2026-10.json")

    skus = [str(item["id"]) for item in plain["productsInfo"]["results"]]
    found = Coles().barcode_sources()[0].read(body, [*skus, "9999999"])

    assert found.unknown == {"9999999"}
    assert found.products == {}, "the recorded query did not ask for the field"


def test_coles_barcode_of_one_product(shared: Path) -> None:
    _, plain = load(shared / "payloads" / "coles" / "graphql_product_1018067_2026-10.json")

    found = Coles().barcode_sources()[1].read({"data": plain}, ["1018067"])

    assert found.products["1018067"].barcode == "9310232962085"


def test_coles_category_tree(shared: Path) -> None:
    body, plain = load(shared / "payloads" / "coles" / "graphql_categories_2026-10_trimmed.json")
    tree = plain["productCategories"]["catalogGroupView"]

    found = list(Coles().categories(body))

    second = {child["id"] for department in tree for child in department.get("catalogGroupView", [])}
    assert {category.key for category in found if not category.covers} >= second
    assert found[0].path == ("Dairy, Eggs & Fridge", "Milk")
    assert found[0].address["slugs"] == "dairy-eggs-fridge/milk"
    audit = next(category for category in found if category.key == "1300")
    assert set(audit.covers) == {child["id"] for child in tree[0]["catalogGroupView"]}


@pytest.mark.parametrize(
    ("name", "sponsored"),
    [
        ("browse_category_1-E5BEE36E_p1.json.gz", 0),
        ("browse_bakery_2026-09_trimmed.json", None),
        ("browse_past_last_page_ads_only_2026-09.json", 1),
    ],
)
def test_woolworths_listings(shared: Path, name: str, sponsored: int | None) -> None:
    body, plain = load(shared / "payloads" / "woolworths" / name)
    items = [item for bundle in plain["Bundles"] for item in bundle["Products"]]

    rows = read("woolworths", body)

    assert len(rows) == len(items)
    expected = sum(item["IsSponsoredAd"] for item in items)
    assert sum(isinstance(row, OfferRow) and row.is_sponsored for row in rows) == expected == (expected if sponsored is None else sponsored)
    for item, offer in zip(items, offers(rows), strict=True):
        was = item["WasPrice"] if item["Price"] is not None and item["WasPrice"] > item["Price"] else None
        assert (offer.sku, offer.name, offer.barcode) == (str(item["Stockcode"]), item["Name"], item["Barcode"])
        assert (offer.brand, offer.size) == (item["Brand"], item["PackageSize"])
        assert (cents(offer.price_current), cents(offer.price_was)) == (cents(item["Price"]), cents(was))
        assert offer.is_available == (item["IsAvailable"] and item["Price"] is not None)
        assert offer.per_unit_price_string == (item["CupString"] or None)


def test_woolworths_past_the_end_is_the_end(shared: Path) -> None:
    retailer = RETAILERS["woolworths"]
    past, _ = load(shared / "payloads" / "woolworths" / "browse_past_last_page_ads_only_2026-09.json")
    bakery, _ = load(shared / "payloads" / "woolworths" / "browse_bakery_2026-09_trimmed.json")
    page = retailer.first_page(STORE, Category(key="1_DEB537E", path=("Bakery",), address={"slug": "bakery"}))
    following = retailer.next_page(page, bakery)

    assert following is not None
    assert following.json is not None
    assert (following.json["pageNumber"], following.json["pageSize"]) == (2, 36)
    assert retailer.next_page(page, past) is None


def test_woolworths_refusal(shared: Path) -> None:
    recorded = json.loads((shared / "payloads" / "woolworths" / "blocked_403_2026-09.json").read_text())
    answer = PageResponse(
        method="GET",
        url="http://x/",
        status=recorded["status"],
        headers=recorded["headers"],
        observed_at=AT,
        body=recorded["body"].encode(),
    )

    with pytest.raises(Blocked, match="Access Denied page, status 403"):
        read_response("woolworths", Page(path="/"), answer)


def test_woolworths_empty_search_has_no_rows(shared: Path) -> None:
    body, _ = load(shared / "payloads" / "woolworths" / "search_empty_2026-09.json")

    assert read("woolworths", body) == []


@pytest.mark.parametrize("name", ["categories_embedded.json", "pies_categories_2026-09_trimmed.json"])
def test_woolworths_category_trees(shared: Path, name: str) -> None:
    body, plain = load(shared / "payloads" / "woolworths" / name)

    found = list(RETAILERS["woolworths"].categories(body))

    walked = {category.key for category in found if not category.skipped}
    skipped = {category.key: category.skipped for category in found if category.skipped}
    assert not {key for key in walked if "special" in key.lower()}
    assert skipped["specialsgroup"] == "specials: a view of other categories"
    for node in plain["Categories"]:
        leaves = {child["NodeId"] for child in node.get("Children") or [node]}
        assert leaves <= walked | skipped.keys() or node["NodeId"] in skipped, node["Description"]
    if "embedded" in name:
        assert skipped["1_B63CF9E"] == "tobacco: age-gated"
    else:
        assert skipped["1_A363395"] == "third-party sellers"


def test_aldi_search(shared: Path) -> None:
    body, plain = load(shared / "payloads" / "aldi" / "product_search_bepanthen_cream_2026-09-16.json")
    asked_on = datetime(2026, 9, 16, 2, 0, tzinfo=UTC)

    rows = list(RETAILERS["aldi"].rows(body, STORE, asked_on))

    assert len(rows) == len(plain["data"]) == 12
    for item, row in zip(plain["data"], rows, strict=True):
        if (item["onSaleDate"] or "") > "2026-09-16":
            assert row == SkippedRow("special buy before its day", item["sku"])
            continue
        assert isinstance(row, OfferRow)
        assert (row.offer.sku, row.offer.name, row.offer.brand) == (item["sku"], item["name"], item["brandName"])
        assert (cents(row.offer.price_current), row.offer.size) == (item["price"]["amount"], item["sellingSize"])
        assert row.offer.category_path == tuple(category["name"] for category in item["categories"])
        assert row.offer.is_available
    assert RETAILERS["aldi"].total(body) == 123


def test_iga_category(shared: Path) -> None:
    body, plain = load(shared / "payloads" / "iga" / "category_search_page_2023.json")

    rows = read("iga", body)

    assert len(rows) == len(plain["items"]) == RETAILERS["iga"].total(body)
    for item, offer in zip(plain["items"], offers(rows), strict=True):
        reduced = item["priceSource"] == "tpr"
        assert (offer.sku, offer.name, offer.barcode) == (item["productId"], item["name"].strip(), item["barcode"])
        assert cents(offer.price_current) == cents(item["wholePrice"])
        assert cents(offer.price_was) == (cents(item["wasWholePrice"]) if reduced else None)
        assert offer.per_unit_price_string == item.get("pricePerUnit")
        if kilogram := re.fullmatch(r"\$([\d.]+)/kg", item.get("pricePerUnit", "")):
            assert cents(offer.price_current) == cents(float(kilogram[1])), "goods sold by weight are priced by the kilogram"
        assert offer.category_path[0] == "Grocery"
        assert str(offer.size).endswith(item["sellBy"])


def test_woolworths_stores(shared: Path) -> None:
    lines = (shared / "payloads" / "stores" / "woolworths_store_details_60.jsonl").read_bytes().splitlines()

    found = list(RETAILERS["woolworths"].stores({"Stores": [parse(line) for line in lines]}))

    assert len(found) == 60
    assert sum(store.is_supermarket for store in found) == sum(json.loads(line)["Division"] == "SUPERMARKETS" for line in lines) == 41
    assert all(
        store.state and store.postcode and len(store.postcode) == 4 and store.latitude and -45 < store.latitude < -9 for store in found
    )


def test_coles_stores(shared: Path) -> None:
    body, plain = load(shared / "payloads" / "stores" / "coles_graphql_stores_find_2026-10.json")

    found = list(RETAILERS["coles"].stores(body))

    assert [store.store_id for store in found] == [result["store"]["id"] for result in plain["stores"]["results"]]
    assert [store.is_supermarket for store in found] == [store.store_id.startswith("COL:") for store in found]
    assert {store.store_id: store.online_store_id for store in found}["COL:840"] == "0840"


def test_coles_store_of_a_detail(shared: Path) -> None:
    body, _ = load(shared / "payloads" / "stores" / "coles_graphql_store_details_2026-10.json")

    (store,) = RETAILERS["coles"].stores(body)

    assert (store.store_id, store.online_store_id, store.name, store.state, store.postcode) == (
        "COL:584",
        "0584",
        "Coles Burwood East",
        "VIC",
        "3151",
    )
    assert (store.is_supermarket, store.is_trading, store.latitude) == (True, True, -37.853148)


def test_a_woolworths_store_is_read_alike_from_its_detail_and_from_the_list(shared: Path) -> None:
    lines = (shared / "payloads" / "stores" / "woolworths_store_details_60.jsonl").read_bytes().splitlines()
    retailer = RETAILERS["woolworths"]

    assert [store for line in lines for store in retailer.stores(parse(line))] == list(
        retailer.stores({"Stores": [parse(line) for line in lines]})
    )
    assert all(store.is_trading for line in lines for store in retailer.stores(parse(line)))


#: Listing pages with whole rows; of the others the recorder kept some keys only.
WHOLE = [
    "coles/NEXT_DATA_browse_dairy-eggs-fridge_p4.json.gz",
    "coles/next_data_browse_bakery_p7.json.gz",
    "coles/bff_search_milk_2026-10_trimmed.json",
    "coles/bff_specials_multibuy_2026-10_trimmed.json",
    "woolworths/browse_category_1-E5BEE36E_p1.json.gz",
    "aldi/product_search_bepanthen_cream_2026-09-16.json",
    "iga/category_search_page_2023.json",
]
CUT = ["woolworths/browse_bakery_2026-09_trimmed.json", "woolworths/browse_past_last_page_ads_only_2026-09.json"]


@pytest.mark.parametrize("name", WHOLE)
def test_recorded_pages_of_all_years_have_the_shape_on_record(shared: Path, name: str) -> None:
    body, _ = load(shared / "payloads" / name)

    RETAILERS[name.partition("/")[0]].check_shape(body, name)


@pytest.mark.parametrize("name", [*WHOLE, *CUT])
def test_unit_prices_of_the_recorded_rows_match_number_price_and_size(shared: Path, name: str) -> None:
    body, _ = load(shared / "payloads" / name)
    rows = read(name.partition("/")[0], body)
    told = [row for row in rows if isinstance(row, OfferRow) and row.offer.per_unit_price_string]

    assert [with_unit_price_notes(row).offer.extra.get("notes") for row in told if with_unit_price_notes(row) != row] == []  # type: ignore[union-attr]
    wrong = replace(told[0], unit=RetailerUnitPrice(amount=Decimal("777.77")))
    assert "unit price: number against text" in with_unit_price_notes(wrong).offer.extra["notes"]  # type: ignore[union-attr]


def test_a_coles_product_is_read_alike_from_rest_and_from_graphql(shared: Path) -> None:
    rest, plain = load(shared / "payloads" / "coles" / "bff_product_1018067_2026-10.json")
    graphql, _ = load(shared / "payloads" / "coles" / "graphql_product_1018067_2026-10.json")

    offer = offer_of(rest, AT, "https://x", "https://y")

    assert offer == offer_of(graphql["product"], AT, "https://x", "https://y")
    assert (offer.sku, offer.name, offer.size, offer.per_unit_price_string) == ("1018067", plain["name"], "240mL", "$8.42/ 1L")
    assert (cents(offer.price_current), cents(offer.price_was), offer.is_on_special) == (202, 405, True)
    assert offer.category_path == ("Dairy, Eggs & Fridge", "Milk", "Flavoured Milk")


def test_iga_pieces_of_products_sold_by_weight(shared: Path) -> None:
    body, plain = load(shared / "payloads" / "iga" / "category_search_page_2023.json")

    for item, offer in zip(plain["items"], offers(read("iga", body)), strict=True):
        if item["sellBy"] != "EachUnit":
            assert "average_weight_kg" not in offer.extra
            continue
        assert offer.price_basis == "kg"
        assert offer.price_current is not None
        assert abs(float(offer.price_current * offer.extra["average_weight_kg"]) - item["priceNumeric"]) < 0.006
