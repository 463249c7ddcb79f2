"""IGA's format: the last page repeats indefinitely, approximate totals, absent keys, pairs of barcodes."""

from __future__ import annotations

import json
import re
from datetime import datetime
from html import unescape
from typing import Any

from sandbox.iga_rows import item

NOW = datetime.fromisoformat("2026-11-18T04:00:00+11:00")
SHOP = "/iga/api/storefront/stores/32600"


def pantry(client: Any) -> str:
    tree = client.get(f"{SHOP}/categoryHierarchy").json()
    return str(next(node["identifier"] for node in tree["children"][0]["children"] if node["displayName"] == "Pantry"))


def page(client: Any, identifier: str, skip: int, take: int = 36) -> Any:
    return client.get(f"{SHOP}/categories/{identifier}/search", take=take, skip=skip).json()


def test_the_last_page_is_repeated_indefinitely(client: Any, world: Any) -> None:
    identifier = pantry(client)
    real = list(world.shelf("iga", "10245", NOW).skus(("Grocery", "Pantry")))
    last = (len(real) - 1) // 36 * 36
    seen = [row["sku"] for skip in range(0, last + 1, 36) for row in page(client, identifier, skip)["items"]]
    assert seen == real
    repeated = [page(client, identifier, last + more * 36) for more in (0, 1, 50)]
    assert [row["sku"] for row in repeated[1]["items"]] == [row["sku"] for row in repeated[2]["items"]] == real[last:]
    assert ["next" in found["pagination"]["_links"] for found in repeated] == [False, False, False]
    assert "next" in page(client, identifier, 0)["pagination"]["_links"]


def test_totals_are_approximate_and_pages_have_at_most_fifty_rows(client: Any, world: Any) -> None:
    shelf = world.shelf("iga", "10245", NOW)
    tree = client.get(f"{SHOP}/categoryHierarchy").json()["children"][0]["children"]
    over = []
    for node in tree:
        found = page(client, node["identifier"], 0, take=500)
        assert found["count"] == len(found["items"]) <= 50
        over.append(found["total"] - len(shelf.skus(("Grocery", node["displayName"]))))
    assert min(over) == 0 < max(over) <= 5
    fuzzy = client.get(f"{SHOP}/search", q="full cream milk chocolate cola", take=36).json()
    assert (fuzzy["total"] > 36 and "milk" not in fuzzy["items"][0]["name"].lower()) or fuzzy["total"] > 100


def test_the_paths_of_both_hosts_are_equivalent(client: Any) -> None:
    identifier = pantry(client)
    gateway = client.get(f"/iga/api/stores/32600/categories/{identifier}/search", take=36, skip=0).json()
    assert gateway["items"] == page(client, identifier, 0)["items"]


def test_refusals(client: Any) -> None:
    assert client.get(f"{SHOP}/search", q="*").status_code == 400
    assert client.get(f"{SHOP}/search", q="milk", f="Category:Pantry").status_code == 400
    assert client.get("/iga/api/storefront/stores/1/categoryHierarchy").status_code == 404
    assert client.get("/iga/api/storefront/stores/10245/categoryHierarchy").status_code == 404, "the store id is not the web shop's"
    assert client.get(f"{SHOP}/categories/none/search").status_code == 404


def test_reductions_and_weighed_products(world: Any) -> None:
    offers = [offer for offer in world.truth("iga", "10245", NOW) if offer.price_cents]
    reduced = next(offer for offer in offers if offer.is_on_special)
    row = item(reduced)
    assert row["priceSource"] == "tpr" and row["wasWholePrice"] * 100 == reduced.was_price_cents
    assert row["tprPrice"][0]["markdown"] == row["priceNumeric"] and row["tprPrice"][0]["wholePrice"] == row["wholePrice"]
    plain = item(next(offer for offer in offers if not offer.is_on_special))
    assert (
        plain["priceSource"] == "regular"
        and plain["tprPrice"] == []
        and not {"wasPrice", "wasPriceNumeric", "wasWholePrice"} & plain.keys()
    )
    weighed = next(offer for offer in offers if offer.piece_grams == 200)
    row = item(weighed)
    assert row["sellBy"] == "EachUnit" and row["price"].endswith(" avg/ea")
    assert row["wholePrice"] * 100 == weighed.price_cents, "per kilogram"
    assert round(row["priceNumeric"] * 100) == round(weighed.price_cents * 0.2), "an average piece"
    assert row["pricePerUnit"] == f"${weighed.price_cents / 100:.2f}/kg"


def test_absent_keys_shop_codes_pairs_of_barcodes_and_trailing_spaces(world: Any) -> None:
    rows = [item(offer) for store in world.stores("iga")[:4] for offer in world.truth("iga", store.store_id, NOW)]
    assert any("pricePerUnit" not in row for row in rows)
    assert any(len(row["barcode"]) == 5 for row in rows) and any(row["barcode"] == "" for row in rows)
    pairs = [row["barcode"] for row in rows if "," in row["barcode"]]
    assert pairs and all(second == f"0{first}" for first, second in (code.split(", ") for code in pairs))
    assert any(row["name"].endswith(" ") for row in rows)
    assert any(not row["available"] and row["wholePrice"] > 0 for row in rows), "the shelf label stays"
    assert all(row["sku"] == row["productId"] for row in rows)


def test_stores_have_a_web_shop_and_the_locator_lists_all(client: Any, world: Any) -> None:
    shops = client.get("/iga/api/storefront/stores").json()["items"]
    assert {shop["status"] for shop in shops} == {"Active", "Inactive"}
    one = client.get("/iga/api/storefront/stores", RSID="32611", take=1).json()["items"]
    assert [shop["retailerStoreId"] for shop in one] == ["32611"]
    text = client.get("/iga/location/storelocator/183/", format="json", limit=1500, locationId=1, callback="cb").text
    content = json.loads(re.fullmatch(r"cb\((.*)\);", text, re.DOTALL)[1])["content"]  # type: ignore[index]
    stores = [json.loads(unescape(found)) for found in re.findall(r'data-storedata="([^"]*)"', content)]
    assert {store["storeId"] for store in stores} == {store.store_id for store in world.stores("iga")}
    assert sum(store["tag"] is None for store in stores) > 0
    assert client.get("/iga/location/storelocator/183/", callback="alert(1)//").status_code == 400


def test_promotions_are_the_reduced_products(client: Any) -> None:
    found = client.get(f"{SHOP}/promotions/products", take=50).json()
    assert found["items"] and {row["priceSource"] for row in found["items"]} == {"tpr"}
