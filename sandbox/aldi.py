"""Aldi on localhost: plain JSON, cents, offset paging with seven allowed limits.

Every shelf product has ``notForSale: true``. ``servicePoint`` selects the store; a listed store may return
nothing. Past the end: one empty page, then HTTP 400. Special buys are announced before they are on sale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include import clock
from sandbox.aldi_rows import category_key, facets, product, special_buy
from sandbox.request_context import purpose, store_or_default
from sandbox.site import Json, distance_km, json_response, number, shelf_now, skus_found, slug, suggestions
from sandbox.world import Category, SandboxStore, Shelf, UnknownStoreError, World

LIMITS = (12, 16, 24, 30, 32, 48, 60)
_SORTS = (
    ("relevance", "Relevance"), ("name_asc", "Name (A to Z)"), ("name_desc", "Name (Z to A)"),
    ("price_asc", "Price (Low to High)"), ("price_desc", "Price (High to Low)"),
)  # fmt: skip
_THEMES = ("Grocery Specials", "Camping", "Limited Time Only Meat", "Technology and Entertainment")


class Aldi:
    """The site's routes over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """Return the routes, relative to the site's prefix."""
        return [
            Route("/v3/product-search", self.search),
            Route("/v3/product-search-suggestion", self.suggestions),
            Route("/v2/product-category-tree", self.categories),
            Route("/v2/products/{sku}", self.product),
            Route("/v2/products", self.products),
            Route("/v2/promotion-tree", self.promotions),
            Route("/v2/service-points", self.service_points),
        ]

    async def search(self, request: Request) -> Response:
        """Return a category, a search or the special buys of a day."""
        params = request.query_params
        limit, offset = number(params.get("limit"), 12), number(params.get("offset"), 0)
        purpose.set("listing" if "categoryKey" in params else "promotions" if "promotionKey" in params else "search")
        if limit not in LIMITS:
            return _error(400, "3731", f"The limit must be one of {', '.join(map(str, LIMITS))}")
        store = self._store(params)
        if store is None:
            return _error(400, "3801", "servicePoint is missing or unknown")
        shelf = shelf_now(self.world, store)
        if "promotionKey" in params:
            root, rows = (
                Category((), 0, ()),
                [special_buy(_day(params["promotionKey"]), position) for position in range(8 if len(shelf) else 0)],
            )
            total, rows = len(rows), rows[offset : offset + limit]
        else:
            root, skus = _selected(shelf, params)
            page_skus = _sorted(shelf, skus, params.get("sort", ""))[offset : offset + limit]
            rows = [product(offer) for sku in page_skus if (offer := shelf.offer(sku))]
            rows, total = self.with_special_buys(rows, params, len(skus), offset)
        if offset >= total + limit:
            return _error(400, "3700", f"The offset {offset} is beyond the {total} results")
        return json_response({"meta": _meta(root, total, offset, limit, params.get("sort", "relevance")), "data": rows})

    def with_special_buys(self, rows: list[Json], params: Mapping[str, str], total: int, offset: int) -> tuple[list[Json], int]:
        """Add the next special buy to a text search that matches it; it is in no category and not on sale yet."""
        coming = special_buy(_next_sale(clock.night_of(clock.now())), 0)
        text = params.get("q", "").lower()
        if text and all(word in coming["name"].lower() for word in text.split()):
            return ([coming, *rows] if offset == 0 else rows), total + 1
        return rows, total

    async def suggestions(self, request: Request) -> Response:
        """Return completions of a search term."""
        store = self._store(request.query_params)
        if store is None:
            return _error(400, "3801", "servicePoint is missing or unknown")
        text = request.query_params.get("q", "")
        return json_response({"data": [{"query": label} for label in suggestions(shelf_now(self.world, store), text)]})

    async def categories(self, request: Request) -> Response:
        """Return the category tree of a store."""
        store = self._store(request.query_params)
        if store is None:  # an error with status 200
            return _error(200, "3801", "servicePoint is missing or unknown")
        return json_response({"data": _tree(shelf_now(self.world, store).tree)})

    async def product(self, request: Request) -> Response:
        """Return one product; an unknown SKU is an error with status 200."""
        store = self._store(request.query_params) or self.world.default_store("aldi")
        offer = shelf_now(self.world, store).offer(request.path_params["sku"])
        if offer is None:
            return _error(200, "007", f"Product {request.path_params['sku']} not found")
        extra = dict.fromkeys(("description", "storageInstructions", "countryOrigin", "allergens", "ingredients", "warnings"))
        return json_response({"data": product(offer) | extra})

    async def products(self, request: Request) -> Response:
        """Return products by their SKUs."""
        shelf = shelf_now(self.world, self._store(request.query_params) or self.world.default_store("aldi"))
        offers = [shelf.offer(sku) for sku in request.query_params.get("skus", "").split(",")[:60]]
        return json_response({"data": [product(offer) for offer in offers if offer]})

    async def promotions(self, request: Request) -> Response:
        """Return the special buys of Wednesdays and Saturdays, upcoming ones included."""
        today = clock.night_of(clock.now())
        days = [day for ahead in range(-7, 8) if (day := today + timedelta(days=ahead)).weekday() in (2, 5)]
        found = [
            {
                "key": day.isoformat(),
                "title": f"Available from {day:%a} {_ordinal(day.day)} {day:%B}",
                "onSaleDateFrom": day.isoformat(),
                "themes": [{"key": name, "title": name, "urlSlugText": slug(name)} for name in _THEMES[day.weekday() // 3 :: 2]],
            }
            for day in days
        ]
        return json_response({"data": {"promotions": found}})

    async def service_points(self, request: Request) -> Response:
        """Return stores, nearest first if a position is given."""
        params = request.query_params
        stores = list(self.world.stores("aldi"))
        if "latitude" in params and "longitude" in params:
            latitude, longitude = float(params["latitude"]), float(params["longitude"])
            stores.sort(key=lambda store: distance_km(store, latitude, longitude))
        limit, offset = number(params.get("limit"), 20, least=1), number(params.get("offset"), 0)
        pagination = {"offset": offset, "limit": limit, "totalCount": len(stores)}
        return json_response(
            {"meta": {"pagination": pagination}, "data": [_service_point(store) for store in stores[offset : offset + limit]]}
        )

    def _store(self, params: Mapping[str, str]) -> SandboxStore | None:
        try:
            return store_or_default(self.world, self.world.store("aldi", params.get("servicePoint", "")))
        except UnknownStoreError:
            return None


def _error(status: int, code: str, message: str) -> Response:
    return json_response({"errors": [{"status": str(status), "code": code, "message": message}]}, status)


def _selected(shelf: Shelf, params: Mapping[str, str]) -> tuple[Category, Sequence[str]]:
    """Return the listed category (the root for a text search) and its SKUs."""
    if key := params.get("categoryKey"):
        node = next((node for node in shelf.tree.walk() if category_key(node.path) == key), None)
        return (node, shelf.skus(node.path)) if node else (Category((), 0, ()), [])
    text = params.get("q", "")
    return shelf.tree, skus_found(shelf, text)


def _sorted(shelf: Shelf, skus: Sequence[str], order: str) -> Sequence[str]:
    def key(sku: str) -> Any:
        offer = shelf.offer(sku)
        if offer is None:
            return 0
        return offer.label if order.startswith("name") else offer.price_cents or 0

    if order.rpartition("_")[0] not in ("name", "price"):
        return skus
    return sorted(skus, key=key, reverse=order.endswith("_desc"))


def _meta(root: Category, total: int, offset: int, limit: int, sort: str) -> Json:
    return {
        "spellingSuggestion": None,
        "pinned": [],
        "keywordRedirect": None,
        "pagination": {"offset": offset, "limit": limit, "totalCount": total},
        "debug": None,
        "facets": facets(root, total),
        "sort": [
            {"parameterName": "sort", "parameterValue": value, "localizedName": name, "isActive": value == sort} for value, name in _SORTS
        ],
    }


def _tree(parent: Category) -> list[Json]:
    return [
        {"key": category_key(node.path), "name": node.name, "urlSlugText": "/".join(map(slug, node.path)), "children": _tree(node)}
        for node in parent.children
    ]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return clock.night_of(clock.now())


def _next_sale(today: date) -> date:
    return next(day for ahead in range(1, 8) if (day := today + timedelta(days=ahead)).weekday() in (2, 5))


def _ordinal(day: int) -> str:
    """Return 1st, 2nd, 3rd, 4th.

    >>> _ordinal(11), _ordinal(22)
    ('11th', '22nd')
    """
    return f"{day}{'th' if day in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


def _service_point(store: SandboxStore) -> Json:
    return {
        "id": store.store_id,
        "name": store.name,
        "address": {
            "address1": store.address_line,
            "address2": None,
            "city": store.suburb,
            "regionName": store.state,
            "zipCode": store.postcode,
            "latitude": str(store.latitude),
            "longitude": str(store.longitude),
        },
        "publicPhoneNumber": store.phone,
        "facilities": [],
        "isOpenNow": store.is_open,
        "alcoholAvailability": "beer-and-wine" if store.state == "VIC" else None,
        "availableCustomerServiceTypes": ["walk-in"],
    }
