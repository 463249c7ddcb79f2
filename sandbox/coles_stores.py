"""Coles' store finder: supermarkets with the liquor shops mixed in."""

from __future__ import annotations

from collections.abc import Sequence

from include import clock
from sandbox.site import Json, distance_km
from sandbox.world import SandboxStore, World

FOUND_MAX = 50
RADIUS_KM = 100.0
NEIGHBOUR_KM = 1.0

_BRANDS = {"COL": ("Coles Supermarkets", 2), "LQR": ("Liquorland", 3)}


def find(stores: Sequence[SandboxStore], variables: Json) -> Json:
    """Return the stores around a point, nearest first. ``brandIds`` narrows, e.g. to ``["COL"]``."""
    latitude, longitude = float(variables.get("latitude") or 0), float(variables.get("longitude") or 0)
    brands = set(variables.get("brandIds") or _BRANDS)
    near = sorted((distance_km(store, latitude, longitude), store.store_id) for store in stores if _brand_id(store) in brands)
    by_id = {store.store_id: store for store in stores}
    results = [
        {"distance": distance, "store": _store(by_id[store_id]) | {"nextDoorStores": {"results": _neighbour(by_id[store_id], stores)}}}
        for distance, store_id in near
        if distance <= RADIUS_KM
    ]
    return {"stores": {"results": results[:FOUND_MAX]}}


def detail(stores: Sequence[SandboxStore], wanted: str) -> Json | None:
    """Return one store with its opening hours and collection points; ``None`` for an unknown id."""
    digits = wanted.rpartition(":")[2].lstrip("0")
    store = next((store for store in stores if store.store_id == wanted or store.store_id.endswith(f"COL:{digits}")), None)
    if store is None:
        return None
    found = _store(store)
    found["hours"] |= {"schedule": [{"daysOfWeek": "Mon-Sun", "time": "6am - 10pm"}], "exceptions": []}
    return found | {"collectionPoints": {"results": [{"id": f"{store.online_store_id}CC{store.online_store_id}", "type": "CONCIERGE"}]}}


def stores_selling(world: World, skus: Sequence[str]) -> list[Json]:
    """Return per state which stores list the products, without prices."""
    states: dict[str, dict[str, Json]] = {}
    for store in world.stores("coles"):
        if not store.has_shelf:
            continue
        shelf = world.shelf("coles", store.store_id, clock.now())
        for sku in skus:
            if offer := shelf.offer(sku):
                words = {"productId": sku, "name": offer.label, "brand": offer.brand_label or "", "size": offer.pack or "", "stores": []}
                entry = states.setdefault(store.state, {}).setdefault(sku, words)
                entry["stores"].append({"storeId": store.online_store_id, "storeName": store.name})
    return [{"stateCode": state, "products": list(products.values())} for state, products in states.items()]


def _brand_id(store: SandboxStore) -> str:
    return store.store_id.partition(":")[0]


def _store(store: SandboxStore) -> Json:
    name, finder_id = _BRANDS.get(_brand_id(store), _BRANDS["COL"])
    return {
        "id": store.store_id,
        "name": store.name,
        "address": {"state": store.state, "suburb": store.suburb, "addressLine": store.address_line, "postcode": store.postcode},
        "position": {"latitude": store.latitude, "longitude": store.longitude},
        "brand": {"name": name, "storeFinderId": finder_id, "id": _brand_id(store)},
        "phone": store.phone or "",
        "isTrading": store.is_open,
        "services": [],
        "hours": {"today": {"time": "Today from 6am to 10pm", "holidayReason": None, "isOpen": store.is_open}},
    }


def _neighbour(store: SandboxStore, stores: Sequence[SandboxStore]) -> list[Json]:
    close = (other for other in stores if other is not store and distance_km(other, store.latitude, store.longitude) <= NEIGHBOUR_KM)
    return [
        {
            "store": {
                "id": other.store_id,
                "name": other.name,
                "brand": {"id": _brand_id(other), "storeFinderId": _BRANDS[_brand_id(other)][1]},
            }
        }
        for other in close
    ]
