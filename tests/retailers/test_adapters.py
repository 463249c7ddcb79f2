"""The adapters: requests, trees, sessions, store finders, and errors that name the field."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConfigurationError
from include.model.store import StoreRef
from include.retailers import registry
from include.retailers.base import Category, Page, Retailer
from include.retailers.coles import Coles
from include.retailers.errors import Blocked, ErrorResponse, ShapeChanged, WrongStore
from include.retailers.fields import reading
from include.retailers.registry import RETAILERS, retailer_of
from include.staging.storage import Stage

FIRLE = StoreRef("coles", "COL:401", "Firle", "SA")
FOLDER = Path(registry.__file__).parent


@pytest.mark.parametrize("name", RETAILERS)
def test_one_slug_identifies_a_retailer_everywhere(name: str) -> None:
    retailer = RETAILERS[name]

    assert type(retailer).__module__ == f"include.retailers.{name}"
    assert type(retailer).__name__ == name.title()
    assert retailer.name == name
    assert retailer.base_url.startswith("https://")


def test_only_coles_needs_barcodes_first() -> None:
    assert {name for name, retailer in RETAILERS.items() if retailer.stage != Stage.OUTBOX} == {"coles"}
    assert RETAILERS["coles"].stage == Stage.BARCODE_INBOX


def test_the_error_for_an_unknown_retailer_lists_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=rf"unknown retailer 'spar'\. Known: {', '.join(RETAILERS)}"):
        retailer_of("spar")


@pytest.mark.parametrize("module", [*RETAILERS, "base", "fields", "coles_graphql", "coles_rows"])
def test_an_adapter_sends_no_request_and_reads_no_clock(module: str) -> None:
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert not imported & {"requests", "time", "airflow", "socket", "include.crawling.client", "include.config"}
    assert not called & {"now", "today", "utcnow"}


def test_the_adapters_do_not_import_airflow() -> None:
    for module in FOLDER.rglob("*.py"):
        tree = ast.parse(module.read_text())
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}

        assert not [name for name in imported if name.split(".")[0] == "airflow" or name.startswith("include.orchestration")], module


# Requests


def listing(retailer: Retailer, store: StoreRef, **address: str) -> Page:
    return retailer.first_page(store, Category(key="77", path=("Dairy", "Milk"), address=address))


def test_coles_requests_name_the_store_in_the_cookie() -> None:
    page = listing(Coles(), FIRLE, slugs="dairy/milk", level="2", name="Milk")

    assert page.path == "/_next/data/{build_id}/en/browse/dairy/milk.json"
    assert page.params == {"slug": ["dairy", "milk"], "page": 1}
    assert page.cookies == {"fulfillmentStoreId": "0401", "shopping-method": "clickAndCollect"}
    assert Coles().session_page_for(FIRLE).cookies == page.cookies


def test_coles_rest_pages_count_from_zero() -> None:
    retailer = Coles(listing="rest")
    page = listing(retailer, FIRLE, slugs="dairy/milk", level="2", name="Milk")
    product = {"_type": "PRODUCT", "id": 1}

    following = retailer.next_page(page, {"results": [product], "noOfResults": 49, "pageSize": 48})

    assert (page.params["start"], page.params["storeId"], page.params["categoryId"]) == (0, "0401", "77")
    assert following is not None
    assert following.params["start"] == 1
    assert retailer.next_page(following, {"results": [product], "noOfResults": 49, "pageSize": 48}) is None


def test_coles_requests_of_all_three_formats_name_the_store() -> None:
    address = {"slugs": "dairy/milk", "level": "2", "name": "Milk"}
    html = listing(Coles(listing="html"), FIRLE, **address)
    rest = listing(Coles(listing="rest"), FIRLE, **address)

    assert (html.path, html.params, html.accept) == ("/browse/dairy/milk", {"page": 1}, "text")
    assert html.cookies["fulfillmentStoreId"] == rest.params["storeId"] == "0401"
    assert html.next(page=2).params == {"page": 2}


def test_a_coles_page_of_size_zero_is_past_the_end() -> None:
    listing = {"results": [{"_type": "PRODUCT", "id": 1}], "noOfResults": 500}
    page = Page(path="/", params={"page": 2}, number=2)

    assert Coles().next_page(page, {"pageProps": {"searchResults": listing | {"pageSize": 48}}}) is not None
    assert Coles().next_page(page, {"pageProps": {"searchResults": listing | {"pageSize": 0}}}) is None


def test_a_coles_page_without_its_data_is_a_refusal_in_mid_run() -> None:
    with pytest.raises(Blocked, match="a page without __NEXT_DATA__"):
        Coles(listing="html").total("<html><title>Please wait</title></html>")


def test_woolworths_ends_a_listing_at_its_maximum_depth() -> None:
    retailer = RETAILERS["woolworths"]
    body = {"Bundles": [{"Products": [{"Stockcode": 1}]}], "TotalRecordCount": 12_000}

    def following(number: int) -> Page | None:
        return retailer.next_page(Page(path="/", json={"pageNumber": number}, number=number), body)

    assert following(277) is not None
    assert following(278) is None, "278 pages of 36 are more than 10,000"


def test_a_woolworths_search_counts_by_its_own_field() -> None:
    assert RETAILERS["woolworths"].total({"Products": None, "SearchResultsCount": 0}) == 0
    assert RETAILERS["woolworths"].total({"Bundles": [], "TotalRecordCount": 470}) == 470


def test_a_woolworths_category_is_never_requested_by_its_slug() -> None:
    node = {"NodeId": "bakery", "UrlFriendlyName": "bakery", "Description": "Bakery", "Children": []}

    with pytest.raises(ShapeChanged, match="field 'NodeId' is the slug 'bakery', the site's own id"), reading("woolworths", "http://x/"):
        list(RETAILERS["woolworths"].categories({"Categories": [node]}))
    (category,) = RETAILERS["woolworths"].categories({"Categories": [node | {"NodeId": "1_DEB537E"}]})
    page = listing(RETAILERS["woolworths"], StoreRef("woolworths", "1147"), **category.address)
    assert page.json is not None
    assert (page.json["categoryId"], page.json["url"]) == ("77", "/shop/browse/bakery")


def test_woolworths_skips_tobacco_and_third_parties_by_name() -> None:
    def node(key: str, slug: str, **more: Any) -> dict[str, Any]:
        return {"NodeId": key, "UrlFriendlyName": slug, "Description": slug.title(), "Children": []} | more

    nodes = [
        node("1_A", "cigarettes-tobacco"), node("1_B", "everyday-market"), node("1_C", "front-of-store"), node("specialsgroup.3676", "half-price"),
        node("1_D_SPECIALS", "bakery-specials"), node("1_E", "bakery"), node("1_F", "spirits", IsRestricted=True), node("1_G", "christmas"),
    ]  # fmt: skip

    found = {category.key: category for category in RETAILERS["woolworths"].categories({"Categories": nodes})}

    assert {key for key, category in found.items() if not category.skipped} == {"1_E", "1_G"}
    assert found["1_A"].skipped == "tobacco: age-gated"
    assert found["1_B"].skipped == "third-party sellers"
    assert [key for key, category in found.items() if category.is_promotional] == ["1_G"]


def test_woolworths_names_the_store_in_the_body_and_hides_the_market() -> None:
    page = listing(RETAILERS["woolworths"], StoreRef("woolworths", "1147"), slug="milk")

    assert page.json is not None
    assert page.method == "POST"
    assert page.json["storeId"] == "1147"
    assert page.json["isHideEverydayMarketProducts"] is True
    assert page.json["isHideUnavailableProducts"] is False
    assert json.loads(page.json["formatObject"]) == {"name": "Milk"}


def test_aldi_requests_name_the_store_and_use_an_allowed_page_size() -> None:
    page = listing(RETAILERS["aldi"], StoreRef("aldi", "G452"))

    assert page.params["servicePoint"] == "G452"
    assert page.params["limit"] in (12, 16, 24, 30, 32, 48, 60)


def test_iga_requests_use_the_web_shops_id_and_quote_the_category() -> None:
    retailer, store = RETAILERS["iga"], StoreRef("iga", "21981", online_store_id="32600")
    page = retailer.first_page(store, Category(key="Jam & Honey/1", path=("Jam",)))

    assert page.path == "/api/storefront/stores/32600/categories/Jam%20%26%20Honey%2F1/search"
    session_page = retailer.session_page_for(store)
    assert session_page is not None
    assert page.cookies == session_page.cookies == {"iga-shop.retailerStoreId": "32600"}
    assert "x-shopping-mode" in page.headers


def test_an_iga_without_a_web_shop_cannot_be_crawled() -> None:
    with pytest.raises(WrongStore, match="iga 21981: the store has no online store id"):
        RETAILERS["iga"].tree_page(StoreRef("iga", "21981"))


# Session

PAGE = '<script>window.__RUNTIME_CONFIG__ = {"BFF_API_SUBSCRIPTION_KEY": "k1"};</script><script id="__NEXT_DATA__" type="application/json">{"buildId": "b1"}</script>'


def test_coles_opening_gives_build_id_and_key() -> None:
    assert Coles().session(PAGE, "http://x/") == {"build_id": "b1", "api_key": "k1"}


def test_a_coles_page_without_its_data_is_a_refusal() -> None:
    with pytest.raises(Blocked, match="a page without __NEXT_DATA__"):
        Coles().session("<html>Please wait</html>", "http://x/")


def test_a_coles_page_without_a_key_has_changed() -> None:
    with pytest.raises(ShapeChanged, match="field 'BFF_API_SUBSCRIPTION_KEY' is missing"), reading("coles", "http://x/"):
        Coles().session(PAGE.replace("BFF", "XXX"), "http://x/")


@pytest.mark.parametrize("other", ["0584", 584, "COL:584"])
def test_a_coles_page_of_another_store_is_refused(other: Any) -> None:
    with pytest.raises(WrongStore, match="coles COL:401: requested store 0401, the page is for 0584"):
        Coles().check_store({"pageProps": {"initStoreId": other}}, FIRLE)


def test_a_coles_page_without_its_store_id_is_refused() -> None:
    with pytest.raises(WrongStore, match="requested store 0401, the page has no store id"):
        Coles().check_store({"pageProps": {"searchResults": {}, "initialState": {"trolley": {"storeId": ""}}}}, FIRLE)


def test_a_coles_rest_response_without_a_store_id_is_read() -> None:
    Coles(listing="rest").check_store({"results": [], "noOfResults": 0}, FIRLE)


# Trees


def node(key: str, slug: str, count: int, *children: Any, **more: Any) -> dict[str, Any]:
    found = {"id": key, "name": slug.title(), "seoToken": slug, "productCount": count, "level": 1, "type": "CATALOG", "subType": "CORE"}
    return found | ({"catalogGroupView": list(children)} if children else {}) | more


def test_coles_tree_skips_splits_and_audits() -> None:
    pantry = node(
        "10", "pantry", 9000, node("11", "big", 5000, node("111", "tins", 3000), node("112", "jars", 2000)), node("12", "small", 4000)
    )
    tree = [
        node("30", "down-down", 900, node("31", "deals", 900)),
        pantry,
        node("17490", "behind-the-counter", 5),
        node("40", "tobacco", 5),
        node("50", "specials", 9),
    ]
    body = {"data": {"productCategories": {"excludedCategoryIds": ["17490"], "catalogGroupView": tree}}}

    found = {category.key: category for category in Coles().categories(body)}

    assert found["17490"].skipped == found["40"].skipped == "tobacco: age-gated"
    assert found["50"].skipped == "a view of other categories"
    assert found["111"].path == ("Pantry", "Big", "Tins")
    assert "11" not in found, "more than the maximum of one listing"
    assert found["12"].address["slugs"] == "pantry/small"
    assert found["10"].covers == ("111", "112", "12")
    assert [key for key, category in found.items() if category.is_promotional] == ["31", "30"]


def test_coles_tree_of_a_browse_page_reads_the_same() -> None:
    tree = {"excludedCategoryIds": [], "catalogGroupView": [node("10", "pantry", 9, node("12", "small", 9))]}

    assert list(Coles().categories({"pageProps": {"allProductCategories": tree}})) == list(Coles().categories({"productCategories": tree}))


def test_coles_tree_of_the_menu_reads_the_same() -> None:
    def menu(entry: dict[str, Any]) -> dict[str, Any]:
        below = entry.get("catalogGroupView", ())
        return {key: value for key, value in entry.items() if key != "catalogGroupView"} | {"childItems": [menu(child) for child in below]}

    nodes = [node("10", "pantry", 9, node("12", "small", 9)), node("17490", "behind-the-counter", 5)]
    tree = {"excludedCategoryIds": ["17490"], "catalogGroupView": nodes}
    items = {"data": {"menuItems": {"items": list(map(menu, nodes)), "restrictedIds": ["17490"]}}}

    assert list(Coles().categories(items)) == list(Coles().categories({"data": {"productCategories": tree}}))


def test_a_graphql_error_with_status_200_is_raised() -> None:
    with pytest.raises(ErrorResponse, match="coles: GraphQL returns the error 'Cannot query field'"):
        list(Coles().categories({"errors": [{"message": "Cannot query field"}], "data": None}))


def test_aldi_and_iga_walk_leaves() -> None:
    aldi = {"data": [{"key": "1", "name": "Lower Prices", "urlSlugText": "lower-prices", "children": []}, {"key": "2", "name": "Dairy", "urlSlugText": "dairy", "children": [{"key": "3", "name": "Milk", "urlSlugText": "dairy/milk", "children": []}]}]}  # fmt: skip
    iga = {"identifier": "root", "displayName": "Root", "children": [{"identifier": "G", "displayName": "Grocery", "children": [{"identifier": "M", "displayName": "Milk", "children": []}, {"identifier": "T", "displayName": "Tobacco", "children": [{"identifier": "C", "displayName": "Papers", "children": []}]}]}]}  # fmt: skip

    assert [(category.key, category.path, category.is_promotional) for category in RETAILERS["aldi"].categories(aldi)] == [
        ("1", ("Lower Prices",), True),
        ("3", ("Dairy", "Milk"), False),
    ]
    assert [(category.key, category.path, category.skipped) for category in RETAILERS["iga"].categories(iga)] == [
        ("M", ("Grocery", "Milk"), None),
        ("T", ("Grocery", "Tobacco"), "tobacco: age-gated"),
    ]
