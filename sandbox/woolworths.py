"""Woolworths on localhost: the API requires cookies; the body's ``storeId`` selects the store.

Without the cookies of the home page every API call gets a 403 page. A page has up to 36
products and the category's eight sponsored rows; past the end every page has only the sponsored rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import seeded_random, woolworths_stores
from sandbox.bot_walls import denied
from sandbox.request_context import store_or_default
from sandbox.site import Json, html_response, json_body, json_response, number, opaque, shelf_now, skus_found
from sandbox.woolworths_listing import (
    HALF_PRICE,
    ROOT,
    SPECIALS,
    aggregations,
    envelope,
    listing,
    node,
    nodes,
    shows_market_products,
)
from sandbox.woolworths_rows import SCHEMA_ORG_NULLS, bundle, market_product, product
from sandbox.world import SandboxStore, Shelf, ShelfOffer, UnknownStoreError, World

COOKIES = ("_abck", "bm_sz", "ak_bmsc")
PAGE_SIZE_MAX = 36
SPONSORED = 8
PAGED_MAX = 10_000
MARKET, MARKET_TOTAL = "1_A363395", 120_000
FRONT_OF_STORE, TOBACCO = "1_B63CF9E", "1_6C3F0A1"

Handler = Callable[[Request], Awaitable[Response]]


class Woolworths:
    """The site's routes over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """Return the routes, relative to the site's prefix."""
        api: list[tuple[str, Handler, list[str]]] = [
            ("/apis/ui/PiesCategoriesWithSpecials", self.categories, ["GET"]),
            ("/apis/ui/browse/category", self.browse, ["POST"]),
            ("/apis/ui/Search/products", self.search, ["GET", "POST"]),
            ("/apis/ui/product/detail/{stockcode}", self.detail, ["GET"]),
            ("/apis/ui/products/{codes}", self.products, ["GET"]),
            ("/apis/ui/StoreLocator/Stores", self.stores, ["GET"]),
            ("/apis/ui/StoreLocator/Store", self.store, ["GET"]),
            ("/apis/ui/StoreLocator/Suburbs", self.suburbs, ["GET"]),
            ("/apis/ui/StoreLocator/pickup", self.stores, ["GET"]),
            ("/api/v3/ui/fulfilment/stores", self.fulfilment_stores, ["GET"]),
        ]
        return [
            Route("/", self.home),
            # This route needs no cookies.
            Route("/api/v3/ui/schemaorg/product/{stockcode}", self.schema_org),
            *(Route(path, requires_cookies(handler), methods=methods) for path, handler, methods in api),
        ]

    async def home(self, request: Request) -> Response:
        """Return the home page, which sets the cookies the API requires."""
        page = html_response(
            "<!DOCTYPE html><html><head><title>Woolworths Supermarket</title></head><body><wow-app></wow-app></body></html>"
        )
        for name in COOKIES:
            page.set_cookie(name, opaque(name), path="/")
        return page

    # Listings

    async def categories(self, request: Request) -> Response:
        """Return the category tree: the departments, specials, the third-party market and the age-gated counter."""
        root = shelf_now(self.world, self._store(request.query_params.get("storeId"))).tree
        specials = node(SPECIALS, "Specials", 1, None, 1, special=True)
        specials["Children"] = [node(HALF_PRICE, "Half Price", 2, SPECIALS, 1, special=True)]
        market = node(MARKET, "Everyday Market", 1, None, 2)
        front = node(FRONT_OF_STORE, "Front of Store", 1, None, 99, restricted=True)
        front["Children"] = [node(TOBACCO, "Cigarettes & Tobacco", 2, FRONT_OF_STORE, 1, restricted=True)]
        return json_response({"Categories": [specials, market, *nodes(root, ROOT), front]})

    async def browse(self, request: Request) -> Response:
        """Return one page of a category."""
        body = await json_body(request)
        wanted, size, page = (
            str(body.get("categoryId", "")),
            number(body.get("pageSize"), 24, least=1),
            number(body.get("pageNumber"), 1, least=1),
        )
        if size > PAGE_SIZE_MAX:
            return json_response({"ErrorCode": "InvalidPageSize", "Message": f"The page size {size} is above {PAGE_SIZE_MAX}."}, 400)
        if wanted in (FRONT_OF_STORE, TOBACCO):
            return json_response({"ErrorCode": "AgeRestricted", "Message": "Please log in to see these products."}, 401)
        hides_market = body.get("isHideEverydayMarketProducts") is True
        if wanted == MARKET:
            page_items = (
                [] if hides_market else [market_product(position) for position in range((page - 1) * size, min(page * size, PAGED_MAX))]
            )
            return json_response(envelope([bundle(item) for item in page_items], 0 if hides_market else MARKET_TOTAL, "Everyday Market"))
        shelf = shelf_now(self.world, self._store(body.get("storeId")))
        hides_unavailable = body.get("isHideUnavailableProducts") is True
        title, skus = listing(shelf, wanted, str(body.get("sortType", "")), hides_unavailable=hides_unavailable)
        bundles = self._page(shelf, skus, wanted, page, size)
        if bundles and page == 1 and shows_market_products(wanted, hides_market):
            bundles.insert(len(bundles) // 2, bundle(market_product(seeded_random.random_int("leak", wanted) % MARKET_TOTAL)))
        return json_response(envelope(bundles, len(skus), title))

    async def search(self, request: Request) -> Response:
        """Return a search; without a match ``Products`` is null."""
        params: Json = dict(request.query_params) if request.method == "GET" else await json_body(request)
        params = {str(key).lower(): value for key, value in params.items()}
        size = number(params.get("pagesize"), 24, least=1)
        if size > PAGE_SIZE_MAX:
            return json_response({"ErrorCode": "InvalidPageSize", "Message": f"The page size {size} is above {PAGE_SIZE_MAX}."}, 400)
        shelf = shelf_now(self.world, self._store(params.get("storeid")))
        text = str(params.get("searchterm", ""))
        skus = skus_found(shelf, text)
        bundles = self._page(shelf, skus, text, number(params.get("pagenumber"), 1, least=1), size)
        found: Json = {
            "Products": bundles or None, "Corrections": None, "SearchResultsCount": len(skus), "SuggestedTerm": None,
            "VisualShoppingAisleResponse": None, "Aggregations": aggregations(len(skus)), "HasTobaccoItems": False, "Passes": None, "FacetFilters": None,
        }  # fmt: skip
        return json_response(found)

    def _page(self, shelf: Shelf, skus: Sequence[str], wanted: str, page: int, size: int) -> list[Json]:
        """Return the rows of one page: organic ones up to the cap, and the same sponsored ones as on every page."""
        first = (page - 1) * size
        page_items = [offer for sku in skus[first : min(first + size, PAGED_MAX)] if (offer := shelf.offer(sku))]
        rows = [bundle(product(offer, position)) for position, offer in enumerate(page_items)]
        # Some repeat this category's own products; they are inserted between organic rows.
        for position in range(min(SPONSORED, len(skus) // 4)):
            offer = shelf.offer(seeded_random.pick(skus, "woolworths ad", wanted, position))
            if offer and offer.price_cents is not None:
                rows.insert(min(len(rows), 4 * position), bundle(product(offer, position, ad=position)))
        return rows

    # Single products

    async def detail(self, request: Request) -> Response:
        """Return one product with its attributes."""
        offer = self._article(request, request.path_params["stockcode"])
        if offer is None:
            return json_response({"Product": None})
        item = product(offer, 0)
        return json_response(
            {"Product": item, "AdditionalAttributes": item["AdditionalAttributes"], "NutritionalInformation": [], "RelatedProducts": []}
        )

    async def products(self, request: Request) -> Response:
        """Return products by their codes."""
        offers = [self._article(request, code) for code in request.path_params["codes"].split(",")]
        return json_response([product(offer, position) for position, offer in enumerate(offers) if offer])

    async def schema_org(self, request: Request) -> Response:
        """Return the schema.org object of one product."""
        offer = self._article(request, request.path_params["stockcode"])
        if offer is None:
            return json_response({"Message": "Product not found"}, 404)
        item = product(offer, 0)
        deal = {
            "price": item["Price"],
            "priceCurrency": "AUD",
            "availability": "http://schema.org/InStock",
            "itemCondition": "http://schema.org/NewCondition",
        }
        found = {
            "name": item["DisplayName"],
            "brand": {"name": offer.brand_label},
            "gtin13": item["Barcode"],
            "sku": offer.sku,
            "offers": deal,
        }
        return json_response(dict.fromkeys(SCHEMA_ORG_NULLS) | found | {"image": item["LargeImageFile"]})

    # Stores

    async def stores(self, request: Request) -> Response:
        """Return stores; petrol stations are included unless ``Division`` excludes them."""
        return json_response({"Stores": woolworths_stores.find(self.world.stores("woolworths"), request.query_params)})

    async def store(self, request: Request) -> Response:
        """Return one store."""
        found = [store for store in self.world.stores("woolworths") if store.store_id == request.query_params.get("StoreNo")]
        return json_response(woolworths_stores.store(found[0]) if found else None)

    async def suburbs(self, request: Request) -> Response:
        """Return suburbs that begin with a text."""
        text = request.query_params.get("SearchTerm", "").lower()
        found = [
            store for store in self.world.stores("woolworths") if store.suburb.lower().startswith(text) or store.postcode.startswith(text)
        ]
        return json_response({"Suburbs": [{"Name": store.suburb, "State": store.state, "Postcode": store.postcode} for store in found]})

    async def fulfilment_stores(self, request: Request) -> Response:
        """Return the stores that serve a postcode."""
        return json_response(woolworths_stores.fulfilment(self.world.stores("woolworths"), request.query_params.get("postcode", "")))

    def _article(self, request: Request, code: str) -> ShelfOffer | None:
        return shelf_now(self.world, self._store(request.query_params.get("storeId"))).article(code)

    def _store(self, wanted: Any) -> SandboxStore:
        """Return the selected store; the site's default if none or an unknown one is named."""
        try:
            return store_or_default(self.world, self.world.store("woolworths", str(wanted)))
        except UnknownStoreError:
            return self.world.default_store("woolworths")


def requires_cookies(handler: Handler) -> Handler:
    @wraps(handler)
    async def guarded(request: Request) -> Response:
        if not all(name in request.cookies for name in COOKIES):
            return html_response(denied("woolworths", request.url.path), 403)
        return await handler(request)

    return guarded
