"""Compares the sandbox's responses field by field with the written reference, and with recorded responses if present.

The reference (``field_reference.json``) lists names, types, nullability and which keys may be absent. The recorded
responses are compared in both directions; ``accepted_differences.json`` lists every accepted difference with its reason.
"""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

REFERENCE: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "field_reference.json").read_text())
NOW = datetime.fromisoformat("2026-11-18T04:00:00+11:00")

# Reading shapes


def values_at(root: Any, path: str) -> list[tuple[Any, bool]]:
    """Every (value, is present) at a path like ``a.b[].c``, below existing objects."""
    found: list[tuple[Any, bool]] = [(root, True)]
    for step in re.findall(r"[^.\[\]]+|\[\]", path):
        if step == "[]":
            found = [(item, True) for value, there in found if there for item in value or ()]
        else:
            found = [(value.get(step), step in value) for value, there in found if there and isinstance(value, dict)]
    return found


def kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "bool", int: "num", float: "num", str: "str", list: "list", dict: "obj"}
    return names[type(value)]


def shape(responses: list[Any]) -> dict[str, set[str]]:
    """Path → kinds of all its values; "absent" if an object lacks the key."""
    kinds: dict[str, set[str]] = {}
    keys: dict[str, list[set[str]]] = {}

    def walk(value: Any, path: str) -> None:
        kinds.setdefault(path, set()).add(kind(value))
        if isinstance(value, dict):
            keys.setdefault(path, []).append(set(value))
            for key, inner in value.items():
                walk(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for inner in value:
                walk(inner, f"{path}[]")

    for response in responses:
        walk(response, "")
    for path, seen in keys.items():
        everywhere = seen[0].intersection(*seen)
        for key in set().union(*seen) - everywhere:
            kinds[f"{path}.{key}"].add("absent")
    return kinds


# The sandbox's responses, by the names of the reference


def coles_listings(client: Any) -> list[Any]:
    slugs = ("dairy-eggs-fridge", "bakery", "pantry", "fruit-vegetables")
    return [client.coles_listing("0584", page, slug) for slug in slugs for page in (1, 2, 3, 99)]


def coles_searches(client: Any) -> list[Any]:
    terms = ("milk", "cheese", "b", "c", "s", "p", "f", "")
    return [
        client.coles_rest("/products/search", storeId="0584", start=page, pageSize=48, searchTerm=term).json()
        for term in terms
        for page in range(6)
    ]


def shelf_skus(world: Any, retailer: str, store_id: str, count: int) -> list[str]:
    return [offer.sku for offer in world.truth(retailer, store_id, NOW)][:count]


def woolworths_pages(client: Any) -> list[Any]:
    nodes = [
        node for node in client.woolworths_tree() if node["UrlFriendlyName"] in ("fruit-veg", "bakery", "pantry", "snacks-confectionery")
    ]
    return [client.woolworths_browse(node["NodeId"], page).json() for node in nodes for page in (1, 2, 3, 50)]


def aldi_pages(client: Any) -> list[Any]:
    tree = client.get("/aldi/v2/product-category-tree", servicePoint="G100").json()["data"]
    params = [{"categoryKey": node["key"]} for node in tree] + [{"q": word} for word in ("tent", "chair", "cheese")]
    return [client.get("/aldi/v3/product-search", servicePoint="G100", limit=60, offset=0, **what).json() for what in params]


def iga_pages(client: Any) -> list[Any]:
    tree = client.get("/iga/api/storefront/stores/32600/categoryHierarchy").json()
    identifiers = [node["identifier"] for node in tree["children"][0]["children"]]
    return [
        client.get(f"/iga/api/storefront/stores/32600/categories/{identifier}/search", take=36, skip=skip).json()
        for identifier in identifiers
        for skip in (0, 720)
    ]


def flat(nodes: list[Any], below: str) -> list[Any]:
    return [inner for node in nodes for inner in (node, *flat(node.get(below) or [], below))]


@pytest.fixture(scope="session")
def responses(world: Any, client_of: Any) -> dict[str, list[Any]]:
    client = client_of(world)
    listings, searches, pages = coles_listings(client), coles_searches(client), woolworths_pages(client)
    skus = shelf_skus(world, "coles", "COL:584", 80)
    results = [listing["pageProps"]["searchResults"] for listing in listings]
    aldi, iga = aldi_pages(client), iga_pages(client)
    tree = client.coles_graphql("productCategories", storeId="0584")["data"]
    finder = [client.coles_graphql("stores", latitude=store.latitude, longitude=store.longitude)["data"] for store in world.stores("coles")]
    return {
        "coles next response": [without_rows(listing) for listing in listings],
        "coles next envelope": results,
        "coles rest envelope": searches,
        "coles next product": [row for result in results for row in result["results"] if row["_type"] == "PRODUCT"],
        "coles rest product": [row for result in searches for row in result["results"] if row["_type"] == "PRODUCT"],
        "coles rest association": [row for result in searches for row in result["results"] if row["_type"] == "PRODUCT_ASSOCIATION"],
        "coles tile": [row for result in results for row in result["results"] if row["_type"] == "SINGLE_TILE"],
        "coles rest tile": [row for result in searches for row in result["results"] if row["_type"] == "SINGLE_TILE"],
        "coles graphql product": [client.coles_graphql("product", id=sku, storeId="0584")["data"]["product"] for sku in skus],
        "coles rest detail": [client.coles_rest(f"/products/{sku}", storeId="0584").json() for sku in skus],
        "coles graphql info": [
            client.coles_graphql("productsInfo", productIds=[*skus[at : at + 19], "9"], storeId="0584")["data"] for at in range(0, 76, 19)
        ],
        "coles graphql tree": [tree],
        "coles category": flat(tree["productCategories"]["catalogGroupView"], "catalogGroupView"),
        "coles finder": finder,
        "coles store": [result for found in finder for result in found["stores"]["results"]],
        "coles store detail": [client.coles_graphql("store", storeId="0584")["data"]],
        "woolworths envelope": pages,
        "woolworths product": [bundle["Products"][0] for page in pages for bundle in page["Bundles"]],
        "woolworths tree": [{"Categories": client.woolworths_tree()}],
        "woolworths category": flat(client.woolworths_tree(), "Children"),
        "woolworths no hit": [client.post("/woolworths/apis/ui/Search/products", {"SearchTerm": "zzz"}).json()],
        "woolworths store": client.get("/woolworths/apis/ui/StoreLocator/Stores", Max=100).json()["Stores"],
        "aldi response": aldi,
        "aldi meta": [page["meta"] for page in aldi],
        "aldi product": [item for page in aldi for item in page["data"]],
        "aldi promotions": [client.get("/aldi/v2/promotion-tree").json()],
        "iga envelope": iga,
        "iga item": [item for page in iga for item in page["items"]],
    }


# Comparison with the written reference


@pytest.mark.parametrize("name", [name for name in REFERENCE if name != "about"])
def test_fields_agree_with_the_reference(name: str, responses: dict[str, list[Any]]) -> None:
    faults = [fault for path, rule in REFERENCE[name].items() if (fault := _fault(responses[name], path, rule))]
    assert faults == []


def _fault(found: list[Any], path: str, rule: str) -> str | None:
    values = [pair for response in found for pair in values_at(response, path)]
    present = [value for value, there in values if there]
    if not present:
        return f"{path}: in none of {len(found)} responses"
    if "-" not in rule and len(present) < len(values):
        return f"{path}: absent in {len(values) - len(present)} of {len(values)}"
    wanted = re.sub(r"[?-]", "", rule)
    allowed = {"int": (int,), "num": (int, float), "str": (str,), "bool": (bool,), "obj": (dict,), "list": (list,)}[wanted]
    wrong = [value for value in present if not _is(value, allowed, nullable="?" in rule)]
    return f"{path}: {wrong[0]!r} is not {rule}" if wrong else None


def _is(value: Any, allowed: tuple[type, ...], nullable: bool) -> bool:
    if value is None:
        return nullable
    return isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))


def test_nullable_fields_are_sometimes_null(responses: dict[str, list[Any]]) -> None:
    """Fields that are null on record must be null in a small crawl, else no reader is tested on them."""
    wanted = {
        "coles next product": ("pricing", "restrictions", "adId"),
        "coles graphql product": ("gtin", "pricing.was"),
        "woolworths product": ("Price", "Brand", "Barcode", "OfferId", "SavingsAmount", "CupPrice"),
        "aldi product": ("brandName", "sellingSize", "price.comparison", "onSaleDate"),
        "woolworths store": ("Phone",),
    }
    never = [
        (name, path)
        for name, paths in wanted.items()
        for path in paths
        if not any(v is None for a in responses[name] for v, _ in values_at(a, path))
    ]
    assert never == []


# Comparison with recorded responses

#: Name of the comparison, regular expression of a path (or of a path and its difference), and why the difference is correct.
ACCEPTED: list[dict[str, str]] = json.loads((Path(__file__).parent / "accepted_differences.json").read_text())


def recorded(shared_data: Path, name: str) -> Any:
    path = shared_data / "payloads" / name
    return json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def rows_of(result: Any, kind_of_row: str) -> list[Any]:
    return [row for row in result["results"] if row["_type"] == kind_of_row]


def without_rows(listing: Any) -> Any:
    """A listing without its rows, which are compared by their kind."""
    props = listing["pageProps"]
    return listing | {"pageProps": props | {"searchResults": props["searchResults"] | {"results": []}}}


def of_record(shared_data: Path) -> dict[str, tuple[str, list[Any]]]:
    """Name of the comparison → name of the sandbox's responses, recorded responses."""
    bakery = recorded(shared_data, "coles/next_data_browse_bakery_p7.json.gz")
    dairy = recorded(shared_data, "coles/NEXT_DATA_browse_dairy-eggs-fridge_p4.json.gz")["props"]["pageProps"]["searchResults"]
    searches = [recorded(shared_data, f"coles/bff_{name}_2026-10_trimmed.json") for name in ("search_milk", "specials_multibuy")]
    stores = (shared_data / "payloads/stores/woolworths_store_details_60.jsonl").read_text().splitlines()
    trimmed = [
        recorded(shared_data, f"woolworths/browse_{name}.json") for name in ("bakery_2026-09_trimmed", "past_last_page_ads_only_2026-09")
    ]
    return {
        "coles next": ("coles next response", [without_rows(bakery)]),
        "coles next product": ("coles next product", rows_of(dairy, "PRODUCT") + rows_of(bakery["pageProps"]["searchResults"], "PRODUCT")),
        "coles tile": ("coles tile", rows_of(dairy, "SINGLE_TILE")),
        "coles rest tile": ("coles rest tile", [row for search in searches for row in rows_of(search, "SINGLE_TILE")]),
        "coles rest product": ("coles rest product", [row for search in searches for row in rows_of(search, "PRODUCT")]),
        "coles rest association": (
            "coles rest association",
            [row for search in searches for row in rows_of(search, "PRODUCT_ASSOCIATION")],
        ),
        "coles rest detail": ("coles rest detail", [recorded(shared_data, "coles/bff_product_1018067_2026-10.json")]),
        "coles graphql product": ("coles graphql product", [recorded(shared_data, "coles/graphql_product_1018067_2026-10.json")]),
        "coles graphql info": ("coles graphql info", [recorded(shared_data, "coles/graphql_products_info_2026-10.json")]),
        "coles graphql tree": ("coles graphql tree", [recorded(shared_data, "coles/graphql_categories_2026-10_trimmed.json")]),
        "coles finder": ("coles finder", [recorded(shared_data, "stores/coles_graphql_stores_find_2026-10.json")]),
        "coles store detail": ("coles store detail", [recorded(shared_data, "stores/coles_graphql_store_details_2026-10.json")]),
        "woolworths envelope": ("woolworths envelope", [recorded(shared_data, "woolworths/browse_category_1-E5BEE36E_p1.json.gz")]),
        "woolworths trimmed": ("woolworths envelope", trimmed),
        "woolworths tree": ("woolworths tree", [recorded(shared_data, "woolworths/pies_categories_2026-09_trimmed.json")]),
        "woolworths no hit": ("woolworths no hit", [recorded(shared_data, "woolworths/search_empty_2026-09.json")]),
        "woolworths store": ("woolworths store", [json.loads(line) for line in stores]),
        "aldi response": ("aldi response", [recorded(shared_data, "aldi/product_search_bepanthen_cream_2026-09-16.json")]),
        "aldi promotions": ("aldi promotions", [recorded(shared_data, "aldi/promotion_tree_2026-09.json")]),
        "iga envelope": ("iga envelope", [recorded(shared_data, "iga/category_search_page_2023.json")]),
    }


#: The parts of the written reference that describe a response: (path, name in the reference).
SPOKEN_OF = {
    "coles next": [(".pageProps.searchResults", "coles next envelope")],
    "coles next product": [("", "coles next product")],
    "coles tile": [("", "coles tile")],
    "coles rest tile": [("", "coles tile")],
    "coles rest product": [("", "coles rest product"), ("", "coles next product")],
    "coles rest association": [("", "coles rest product"), ("", "coles next product")],
    "coles rest detail": [("", "coles rest product"), ("", "coles next product"), ("", "coles graphql product")],
    "coles graphql product": [(".product", name) for name in ("coles graphql product", "coles rest product", "coles next product")],
    "coles graphql info": [
        (".productsInfo.results[]", name) for name in ("coles graphql product", "coles rest product", "coles next product")
    ],
    "woolworths envelope": [("", "woolworths envelope"), (".Bundles[].Products[]", "woolworths product")],
    "woolworths trimmed": [("", "woolworths envelope"), (".Bundles[].Products[]", "woolworths product")],
    "woolworths tree": [(".Categories[]", "woolworths category"), (".Categories[].Children[]", "woolworths category")],
    "woolworths store": [("", "woolworths store")],
    "aldi response": [(".meta", "aldi meta"), (".data[]", "aldi product")],
    "iga envelope": [("", "iga envelope"), (".items[]", "iga item")],
}


def differences(served: dict[str, set[str]], on_record: dict[str, set[str]]) -> list[tuple[str, str, set[str]]]:
    """(side that has more, path, the additional kinds), in both directions; not below a path that one side lacks."""
    found: list[tuple[str, str, set[str]]] = []
    alone: set[str] = set()
    for path in sorted(served.keys() | on_record.keys()):
        if path and re.sub(r"(\.[^.\[\]]+|\[\])$", "", path) in alone:
            alone.add(path)
            continue
        if path not in served or path not in on_record:
            alone.add(path)
        for side, more in (
            ("record", on_record.get(path, set()) - served.get(path, set())),
            ("sandbox", served.get(path, set()) - on_record.get(path, set())),
        ):
            if more:
                found.append((side, path, more))
    return found


def is_written(name: str, path: str, more: set[str]) -> bool:
    """Whether the reference has a path with these kinds: the record covers few rows, the reference many."""
    path = re.sub(r"\.variations\.(byVarieties|bySizes)\[\]", "", path)
    for prefix, part in SPOKEN_OF.get(name, []):
        rule = REFERENCE[part].get(path.removeprefix(prefix).removeprefix(".")) if path.startswith(prefix) else None
        if rule:
            more = more - {"null" if "?" in rule else "", "absent" if "-" in rule else ""}
            more = more - {{"int": "num"}.get(re.sub(r"[?-]", "", rule), re.sub(r"[?-]", "", rule))}
    return not more


def unexplained(name: str, served: list[Any], on_record: list[Any], used: set[str]) -> list[str]:
    accepted = [entry for entry in ACCEPTED if f"{name} ".startswith(f"{entry['compared']} ")]
    found = []
    for side, path, more in differences(shape(served), shape(on_record)):
        if side == "sandbox" and is_written(name, path, more):
            continue
        reasons = [entry["pattern"] for entry in accepted if entry["side"] == side and re.fullmatch(entry["pattern"], path)]
        used.update(reasons)
        if not reasons:
            found.append(f"{path}: the {side} has {sorted(more)}")
    return found


def test_responses_agree_with_recorded_ones_key_by_key(responses: dict[str, list[Any]], shared_data: Path) -> None:
    served = dict(responses)
    served["coles graphql product"] = [{"product": response} for response in served["coles graphql product"]]
    used: set[str] = set()
    faults = {
        name: found
        for name, (served_name, on_record) in of_record(shared_data).items()
        if (found := unexplained(name, served[served_name], on_record, used))
    }
    assert faults == {}
    assert {entry["pattern"] for entry in ACCEPTED} - used == set(), "accepted but no longer a difference"
