"""Store finders, and Coles' barcode batches."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import pytest

from include.config import Settings
from include.retailers.base import Page, StoreRecord
from include.retailers.coles import Coles
from include.retailers.coles_graphql import FOUND_MAX
from include.retailers.crawl import discover
from include.retailers.http import PoliteClient
from include.retailers.registry import RETAILERS
from include.staging.offer import StoreRef
from tests.retailers.fake_site import Hillview, Site, json_reply

FIRLE = StoreRef("coles", "COL:401", "Firle", "SA")


# Barcodes


def test_a_coles_detail_batch_names_store_and_skus() -> None:
    page = Coles().detail_page(["1", "2"], FIRLE)

    assert page.json is not None
    assert page.json["variables"] == {"storeId": "0401", "productIds": ["1", "2"]}
    with pytest.raises(ValueError, match="21 SKUs in one batch"):
        Coles().detail_page([str(number) for number in range(21)], FIRLE)


def test_coles_barcodes_tell_unknown_from_without() -> None:
    found = Coles().barcodes(
        {
            "data": {
                "productsInfo": {
                    "count": 2,
                    "invalidProductIds": ["9"],
                    "results": [{"id": 1, "gtin": "9301000000008"}, {"id": 2, "gtin": None}],
                }
            }
        }
    )

    assert found.gtins == {"1": "9301000000008", "2": None}
    assert found.invalid == {"9"}


# Store finders


def test_a_store_found_from_two_points_is_told_once(
    hillview: Hillview, site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hillview, "store_pages", lambda self: [Page(path="/stores", params={"near": near}) for near in (1, 2)])
    monkeypatch.setattr(
        Hillview,
        "stores",
        lambda self, body: (StoreRecord(retailer="hillview", store_id=one, online_store_id=one, name=None) for one in body),
    )
    site.answer = lambda asked: json_reply(["7", asked.query["near"]])

    with PoliteClient(hillview, settings) as client:
        found = [store.store_id for store in discover(hillview, client)]

    assert found == ["7", "1", "2"]


def test_coles_looks_closer_where_the_finder_is_full() -> None:
    page = next(iter(Coles().store_pages()))
    full: dict[str, Any] = {"data": {"stores": {"results": [{}] * FOUND_MAX}}}

    closer = list(Coles().more_store_pages(page, full))

    assert len(closer) == 4
    assert all(one.number == 2 for one in closer)
    assert not list(Coles().more_store_pages(page, {"data": {"stores": {"results": [{}]}}}))


def test_a_closed_woolworths_is_known_by_its_facilities() -> None:
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
    assert (second.online_store_id, second.state, second.is_supermarket) == (None, None, False)


def test_aldi_service_points_are_paged() -> None:
    retailer = RETAILERS["aldi"]
    page = next(iter(retailer.store_pages()))
    body = {"meta": {"pagination": {"offset": 0, "limit": 60, "totalCount": 61}}, "data": [{"id": "G100"}] * 60}

    (following,) = retailer.more_store_pages(page, body)

    assert following.params["offset"] == 60
    assert not list(
        retailer.more_store_pages(following, body | {"meta": {"pagination": {"offset": 60, "limit": 60, "totalCount": 61}}, "data": [{}]})
    )
