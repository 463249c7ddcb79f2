"""Coles on localhost: Next.js pages and data routes, the REST backend, GraphQL.

Each page contains the build id (``__NEXT_DATA__``) and the subscription key (``__RUNTIME_CONFIG__``).
The store is selected by the cookie ``fulfillmentStoreId`` (``0584`` or ``584``), by ``storeId`` in REST, by
``storeId`` in GraphQL's variables (``0584`` or ``COL:584``). No listing has barcodes.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include import clock
from sandbox import coles_stores
from sandbox.coles_detail import find_detail, info_row, schema_org
from sandbox.coles_listing import category_tree, find_category, menu_items, search_results
from sandbox.request_context import purpose, store_or_default
from sandbox.site import Json, html_response, json_body, json_response, number, opaque, shelf_now, skus_found, suggestions, uuid
from sandbox.world import Category, SandboxStore, Shelf, ShelfOffer, UnknownStoreError, World

BATCH_MAX = 20
ASSETS = "https://cdn.productimages.coles.com.au/productimages"
EXCLUDED_CATEGORIES = ["17490"]
_FIELD = re.compile(r"\{\s*(?:\w+\s*:\s*)?(\w+)")
#: Purpose of each GraphQL field.
_PURPOSES = {
    "product": "barcodes",
    "productsInfo": "barcodes",
    "productCategories": "tree",
    "menuItems": "tree",
    "stores": "stores",
    "store": "stores",
    "storeRange": "stores",
}


class Coles:
    """The site's routes over one world.

    Attributes:
        deployments: number of deployments; each changes the build id.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.deployments = 0
        self.subscription_key = opaque("coles subscription key") * 2

    def routes(self) -> list[Route]:
        """Return the routes, relative to the site's prefix."""
        data = "/_next/data/{build}/en"
        return [
            Route("/", self.page),
            Route("/browse", self.page),
            Route("/browse/{slugs:path}", self.page),
            Route("/search/products", self.page),
            Route("/product/{slug}", self.page),
            Route(f"{data}/browse.json", self.data),
            Route(f"{data}/browse/{{slugs:path}}", self.data),
            Route(f"{data}/search/products.json", self.data),
            Route(f"{data}/product/{{slug}}", self.data),
            Route("/api/bff/products/search", self.rest_search),
            Route("/api/bff/products/search/suggestions", self.rest_suggestions),
            Route("/api/bff/products/recommendations/alternatives", self.rest_alternatives, methods=["POST"]),
            Route("/api/bff/products/{id}", self.rest_product),
            Route("/api/graphql", self.graphql, methods=["POST"]),
        ]

    # The page and its JSON data route

    def deploy(self) -> None:
        """Change the build id from now on."""
        self.deployments += 1

    def build_id(self) -> str:
        """Return the id of the current deployment; it changes at least every six days."""
        today = clock.night_of(clock.now()).toordinal()
        deployed = date.fromordinal(today - today % 6)
        return f"{deployed:%Y%m%d}.{self.deployments + 1:02d}_v5.{today // 6 % 90}.0"

    async def page(self, request: Request) -> Response:
        """Return a full page: HTML with the page's data inside."""
        props = self._page_props(request)
        document = {
            "props": props,
            "page": "/browse/[...slug]",
            "query": dict(request.query_params) | {"slug": _slugs(request)},
            "buildId": self.build_id(),
            "runtimeConfig": {},
            "isFallback": False,
            "gssp": True,
            "appGip": True,
            "locale": "en",
            "locales": ["en"],
            "defaultLocale": "en",
            "scriptLoader": [],
        }
        config = json.dumps({"BFF_API_SUBSCRIPTION_KEY": self.subscription_key})
        product = props["pageProps"].get("product")
        linked = f'<script type="application/ld+json">{_script(schema_org(product))}</script>' if product else ""
        return html_response(
            f"<!DOCTYPE html><html><head><title>Coles</title>{linked}<script>window.__RUNTIME_CONFIG__ = {config};</script></head>"
            f'<body><div id="__next"></div><script id="__NEXT_DATA__" type="application/json">{_script(document)}</script></body></html>'
        )

    async def data(self, request: Request) -> Response:
        """Return the JSON data of a page; 404 for the id of an earlier deployment."""
        if request.path_params["build"] != self.build_id():
            return html_response(
                "<!DOCTYPE html><html><head><title>404: This page could not be found</title></head><body></body></html>", 404
            )
        return json_response(self._page_props(request))

    def _page_props(self, request: Request) -> Json:
        store = self._store(request.cookies.get("fulfillmentStoreId"))
        shelf = shelf_now(self.world, store)
        path = request.url.path.partition("/en/")[2] or request.scope["path"]
        props: Json = {"assetsUrl": ASSETS, "isMobile": False, "initStoreId": store.online_store_id}
        purpose.set(_purpose_of_page(f"/{path}", _slugs(request)))
        if "/product/" in f"/{path}":
            props["product"] = find_detail(shelf, str(request.path_params["slug"]).removesuffix(".json").rpartition("-")[2], "next")
        elif "search/products" in path:
            text = request.query_params.get("q", "")
            props["searchResults"] = search_results(shelf, skus_found(shelf, text), _page(request), "next", keyword=text)
        elif slugs := _slugs(request):
            category = find_category(shelf.tree, slugs) or Category((), 0, ())
            skus = list(shelf.skus(category.path)) if category.path else []
            props["searchResults"] = search_results(shelf, skus, _page(request), "next", facets=category.children)
        else:
            props["allProductCategories"] = {"excludedCategoryIds": EXCLUDED_CATEGORIES, "catalogGroupView": category_tree(shelf.tree)}
        state: Json = {"trolley": {"storeId": store.online_store_id}}
        props |= {"searchSessionId": uuid("session"), "sortByValue": "salesDescending", "isRestricted": False}
        props |= {"aemContentFragment": {"descriptionHtml": "<p>Shop online.</p>"}, "aemBrandFragment": None, "initialState": state}
        return {"pageProps": props, "initialState": state, "__N_SSP": True}

    # REST

    async def rest_search(self, request: Request) -> Response:
        """Return a listing or a search; ``start`` is the zero-based page."""
        if refusal := self._key_missing(request):
            return refusal
        params = request.query_params
        store = self._store(params.get("storeId"))
        shelf = shelf_now(self.world, store)
        page, ads = number(params.get("start"), 0), params.get("excludeAds") != "true"
        purpose.set("listing" if "categoryId" in params else "search")
        if wanted := params.get("categoryId"):
            nodes = [node for node in shelf.tree.walk() if category_tree(Category((), 0, (node,)))[0]["id"] == wanted]
            skus, facets, keyword = (list(shelf.skus(nodes[0].path)), nodes[0].children, None) if nodes else ([], (), None)
        else:
            keyword = params.get("searchTerm") or None
            skus, facets = list(skus_found(shelf, keyword or "")), shelf.tree.children
        if "halfprice" in params.get("filters", ""):
            skus = [sku for sku in skus if (offer := shelf.offer(sku)) and _is_half_price(offer)]
        return json_response(search_results(shelf, skus, page, "rest", keyword=keyword, facets=facets, ads=ads))

    async def rest_product(self, request: Request) -> Response:
        """Return a product detail; 200 with an empty body for an unknown id, 404 for ``categories``."""
        if request.path_params["id"] == "categories":
            return json_response({"statusCode": 404, "message": "Resource not found"}, 404)
        if refusal := self._key_missing(request):
            return refusal
        shelf = shelf_now(self.world, self._store(request.query_params.get("storeId")))
        found = find_detail(shelf, request.path_params["id"], "rest")
        return json_response(found) if found else Response(b"", media_type="application/json")

    async def rest_suggestions(self, request: Request) -> Response:
        """Return completions of a search term."""
        shelf = shelf_now(self.world, self._store(request.query_params.get("storeId")))
        text = request.query_params.get("searchTerm", "")
        return json_response({"suggestions": [{"text": label} for label in suggestions(shelf, text)]})

    async def rest_alternatives(self, request: Request) -> Response:
        """Return substitutes of a product: others of its category."""
        body = await json_body(request)
        shelf = shelf_now(self.world, self._store(body.get("storeId")))
        offer = shelf.offer(str(body.get("productId", "")))
        skus = [sku for sku in shelf.skus(offer.category_paths[0]) if sku != offer.sku][:5] if offer and offer.category_paths else []
        return json_response(search_results(shelf, skus, 0, "rest", ads=False))

    def _key_missing(self, request: Request) -> Response | None:
        if request.headers.get("ocp-apim-subscription-key") == self.subscription_key:
            return None
        return json_response(
            {
                "statusCode": 401,
                "message": "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.",
            },
            401,
        )

    # GraphQL

    async def graphql(self, request: Request) -> Response:
        """Resolve the first field of the query; errors have status 200."""
        if refusal := self._key_missing(request):
            return refusal
        body = await json_body(request)
        match = _FIELD.search(str(body.get("query", "")))
        resolvers = {
            "product": self._product,
            "productsInfo": self._products_info,
            "productCategories": self._categories,
            "menuItems": self._menu,
            "stores": self._stores,
            "store": self._store_detail,
            "storeRange": self._store_range,
        }
        field = match[1] if match else ""
        purpose.set(_PURPOSES.get(field, "other"))
        if field not in resolvers:
            return json_response({"errors": [{"message": f'Cannot query field "{field}" on type "Query".'}]})
        return json_response(resolvers[field](body.get("variables") or {}))

    def _product(self, variables: Json) -> Json:
        wanted = str(variables.get("id") or variables.get("productId") or "")
        return {"data": {"product": find_detail(self._shelf(variables), wanted, "graphql")}}

    def _products_info(self, variables: Json) -> Json:
        ids = [str(item) for item in variables.get("productIds") or variables.get("ids") or []]
        if len(ids) > BATCH_MAX:
            return {"errors": [{"message": f"productIds must contain no more than {BATCH_MAX} elements"}], "data": None}
        shelf = self._shelf(variables)
        offers = [offer for item in ids if (offer := shelf.article(item))]
        found = {offer.sku for offer in offers}
        info = {
            "count": len(offers),
            "invalidProductIds": [item for item in ids if item not in found],
            "results": [info_row(offer) for offer in offers],
        }
        return {"data": {"productsInfo": info}}

    def _categories(self, variables: Json) -> Json:
        tree = category_tree(self._shelf(variables).tree)
        return {"data": {"productCategories": {"excludedCategoryIds": EXCLUDED_CATEGORIES, "catalogGroupView": tree}}}

    def _menu(self, variables: Json) -> Json:
        return {"data": {"menuItems": {"items": menu_items(self._shelf(variables).tree), "restrictedIds": EXCLUDED_CATEGORIES}}}

    def _stores(self, variables: Json) -> Json:
        return {"data": coles_stores.find(self.world.stores("coles"), variables)}

    def _store_detail(self, variables: Json) -> Json:
        wanted = str(variables.get("storeId") or variables.get("id") or "")
        return {"data": {"store": coles_stores.detail(self.world.stores("coles"), wanted)}}

    def _store_range(self, variables: Json) -> Json:
        skus = [str(item) for item in variables.get("productIds") or []]
        return {"data": {"storeRange": coles_stores.stores_selling(self.world, skus)}}

    # The store

    def _shelf(self, variables: Json) -> Shelf:
        return shelf_now(self.world, self._store(variables.get("storeId")))

    def _store(self, wanted: Any) -> SandboxStore:
        """Return the selected store; the site's default if none or an unknown one is named."""
        digits = str(wanted or "").rpartition(":")[2]
        try:
            return store_or_default(self.world, self.world.store_online("coles", digits.zfill(4)))
        except UnknownStoreError:
            return self.world.default_store("coles")


def _script(data: Json) -> str:
    """Return JSON escaped for a script element."""
    return msgspec.json.encode(data).decode().replace("</", "<\\/")


def _page(request: Request) -> int:
    return number(request.query_params.get("page"), 1, least=1) - 1


def _purpose_of_page(path: str, slugs: list[str]) -> str:
    if "/product/" in path:
        return "detail"
    if "search/products" in path:
        return "search"
    return "listing" if slugs else "tree" if path.endswith(".json") else "home"


def _slugs(request: Request) -> list[str]:
    path = str(request.path_params.get("slugs", "")).removesuffix(".json")
    return [part for part in path.split("/") if part]


def _is_half_price(offer: ShelfOffer) -> bool:
    return bool(offer.price_cents and offer.was_price_cents and offer.price_cents * 2 <= offer.was_price_cents)
