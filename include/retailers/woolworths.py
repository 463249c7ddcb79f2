"""Woolworths: shelf offers from the web shop's category listing.

Source : JSON listing, 36 rows a page (more fails), advertisements included; the tree also contains the specials
Politeness: a GET of the home page first, for its cookies; a refusal (Akamai) is a 403 page "Access Denied"
Quirks : pages past the end contain advertisements, never an empty list; ``WasPrice`` equals ``Price`` without a
         reduction; ``Price`` null = not available; market products (third-party sellers) are mixed in; the store is chosen
         in the body and not returned; a slug in place of a NodeId returns 200 and an empty list; tobacco returns 401; only
         the first 10,000 products of a listing are available; products in ``KG`` have the price per kilogram
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from include.model.offer import Offer
from include.model.store import StoreRecord, StoreRef
from include.retailers.barcode_source import Answers, BarcodeSource, ProductAnswer
from include.retailers.base import Category, OfferRow, Page, Retailer, RetailerUnitPrice, Row, SkippedRow, key_paths
from include.retailers.errors import ErrorResponse, UnexpectedType
from include.retailers.fields import (
    announced,
    as_number,
    multi_buy,
    number,
    required_text,
    sku_text,
    state_name,
    store_name,
    text,
    was_price,
)
from include.wording.places import position, state_and_postcode

PAGE_SIZE = 36

LISTING_MAX = 10_000
#: Maximum products of one listing; only categories with many third-party products are larger.
#: Departments that repeat products of others for a season or an occasion: walked last.
_PROMOTIONAL = ("lunch-box", "dinner", "big-night-in", "christmas", "easter", "bonus-credits", "finals", "gift-ideas", "back-to-school")


class Woolworths(Retailer):
    """See the module's docstring."""

    name = "woolworths"
    base_url = "https://www.woolworths.com.au"
    session_page = Page(path="/", accept="text")
    version = "2"
    expected_shape = key_paths(
        "Stockcode Barcode Name Brand PackageSize Unit Price WasPrice CupString CupMeasure IsAvailable IsSponsoredAd IsMarketProduct"
    )

    def request_store_id(self, store: StoreRef) -> str:
        return store.online_store_id or store.store_id

    # Categories

    def tree_page(self, store: StoreRef) -> Page:
        return Page(path="/apis/ui/PiesCategoriesWithSpecials", params={"storeId": self.request_store_id(store)})

    def categories(self, body: Any) -> Iterator[Category]:
        """Yield the leaves: only a leaf contains a product's category."""
        for node in body["Categories"]:
            slug = node["UrlFriendlyName"]
            yield from self._leaves(node, (), is_promotional=any(word in slug for word in _PROMOTIONAL))

    def _leaves(self, node: Any, above: tuple[str, ...], is_promotional: bool) -> Iterator[Category]:
        path = (*above, required_text(node, "Description"))
        if node["NodeId"] == node["UrlFriendlyName"]:  # requested by its slug, a category returns 200 and an empty list
            raise UnexpectedType(f"field 'NodeId' is the slug {node['NodeId']!r}, the site's own id of the category was expected")
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
            "storeId": self.request_store_id(store),
        }
        return Page(method="POST", path="/apis/ui/browse/category", json=asked)

    def next_page(self, page: Page, body: Any) -> Page | None:
        if not any(map(_is_good, self.products(body))) or page.number * PAGE_SIZE >= LISTING_MAX:
            return None
        asked = {**(page.json or {}), "pageNumber": page.number + 1}
        return replace(page, json=asked, number=page.number + 1)

    def total(self, body: Any) -> int | None:
        return announced(body, "SearchResultsCount" if "SearchResultsCount" in body else "TotalRecordCount")

    def products(self, body: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the products of a browse response, or of a search response (whose list is null without a match)."""
        for bundle in _checked(body)["Products" if "Products" in body else "Bundles"] or ():
            yield from bundle["Products"]

    def rows(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        for item in self.products(body):
            if item.get("IsMarketProduct"):  # hidden by the request, but sometimes returned
                yield SkippedRow("market product", sku_text(item["Stockcode"]))
            else:
                yield OfferRow(self._offer(item, observed_at), bool(item.get("IsSponsoredAd")), _unit(item))

    def _offer(self, item: Any, observed_at: datetime) -> Offer:
        sku, price = sku_text(item["Stockcode"]), number(item, "Price")
        was = was_price(price, number(item, "WasPrice"))
        deal = (item.get("CentreTag") or {}).get("MultibuyData") or {}
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
            price_basis="kg" if item.get("Unit") == "KG" else "each",
            multi_buy=multi_buy(deal.get("Quantity"), deal.get("Price")),
            is_on_special=was is not None,
            is_available=bool(item["IsAvailable"]) and price is not None,
            per_unit_price_string=text(item.get("CupString")),
            observed_at=observed_at,
            extra=_extra(item),
        )

    # Barcodes

    def barcode_sources(self) -> Sequence[BarcodeSource]:
        """Return the product's structured data: a second source for SKUs whose listing has no usable barcode."""
        return (BarcodeSource("woolworths_schemaorg", 1, _product_page, _read_product, unknown_status=404, asks_store=False),)

    # Stores

    def store_pages(self) -> Iterator[Page]:
        """Request all divisions at once: supermarkets and two brands of petrol stations."""
        yield Page(
            path="/apis/ui/StoreLocator/Stores",
            params={"Max": 10_000, "Division": "SUPERMARKETS,EG,AMPOL", "Facility": "", "postcode": "*"},
        )

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        """Yield the stores of the locator's response, or the one of a store's detail."""
        for store in [body] if "StoreNo" in body else body["Stores"]:
            latitude, longitude = position(store.get("Latitude"), store.get("Longitude"))
            state, postcode = state_and_postcode(state_name(store["State"]), store.get("Postcode"))
            yield StoreRecord(
                retailer=self.name,
                store_id=sku_text(store["StoreNo"]),
                online_store_id=sku_text(store["StoreNo"]),
                name=store_name(store["Name"], None, text(store.get("Suburb"))),
                state=state,
                suburb=text(store.get("Suburb")),
                postcode=postcode,
                latitude=latitude,
                longitude=longitude,
                division=text(store["Division"]),
                is_supermarket=store["Division"] == "SUPERMARKETS",
                is_trading=_is_trading(store),
            )


def _checked(body: Any) -> Any:
    """Refuse a response that reports a failure in its body, regardless of its status.

    Raises:
        ErrorResponse: ``Success`` is false.
    """
    if body.get("Success") is False:
        raise ErrorResponse(
            "woolworths: the site returns Success false. Compare the request in include/retailers/woolworths.py with the site's own."
        )
    return body


def _is_trading(store: Any) -> bool:
    """Whether a store trades at all: ``IsOpen`` may refer to this hour, so facilities and the week's hours have precedence.

    >>> _is_trading({"IsOpen": True, "Facilities": ["Closed due to bushfires"]}), _is_trading({"IsOpen": False})
    (False, False)
    >>> _is_trading({"IsOpen": False, "TradingHours": [{"OpenHour": "Closed"}, {"OpenHour": "7:00 AM - 10:00 PM"}]})
    True
    >>> _is_trading({"IsOpen": True, "TradingHours": [{"OpenHour": "Closed"}] * 7})
    False
    """
    if any(str(facility).strip().lower().startswith("closed") for facility in store.get("Facilities") or ()):
        return False
    hours = [str(day.get("OpenHour") or "").strip().lower() for day in store.get("TradingHours") or ()]
    return any(hour and hour != "closed" for hour in hours) if any(hours) else bool(store.get("IsOpen", True))


def _unit(item: Any) -> RetailerUnitPrice:
    """Return number and measure of the unit price; the price of products in KG is per kilogram, regardless of the pack."""
    return RetailerUnitPrice(
        amount=as_number(item.get("CupPrice"), "CupPrice"),
        per=text(item.get("CupMeasure")),
        size="1kg" if item.get("Unit") == "KG" else None,
    )


def _product_page(skus: Sequence[str], store: StoreRef) -> Page:
    (sku,) = skus
    return Page(path=f"/api/v3/ui/schemaorg/product/{quote(sku, safe='')}")


def _read_product(body: Any, skus: Sequence[str]) -> Answers:
    (sku,) = skus
    brand = (body.get("brand") or {}).get("name")
    answer = ProductAnswer((required_text(body, "name"), text(brand), None), text(body["gtin13"]))
    return Answers({sku: answer} if sku_text(body["sku"]) == sku else {})


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
    found = {
        "departments": _departments((item.get("AdditionalAttributes") or {}).get("piesdepartmentnamesjson")),
    }
    return {name: value for name, value in found.items() if value is not None}


def _departments(names: Any) -> list[str] | None:
    """Return the departments of a product, JSON inside a text; informational only, so invalid JSON is ignored.

    >>> _departments('["Bakery","Lunch Box"]'), _departments("[oops"), _departments(None)
    (['Bakery', 'Lunch Box'], None, None)
    """
    try:
        found = json.loads(names or "[]")
    except (TypeError, ValueError):
        return None
    return found if found and isinstance(found, list) else None
