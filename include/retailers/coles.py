"""Coles: shelf offers from the Next.js data routes of the web shop.

Source : JSON twin of each browse page, 48 products a page among advertisements; the category tree from GraphQL
Why    : of the two listings this one echoes the store it is for. The REST listing (``Coles(listing="rest")``)
         names the store in the request and needs no build id, but a wrong store would go unnoticed
Manners: a page visit first; a refusal (Imperva) is HTML where JSON was asked for, and goes to a person
Quirks : an old build id answers 404; ``start`` is a page index; sponsored rows repeat; ``pricing`` null = not
         available here; ``was`` 0 = no reduction; names of ``onlineHeirs`` are shifted; a weighed article has the price
         of an average piece, and only ``comparable`` is right about its unit price; barcodes only in the detail
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Any, Literal

from include.retailers import coles_graphql as graphql
from include.retailers.base import Category, Page, Retailer, Row, Shown, Skipped, StoreRecord
from include.retailers.coles_graphql import Barcodes
from include.retailers.errors import Blocked, FieldGone
from include.retailers.fields import number, position, postcode, required_text, sku_text, state, text, was_price
from include.staging.offer import Offer, StoreRef
from include.staging.storage import Stage

PAGE_SIZE = 48
#: Products one listing can be paged through, by report of 2026; larger categories are walked by their children.
LISTING_MAX = 104 * PAGE_SIZE
ASSETS = "https://productimages.coles.com.au/productimages"

_NEXT_DATA = re.compile(r'<script id="__NEXT_DATA__"[^>]*>(.*?)</script>', re.S)
_API_KEY = re.compile(r'"BFF_API_SUBSCRIPTION_KEY"\s*:\s*"([^"]+)"')
#: Departments that repeat what stands elsewhere. They are walked, last: a few articles stand nowhere else.
_PROMOTIONAL = re.compile(r"down-down|bonus-|christmas|seasonal|big-night-in|back-to-school|front-of-store|easter")


class Coles(Retailer):
    """See the module's docstring."""

    name = "coles"
    title = "Coles"
    base_url = "https://www.coles.com.au"
    stage = Stage.BARCODE_INBOX
    opening = Page(path="/browse", accept="text")
    renews_on_404 = True

    def __init__(self, listing: Literal["next", "rest"] = "next") -> None:
        """``listing`` chooses the route asked; pages of both are read."""
        self.listing = listing

    def opening_for(self, store: StoreRef | None) -> Page:
        return replace(self.opening, cookies=self._cookies(store)) if store else self.opening

    def session(self, html: str, url: str) -> Mapping[str, str]:
        """Return build id and API key."""
        data = _NEXT_DATA.search(html)
        if data is None:
            raise Blocked(self.name, "a page without __NEXT_DATA__", url)
        build_id, key = json.loads(data[1]).get("buildId"), _API_KEY.search(html)
        if not build_id or not key:
            raise FieldGone("BFF_API_SUBSCRIPTION_KEY" if build_id else "buildId", ("__NEXT_DATA__",))
        return {"build_id": build_id, "api_key": key[1]}

    def asked_store(self, store: StoreRef) -> str:
        """Return the REST form of the id: ``COL:584`` → ``0584``."""
        return (store.online_store_id or store.store_id.rpartition(":")[2]).zfill(4)

    def shown_store(self, body: Any) -> str | None:
        props = _page_props(body)
        shown = props.get("initStoreId") or ((props.get("initialState") or body.get("initialState") or {}).get("trolley") or {}).get(
            "storeId"
        )
        return str(shown).rpartition(":")[2].zfill(4) if shown else None

    # Categories

    def tree_page(self, store: StoreRef) -> Page:
        return graphql.tree_page(self.asked_store(store))

    def categories(self, body: Any) -> Iterator[Category]:
        """Yield the second level, then each department as an audit of what stands directly in it."""
        tree = _page_props(body).get("allProductCategories") or graphql.data(body)["productCategories"]
        excluded = set(tree["excludedCategoryIds"])
        for department in tree["catalogGroupView"]:
            slug = department["seoToken"]
            names, is_promotional = (
                (department["name"].strip(),),
                bool(_PROMOTIONAL.search(slug)) or department.get("subType") == "SEASONAL",
            )
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
        self, node: Any, path: tuple[str, ...], slugs: tuple[str, ...], is_promotional: bool, excluded: set[str]
    ) -> Iterator[Category]:
        for child in node.get("catalogGroupView") or ():
            below = (*path, child["name"].strip()), (*slugs, child["seoToken"])
            if reason := _skipped(child, excluded):
                yield Category(key=child["id"], path=below[0], skipped=reason)
            elif child["productCount"] > LISTING_MAX and child.get("catalogGroupView"):
                yield from self._below(child, *below, is_promotional, excluded)
            else:
                yield Category(
                    key=child["id"], path=below[0], address=_address(below[1], child, len(below[0])), is_promotional=is_promotional
                )

    # Listings

    def first_page(self, store: StoreRef, category: Category) -> Page:
        if self.listing == "rest":
            params: dict[str, str | int] = {"storeId": self.asked_store(store), "start": 0, "pageSize": PAGE_SIZE, "excludeAds": "true"}
            params |= {"categoryId": category.key, "categoryLevel": category.address["level"], "categoryName": category.address["name"]}
            return Page(path="/api/bff/products/search", params=params, headers=graphql.KEY_HEADER)
        slugs = category.address["slugs"]
        return Page(
            path=f"/_next/data/{{build_id}}/en/browse/{slugs}.json",
            params={"slug": slugs.split("/"), "page": 1},
            headers={"x-nextjs-data": "1"},
            cookies=self._cookies(store),
        )

    def next_page(self, page: Page, body: Any) -> Page | None:
        listing = _listing(body)
        is_last = (
            page.number >= ceil(listing["noOfResults"] / PAGE_SIZE)
            or listing["pageSize"] == 0
            or not any(map(_is_good, listing["results"]))
        )
        if is_last:
            return None
        return page.next(start=page.number) if "start" in page.params else page.next(page=page.number + 1)

    def total(self, body: Any) -> int | None:
        found = _listing(body)["noOfResults"]
        return int(found)

    def rows(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        assets = _page_props(body).get("assetsUrl") or ASSETS
        for item in _listing(body)["results"]:
            kind = item["_type"]
            if kind == "PRODUCT":
                yield Shown(self._offer(item, observed_at, assets), is_sponsored=_is_sponsored(item))
            else:
                yield Skipped("association" if kind == "PRODUCT_ASSOCIATION" else "ad")

    def _offer(self, item: Any, observed_at: datetime, assets: str) -> Offer:
        pricing = item["pricing"]
        price = None if pricing is None else number(pricing, "now")
        was = None if pricing is None else was_price(price, number(pricing, "was"))
        sku, name, paths = sku_text(item["id"]), required_text(item, "name"), _paths(item.get("onlineHeirs") or ())
        images = item.get("imageUris") or ()
        return Offer(
            sku=sku,
            name=name,
            brand=text(item["brand"]),
            size=text(item["size"]),
            description=text(item.get("description")),
            url=f"{self.base_url}/product/{_slug(name)}-{sku}",
            image_url=f"{assets}{images[0]['uri']}" if images else None,
            category_path=paths[0] if paths else (),
            price_current=price,
            price_was=was,
            is_on_special=was is not None,
            is_available=bool(item["availability"]) and price is not None,
            per_unit_price_string=text((pricing or {}).get("comparable")),
            observed_at=observed_at,
            extra=_extra(pricing or {}, paths),
        )

    def _cookies(self, store: StoreRef) -> dict[str, str]:
        return {"fulfillmentStoreId": self.asked_store(store), "shopping-method": "clickAndCollect"}

    # Barcodes

    def detail_page(self, skus: Sequence[str], store: StoreRef) -> Page:
        """Return the request for the barcodes of up to 20 SKUs, of a store that lists them.

        Raises:
            ValueError: more than 20 SKUs.
        """
        return graphql.details_page(skus, self.asked_store(store))

    def barcodes(self, body: Any) -> Barcodes:
        """Read the answer to :meth:`detail_page`; of a SKU in neither part nothing was learnt."""
        return graphql.barcodes(body)

    # Stores

    def store_pages(self) -> Iterator[Page]:
        """Ask around points in a grid over Australia: the finder answers for the surroundings of one point."""
        return graphql.finder_pages()

    def more_store_pages(self, page: Page, body: Any) -> Iterator[Page]:
        """Look closer where the answer is full."""
        return graphql.closer_finder_pages(page, body)

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        for result in graphql.data(body)["stores"]["results"]:
            store, address = result["store"], result["store"]["address"]
            place = store.get("position") or {}
            latitude, longitude = position(place.get("latitude"), place.get("longitude"))
            yield StoreRecord(
                retailer=self.name,
                store_id=required_text(store, "id"),
                online_store_id=store["id"].rpartition(":")[2].zfill(4),
                name=text(store["name"]),
                state=state(address["state"]),
                suburb=text(address["suburb"]),
                postcode=postcode(address["postcode"]),
                latitude=latitude,
                longitude=longitude,
                division=text(store["brand"]["name"]),
                is_supermarket=store["brand"]["id"] == "COL",
                is_trading=bool(store["isTrading"]),
            )


def _page_props(body: Any) -> Any:
    """Return the props of a data route, or of ``__NEXT_DATA__``; nothing for a REST answer."""
    return body.get("props", body).get("pageProps") or {}


def _listing(body: Any) -> Any:
    return body if "results" in body else body.get("props", body)["pageProps"]["searchResults"]


def _address(slugs: tuple[str, ...], node: Any, level: int) -> dict[str, str]:
    return {"slugs": "/".join(slugs), "level": str(node.get("level", level)), "name": node["name"]}


def _skipped(node: Any, excluded: set[str]) -> str | None:
    if node["id"] in excluded or "tobacco" in node["seoToken"]:
        return "tobacco: age-gated"
    return "a view of other categories" if node["seoToken"] == "specials" else None


def _slug(name: str) -> str:
    """Return a product's name as Coles writes it in an address: punctuation goes, blanks become hyphens.

    >>> _slug("I'm Free From Crème & Co")
    'im-free-from-creme-co'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[\s-]+", "-", re.sub(r"[^a-z0-9\s-]", "", plain)).strip("-")


def _is_sponsored(item: Any) -> bool:
    return bool(item.get("adId") or item.get("adSource"))


def _is_good(item: Any) -> bool:
    return item["_type"] == "PRODUCT" and not _is_sponsored(item)


def _paths(heirs: Iterable[Any]) -> list[tuple[str, ...]]:
    """Return the category paths of a product, promotional ones last; names are shifted: ``subCategory`` is the top."""
    paths = [tuple(filter(None, map(text, (heir.get("subCategory"), heir.get("category"), heir.get("aisle"))))) for heir in heirs]
    return sorted(filter(None, paths), key=lambda path: bool(_PROMOTIONAL.search(path[0].lower().replace(" ", "-"))))


def _extra(pricing: Any, paths: list[tuple[str, ...]]) -> dict[str, Any]:
    deal = pricing.get("multiBuyPromotion") or {}
    found = {
        "promotion": text(pricing.get("promotionType")),
        "promotion_text": text(pricing.get("offerDescription") or pricing.get("priceDescription")),
        "multi_buy_quantity": deal.get("minQuantity"),
        "multi_buy_price_each": deal.get("reward"),
        "category_paths": [list(path) for path in paths] if len(paths) > 1 else None,
    }
    return {name: value for name, value in found.items() if value is not None}
