"""Coles' GraphQL routes: category tree, barcodes of a batch of products, store finder.

The content of the responses was recorded in October 2026. The queries are this project's own and request only the fields that are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from include.retailers.barcode_source import Answers, ProductAnswer
from include.retailers.base import Page
from include.retailers.errors import ErrorResponse
from include.retailers.fields import quoted, required_text, sku_text, text

DETAIL_BATCH = 20
KEY_HEADER = {"ocp-apim-subscription-key": "{api_key}"}
#: Distance of the store finder's points in degrees; halved where a response is full.
GRID_DEGREES = 1.25
FOUND_MAX = 50
_DEEPEST = 6

_TREE = """query Categories($storeId: String) { productCategories(storeId: $storeId) { excludedCategoryIds
 catalogGroupView { ...Node catalogGroupView { ...Node catalogGroupView { ...Node } } } } }
fragment Node on CategoryNode { id level name originalName productCount seoToken type subType }"""
_DETAILS = """query ProductsInfo($storeId: String, $productIds: [String!]!) {
 productsInfo(storeId: $storeId, productIds: $productIds) { count invalidProductIds results { id name brand size gtin } } }"""
_PRODUCT = """query Product($storeId: String, $productId: String!) {
 product(storeId: $storeId, productId: $productId) { id name brand size gtin } }"""
_STORES = """query GetStores($brandIds: [BrandId!], $latitude: Float!, $longitude: Float!) {
 stores(brandIds: $brandIds, latitude: $latitude, longitude: $longitude) { results { distance store { id name isTrading
 address { state suburb addressLine postcode } position { latitude longitude } brand { id name } } } } }"""


def data(body: Any) -> Any:
    """Return the content of a response, with or without the ``data`` around it.

    Raises:
        ErrorResponse: the response reports errors, usually with status 200.
    """
    if errors := body.get("errors"):
        raise ErrorResponse(
            f"coles: GraphQL returns the error {quoted(errors[0].get('message'))}. "
            "Compare the queries in include/retailers/coles_graphql.py with the site's own."
        )
    return body.get("data", body)


def tree_page(store: str) -> Page:
    """Return the request for the category tree of a store."""
    return _page("Categories", _TREE, {"storeId": store})


def tree(body: Any) -> tuple[Any, frozenset[str]]:
    """Return departments and excluded ids of a category tree: of a browse page, of ``productCategories``, or of the site's menu."""
    found = body if "catalogGroupView" in body else data(body)
    if "menuItems" in found:
        return found["menuItems"]["items"], frozenset(map(str, found["menuItems"].get("restrictedIds") or ()))
    found = found if "catalogGroupView" in found else found["productCategories"]
    return found["catalogGroupView"], frozenset(map(str, found["excludedCategoryIds"]))


def children(node: Any) -> Any:
    """Return the categories below a node, in the format of the browse page and GraphQL or of the menu."""
    return node.get("catalogGroupView") or node.get("childItems") or ()


def details_page(skus: Sequence[str], store: str) -> Page:
    """Return the request for the barcodes of up to 20 SKUs.

    Raises:
        ValueError: more than 20.
    """
    if len(skus) > DETAIL_BATCH:
        raise ValueError(f"{len(skus)} SKUs in one batch; Coles takes {DETAIL_BATCH}")
    return _page("ProductsInfo", _DETAILS, {"storeId": store, "productIds": list(skus)})


def read_details(body: Any, skus: Sequence[str]) -> Answers:
    """Read the response to :func:`details_page`: unknown ids come back apart. A SKU in neither part, or without the field ``gtin``, has no answer."""
    info = data(body)["productsInfo"]
    products = {sku: _answer(item) for item in info["results"] if "gtin" in item and (sku := sku_text(item["id"])) in skus}
    return Answers(products, frozenset(map(sku_text, info["invalidProductIds"])) & set(skus))


def product_page(skus: Sequence[str], store: str) -> Page:
    """Return the request for the barcode of one SKU."""
    (sku,) = skus
    return _page("Product", _PRODUCT, {"storeId": store, "productId": sku})


def read_product(body: Any, skus: Sequence[str]) -> Answers:
    """Read the response to :func:`product_page`; without a product the id is unknown."""
    (sku,) = skus
    item = data(body)["product"]
    if item is None:
        return Answers(unknown=frozenset(skus))
    return Answers({sku: _answer(item)} if sku_text(item["id"]) == sku else {})


def _answer(item: Any) -> ProductAnswer:
    """Read one product; ``gtin`` is null where Coles has none."""
    return ProductAnswer((required_text(item, "name"), text(item.get("brand")), text(item.get("size"))), text(item["gtin"]))


def finder_pages() -> Iterator[Page]:
    """Yield a request for each point of a grid over Australia."""
    for row in range(28):
        for column in range(34):
            yield _finder_page(-43.75 + row * GRID_DEGREES, 112.5 + column * GRID_DEGREES, depth=1)


def closer_finder_pages(page: Page, body: Any) -> Iterator[Page]:
    """Yield four points around the point of a full response, at half the distance."""
    if len(data(body)["stores"]["results"]) < FOUND_MAX or page.number >= _DEEPEST:
        return
    around = (page.json or {})["variables"]
    step = GRID_DEGREES / 2 ** (page.number + 1)
    for north in (-step, step):
        for east in (-step, step):
            yield _finder_page(around["latitude"] + north, around["longitude"] + east, depth=page.number + 1)


def _finder_page(latitude: float, longitude: float, depth: int) -> Page:
    page = _page("GetStores", _STORES, {"brandIds": ["COL", "LQR", "VIN"], "latitude": latitude, "longitude": longitude})
    return replace(page, number=depth)


def _page(name: str, query: str, variables: Mapping[str, Any]) -> Page:
    query_json = {"operationName": name, "query": query, "variables": variables}
    return Page(method="POST", path="/api/graphql", json=query_json, headers=KEY_HEADER)
