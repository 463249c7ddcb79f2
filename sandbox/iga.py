"""IGA on localhost: each shop has its own range and prices, totals are approximate, paging never ends.

``/api/storefront/stores/{id}`` and ``/api/stores/{id}`` (the gateway's form) are equivalent; ``id`` is the web
shop's, which is not the store id. Past the end the last page is repeated indefinitely.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import seeded_random
from sandbox.iga_rows import breadcrumb_ids, item
from sandbox.request_context import store_or_default
from sandbox.site import Json, html_response, json_response, number, opaque, shelf_now, uuid
from sandbox.world import Category, SandboxStore, Shelf, ShelfOffer, UnknownStoreError, World

TAKE_MAX = 50
_SEARCHES_KEPT = 16


class Iga:
    """The site's routes over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """Return the routes, relative to the site's prefix."""
        found = [Route("/", self.home), Route("/location/storelocator/{catalogue}/", self.locator)]
        for prefix in ("/api/storefront/stores", "/api/stores"):
            found += [
                Route(prefix, self.stores),
                Route(f"{prefix}/{{shop}}/search", self.search),
                Route(f"{prefix}/{{shop}}/categories/{{identifier}}/search", self.category_search),
                Route(f"{prefix}/{{shop}}/categoryHierarchy", self.hierarchy),
                Route(f"{prefix}/{{shop}}/promotions/products", self.promotions),
            ]
        return found

    async def home(self, request: Request) -> Response:
        """Return the home page."""
        return html_response("<!DOCTYPE html><html><head><title>IGA Shop Online</title></head><body></body></html>")

    # Products

    async def hierarchy(self, request: Request) -> Response:
        """Return the category tree of a shop."""
        shop = self._shop(request)
        return json_response(_hierarchy(shelf_now(self.world, shop).tree)) if shop else shop_not_found(request)

    async def category_search(self, request: Request) -> Response:
        """Return rows of a category; 404 for an identifier the shop does not have."""
        shop = self._shop(request)
        if shop is None:
            return shop_not_found(request)
        shelf = shelf_now(self.world, shop)
        wanted = request.path_params["identifier"]
        node = next((node for node in shelf.tree.walk() if _identifier(node) == wanted), None)
        if node is None:
            return json_response({"message": f"Category {wanted} not found"}, 404)
        return self._rows(request, shelf, shelf.skus(node.path), fuzz=seeded_random.random_int("iga total", *node.path) % 6)

    async def search(self, request: Request) -> Response:
        """Return a fuzzy text search: any word matches; 400 for ``q=*`` and for a category facet."""
        shop = self._shop(request)
        if shop is None:
            return shop_not_found(request)
        text, facet = request.query_params.get("q", ""), request.query_params.get("f", "")
        if text == "*" or facet.startswith("Category"):
            return json_response({"message": "The request is invalid"}, 400)
        shelf = shelf_now(self.world, shop)
        skus = fuzzy_matches(shelf, text)
        return self._rows(request, shelf, skus, fuzz=len(skus) // 5)

    async def promotions(self, request: Request) -> Response:
        """Return rows with a temporary price reduction."""
        shop = self._shop(request)
        if shop is None:
            return shop_not_found(request)
        shelf = shelf_now(self.world, shop)
        return self._rows(request, shelf, [offer.sku for offer in shelf.offers() if offer.is_on_special], fuzz=0)

    def _rows(self, request: Request, shelf: Shelf, skus: Sequence[str], fuzz: int) -> Response:
        take = min(number(request.query_params.get("take"), 36, least=1), TAKE_MAX)
        skip = number(request.query_params.get("skip"), 0)
        last = max(0, (len(skus) - 1) // take * take)
        first = min(skip, last)  # past the end the last page is repeated
        offers = [offer for sku in skus[first : first + take] if (offer := shelf.offer(sku))]
        # A total is exact if it fits on one page, else slightly too high.
        total = len(skus) + (fuzz if len(skus) > take else 0)
        return json_response(_envelope(request, offers, total, take, skip, last))

    # Shops

    async def stores(self, request: Request) -> Response:
        """Return the shops that have a web shop; ``RSID`` selects one."""
        shops = [store for store in self.world.stores("iga") if store.online_store_id]
        if wanted := request.query_params.get("RSID"):
            shops = [store for store in shops if store.online_store_id == wanted]
        take, skip = number(request.query_params.get("take"), 1000, least=1), number(request.query_params.get("skip"), 0)
        return json_response(
            {"count": len(shops), "total": len(shops), "items": [_shop_item(store) for store in shops[skip : skip + take]]}
        )

    async def locator(self, request: Request) -> Response:
        """Return the catalogue provider's locator: JSONP with HTML, the store as JSON in an attribute; all banners, with or without web shop."""
        stores = self.world.stores("iga")
        position = number(request.query_params.get("locationId"), 1, least=1) - 1
        limit = number(request.query_params.get("limit"), 1, least=1)
        cards = "".join(
            f'<div class="store" data-storedata="{escape(json.dumps(_catalogue_store(store)))}"></div>'
            for store in stores[position : position + limit]
        )
        callback = request.query_params.get("callback", "callback")
        if not callback.isidentifier():
            return json_response({"message": "The callback is not an identifier"}, 400)
        return Response(f"{callback}({json.dumps({'content': cards})});", media_type="application/javascript")

    def _shop(self, request: Request) -> SandboxStore | None:
        try:
            return store_or_default(self.world, self.world.store_online("iga", request.path_params["shop"]))
        except UnknownStoreError:
            return None


@lru_cache(_SEARCHES_KEPT)
def fuzzy_matches(shelf: Shelf, text: str) -> Sequence[str]:
    """Return the SKUs whose name contains any word of a text."""
    words = text.lower().split()
    return [offer.sku for offer in shelf.offers() if not words or any(word in offer.label.lower() for word in words)]


def shop_not_found(request: Request) -> Response:
    return json_response({"message": f"Store {request.path_params['shop']} not found"}, 404)


def _identifier(node: Category) -> str:
    return breadcrumb_ids(node.path)[1]


def _hierarchy(node: Category) -> Json:
    name = node.name or "Root"
    return {
        "identifier": _identifier(node) if node.path else "root",
        "displayName": name,
        "children": [_hierarchy(child) for child in node.children],
    }


def _envelope(request: Request, offers: Sequence[ShelfOffer], total: int, take: int, skip: int, last: int) -> Json:
    def link(start: int) -> Json:
        return {"href": str(request.url.include_query_params(skip=start, take=take))}

    links = {"current": link(skip)} | ({"next": link(skip + take)} if skip < last else {}) | {"last": link(last)}
    return {
        "_links": {"self": {"href": str(request.url)}},
        "citrusAd": {"memoryToken": opaque("iga ad", request.url.path)},
        "count": len(offers),
        "total": total,
        "took": 12,
        "items": [item(offer) for offer in offers],
        "facetHeaders": None,
        "facets": {},
        "pagination": {"_links": links},
        "sorting": {},
        "suggestions": None,
    }


def _shop_item(store: SandboxStore) -> Json:
    return {
        "status": "Active" if store.is_open else "Inactive",
        "retailerStoreId": store.online_store_id,
        "name": store.name,
        "location": {"latitude": store.latitude, "longitude": store.longitude},
        "addressLine1": store.address_line,
        "addressLine2": None,
        "addressLine3": None,
        "city": store.suburb,
        "countyProvinceState": store.state,
        "postCode": store.postcode,
        "phone": store.phone,
        "id": uuid("iga shop", store.store_id),
    }


def _catalogue_store(store: SandboxStore) -> Json:
    return {
        "storeId": store.store_id,
        "storeName": store.name,
        "address": store.address_line,
        "suburb": store.suburb,
        "state": f"{store.state} " if store.store_id.endswith("7") else store.state,
        "postcode": store.postcode,
        "latitude": str(store.latitude),
        "longitude": str(store.longitude),
        "phone": store.phone,
        "email": None,
        "hours": "Mo: 07:00-21:00",
        "onlineShopUrl": f"https://www.igashop.com.au/sm/planning/rsid/{store.online_store_id}" if store.online_store_id else None,
        "storeUrl": f"/stores/{store.store_id}",
        "ecommerceUrl": None,
        "status": "open" if store.is_open else "closed",
        "type": store.brand,
        "siteId": store.store_id,
        "shoppingModes": ["pickup", "delivery"] if store.online_store_id else [],
        "tag": store.online_store_id,
    }
