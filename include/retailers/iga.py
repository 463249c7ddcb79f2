"""IGA: shelf offers of single shops from their common storefront.

Source : JSON listing of each leaf category, 50 items a page, with barcodes
Politeness: no bot wall observed; home page first, then the shop's cookie and a shopping-mode header
Quirks : a shop has a second id in the web shop; products sold by weight are priced by the kilogram (``wholePrice``,
         the shelf price, as in store-days), while ``priceNumeric`` is the average piece with up to four decimals;
         a reduction is marked by ``priceSource``; keys are absent, not null (brand and barcode of loose products too); a barcode
         field may contain two, or a shop's code of five digits; the last page may repeat indefinitely; totals are approximate
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import quote

from include.model.offer import Offer
from include.model.store import StoreRecord, StoreRef
from include.retailers.base import Category, OfferRow, Page, Retailer, RetailerUnitPrice, Row, key_paths
from include.retailers.bounds import parse
from include.retailers.fields import announced, as_number, number, required_text, sku_text, state_name, store_name, text, was_price
from include.wording.places import position, state_and_postcode
from include.wording.size_units import Dimension, base_units

PAGE_SIZE = 50
#: More than the number of shops: the locator returns all of them in one response.
LOCATOR_LIMIT = 1500
_STORE_DATA = re.compile(r'data-storedata="([^"]*)"')
_SHOPPING_MODE = {"x-shopping-mode": "11111111-1111-1111-1111-111111111111"}


class Iga(Retailer):
    """See the module's docstring."""

    name = "iga"
    base_url = "https://www.igashop.com.au"
    session_page = Page(path="/", accept="text", headers=_SHOPPING_MODE)
    version = "2"
    expected_shape = key_paths(
        "productId barcode name brand defaultCategory defaultCategory.categoryBreadcrumb available sellBy "
        "priceNumeric wholePrice priceSource unitOfSize unitOfSize.size unitOfSize.abbreviation"
    )
    may_end_with_404_or_repeat = True
    min_total_share = 0.8  # totals of more than a page are a little too high

    def session_page_for(self, store: StoreRef | None) -> Page:
        return replace(self.session_page, cookies=self._cookies(store)) if store else self.session_page

    # Categories

    def tree_page(self, store: StoreRef) -> Page:
        return self._page(store, "categoryHierarchy")

    def categories(self, body: Any) -> Iterator[Category]:
        """Yield the leaves below the root."""
        for node in body["children"]:
            yield from self._leaves(node, ())

    def _leaves(self, node: Any, above: tuple[str, ...]) -> Iterator[Category]:
        path, key = (*above, required_text(node, "displayName")), sku_text(node["identifier"])
        if "tobacco" in path[-1].lower() or "cigarette" in path[-1].lower():
            yield Category(key=key, path=path, skipped="tobacco: age-gated")
        elif children := node.get("children"):
            for child in children:
                yield from self._leaves(child, path)
        else:
            yield Category(key=key, path=path)

    # Listings

    def first_page(self, store: StoreRef, category: Category) -> Page:
        page = self._page(store, f"categories/{quote(category.key, safe='')}/search")
        return replace(page, params={"take": PAGE_SIZE, "skip": 0})

    def next_page(self, page: Page, body: Any) -> Page | None:
        after = int(str(page.params["skip"])) + len(body["items"])
        links = (body.get("pagination") or {}).get("_links")
        # The link is exact; the total is a little too high.
        has_next = after < body["total"] if links is None else "next" in links
        return page.next(skip=after) if body["items"] and has_next else None

    def total(self, body: Any) -> int | None:
        return announced(body, "total")

    def products(self, body: Any) -> Iterator[Mapping[str, Any]]:
        yield from body["items"]

    def rows(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        for item in self.products(body):
            yield OfferRow(self._offer(item, observed_at), unit=_unit(item))

    def _offer(self, item: Any, observed_at: datetime) -> Offer:
        price, was = _prices(item)
        image = item.get("image") or {}
        return Offer(
            sku=sku_text(item["productId"]),
            name=required_text(item, "name"),
            brand=text(item["brand"]),
            size=_size(item["unitOfSize"], item["sellBy"]),
            barcode=text(item.get("barcode")),
            description=text(item.get("description")),
            image_url=text(image.get("default")),
            category_path=_breadcrumb(item.get("defaultCategory") or ()),
            price_current=price,
            price_was=was,
            price_basis="kg" if _average_weight(item) else "each",
            is_on_special=was is not None,
            is_available=bool(item["available"]) and price is not None,
            per_unit_price_string=text(item.get("pricePerUnit")),
            observed_at=observed_at,
            extra=_extra(item),
        )

    # Stores

    def store_pages(self) -> Iterator[Page]:
        """Request the catalogue provider's locator: it has both ids of a shop, the web shop's own list only one."""
        params: dict[str, str | int] = {"format": "json", "saleGroup": 0, "limit": LOCATOR_LIMIT, "locationId": 1}
        yield Page(path="/location/storelocator/183/", params=params, accept="text")

    def next_store_pages(self, page: Page, body: Any) -> Iterator[Page]:
        """Continue from the next location if a response is full and therefore truncated."""
        if len(_STORE_DATA.findall(_cards(body))) >= LOCATOR_LIMIT:
            yield page.next(locationId=int(str(page.params["locationId"])) + LOCATOR_LIMIT)

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        """Read the locator: JSONP around HTML, one element with a store as JSON each."""
        for attribute in _STORE_DATA.findall(_cards(body)):
            store = parse(unescape(attribute).encode())
            latitude, longitude = position(store.get("latitude"), store.get("longitude"))
            state, postcode = state_and_postcode(state_name(store["state"]), store.get("postcode"))
            online = text(str(store["tag"])) if store.get("tag") else None
            yield StoreRecord(
                retailer=self.name,
                store_id=sku_text(store["storeId"]),
                online_store_id=online,
                name=store_name(store["storeName"], None, text(store.get("suburb"))),
                state=state,
                suburb=text(store.get("suburb")),
                postcode=postcode,
                latitude=latitude,
                longitude=longitude,
                division=text(store.get("type")),
                is_supermarket=online is not None,
                is_trading=(text(store.get("status")) or "").lower() not in ("closed", "inactive"),
            )

    def _page(self, store: StoreRef, route: str) -> Page:
        return Page(
            path=f"/api/storefront/stores/{quote(self.request_store_id(store), safe='')}/{route}",
            headers=_SHOPPING_MODE,
            cookies=self._cookies(store),
        )

    def _cookies(self, store: StoreRef) -> dict[str, str]:
        return {"iga-shop.retailerStoreId": self.request_store_id(store)}


def _cards(body: str) -> str:
    """Return the HTML inside the locator's JSONP."""
    content: str = parse(body[body.index("(") + 1 : body.rindex(")")].encode())["content"]
    return content


def _average_weight(item: Any) -> tuple[Decimal, str] | None:
    """Return the weight of an average piece of a product sold by weight, ``None`` for all others."""
    unit = item["unitOfSize"]
    measure = base_units((text(unit["abbreviation"]) or "").lower())
    if item["sellBy"] != "EachUnit" or measure is None or measure[0] is not Dimension.MASS:
        return None
    weight = as_number(unit["size"], "size")
    return (weight * measure[1] / 1000, f"{weight}{unit['abbreviation']}") if weight else None


def _unit(item: Any) -> RetailerUnitPrice | None:
    """Return price and weight of an average piece: the offer's price of a product sold by weight is per kilogram."""
    weight = _average_weight(item)
    return (
        RetailerUnitPrice(size_price=as_number(item.get("priceNumeric"), "priceNumeric"), size=weight[1])
        if weight and item["available"]
        else None
    )


def _extra(item: Any) -> dict[str, Any]:
    weight = _average_weight(item)
    found = {
        "promotion_text": text(item.get("priceLabel")),
        "average_weight_kg": weight[0] if weight else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _prices(item: Any) -> tuple[Decimal | None, Decimal | None]:
    """Return price and was-price in dollars: per kilogram for products sold by weight, else of one item.

    An item that is out of stock keeps its shelf label; only ``available`` shows it, so its price is unknown here.
    """
    if not item["available"]:
        return None, None
    whole = number(item, "wholePrice")
    if whole is None:
        whole = as_number(item.get("priceNumeric"), "priceNumeric")
    if item["priceSource"] == "tpr":
        reduced = number(item["tprPrice"][0], "wholePrice") if item.get("tprPrice") else None
        reduced = whole if reduced is None else reduced
        return reduced, was_price(reduced, number(item, "wasWholePrice"))
    return whole, None


def _size(unit: Any, sell_by: str) -> str:
    """Return the pack in the wording of store-days.

    >>> _size({"size": 173, "abbreviation": "g"}, "Each"), _size({"size": 1, "abbreviation": ""}, "Each")
    ('173g Each', 'Each')
    """
    if unit["abbreviation"]:
        return f"{unit['size']}{unit['abbreviation']} {sell_by}"
    return sell_by if unit["size"] == 1 else f"{unit['size']} {sell_by}"


def _breadcrumb(categories: Iterable[Any]) -> tuple[str, ...]:
    """Return the path of the first category that has one."""
    for category in categories:
        if found := text(category.get("categoryBreadcrumb")):
            return tuple(part.strip() for part in found.split("/"))
    return ()
