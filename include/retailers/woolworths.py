"""Woolworths: shelf offers from the web shop's category listing.

Source : JSON listing, 36 rows a page (more fails), advertisements among them; the tree with the specials beside it
Manners: a GET of the home page first, for its cookies; a refusal (Akamai) is a 403 page "Access Denied"
Quirks : past the end come advertisements for ever, never an empty list; ``WasPrice`` equals ``Price`` when nothing
         is reduced; ``Price`` null = not available; market products (third-party sellers) slip in; the store is chosen
         in the body and echoed nowhere; a slug in place of a NodeId gives 200 and nothing; tobacco answers 401
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from include.retailers.base import Category, Page, Retailer, Row, Shown, Skipped, StoreRecord
from include.retailers.fields import number, position, postcode, required_text, sku_text, state, text, was_price
from include.staging.offer import Offer, StoreRef

PAGE_SIZE = 36
#: Departments that repeat goods of others for a season or an occasion: walked last.
_PROMOTIONAL = ("lunch-box", "dinner", "big-night-in", "christmas", "easter", "bonus-credits", "finals", "gift-ideas", "back-to-school")


class Woolworths(Retailer):
    """See the module's docstring."""

    name = "woolworths"
    title = "Woolworths"
    base_url = "https://www.woolworths.com.au"
    opening = Page(path="/", accept="text")

    def asked_store(self, store: StoreRef) -> str:
        return store.online_store_id or store.store_id

    # Categories

    def tree_page(self, store: StoreRef) -> Page:
        return Page(path="/apis/ui/PiesCategoriesWithSpecials", params={"storeId": self.asked_store(store)})

    def categories(self, body: Any) -> Iterator[Category]:
        """Yield the leaves: a leaf is the only source of a product's category here."""
        for node in body["Categories"]:
            slug = node["UrlFriendlyName"]
            yield from self._leaves(node, (), is_promotional=any(word in slug for word in _PROMOTIONAL))

    def _leaves(self, node: Any, above: tuple[str, ...], is_promotional: bool) -> Iterator[Category]:
        path = (*above, required_text(node, "Description"))
        if reason := _skipped(node):
            yield Category(key=node["NodeId"], path=path, skipped=reason)
        elif children := node.get("Children"):
            for child in children:
                yield from self._leaves(child, path, is_promotional)
        else:
            yield Category(key=node["NodeId"], path=path, address={"slug": node["UrlFriendlyName"]}, is_promotional=is_promotional)

    # Listings

    def first_page(self, store: StoreRef, category: Category) -> Page:
        url = f"/shop/browse/{category.address['slug']}"
        asked = {
            "categoryId": category.key,
            "pageNumber": 1,
            "pageSize": PAGE_SIZE,
            "sortType": "Name",
            "url": url,
            "location": url,
            "formatObject": json.dumps({"name": category.path[-1]}),
            "isSpecial": False,
            "isBundle": False,
            "isMobile": False,
            "isHideEverydayMarketProducts": True,
            "isHideUnavailableProducts": False,  # unavailable is a fact to stage, not a gap
            "filters": [],
            "token": "",
            "gpBoost": 0,
            "enableAdReRanking": False,
            "groupEdmVariants": False,
            "categoryVersion": "v2",
            "storeId": self.asked_store(store),
        }
        return Page(method="POST", path="/apis/ui/browse/category", json=asked)

    def next_page(self, page: Page, body: Any) -> Page | None:
        if not any(map(_is_good, _products(body))):
            return None
        asked = {**(page.json or {}), "pageNumber": page.number + 1}
        return replace(page, json=asked, number=page.number + 1)

    def total(self, body: Any) -> int | None:
        found = body["TotalRecordCount"]
        return int(found)

    def rows(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        for item in _products(body):
            if item.get("IsMarketProduct"):
                yield Skipped("market product", sku_text(item["Stockcode"]))
            else:
                yield Shown(self._offer(item, observed_at), is_sponsored=bool(item.get("IsSponsoredAd")))

    def _offer(self, item: Any, observed_at: datetime) -> Offer:
        sku, price = sku_text(item["Stockcode"]), number(item, "Price")
        was = was_price(price, number(item, "WasPrice"))
        return Offer(
            sku=sku,
            name=required_text(item, "Name"),
            brand=text(item["Brand"]),
            size=text(item["PackageSize"]),
            barcode=text(item["Barcode"]),
            description=text(item.get("Description")),
            url=f"{self.base_url}/shop/productdetails/{sku}/{item.get('UrlFriendlyName') or ''}",
            image_url=text(item.get("LargeImageFile")),
            price_current=price,
            price_was=was,
            is_on_special=was is not None,
            is_available=bool(item["IsAvailable"]) and price is not None,
            per_unit_price_string=text(item.get("CupString")),
            observed_at=observed_at,
            extra=_extra(item),
        )

    # Stores

    def store_pages(self) -> Iterator[Page]:
        """Ask once for all divisions: supermarkets and two brands of petrol stations."""
        yield Page(
            path="/apis/ui/StoreLocator/Stores",
            params={"Max": 10_000, "Division": "SUPERMARKETS,EG,AMPOL", "Facility": "", "postcode": "*"},
        )

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        for store in body["Stores"]:
            latitude, longitude = position(store.get("Latitude"), store.get("Longitude"))
            closed = any(str(facility).lower().startswith("closed") for facility in store.get("Facilities") or ())
            yield StoreRecord(
                retailer=self.name,
                store_id=sku_text(store["StoreNo"]),
                online_store_id=sku_text(store["StoreNo"]),
                name=text(store["Name"]),
                state=state(store["State"]),
                suburb=text(store.get("Suburb")),
                postcode=postcode(store.get("Postcode")),
                latitude=latitude,
                longitude=longitude,
                division=text(store["Division"]),
                is_supermarket=store["Division"] == "SUPERMARKETS",
                is_trading=bool(store.get("IsOpen", True)) and not closed,
            )


def _products(body: Any) -> Iterator[Any]:
    """Yield the products of a browse answer, or of a search answer (whose list is null without a hit)."""
    bundles = body["Bundles"] if "Bundles" in body else body["Products"]
    for bundle in bundles or ():
        yield from bundle["Products"]


def _is_good(item: Any) -> bool:
    return not item.get("IsSponsoredAd") and not item.get("IsMarketProduct")


def _skipped(node: Any) -> str | None:
    key, slug = node["NodeId"], node["UrlFriendlyName"]
    if node.get("IsSpecial") or key.startswith("specialsgroup") or key.endswith("_SPECIALS"):
        return "specials: a view of other categories"
    if slug == "everyday-market":
        return "third-party sellers"
    if "tobacco" in slug or slug == "front-of-store" or node.get("IsRestricted"):
        return "tobacco: age-gated"
    return None


def _extra(item: Any) -> dict[str, Any]:
    deal = (item.get("CentreTag") or {}).get("MultibuyData") or {}
    found = {
        "sold_by": "KG" if item.get("Unit") == "KG" else None,  # the price is for a kilogram then
        "multi_buy_quantity": deal.get("Quantity"),
        "multi_buy_price_together": deal.get("Price"),
        "departments": _departments((item.get("AdditionalAttributes") or {}).get("piesdepartmentnamesjson")),
    }
    return {name: value for name, value in found.items() if value is not None}


def _departments(names: Any) -> list[str] | None:
    """Return the departments of a product, JSON inside a text; a note for people, so damage costs the note and no page.

    >>> _departments('["Bakery","Lunch Box"]'), _departments("[oops"), _departments(None)
    (['Bakery', 'Lunch Box'], None, None)
    """
    try:
        found = json.loads(names or "[]")
    except (TypeError, ValueError):
        return None
    return found if found and isinstance(found, list) else None
