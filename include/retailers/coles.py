"""Coles: shelf offers from the browse pages of the web shop, in their three formats.

Source : JSON twin of each browse page (Next.js data route), 48 products a page among advertisements; the tree from GraphQL
Why    : this listing returns the store that it is for and is small. ``Coles(listing="html")`` reads the page
         itself (the same data, without a build id); ``Coles(listing="rest")`` sends the store in the request and needs no
         build id either, but a wrong store would not be detected
Politeness: a page visit first; a refusal (Imperva) is HTML where JSON was requested, and is left to an operator
Quirks : an outdated build id returns 404; ``start`` is a page index; sponsored rows repeat; ``pricing`` null = not
         available here; ``was`` 0 = no reduction; names of ``onlineHeirs`` are shifted; a weighed article has the price
         of an average piece, and only ``comparable`` has its correct unit price; barcodes only in the detail; a listing
         has a maximum depth, so large categories are walked by their children
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from math import ceil
from typing import Any, Literal

from include.model.store import StoreRecord, StoreRef
from include.retailers import coles_graphql as graphql
from include.retailers.barcode_source import BarcodeSource
from include.retailers.base import Category, OfferRow, Page, Retailer, Row, SkippedRow, key_paths
from include.retailers.bounds import parse
from include.retailers.coles_rows import PROMOTIONAL, is_sponsored, offer_of, unit_of
from include.retailers.errors import Blocked, MissingField, WrongStore
from include.retailers.fields import announced, required_text, state_name, store_name, text
from include.wording.places import position, state_and_postcode

PAGE_SIZE = 48
#: Maximum products of one listing, as reported in 2026 (104 pages), with a margin because the tree's counts change.
LISTING_MAX = 100 * PAGE_SIZE
ASSETS = "https://productimages.coles.com.au/productimages"

_NEXT_DATA = re.compile(r'<script id="__NEXT_DATA__"[^>]*>(.*?)</script>', re.S)
_API_KEY = re.compile(r'"BFF_API_SUBSCRIPTION_KEY"\s*:\s*"([^"]+)"')


class Coles(Retailer):
    """See the module's docstring."""

    name = "coles"
    base_url = "https://www.coles.com.au"
    session_page = Page(path="/browse", accept="text")
    renew_session_on_404 = True
    version = "2"
    expected_shape = key_paths(
        "_type id name brand size availability onlineHeirs onlineHeirs.subCategory onlineHeirs.category onlineHeirs.aisle "
        "pricing pricing.now pricing.was pricing.comparable"
    )

    def __init__(self, listing: Literal["next", "html", "rest"] = "next") -> None:
        """``listing`` chooses the route of requests; pages of all routes are read."""
        self.listing = listing

    def session_page_for(self, store: StoreRef | None) -> Page:
        return replace(self.session_page, cookies=self._cookies(store)) if store else self.session_page

    def session(self, html: str, url: str) -> Mapping[str, str]:
        """Return build id and API key."""
        data = _NEXT_DATA.search(html)
        if data is None:
            raise Blocked(self.name, "a page without __NEXT_DATA__", url)
        build_id, key = parse(data[1].encode()).get("buildId"), _API_KEY.search(html)
        if not build_id or not key:
            raise MissingField("BFF_API_SUBSCRIPTION_KEY" if build_id else "buildId", ("__NEXT_DATA__",))
        return {"build_id": build_id, "api_key": key[1]}

    def request_store_id(self, store: StoreRef) -> str:
        """Return the REST form of the id: ``COL:584`` → ``0584``."""
        return (store.online_store_id or store.store_id.rpartition(":")[2]).zfill(4)

    def store_on_page(self, body: Any) -> str | None:
        document = _document(body)
        props = _page_props(document)
        state = props.get("initialState") or document.get("initialState") or {}
        shown = props.get("initStoreId") or (state.get("trolley") or {}).get("storeId")
        return str(shown).rpartition(":")[2].zfill(4) if shown else None

    def check_store(self, body: Any, store: StoreRef) -> None:
        """Refuse a page of another store, and a page without its store id; REST responses have none.

        Raises:
            WrongStore: as above.
        """
        super().check_store(body, store)
        if _page_props(_document(body)) and self.store_on_page(body) is None:
            raise WrongStore(
                f"coles {store.store_id}: requested store {self.request_store_id(store)}, the page has no store id "
                "(neither initStoreId nor trolley.storeId). Look at the landed page; include/retailers/coles.py reads the store there."
            )

    # Categories

    def tree_page(self, store: StoreRef) -> Page:
        return graphql.tree_page(self.request_store_id(store))

    def categories(self, body: Any) -> Iterator[Category]:
        """Yield the second level, then each department as an audit of its direct products."""
        document = _document(body)
        departments, excluded = graphql.tree(_page_props(document).get("allProductCategories") or document)
        for department in departments:
            slug, names = department["seoToken"], (required_text(department, "name"),)
            is_promotional = bool(PROMOTIONAL.search(slug)) or department.get("subType") == "SEASONAL"
            if reason := _skipped(department, excluded):
                yield Category(key=department["id"], path=names, skipped=reason)
                continue
            walked = list(self._below(department, (*names,), (slug,), is_promotional, excluded))
            yield from walked
            covers = tuple(category.key for category in walked if not category.skipped)
            yield Category(
                key=department["id"], path=names, address=_address((slug,), department, 1), covers=covers, is_promotional=is_promotional
            )

    def _below(
        self, node: Any, path: tuple[str, ...], slugs: tuple[str, ...], is_promotional: bool, excluded: frozenset[str]
    ) -> Iterator[Category]:
        for child in graphql.children(node):
            below = (*path, required_text(child, "name")), (*slugs, child["seoToken"])
            if reason := _skipped(child, excluded):
                yield Category(key=child["id"], path=below[0], skipped=reason)
            elif child["productCount"] > LISTING_MAX and graphql.children(child):
                yield from self._below(child, *below, is_promotional, excluded)
            else:
                yield Category(
                    key=child["id"], path=below[0], address=_address(below[1], child, len(below[0])), is_promotional=is_promotional
                )

    # Listings

    def first_page(self, store: StoreRef, category: Category) -> Page:
        if self.listing == "rest":
            params: dict[str, str | int] = {
                "storeId": self.request_store_id(store),
                "start": 0,
                "pageSize": PAGE_SIZE,
                "excludeAds": "true",
            }
            params |= {"categoryId": category.key, "categoryLevel": category.address["level"], "categoryName": category.address["name"]}
            return Page(path="/api/bff/products/search", params=params, headers=graphql.KEY_HEADER)
        slugs = category.address["slugs"]
        if self.listing == "html":
            return Page(path=f"/browse/{slugs}", params={"page": 1}, cookies=self._cookies(store), accept="text")
        return Page(
            path=f"/_next/data/{{build_id}}/en/browse/{slugs}.json",
            params={"slug": slugs.split("/"), "page": 1},
            headers={"x-nextjs-data": "1"},
            cookies=self._cookies(store),
        )

    def next_page(self, page: Page, body: Any) -> Page | None:
        listing = _listing(body)
        is_last = (
            page.number >= ceil(announced(listing, "noOfResults") / PAGE_SIZE)
            or listing["pageSize"] == 0
            or not any(map(_is_good, listing["results"]))
        )
        if is_last:
            return None
        return page.next(start=page.number) if "start" in page.params else page.next(page=page.number + 1)

    def total(self, body: Any) -> int | None:
        return announced(_listing(body), "noOfResults")

    def products(self, body: Any) -> Iterator[Mapping[str, Any]]:
        return (item for item in _listing(body)["results"] if item["_type"] == "PRODUCT")

    def rows(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        assets = _page_props(_document(body)).get("assetsUrl") or ASSETS
        for item in _listing(body)["results"]:
            if item["_type"] == "PRODUCT":
                yield OfferRow(offer_of(item, observed_at, self.base_url, assets), is_sponsored(item), unit_of(item))
            else:
                yield SkippedRow(_kind(item["_type"]))

    def _cookies(self, store: StoreRef) -> dict[str, str]:
        return {"fulfillmentStoreId": self.request_store_id(store), "shopping-method": "clickAndCollect"}

    # Barcodes

    def barcode_sources(self) -> Sequence[BarcodeSource]:
        """Return the detail of 20 SKUs at once, and the detail of one for those that it does not answer. The listing has no barcode."""

        def in_store(page: Callable[[Sequence[str], str], Page]) -> Callable[[Sequence[str], StoreRef], Page]:
            return lambda skus, store: page(skus, self.request_store_id(store))

        return (
            BarcodeSource("coles_details", graphql.DETAIL_BATCH, in_store(graphql.details_page), graphql.read_details),
            BarcodeSource("coles_product", 1, in_store(graphql.product_page), graphql.read_product),
        )

    # Stores

    def store_pages(self) -> Iterator[Page]:
        """Request points of a grid over Australia: the finder returns the stores around one point."""
        return graphql.finder_pages()

    def next_store_pages(self, page: Page, body: Any) -> Iterator[Page]:
        """Divide the area of a full response."""
        return graphql.closer_finder_pages(page, body)

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        """Yield the stores of a finder's response, or the one of a store's detail."""
        found = graphql.data(body)
        for result in [found] if "store" in found else found["stores"]["results"]:
            store, address, brand = result["store"], result["store"]["address"], result["store"]["brand"]
            place = store.get("position") or {}
            latitude, longitude = position(place.get("latitude"), place.get("longitude"))
            state, postcode = state_and_postcode(state_name(address["state"]), address["postcode"])
            yield StoreRecord(
                retailer=self.name,
                store_id=required_text(store, "id"),
                online_store_id=store["id"].rpartition(":")[2].zfill(4),
                name=store_name(store["name"], text(brand["name"]), text(address["suburb"])),
                state=state,
                suburb=text(address["suburb"]),
                postcode=postcode,
                latitude=latitude,
                longitude=longitude,
                division=text(brand["name"]),
                is_supermarket=brand["id"] == "COL",
                is_trading=bool(store["isTrading"]),
            )


@lru_cache(maxsize=2)
def _next_data(html: str) -> Any:
    """Return the data inside a page.

    Raises:
        Blocked: there is none, so this is not the page a visitor sees.
    """
    found = _NEXT_DATA.search(html)
    if found is None:
        raise Blocked(Coles.name, "a page without __NEXT_DATA__", "a browse page")
    return parse(found[1].encode())


def _document(body: Any) -> Any:
    """Return the JSON of a response, or the JSON inside a page."""
    return _next_data(body) if isinstance(body, str) else body


def _page_props(document: Any) -> Any:
    """Return the props of a data route, or of ``__NEXT_DATA__``; empty for a REST response."""
    return document.get("props", document).get("pageProps") or {}


def _listing(body: Any) -> Any:
    document = _document(body)
    return document if "results" in document else document.get("props", document)["pageProps"]["searchResults"]


def _address(slugs: tuple[str, ...], node: Any, level: int) -> dict[str, str]:
    return {"slugs": "/".join(slugs), "level": str(node.get("level", level)), "name": node["name"]}


def _skipped(node: Any, excluded: frozenset[str]) -> str | None:
    if str(node["id"]) in excluded or "tobacco" in node["seoToken"]:
        return "tobacco: age-gated"
    return "a view of other categories" if node["seoToken"] == "specials" else None


def _kind(row_type: str) -> str:
    """Return the reason for skipping a row of this type; an unknown type is named, so that it appears in the outcome.

    >>> _kind("PRODUCT_ASSOCIATION"), _kind("CONTENT_ASSOCIATION"), _kind("SINGLE_TILE"), _kind("BUNDLE")
    ('association', 'ad', 'ad', 'unknown row type BUNDLE')
    """
    if row_type == "PRODUCT_ASSOCIATION":
        return "association"
    is_ad = row_type == "CONTENT_ASSOCIATION" or row_type.endswith(("_TILE", "_BANNER"))
    return "ad" if is_ad else f"unknown row type {row_type}"


def _is_good(item: Any) -> bool:
    return item["_type"] == "PRODUCT" and not is_sponsored(item)
