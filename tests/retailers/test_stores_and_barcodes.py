"""Store finders, and Coles' barcode batches."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import pytest

from include.model.store import StoreRef
from include.retailers.barcode_source import Answers, ProductAnswer
from include.retailers.coles import Coles
from include.retailers.coles_graphql import FOUND_MAX
from include.retailers.errors import ShapeChanged
from include.retailers.fields import reading
from include.retailers.registry import RETAILERS
from include.retailers.woolworths import Woolworths

#: The retailers whose answer :func:`finder_answer` imitates.
FINDERS = ("coles", "woolworths", "aldi", "iga")

FIRLE = StoreRef("coles", "COL:401", "Firle", "SA")


# Barcodes


DETAILS, PRODUCT = Coles().barcode_sources()


def test_a_coles_detail_batch_names_store_and_skus() -> None:
    page = DETAILS.page(["1", "2"], FIRLE)

    assert page.json is not None
    assert page.json["variables"] == {"storeId": "0401", "productIds": ["1", "2"]}
    with pytest.raises(ValueError, match="21 SKUs in one batch"):
        DETAILS.page([str(number) for number in range(DETAILS.batch + 1)], FIRLE)
    single = PRODUCT.page(["1"], FIRLE)
    assert single.json is not None and single.json["variables"] == {"storeId": "0401", "productId": "1"}


def test_coles_details_distinguish_unknown_products_those_without_and_those_without_an_answer() -> None:
    results = [
        {"id": 1, "name": "Tea", "brand": "Zorbo", "size": "100g", "gtin": "9301000000008"},
        {"id": 2, "name": "Peas", "brand": "", "gtin": None},
        {"id": 3, "name": "Rice"},
        {"id": 5, "name": "Not asked for", "gtin": "9301000000008"},
    ]
    body = {"data": {"productsInfo": {"count": 2, "invalidProductIds": ["9"], "results": results}}}

    found = DETAILS.read(body, ["1", "2", "3", "4", "9"])

    assert found.products == {
        "1": ProductAnswer(("Tea", "Zorbo", "100g"), "9301000000008"),
        "2": ProductAnswer(("Peas", None, None), None),
    }
    assert found.unknown == {"9"}


def test_the_detail_of_one_coles_product() -> None:
    tea = {"id": 1, "name": "Tea", "brand": "Zorbo", "size": "100g", "gtin": "9301000000008"}

    assert PRODUCT.read({"data": {"product": tea}}, ["1"]).products["1"].barcode == "9301000000008"
    assert PRODUCT.read({"data": {"product": None}}, ["1"]).unknown == {"1"}
    assert PRODUCT.read({"data": {"product": tea}}, ["2"]) == Answers(), "another product's"
    with pytest.raises(ShapeChanged, match="gtin"), reading("coles", "http://x"):
        PRODUCT.read({"data": {"product": {"id": 1, "name": "Tea"}}}, ["1"])


def test_the_structured_data_of_a_woolworths_product() -> None:
    (source,) = Woolworths().barcode_sources()
    tea = {"name": "Zorbo Tea 100g", "brand": {"name": "Zorbo"}, "gtin13": "9301000000008", "sku": "1", "image": None}

    assert source.page(["1/../2"], FIRLE).path == "/api/v3/ui/schemaorg/product/1%2F..%2F2"
    assert source.read(tea, ["1"]).products == {"1": ProductAnswer(("Zorbo Tea 100g", "Zorbo", None), "9301000000008")}
    assert source.read(tea | {"gtin13": None, "brand": None}, ["1"]).products["1"].barcode is None
    assert source.read(tea, ["2"]) == Answers(), "another product's"


# Store finders


def test_coles_divides_the_area_of_a_full_response() -> None:
    page = next(iter(Coles().store_pages()))
    full: dict[str, Any] = {"data": {"stores": {"results": [{}] * FOUND_MAX}}}

    closer = list(Coles().next_store_pages(page, full))

    assert len(closer) == 4
    assert all(one.number == 2 for one in closer)
    assert not list(Coles().next_store_pages(page, {"data": {"stores": {"results": [{}]}}}))


def test_a_closed_woolworths_is_recognised_by_its_facilities() -> None:
    store = {
        "Division": "SUPERMARKETS",
        "StoreNo": "1",
        "Name": "A",
        "State": "nt ",
        "Postcode": "800",
        "Latitude": "0",
        "Longitude": "0",
        "IsOpen": True,
    }

    found = list(
        RETAILERS["woolworths"].stores(
            {"Stores": [store, store | {"Facilities": ["Closed due to bushfires"]}, store | {"Division": "AMPOL"}]}
        )
    )

    assert [one.is_trading for one in found] == [True, False, True]
    assert [one.is_supermarket for one in found] == [True, True, False]
    assert (found[0].state, found[0].postcode, found[0].latitude) == ("NT", "0800", None)


def test_iga_locator_reads_jsonp_with_both_ids() -> None:
    whole = {
        "storeId": "21981",
        "storeName": "IGA & Co (East)",
        "state": "ACT ",
        "postcode": "2602",
        "tag": 32600,
        "latitude": "-35.2",
        "longitude": "149.1",
    }
    without = {"storeId": "7", "storeName": "B", "state": "2913", "tag": None}
    cards = "".join(f'<div class="store" data-storedata="{escape(json.dumps(store))}"></div>' for store in (whole, without))

    first, second = RETAILERS["iga"].stores("callback(" + json.dumps({"content": cards}) + ");")

    assert (first.store_id, first.online_store_id, first.name, first.state) == ("21981", "32600", "IGA & Co (East)", "ACT")
    assert (first.is_supermarket, first.latitude) == (True, -35.2)
    assert (second.online_store_id, second.state, second.is_supermarket) == (None, "ACT", False)
    assert second.postcode == "2913", "a postcode in the state's field is where it is"


def test_aldi_service_points_are_paged() -> None:
    retailer = RETAILERS["aldi"]
    page = next(iter(retailer.store_pages()))
    body = {"meta": {"pagination": {"offset": 0, "limit": 60, "totalCount": 61}}, "data": [{"id": "G100"}] * 60}

    (following,) = retailer.next_store_pages(page, body)

    assert following.params["offset"] == 60
    assert not list(
        retailer.next_store_pages(following, body | {"meta": {"pagination": {"offset": 60, "limit": 60, "totalCount": 61}}, "data": [{}]})
    )


def test_the_iga_locator_continues_after_a_full_response() -> None:
    retailer = RETAILERS["iga"]
    page = next(iter(retailer.store_pages()))

    def answer(shops: int) -> str:
        return "callback(" + json.dumps({"content": '<div data-storedata="{}"></div>' * shops}) + ")"

    (following,) = retailer.next_store_pages(page, answer(1500))

    assert (page.params["locationId"], following.params["locationId"]) == (1, 1501)
    assert not list(retailer.next_store_pages(page, answer(1414)))


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ({"state": "ACT ", "postcode": "2602"}, ("ACT", "2602")),
        ({"state": "6018", "postcode": None}, ("WA", "6018")),
        ({"state": "nt", "postcode": "800"}, ("NT", "0800")),
        ({"state": "", "postcode": 3151}, ("VIC", "3151")),
        ({"state": None, "postcode": "unknown"}, (None, None)),
        ({"state": "New South Wales", "postcode": "2000"}, ("NSW", "2000")),
    ],
)
@pytest.mark.parametrize("name", FINDERS)
def test_every_finder_cleans_state_and_postcode(name: str, given: dict[str, Any], clean: tuple[str | None, str | None]) -> None:
    (store,) = RETAILERS[name].stores(finder_answer(name, **given))

    assert (store.state, store.postcode) == clean


@pytest.mark.parametrize(
    ("given", "clean"),
    [(("-37.8", "145.1"), (-37.8, 145.1)), ((0, 0), (None, None)), ((37.8, 145.1), (None, None)), ((None, ""), (None, None)), (("?", 1), (None, None))],
)  # fmt: skip
@pytest.mark.parametrize("name", FINDERS)
def test_every_finder_keeps_positions_in_australia_only(
    name: str, given: tuple[Any, Any], clean: tuple[float | None, float | None]
) -> None:
    (store,) = RETAILERS[name].stores(finder_answer(name, latitude=given[0], longitude=given[1]))

    assert (store.latitude, store.longitude) == clean


@pytest.mark.parametrize(
    ("name", "called"), [("coles", "Coles Supermarkets Firle"), ("woolworths", "Firle"), ("iga", "Firle"), ("aldi", "Aldi Firle")]
)
def test_a_store_without_a_name_is_named_after_its_suburb(name: str, called: str) -> None:
    (store,) = RETAILERS[name].stores(finder_answer(name, name="N/A"))

    assert store.name == called


def test_an_aldi_without_name_and_address_is_a_store() -> None:
    (store,) = RETAILERS["aldi"].stores({"data": [{"id": "G100"}]})

    assert (store.store_id, store.name, store.state, store.postcode, store.is_trading) == ("G100", None, None, None, True)


@pytest.mark.parametrize(
    ("status", "is_trading"), [("Active", True), ("open", True), (None, True), ("Closed", False), ("inactive ", False)]
)
def test_a_closed_iga_is_recognised_by_its_status(status: str | None, is_trading: bool) -> None:
    (store,) = RETAILERS["iga"].stores(finder_answer("iga", status=status))

    assert store.is_trading == is_trading


def finder_answer(retailer: str, **given: Any) -> Any:
    """Return a finder's answer with one store in Firle, in the retailer's own words."""
    at = {"state": "SA", "postcode": "5070", "latitude": -34.9, "longitude": 138.6, "name": "East"} | given
    position = {"latitude": at["latitude"], "longitude": at["longitude"]}
    if retailer == "coles":
        address = {"state": at["state"], "suburb": "Firle", "addressLine": "1 Glynburn Rd", "postcode": at["postcode"]}
        brand = {"id": "COL", "name": "Coles Supermarkets"}
        store = {"id": "COL:401", "name": at["name"], "isTrading": True, "address": address, "position": position, "brand": brand}
        return {"data": {"stores": {"results": [{"distance": 0.1, "store": store}]}}}
    if retailer == "woolworths":
        store = {"Division": "SUPERMARKETS", "StoreNo": "1147", "Name": at["name"], "Suburb": "Firle", "State": at["state"], "IsOpen": True}
        return {"Stores": [store | {"Postcode": at["postcode"], "Latitude": at["latitude"], "Longitude": at["longitude"]}]}
    if retailer == "aldi":
        return {
            "data": [
                {
                    "id": "G402",
                    "name": at["name"],
                    "address": {"city": "Firle", "regionName": at["state"], "zipCode": at["postcode"]} | position,
                }
            ]
        }
    store = {"storeId": 21981, "storeName": at["name"], "suburb": "Firle", "state": at["state"], "postcode": at["postcode"], "tag": "32600"}
    card = escape(json.dumps(store | position | {"status": at.get("status")}))
    content = f'<div class="store" data-storedata="{card}"></div>'
    return f"callback({json.dumps({'content': content})});"
