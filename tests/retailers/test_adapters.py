"""What is peculiar to one retailer: requests, trees, sessions, store finders, and errors that name the field."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConfigurationError
from include.retailers import registry
from include.retailers.base import Category, Page, Retailer
from include.retailers.coles import Coles
from include.retailers.errors import AnswerRefused, Blocked, ShapeChanged, WrongStore
from include.retailers.fields import reading
from include.retailers.registry import RETAILERS, retailer_of
from include.staging.offer import StoreRef
from include.staging.storage import Stage

FIRLE = StoreRef("coles", "COL:401", "Firle", "SA")
FOLDER = Path(registry.__file__).parent


@pytest.mark.parametrize("name", RETAILERS)
def test_one_name_leads_everywhere(name: str) -> None:
    retailer = RETAILERS[name]

    assert type(retailer).__module__ == f"include.retailers.{name}"
    assert type(retailer).__name__ == name.title()
    assert retailer.name == name
    assert retailer.base_url.startswith("https://")


def test_only_coles_needs_barcodes_first() -> None:
    assert {name: retailer.stage for name, retailer in RETAILERS.items()} == {
        "coles": Stage.BARCODE_INBOX, "woolworths": Stage.OUTBOX, "aldi": Stage.OUTBOX, "iga": Stage.OUTBOX,
    }  # fmt: skip


def test_an_unknown_retailer_is_said_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown retailer 'spar'\. Known: aldi, coles, iga, woolworths"):
        retailer_of("spar")


@pytest.mark.parametrize("module", [*RETAILERS, "base", "fields", "coles_graphql"])
def test_an_adapter_makes_no_request_and_knows_no_clock(module: str) -> None:
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert not imported & {"requests", "time", "airflow", "socket", "include.retailers.http", "include.config"}
    assert not called & {"now", "today", "utcnow"}


def test_the_shared_crawl_knows_no_airflow() -> None:
    for module in FOLDER.glob("*.py"):
        assert "airflow" not in module.read_text().lower().replace("no airflow", "").replace("aisleflow", ""), module


# Requests


def listing(retailer: Retailer, store: StoreRef, **address: str) -> Page:
    return retailer.first_page(store, Category(key="77", path=("Dairy", "Milk"), address=address))


def test_coles_asks_next_js_for_the_store_in_the_cookie() -> None:
    page = listing(Coles(), FIRLE, slugs="dairy/milk", level="2", name="Milk")

    assert page.path == "/_next/data/{build_id}/en/browse/dairy/milk.json"
    assert page.params == {"slug": ["dairy", "milk"], "page": 1}
    assert page.cookies == {"fulfillmentStoreId": "0401", "shopping-method": "clickAndCollect"}
    assert Coles().opening_for(FIRLE).cookies == page.cookies


def test_coles_rest_pages_count_from_zero() -> None:
    retailer = Coles(listing="rest")
    page = listing(retailer, FIRLE, slugs="dairy/milk", level="2", name="Milk")
    product = {"_type": "PRODUCT", "id": 1}

    following = retailer.next_page(page, {"results": [product], "noOfResults": 49, "pageSize": 48})

    assert (page.params["start"], page.params["storeId"], page.params["categoryId"]) == (0, "0401", "77")
    assert following is not None
    assert following.params["start"] == 1
    assert retailer.next_page(following, {"results": [product], "noOfResults": 49, "pageSize": 48}) is None


def test_woolworths_names_the_store_in_the_body_and_hides_the_market() -> None:
    page = listing(RETAILERS["woolworths"], StoreRef("woolworths", "1147"), slug="milk")

    assert page.json is not None
    assert page.method == "POST"
    assert page.json["storeId"] == "1147"
    assert page.json["isHideEverydayMarketProducts"] is True
    assert page.json["isHideUnavailableProducts"] is False
    assert json.loads(page.json["formatObject"]) == {"name": "Milk"}


def test_aldi_names_the_store_and_takes_a_limit_the_site_allows() -> None:
    page = listing(RETAILERS["aldi"], StoreRef("aldi", "G452"))

    assert page.params["servicePoint"] == "G452"
    assert page.params["limit"] in (12, 16, 24, 30, 32, 48, 60)


def test_iga_asks_by_the_web_shops_id_and_quotes_the_category() -> None:
    retailer, store = RETAILERS["iga"], StoreRef("iga", "21981", online_store_id="32600")
    page = retailer.first_page(store, Category(key="Jam & Honey/1", path=("Jam",)))

    assert page.path == "/api/storefront/stores/32600/categories/Jam%20%26%20Honey%2F1/search"
    opening = retailer.opening_for(store)
    assert opening is not None
    assert page.cookies == opening.cookies == {"iga-shop.retailerStoreId": "32600"}
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
    with pytest.raises(ShapeChanged, match="field 'BFF_API_SUBSCRIPTION_KEY' is gone"), reading("coles", "http://x/"):
        Coles().session(PAGE.replace("BFF", "XXX"), "http://x/")


@pytest.mark.parametrize("shown", ["0584", 584, "COL:584"])
def test_a_coles_page_of_another_store_is_refused(shown: Any) -> None:
    with pytest.raises(WrongStore, match="coles COL:401: asked for store 0401, the page shows 0584"):
        Coles().check_store({"pageProps": {"initStoreId": shown}}, FIRLE)


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
    assert "11" not in found, "more than one listing can be paged through"
    assert found["12"].address["slugs"] == "pantry/small"
    assert found["10"].covers == ("111", "112", "12")
    assert [key for key, category in found.items() if category.is_promotional] == ["31", "30"]


def test_coles_tree_of_a_browse_page_reads_the_same() -> None:
    tree = {"excludedCategoryIds": [], "catalogGroupView": [node("10", "pantry", 9, node("12", "small", 9))]}

    assert list(Coles().categories({"pageProps": {"allProductCategories": tree}})) == list(Coles().categories({"productCategories": tree}))


def test_a_graphql_error_is_told_with_status_200() -> None:
    with pytest.raises(AnswerRefused, match="coles: GraphQL answers 'Cannot query field'"):
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
