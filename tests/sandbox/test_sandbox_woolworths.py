"""Woolworths' format: cookies, page limits, sponsored rows on every page, nulls."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from sandbox import gtin
from sandbox.woolworths_rows import product

NOW = datetime.fromisoformat("2026-11-18T04:00:00+11:00")


def node(client: Any, slug: str) -> str:
    return str(next(entry["NodeId"] for entry in client.woolworths_tree() if entry["UrlFriendlyName"] == slug))


def rows(page: Any) -> list[Any]:
    return [bundle["Products"][0] for bundle in page["Bundles"]]


def test_without_cookies_access_is_denied(client: Any) -> None:
    refused = client.get("/woolworths/apis/ui/PiesCategoriesWithSpecials")
    assert refused.status_code == 403 and refused.headers["content-type"].startswith("text/html")
    assert "<TITLE>Access Denied</TITLE>" in refused.text and "Reference" in refused.text
    client.get("/woolworths/")
    assert client.get("/woolworths/apis/ui/PiesCategoriesWithSpecials").status_code == 200


def test_page_sizes_above_36_and_age_gated_categories_are_refused(client: Any) -> None:
    pantry = node(client, "pantry")
    assert client.woolworths_browse(pantry, pageSize=37).status_code == 400
    front = next(entry for entry in client.woolworths_tree() if entry["UrlFriendlyName"] == "front-of-store")
    tobacco = front["Children"][0]
    assert tobacco["UrlFriendlyName"] == "cigarettes-tobacco"
    assert client.woolworths_browse(front["NodeId"]).status_code == client.woolworths_browse(tobacco["NodeId"]).status_code == 401


def test_every_page_has_the_sponsored_rows_and_past_the_end_only_them(client: Any) -> None:
    pantry = node(client, "pantry")
    pages = [client.woolworths_browse(pantry, page).json() for page in (1, 2, 400)]
    sponsored = [{row["Stockcode"] for row in rows(page) if row["IsSponsoredAd"]} for page in pages]
    assert sponsored[0] == sponsored[1] == sponsored[2] and 0 < len(sponsored[0]) <= 8
    assert [sum(not row["IsSponsoredAd"] for row in rows(page) if not row["IsMarketProduct"]) for page in pages] == [36, 36, 0]
    assert len({page["TotalRecordCount"] for page in pages}) == 1 and pages[2]["Success"] is True
    assert all(row["AdStatus"] == "Promoted" for row in rows(pages[2]))


def test_distinct_organic_rows_match_the_total(client: Any, world: Any) -> None:
    bakery = node(client, "bakery")
    seen: list[int] = []
    for page in range(1, 6):
        seen += [
            row["Stockcode"]
            for row in rows(client.woolworths_browse(bakery, page).json())
            if not row["IsSponsoredAd"] and not row["IsMarketProduct"]
        ]
    assert len(seen) == len(set(seen)) == client.woolworths_browse(bakery).json()["TotalRecordCount"]
    assert set(map(str, seen)) == set(world.shelf("woolworths", "10245", NOW).skus(("Bakery",)))


def test_a_slug_instead_of_an_id_gives_an_empty_page(client: Any) -> None:
    response = client.woolworths_browse("pantry")
    assert (response.status_code, response.json()["Bundles"], response.json()["TotalRecordCount"], response.json()["Success"]) == (
        200,
        [],
        0,
        True,
    )


def test_the_body_selects_the_store(client: Any, world: Any) -> None:
    pantry = node(client, "pantry")
    by_store = {
        store: {row["Stockcode"]: row["Price"] for row in rows(client.woolworths_browse(pantry, storeId=store).json())}
        for store in ("10245", "1102")
    }
    assert world.store("woolworths", "10245").zone != world.store("woolworths", "1102").zone
    common = by_store["10245"].keys() & by_store["1102"].keys()
    assert common and by_store["10245"] != by_store["1102"]
    default = {row["Stockcode"]: row["Price"] for row in rows(client.woolworths_browse(pantry, storeId="no such").json())}
    assert default == by_store["10245"]


def test_market_products_are_many_and_leak_through_the_filter(client: Any) -> None:
    market = node(client, "everyday-market")
    open_market = client.woolworths_browse(market, isHideEverydayMarketProducts=False).json()
    assert open_market["TotalRecordCount"] > 100_000 and all(row["IsMarketProduct"] for row in rows(open_market))
    assert client.woolworths_browse(market).json()["Bundles"] == []

    def leaked(hide: bool) -> int:
        pages = [
            client.woolworths_browse(entry["NodeId"], isHideEverydayMarketProducts=hide).json() for entry in client.woolworths_tree()[2:-1]
        ]
        return sum(any(row["IsMarketProduct"] for row in rows(page)) for page in pages)

    assert 0 < leaked(True) < leaked(False)


def test_unavailable_products_keep_their_was_price_and_can_be_hidden(client: Any, world: Any) -> None:
    shelf = world.shelf("woolworths", "10245", NOW)
    gone = [offer for offer in shelf.offers() if offer.price_cents is None]
    row = product(gone[0], 0)
    assert (row["Price"], row["CupPrice"], row["SavingsAmount"], row["CupString"], row["IsAvailable"]) == (None, None, None, "", False)
    assert row["WasPrice"] * 100 == gone[0].regular_cents
    department = gone[0].category_paths[-1]
    full, hidden = (
        client.woolworths_browse(node(client, "pantry"), isHideUnavailableProducts=hide).json()["TotalRecordCount"]
        for hide in (False, True)
    )
    missing = sum(offer.price_cents is None for sku in shelf.skus(("Pantry",)) if (offer := shelf.offer(sku)))
    assert department and full - hidden == missing


def test_without_a_reduction_was_is_the_price(world: Any) -> None:
    offers = [offer for offer in world.truth("woolworths", "10245", NOW) if offer.price_cents]
    plain, special = next(o for o in offers if not o.is_on_special), next(o for o in offers if o.is_on_special)
    assert product(plain, 0)["WasPrice"] == product(plain, 0)["Price"] and product(plain, 0)["SavingsAmount"] == 0
    row = product(special, 0)
    assert row["IsOnSpecial"] and round((row["WasPrice"] - row["Price"]) * 100) == round(row["SavingsAmount"] * 100) > 0


def test_barcodes_and_in_store_codes_have_13_digits(world: Any) -> None:
    codes = [code for offer in world.truth("woolworths", "10245", NOW) if (code := product(offer, 0)["Barcode"])]
    assert all(len(code) == 13 and gtin.check_digit(code[:-1]) == code[-1] for code in codes)
    assert any(code.startswith("02") for code in codes)


def test_multi_buy_prices_are_for_the_whole_quantity(world: Any) -> None:
    deal = next(o for o in world.truth("woolworths", "10245", NOW) if o.multi_buy and o.price_cents)
    tag = product(deal, 0)["CentreTag"]
    assert tag["MultibuyData"]["Price"] * 100 == deal.multi_buy.total_cents and tag["MultibuyData"]["Quantity"] == deal.multi_buy.quantity
    assert tag["TagType"] == "Html"


def test_attributes_contain_json_as_text(client: Any) -> None:
    row = rows(client.woolworths_browse(node(client, "pantry")).json())[0]
    assert "Pantry" in json.loads(row["AdditionalAttributes"]["piesdepartmentnamesjson"])
    assert json.loads(row["AdditionalAttributes"]["PiesProductDepartmentsjson"])[0]["Id"].startswith("1_")


def test_specials_are_the_reduced_products(client: Any, world: Any) -> None:
    half = client.woolworths_tree()[0]["Children"][0]
    found = client.woolworths_browse(half["NodeId"]).json()
    assert found["TotalRecordCount"] and all(row["IsHalfPrice"] for row in rows(found) if not row["IsMarketProduct"])


def test_a_search_without_match_is_null_and_details_exist(client: Any, world: Any) -> None:
    client.get("/woolworths/")
    empty = client.post("/woolworths/apis/ui/Search/products", {"SearchTerm": "zzzz"}).json()
    assert (empty["Products"], empty["SearchResultsCount"]) == (None, 0)
    found = client.get("/woolworths/apis/ui/Search/products", SearchTerm="milk").json()
    assert found["SearchResultsCount"] > 0 and found["Products"]
    offer = next(iter(world.truth("woolworths", "10245", NOW)))
    assert client.get(f"/woolworths/apis/ui/product/detail/{offer.sku}").json()["Product"]["Stockcode"] == int(offer.sku)
    assert [row["Stockcode"] for row in client.get(f"/woolworths/apis/ui/products/{offer.sku},1").json()] == [int(offer.sku)]
    assert client.get(f"/woolworths/api/v3/ui/schemaorg/product/{offer.sku}").json()["sku"] == offer.sku


def test_the_locator_includes_petrol_stations_and_numbers_are_text(client: Any) -> None:
    client.get("/woolworths/")
    everything = client.get("/woolworths/apis/ui/StoreLocator/Stores", Max=10_000, Division="SUPERMARKETS,EG,AMPOL", postcode="*").json()[
        "Stores"
    ]
    assert {store["Division"] for store in everything} == {"SUPERMARKETS", "EG", "AMPOL"}
    assert any(not store["IsOpen"] and "Closed due to bushfires" in store["Facilities"] for store in everything)
    supermarkets = client.get("/woolworths/apis/ui/StoreLocator/Stores", Max=10_000, Division="SUPERMARKETS", postcode="*").json()["Stores"]
    assert {store["Division"] for store in supermarkets} == {"SUPERMARKETS"}
    one = supermarkets[0]
    assert client.get("/woolworths/apis/ui/StoreLocator/Store", StoreNo=one["StoreNo"], Division="SUPERMARKETS").json() == one
    near = client.get("/woolworths/apis/ui/StoreLocator/Stores", Max=1, latitude=one["Latitude"], longitude=one["Longitude"]).json()[
        "Stores"
    ]
    assert near[0]["StoreNo"] == one["StoreNo"]
    assert client.get("/woolworths/api/v3/ui/fulfilment/stores", postcode=one["Postcode"]).json()[0]["FulfilmentStoreId"] == int(
        one["StoreNo"]
    )


def test_at_most_ten_thousand_products_can_be_paged(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox import woolworths

    monkeypatch.setattr(woolworths, "PAGED_MAX", 40)
    pantry = next(node["NodeId"] for node in client.woolworths_tree() if node["UrlFriendlyName"] == "pantry")

    def real(page: int) -> int:
        return sum(
            not bundle["Products"][0]["IsSponsoredAd"] for bundle in client.woolworths_browse(pantry, page, pageSize=24).json()["Bundles"]
        )

    counts = [real(page) for page in (1, 2, 3)]
    assert counts[1:] == [16, 0] and client.woolworths_browse(pantry).json()["TotalRecordCount"] > 40


def test_products_in_kg_have_the_price_per_kilogram(client: Any, world: Any) -> None:
    offers = {offer.sku: offer for offer in world.shelf("woolworths", "10245", NOW).offers() if offer.price_basis == "kg"}
    assert offers
    client.get("/woolworths/")
    rows = client.get(f"/woolworths/apis/ui/products/{','.join(offers)}").json()
    assert {row["Unit"] for row in rows} == {"KG"}
    for row in rows:
        offer = offers[str(row["Stockcode"])]
        if offer.price_cents is not None:
            assert round(row["Price"] * 100) == offer.price_cents == offer.unit_price.cents and row["CupMeasure"] in ("1KG", "")
            assert row["PackageSize"].startswith("Min. ")


def test_schema_org_needs_no_cookies_and_is_mostly_null(client: Any, world: Any) -> None:
    sku = next(iter(world.shelf("woolworths", "10245", NOW).skus()))
    found = client.get(f"/woolworths/api/v3/ui/schemaorg/product/{sku}").json()
    assert found["sku"] == sku and found["offers"]["priceCurrency"] == "AUD"
    assert sum(value is None for value in found.values()) >= 55
