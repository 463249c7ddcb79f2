"""Aldi: shelf prices of walk-in stores from the product search behind the website.

Source : plain JSON, 60 products a page, no cookie, no barcode anywhere
Politeness: protected by Akamai (HTML 403 possible); the store is ``servicePoint`` in each request
Quirks : cents; SKU of 18 digits with zeros; ``notForSale`` is true for every shelf product and is ignored;
         special buys are listed before their day; errors may come with status 200; some listed stores return nothing;
         loose produce has the price per kilogram and a size "approx. … per piece"; no brand on one row in sixteen
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from include.clock import zone_of
from include.model.offer import Offer
from include.model.store import StoreRecord, StoreRef
from include.retailers.base import Category, OfferRow, Page, Retailer, RetailerUnitPrice, Row, SkippedRow, key_paths
from include.retailers.errors import ErrorResponse
from include.retailers.fields import announced, as_number, number, quoted, required_text, sku_text, state_name, store_name, text, was_price
from include.wording.places import position, state_and_postcode

#: The largest of the seven page sizes that the site accepts (others: error 3731).
PAGE_SIZE = 60
SHOP_URL = "https://www.aldi.com.au"
_DOLLARS = re.compile(r"\$\s*([\d,]+\.\d\d)")
_PROMOTIONAL = ("lower-prices", "super-savers", "limited-time-only", "front-of-store", "christmas", "special-buys")


class Aldi(Retailer):
    """See the module's docstring."""

    name = "aldi"
    base_url = "https://api.aldi.com.au"
    version = "2"
    expected_shape = key_paths(
        "sku name brandName sellingSize onSaleDate categories categories.name "
        "price price.amount price.comparison price.comparisonDisplay price.wasPriceDisplay"
    )

    def request_store_id(self, store: StoreRef) -> str:
        return store.online_store_id or store.store_id

    # Categories

    def tree_page(self, store: StoreRef) -> Page:
        return Page(path="/v2/product-category-tree", params={"serviceType": "walk-in", "servicePoint": self.request_store_id(store)})

    def categories(self, body: Any) -> Iterator[Category]:
        """Yield the leaves of the tree."""
        for node in _checked(body)["data"]:
            yield from self._leaves(node, (), is_promotional=any(word in (node.get("urlSlugText") or "") for word in _PROMOTIONAL))

    def _leaves(self, node: Any, above: tuple[str, ...], is_promotional: bool) -> Iterator[Category]:
        path = (*above, required_text(node, "name"))
        for child in node.get("children") or ():
            yield from self._leaves(child, path, is_promotional)
        if not node.get("children"):
            yield Category(key=sku_text(node["key"]), path=path, is_promotional=is_promotional)

    # Listings

    def first_page(self, store: StoreRef, category: Category) -> Page:
        params = {"currency": "AUD", "serviceType": "walk-in", "servicePoint": self.request_store_id(store), "categoryKey": category.key}
        return Page(path="/v3/product-search", params=params | {"limit": PAGE_SIZE, "offset": 0, "sort": "name_asc"})

    def next_page(self, page: Page, body: Any) -> Page | None:
        after = int(str(page.params["offset"])) + body["meta"]["pagination"]["limit"]
        return page.next(offset=after) if body["data"] and after < body["meta"]["pagination"]["totalCount"] else None

    def total(self, body: Any) -> int | None:
        return announced(_checked(body)["meta"]["pagination"], "totalCount")

    def products(self, body: Any) -> Iterator[Mapping[str, Any]]:
        yield from _checked(body)["data"]

    def rows(self, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        today = observed_at.astimezone(zone_of(store.state)).date()
        for item in self.products(body):
            on_sale_on = item.get("onSaleDate")
            if item.get("isAbstract"):
                yield SkippedRow("parent of variants", sku_text(item["sku"]))
            elif on_sale_on and date.fromisoformat(on_sale_on[:10]) > today:
                yield SkippedRow("special buy before its day", sku_text(item["sku"]))
            else:
                yield OfferRow(self._offer(item, observed_at), unit=_unit(item))

    def _offer(self, item: Any, observed_at: datetime) -> Offer:
        sku, slug, price_block = sku_text(item["sku"]), item.get("urlSlugText") or "", item["price"]
        price = _from_cents(number(price_block, "amount"))
        was = was_price(price, _from_text(price_block.get("wasPriceDisplay")))
        return Offer(
            sku=sku,
            name=required_text(item, "name"),
            brand=text(item["brandName"]),
            size=text(item["sellingSize"]),
            url=f"{SHOP_URL}/product/{slug}-{sku}",
            image_url=_image(item.get("assets") or (), slug),
            category_path=tuple(filter(None, (text(category.get("name")) for category in item.get("categories") or ()))),
            price_current=price,
            price_was=was,
            price_basis="kg" if _is_priced_by_weight(item) else "each",
            is_on_special=was is not None,
            is_available=price is not None and not item.get("discontinued"),
            per_unit_price_string=text(price_block.get("comparisonDisplay")),
            observed_at=observed_at,
            extra=_extra(item),
        )

    # Stores

    def store_pages(self) -> Iterator[Page]:
        yield Page(path="/v2/service-points", params={"serviceType": "walk-in", "limit": PAGE_SIZE, "offset": 0})

    def next_store_pages(self, page: Page, body: Any) -> Iterable[Page]:
        paging = _checked(body)["meta"]["pagination"]
        after = paging["offset"] + len(body["data"])
        return [page.next(offset=after)] if body["data"] and after < paging["totalCount"] else []

    def stores(self, body: Any) -> Iterator[StoreRecord]:
        for store in _checked(body)["data"]:
            address = store.get("address") or {}
            latitude, longitude = position(address.get("latitude"), address.get("longitude"))
            state, postcode = state_and_postcode(state_name(address.get("regionName")), address.get("zipCode"))
            yield StoreRecord(
                retailer=self.name,
                store_id=sku_text(store["id"]),
                online_store_id=sku_text(store["id"]),
                name=store_name(store.get("name"), self.title if text(address.get("city")) else None, text(address.get("city"))),
                state=state,
                suburb=text(address.get("city")),
                postcode=postcode,
                latitude=latitude,
                longitude=longitude,
            )


def _checked(body: Any) -> Any:
    """Refuse a response that reports errors, regardless of its status.

    Raises:
        ErrorResponse: with the site's own code and message.
    """
    if errors := body.get("errors"):
        first = errors[0]
        raise ErrorResponse(
            f"aldi: the site returns error {first.get('code')!s:.80} {quoted(first.get('message'))}. "
            "Compare the parameters in include/retailers/aldi.py with the site's own."
        )
    return body


def _is_priced_by_weight(item: Any) -> bool:
    """Whether the price is per kilogram: loose produce, whose size is that of an average piece.

    >>> _is_priced_by_weight({"sellingSize": "approx. 0.17 kg per piece", "price": {"amount": 499, "comparison": 499}})
    True
    >>> _is_priced_by_weight({"sellingSize": "approx. 0.17 kg per piece", "price": {"amount": 85, "comparison": 499}})
    False
    """
    price = item["price"]
    is_about = (text(item.get("sellingSize")) or "").lower().startswith("approx")
    return is_about and price.get("comparison") is not None and price.get("comparison") == price["amount"]


def _unit(item: Any) -> RetailerUnitPrice:
    amount = _from_cents(as_number(item["price"].get("comparison"), "comparison"))
    return RetailerUnitPrice(amount=amount, size="1kg" if _is_priced_by_weight(item) else None)


def _extra(item: Any) -> dict[str, Any]:
    found = {"on_sale_on": text(item.get("onSaleDate"))}
    return {name: value for name, value in found.items() if value is not None}


def _from_cents(cents: Decimal | None) -> Decimal | None:
    """Return cents as dollars, exactly.

    >>> _from_cents(Decimal(519))
    Decimal('5.19')
    """
    return None if cents is None else cents.scaleb(-2)


def _from_text(display: Any) -> Decimal | None:
    """Return the dollars of a price text.

    >>> _from_text("$1,299.00"), _from_text("was $5.19"), _from_text(None)
    (Decimal('1299.00'), Decimal('5.19'), None)
    """
    found = _DOLLARS.search(text(display) or "")
    return Decimal(found[1].replace(",", "")) if found else None


def _image(assets: Any, slug: str) -> str | None:
    return assets[0]["url"].replace("{width}", "500").replace("{slug}", slug) if assets else None
