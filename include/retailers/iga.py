"""IGA: shelf offers of single shops from the storefront they share.

Source : JSON listing of each leaf category, 50 items a page; barcodes come with it
Manners: no bot wall met; home page first, then the shop's cookie and a shopping-mode header
Quirks : a shop has a second id in the web shop; goods sold by weight are priced by the kilogram (``wholePrice``,
         what the shelf says and store-days have), while ``priceNumeric`` is the average piece with up to four decimals;
         a reduction is told by ``priceSource``; keys are absent, not null; the last page may be repeated for ever
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import quote

from include.retailers.base import Category, Page, Retailer, Row, Shown, StoreRecord
from include.retailers.fields import number, parse, position, postcode, required_text, sku_text, state, text, was_price
from include.staging.offer import Offer, StoreRef

PAGE_SIZE = 50
_STORE_DATA = re.compile(r'data-storedata="([^"]*)"')
_SHOPPING_MODE = {"x-shopping-mode": "11111111-1111-1111-1111-111111111111"}


class Iga(Retailer):
    """See the module's docstring."""

    name = "iga"
    title = "IGA"
    base_url = "https://www.igashop.com.au"
    opening = Page(path="/", accept="text", headers=_SHOPPING_MODE)
    ends_oddly = True
    total_share = 0.8  # totals of more than a page are a little high

    def opening_for(self, store: StoreRef | None) -> Page:
        return replace(self.opening, cookies=self._cookies(store)) if store else self.opening

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
        # The link knows the end; the total is a little high.
        has_next = after < body["total"] if links is None else "next" in links
        return page.next(skip=after) if body["items"] and has_next else None

    def total(self, body: Any) -> int | None:
        found = body["total"]
        return int(found)

    def rows(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        for item in body["items"]:
            yield Shown(self._offer(item, observed_at))

    def _offer(self, item: Any, observed_at: datetime) -> Offer:
        price, was = _prices(item)
        image = item.get("image") or {}
        return Offer(
            sku=sku_text(item["productId"]),
            name=required_text(item, "name"),
            brand=text(item["brand"]),
            size=_size(item["unitOfSize"], item["sellBy"]),
            barcode=text(item["barcode"]),
            description=text(item.get("description")),
            image_url=text(image.get("default")),
            category_path=_breadcrumb(item.get("defaultCategory") or ()),
            price_current=price,
            price_was=was,
            is_on_special=was is not None,
            is_available=bool(item["available"]) and price is not None,
            per_unit_price_string=text(item.get("pricePerUnit")),
            observed_at=observed_at,
            extra={"promotion_text": item["priceLabel"]} if item.get("priceLabel") else {},
        )

    # Stores

    def store_pages(self) -> Iterator[Page]:
        """Ask the catalogue provider's locator: it knows both ids of a shop, the web shop's own list only one."""
        params: dict[str, str | int] = {"format": "json", "saleGroup": 0, "limit": 1500, "locationId": 1}
        yield Page(path="/location/storelocator/183/", params=params, accept="text")

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        """Read the locator: JSONP around HTML whose elements hold a store each as JSON."""
        html = parse(body[body.index("(") + 1 : body.rindex(")")].encode())["content"]
        for attribute in _STORE_DATA.findall(html):
            store = parse(unescape(attribute).encode())
            latitude, longitude = position(store.get("latitude"), store.get("longitude"))
            online = text(str(store["tag"])) if store.get("tag") else None
            yield StoreRecord(
                retailer=self.name,
                store_id=sku_text(store["storeId"]),
                online_store_id=online,
                name=text(store["storeName"]),
                state=state(store["state"]),
                suburb=text(store.get("suburb")),
                postcode=postcode(store.get("postcode")),
                latitude=latitude,
                longitude=longitude,
                division=text(store.get("type")),
                is_supermarket=online is not None,
                is_trading=(text(store.get("status")) or "").lower() not in ("closed", "inactive"),
            )

    def _page(self, store: StoreRef, route: str) -> Page:
        return Page(
            path=f"/api/storefront/stores/{quote(self.asked_store(store), safe='')}/{route}",
            headers=_SHOPPING_MODE,
            cookies=self._cookies(store),
        )

    def _cookies(self, store: StoreRef) -> dict[str, str]:
        return {"iga-shop.retailerStoreId": self.asked_store(store)}


def _prices(item: Any) -> tuple[Decimal | None, Decimal | None]:
    """Return price and was-price in dollars: by the kilogram for goods sold by weight, else of one item.

    An item that is out of stock keeps its shelf label; only ``available`` tells, so its price is unknown here.
    """
    if not item["available"]:
        return None, None
    whole = number(item, "wholePrice")
    if item["priceSource"] == "tpr":
        reduced = number(item["tprPrice"][0], "wholePrice") if item.get("tprPrice") else whole
        return reduced, was_price(reduced, number(item, "wasWholePrice"))
    return whole, None


def _size(unit: Any, sell_by: str) -> str:
    """Return the pack in the words store-days have.

    >>> _size({"size": 173, "abbreviation": "g"}, "Each"), _size({"size": 1, "abbreviation": ""}, "Each")
    ('173g Each', 'Each')
    """
    if unit["abbreviation"]:
        return f"{unit['size']}{unit['abbreviation']} {sell_by}"
    return sell_by if unit["size"] == 1 else f"{unit['size']} {sell_by}"


def _breadcrumb(categories: Iterable[Any]) -> tuple[str, ...]:
    """Return the path of the first category that says one."""
    for category in categories:
        if found := text(category.get("categoryBreadcrumb")):
            return tuple(part.strip() for part in found.split("/"))
    return ()
