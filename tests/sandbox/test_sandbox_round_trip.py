"""A complete crawl of a store yields the truth: every SKU once, with its price, was-price and barcode.

The readers here are minimal and share no code with the sandbox or the project's adapters.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from include.clock import parse_instant
from sandbox.generated import GeneratedWorld
from sandbox.recorded import RecordedWorld
from sandbox.world import RETAILERS

pytestmark = pytest.mark.slow

Read = dict[str, tuple[int | None, int | None]]  # SKU → price and was-price in cents


def cents(dollars: float | str | None) -> int | None:
    return None if dollars is None else round(float(dollars) * 100)


def read_coles_next(client: Any, store: Any) -> Read:
    client.cookies.set("fulfillmentStoreId", store.online_store_id)
    build, _ = client.coles_session()
    tree = client.get(f"/coles/_next/data/{build}/en/browse.json").json()["pageProps"]["allProductCategories"]
    found: Read = {}
    for node in tree["catalogGroupView"]:
        page, pages = 1, 1
        while page <= pages:
            response = client.get(f"/coles/_next/data/{build}/en/browse/{node['seoToken']}.json", slug=node["seoToken"], page=page).json()[
                "pageProps"
            ]
            assert response["initStoreId"] == store.online_store_id
            pages, page = ceil(response["searchResults"]["noOfResults"] / 48), page + 1
            found |= dict(map(coles_price, filter(is_product, response["searchResults"]["results"])))
    return found


def read_coles_rest(client: Any, store: Any) -> Read:
    found: Read = {}
    for page in range(1000):
        response = client.coles_rest("/products/search", storeId=store.online_store_id, start=page, pageSize=48, searchTerm="").json()
        found |= dict(map(coles_price, filter(is_product, response["results"])))
        if response["pageSize"] == 0:
            return found
    raise AssertionError("the listing does not end")


def is_product(row: Any) -> bool:
    return bool(row["_type"] == "PRODUCT")


def coles_price(row: Any) -> tuple[str, tuple[int | None, int | None]]:
    pricing = row["pricing"] or {"now": None, "was": None}
    return str(row["id"]), (cents(pricing["now"]), cents(pricing["was"]) or None)


def read_woolworths(client: Any, store: Any) -> Read:
    found: Read = {}
    for node in client.woolworths_tree():
        if node["IsSpecial"] or node["IsRestricted"]:
            continue
        for page in range(1, 1000):
            response = client.woolworths_browse(node["NodeId"], page, storeId=store.store_id).json()
            rows = [bundle["Products"][0] for bundle in response["Bundles"]]
            real = [row for row in rows if not row["IsSponsoredAd"] and not row["IsMarketProduct"]]
            if not real:
                break
            for row in real:
                was = cents(row["WasPrice"]) if row["Price"] is not None and row["WasPrice"] > row["Price"] else None
                found[str(row["Stockcode"])] = cents(row["Price"]), was
    return found


def read_aldi(client: Any, store: Any) -> Read:
    def leaves(nodes: Any) -> Iterator[Any]:
        for node in nodes:
            yield from leaves(node["children"]) if node["children"] else [node]

    found: Read = {}
    for leaf in leaves(client.get("/aldi/v2/product-category-tree", servicePoint=store.store_id).json()["data"]):
        offset = 0
        while rows := client.get(
            "/aldi/v3/product-search", servicePoint=store.store_id, categoryKey=leaf["key"], limit=60, offset=offset
        ).json()["data"]:
            offset += 60
            for row in rows:
                was = row["price"]["wasPriceDisplay"]
                found[row["sku"]] = row["price"]["amount"], cents(was.lstrip("$")) if was else None
    return found


def read_iga(client: Any, store: Any) -> Read:
    base, found = f"/iga/api/storefront/stores/{store.online_store_id}", {}

    def leaves(node: Any) -> Iterator[Any]:
        yield from (leaf for child in node["children"] for leaf in leaves(child)) if node["children"] else [node]

    for leaf in leaves(client.get(f"{base}/categoryHierarchy").json()):
        known: set[str] = set()
        for skip in range(0, 100_000, 50):
            rows = client.get(f"{base}/categories/{leaf['identifier']}/search", take=50, skip=skip).json()["items"]
            if {row["sku"] for row in rows} <= known:
                break
            known |= {row["sku"] for row in rows}
            for row in rows:
                found[row["sku"]] = (cents(row["wholePrice"]), cents(row.get("wasWholePrice"))) if row["available"] else (None, None)
    return found


READERS = {"coles": read_coles_next, "coles rest": read_coles_rest, "woolworths": read_woolworths, "aldi": read_aldi, "iga": read_iga}


@pytest.mark.parametrize("how", READERS)
@pytest.mark.parametrize("position", [0, 2])
def test_a_crawl_of_a_generated_store_yields_the_truth(world: GeneratedWorld, client: Any, how: str, position: int) -> None:
    retailer = how.split(maxsplit=1)[0]
    store = world.stores(retailer)[position]
    truth = {offer.sku: (offer.price_cents, offer.was_price_cents) for offer in world.truth(retailer, store.store_id, NOW)}
    assert len(truth) > 500
    assert READERS[how](client, store) == truth


NOW = parse_instant("2026-11-18T04:00:00+11:00", "test")


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> RecordedWorld:
    return RecordedWorld(shared_data / "store-days")


@pytest.mark.parametrize("at", ["2025-09-01T00:00:00+10:00", "2025-09-12T23:00:00+10:00", "2025-10-01T04:00:00+10:00"])
def test_a_crawl_of_a_recorded_store_yields_the_record(
    recorded: RecordedWorld, client_of: Any, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setenv("AISLEFLOW_NOW", at)
    client = client_of(recorded)
    stores = [recorded.stores("coles")[0], recorded.stores("iga")[0], *recorded.stores("aldi")[::3]]
    for store in stores:
        truth = {
            o.sku: (o.price_cents, o.was_price_cents) for o in recorded.truth(store.retailer, store.store_id, datetime.fromisoformat(at))
        }
        assert READERS[store.retailer](client, store) == truth, store.store_id


def test_the_shelf_is_the_newest_recorded_day(recorded: RecordedWorld) -> None:
    def rows(at: str) -> int:
        return len(recorded.shelf("aldi", "G107", datetime.fromisoformat(at)))

    assert [rows(at) for at in ("2025-01-01T00:00:00Z", "2025-09-09T11:59:00+10:00", "2025-09-12T11:59:00+10:00")] == [2608] * 3
    assert [rows(at) for at in ("2025-09-12T12:00:00+10:00", "2025-09-22T00:00:00+10:00", "2025-09-24T00:00:00+10:00")] == [
        2602,
        2602,
        2582,
    ]
    assert {retailer: len(recorded.stores(retailer)) for retailer in RETAILERS} == {"coles": 1, "woolworths": 0, "aldi": 7, "iga": 1}
