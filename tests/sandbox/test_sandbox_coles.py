"""Coles' format: behaviour of its pages, data routes, REST backend and GraphQL."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from math import ceil
from typing import Any

import pytest

from sandbox import gtin
from sandbox.coles import Coles
from sandbox.coles_rows import pricing

NOW = datetime.fromisoformat("2026-11-18T04:00:00+11:00")


def block_of(offer: Any, era: Any) -> Any:
    block = pricing(offer, era)
    assert block is not None
    return block


def is_sponsored(row: Any) -> bool:
    return row["adId"] is not None


def results(client: Any, page: int, *slugs: str, store: str = "0584") -> Any:
    return client.coles_listing(store, page, *slugs)["pageProps"]["searchResults"]


def test_a_page_contains_build_id_and_key_and_the_backend_requires_the_key(client: Any) -> None:
    build, _ = client.coles_session()
    assert client.get(f"/coles/_next/data/{build}/en/browse.json").status_code == 200
    assert client.get("/coles/api/bff/products/search", storeId="0584").status_code == 401
    assert client.post("/coles/api/graphql", {"query": "{ menuItems { id } }"}).status_code == 401
    assert client.coles_rest("/products/search", storeId="0584").status_code == 200


def test_an_earlier_build_id_is_not_found(client: Any, world: Any) -> None:
    build, _ = client.coles_session()
    assert client.get("/coles/_next/data/20241022.02_v4.26.0/en/browse/pantry.json").status_code == 404
    site = Coles(world)
    assert site.build_id() == build
    site.deployments += 1
    assert site.build_id() != build


def test_a_page_has_48_products_and_additional_rows(client: Any) -> None:
    pages = [results(client, page, "pantry") for page in (1, 2, 3)]
    for number, page in enumerate(pages):
        assert (page["start"], page["pageSize"]) == (number, 48)
        products = [row for row in page["results"] if row["_type"] == "PRODUCT"]
        assert len([row for row in products if not is_sponsored(row)]) == 48
        assert len(page["results"]) > 48
        assert any(row["_type"] == "SINGLE_TILE" for row in page["results"])
        assert {row["adSource"] for row in products if is_sponsored(row)} <= {"citrus", "aem"}
    sponsored = [Counter(row["id"] for row in page["results"] if row["_type"] == "PRODUCT" and is_sponsored(row)) for page in pages]
    assert set(sponsored[0]) & set(sponsored[1]), "the same ones on later pages"
    assert max(sponsored[1].values()) == 2, "twice on one page"
    ordinary = {row["id"] for page in pages for row in page["results"] if row["_type"] == "PRODUCT" and not is_sponsored(row)}
    assert ordinary & set(sponsored[0]), "repeated products"


def test_past_the_end_the_page_size_is_zero(client: Any) -> None:
    first = results(client, 1, "bakery")
    past = results(client, ceil(first["noOfResults"] / 48) + 1, "bakery")
    assert (past["pageSize"], past["results"], past["noOfResults"]) == (0, [], first["noOfResults"])


def test_a_listing_has_as_many_products_as_its_total(client: Any, world: Any) -> None:
    first = results(client, 1, "dairy-eggs-fridge")
    seen = []
    for page in range(1, ceil(first["noOfResults"] / 48) + 1):
        seen += [
            row["id"]
            for row in results(client, page, "dairy-eggs-fridge")["results"]
            if row["_type"] == "PRODUCT" and not is_sponsored(row)
        ]
    assert len(seen) == len(set(seen)) == first["noOfResults"]
    shelf = world.shelf("coles", "COL:584", NOW)
    assert set(map(str, seen)) == set(shelf.skus(("Dairy, Eggs & Fridge",)))


def test_sub_categories_and_unknown_ones(client: Any) -> None:
    assert 0 < results(client, 1, "dairy-eggs-fridge", "milk")["noOfResults"] < results(client, 1, "dairy-eggs-fridge")["noOfResults"]
    assert results(client, 1, "no-such-department")["noOfResults"] == 0


def test_the_selected_store_is_echoed_and_an_unknown_one_is_the_default(client: Any) -> None:
    assert client.coles_listing("0587", 1, "pantry")["pageProps"]["initStoreId"] == "0587"
    assert client.coles_listing("587", 1, "pantry")["pageProps"]["initStoreId"] == "0587"
    assert client.coles_listing("9999", 1, "pantry")["pageProps"]["initStoreId"] == "0584"


def test_unavailable_products_have_no_pricing(world: Any) -> None:
    gone = next(offer for offer in world.truth("coles", "COL:584", NOW) if offer.price_cents is None)
    assert pricing(gone, "next") is None and pricing(gone, "graphql") is None


def test_was_is_zero_or_null_without_a_reduction(world: Any) -> None:
    offers = [offer for offer in world.truth("coles", "COL:584", NOW) if offer.price_cents]
    plain, special = next(o for o in offers if not o.is_on_special), next(o for o in offers if o.is_on_special)
    assert (block_of(plain, "next")["was"], block_of(plain, "rest")["was"], block_of(plain, "graphql")["was"]) == (0, 0, None)
    assert block_of(special, "rest")["was"] == special.was_price_cents / 100


def test_numbers_are_int_or_float_by_interface(client: Any) -> None:
    prices = [row["pricing"]["now"] for page in (1, 2, 3) for row in results(client, page, "pantry")["results"] if row.get("pricing")]
    assert {type(price) for price in prices} == {int, float}
    rest = client.coles_rest("/products/search", storeId="0584", searchTerm="").json()["results"]
    assert {type(row["pricing"]["now"]) for row in rest if row.get("pricing")} == {float}


@pytest.mark.parametrize(("era", "text", "quantity", "units"), [("next", "$4.57 per 1kg", 200, "g"), ("rest", "$4.57/ 1kg", 0.2, "kg")])
def test_weighed_products_and_both_forms_of_the_unit(world: Any, era: Any, text: str, quantity: float, units: str) -> None:
    weighed = next(o for o in world.truth("coles", "COL:584", NOW) if o.piece_grams == 200 and o.price_cents)
    block = block_of(weighed, era)
    assert block["comparable"] == text.replace("4.57", f"{weighed.unit_price.cents / 100:.2f}")
    assert (block["unit"]["quantity"], block["unit"]["ofMeasureUnits"], block["unit"]["isWeighted"]) == (quantity, units, True)
    assert block["unit"]["price"] == weighed.unit_price.cents / 100, "per kilogram, regardless of the unit"
    assert block["now"] == pytest.approx(weighed.unit_price.cents / 100 * 0.2, abs=0.01), "an average piece"


def test_multi_buy_rewards_are_prices_per_item(world: Any) -> None:
    deal = next(o for o in world.truth("coles", "COL:584", NOW) if o.multi_buy and o.price_cents)
    block = block_of(deal, "rest")
    offer = block["multiBuyPromotion"]
    assert block["offerDescription"] == f"Pick any {deal.multi_buy.quantity} for ${deal.multi_buy.total_cents // 100}"
    assert offer["reward"] * offer["minQuantity"] == pytest.approx(deal.multi_buy.total_cents / 100)
    assert (block["was"], block["promotionType"], block["specialType"]) == (0, "SPECIAL", "MULTI_SAVE")


def test_heirs_have_shifted_names_and_a_product_several_departments(client: Any) -> None:
    rows = [row for row in results(client, 1, "pantry")["results"] if row["_type"] == "PRODUCT"]
    assert all(any(heir["subCategory"] == "Pantry" for heir in row["onlineHeirs"]) for row in rows)
    assert any(len({heir["subCategory"] for heir in row["onlineHeirs"]}) > 1 for row in rows)


def test_rest_adds_associations_beside_the_total_and_can_omit_ads(client: Any) -> None:
    params = {"storeId": "0584", "searchTerm": "milk", "pageSize": 48}
    mixed = client.coles_rest("/products/search", start=0, **params).json()
    associated = [row for row in mixed["results"] if row["_type"] == "PRODUCT_ASSOCIATION"]
    assert associated and all(isinstance(row["targetProductId"], int) for row in associated)
    clean = client.coles_rest("/products/search", start=0, excludeAds="true", **params).json()
    assert {row["_type"] for row in clean["results"]} == {"PRODUCT"} and not any(map(is_sponsored, clean["results"]))
    assert mixed["noOfResults"] == clean["noOfResults"]


def test_rest_lists_a_category_by_id(client: Any) -> None:
    tree = client.coles_graphql("productCategories", storeId="0584")["data"]["productCategories"]
    bakery = next(node for node in tree["catalogGroupView"] if node["seoToken"] == "bakery")
    found = client.coles_rest("/products/search", storeId="0584", start=0, categoryId=bakery["id"], categoryLevel=1).json()
    assert found["noOfResults"] == bakery["productCount"] == results(client, 1, "bakery")["noOfResults"]
    assert tree["excludedCategoryIds"] == ["17490"]


def test_an_unknown_product_is_an_empty_200(client: Any) -> None:
    unknown = client.coles_rest("/products/9999999", storeId="0584")
    assert (unknown.status_code, unknown.content) == (200, b"")
    assert client.get("/coles/api/bff/categories").status_code == 404


def test_only_graphql_has_barcodes(client: Any, world: Any) -> None:
    truth = list(world.truth("coles", "COL:584", NOW))
    short = next(offer for offer in truth if offer.barcode and len(offer.barcode) < 13)
    offers = [short, *(offer for offer in truth[:20] if offer is not short)][:20]
    info = client.coles_graphql("productsInfo", productIds=[*[int(o.sku) for o in offers[:19]], 9999999], storeId="COL:584")["data"][
        "productsInfo"
    ]
    assert (info["count"], info["invalidProductIds"]) == (19, ["9999999"])
    assert {row["id"]: row["gtin"] for row in info["results"]} == {int(o.sku): o.barcode and gtin.padded(o.barcode) for o in offers[:19]}
    too_many = client.coles_graphql("productsInfo", productIds=[o.sku for o in offers] + ["1"], storeId="0584")
    assert "no more than 20" in too_many["errors"][0]["message"]
    sku = offers[0].sku
    assert client.coles_graphql("product", id=sku)["data"]["product"]["gtin"] == (offers[0].barcode and gtin.padded(offers[0].barcode))
    assert "gtin" not in client.coles_rest(f"/products/{sku}", storeId="0584").json()
    build, _ = client.coles_session()
    page = client.get(f"/coles/_next/data/{build}/en/product/any-name-{sku}.json").json()["pageProps"]["product"]
    assert page["id"] == int(sku) and "gtin" not in page
    assert '"sku":"' + sku in client.get(f"/coles/product/any-name-{sku}").text


def test_products_of_another_store_have_no_price(client: Any, world: Any) -> None:
    here, there = (world.shelf("coles", store, NOW) for store in ("COL:584", "COL:587"))
    elsewhere = next(offer for offer in there.offers() if offer.sku not in here and offer.barcode)
    row = client.coles_graphql("productsInfo", productIds=[elsewhere.sku], storeId="0584")["data"]["productsInfo"]["results"][0]
    assert row["pricing"] is None and row["gtin"]


def test_the_store_finder_includes_liquor_shops_nearest_first(client: Any, world: Any) -> None:
    store = world.stores("coles")[0]
    found = client.coles_graphql("stores", latitude=store.latitude, longitude=store.longitude)["data"]["stores"]["results"]
    assert found[0]["store"]["id"] == store.store_id and found[0]["distance"] == 0
    assert {result["store"]["brand"]["id"] for result in found} == {"COL", "LQR"}
    assert [result["distance"] for result in found] == sorted(result["distance"] for result in found)
    only = client.coles_graphql("stores", latitude=store.latitude, longitude=store.longitude, brandIds=["COL"])["data"]["stores"]["results"]
    assert {result["store"]["brand"]["id"] for result in only} == {"COL"}
    assert client.coles_graphql("store", storeId="COL:584")["data"]["store"]["name"] == store.name
    assert client.coles_graphql("noSuchField")["errors"]


def test_store_range_lists_the_stores_of_a_product_without_prices(client: Any, world: Any) -> None:
    sku = next(iter(world.truth("coles", "COL:584", NOW))).sku
    states = client.coles_graphql("storeRange", productIds=[sku])["data"]["storeRange"]
    vic = next(entry for entry in states if entry["stateCode"] == "VIC")
    assert (
        vic["products"][0]["productId"] == sku
        and {"storeId": "0584", "storeName": world.stores("coles")[0].name} in vic["products"][0]["stores"]
    )


def test_a_deep_listing_is_truncated_and_its_children_are_complete(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox import coles_listing

    monkeypatch.setattr(coles_listing, "PAGES_MAX", 2)

    def read(*slugs: str) -> tuple[int, set[int]]:
        pages = [results(client, page, *slugs) for page in (1, 2, 3)]
        assert pages[2]["pageSize"] == 0 and pages[2]["results"] == []
        rows = [row for page in pages for row in page["results"] if row["_type"] == "PRODUCT" and not is_sponsored(row)]
        return pages[2]["noOfResults"], {row["id"] for row in rows}

    total, served = read("pantry")
    assert total > len(served) == 96
    facets = results(client, 1, "pantry")["catalogGroupView"]
    children = [read("pantry", node["seoToken"]) for node in facets]
    assert all(announced == len(found) for announced, found in children)
    assert len(set().union(*(found for _, found in children))) == total


def test_advertisements_of_every_type_occur(client: Any) -> None:
    rows = [row for slug in ("pantry", "drinks", "bakery") for page in (1, 2, 3) for row in results(client, page, slug)["results"]]
    assert {row["_type"] for row in rows} == {"PRODUCT", "SINGLE_TILE", "CONTENT_ASSOCIATION"}
    found = client.coles_rest("/products/search", storeId="0584", start=0, searchTerm="b").json()["results"]
    assert "PRODUCT_ASSOCIATION" in {row["_type"] for row in found}
    contents = [row for row in rows if row["_type"] == "CONTENT_ASSOCIATION"]
    assert all("pricing" not in row and "id" not in row for row in contents)


def test_some_brands_end_with_a_space_and_some_sizes_are_spelt_out(client: Any, world: Any) -> None:
    rows = [row for slug in ("pantry", "drinks", "snacks") for page in (1, 2, 3, 4) for row in results(client, page, slug)["results"]]
    assert any(row["brand"].endswith(" ") for row in rows if row["_type"] == "PRODUCT")
    packs = {offer.pack for offer in world.shelf("coles", "COL:584", NOW).offers()}
    assert any(pack.endswith(" gram") for pack in packs) and any(pack.startswith("approx. 1.") for pack in packs)


def test_heavy_pieces_were_in_kilograms_also_before_2026(world: Any) -> None:
    weighed = [offer for offer in world.truth("coles", "COL:584", NOW) if offer.piece_grams and offer.price_cents]
    units = {offer.piece_grams: pricing(offer, "next")["unit"] for offer in weighed}  # type: ignore[index]
    assert {(unit["ofMeasureUnits"], unit["quantity"] == (grams / 1000 if grams >= 1000 else grams)) for grams, unit in units.items()} == {
        ("g", True), ("kg", True)
    }  # fmt: skip
