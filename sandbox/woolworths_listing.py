"""Woolworths' category tree, and the frame of a listing page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sandbox import seeded_random
from sandbox.site import Json, slug
from sandbox.woolworths_rows import node_id
from sandbox.world import Category, Shelf

SPECIALS = "specialsgroup"
HALF_PRICE = "specialsgroup.3676"
#: Recent categories, whose next pages are likely requested soon.
_LISTINGS_KEPT = 64
#: Parent id of the departments; not itself a node of the tree.
ROOT = "1-4A3B264C"


@lru_cache(_LISTINGS_KEPT)
def listing(shelf: Shelf, wanted: str, order: str, *, hides_unavailable: bool) -> tuple[str, Sequence[str]]:
    """Return name and SKUs of a category in the requested order; none for a slug instead of a NodeId."""
    title, skus = select(shelf, wanted)
    if hides_unavailable:
        skus = [sku for sku in skus if (offer := shelf.offer(sku)) and offer.price_cents is not None]
    return title, in_order(shelf, skus, order)


def select(shelf: Shelf, wanted: str) -> tuple[str, list[str]]:
    """Return name and SKUs of a category; none for a slug instead of a NodeId."""
    if wanted in (SPECIALS, HALF_PRICE):
        special = [offer for offer in shelf.offers() if offer.is_on_special and offer.price_cents and offer.was_price_cents]
        half = [offer.sku for offer in special if (offer.price_cents or 0) * 2 <= (offer.was_price_cents or 0)]
        return "Specials", half if wanted == HALF_PRICE else [offer.sku for offer in special]
    for node in shelf.tree.walk():
        if node_id(node.path) == wanted:
            return node.name, list(shelf.skus(node.path))
    return "", []


def in_order(shelf: Shelf, skus: list[str], order: str) -> list[str]:
    """Return the SKUs in the order of a ``sortType``; relevance is the shelf's order."""

    def price(sku: str) -> int:
        offer = shelf.offer(sku)
        return (offer.price_cents if offer else None) or 0

    def name(sku: str) -> str:
        offer = shelf.offer(sku)
        return offer.label if offer else ""

    if order in ("PriceAsc", "PriceDesc"):
        return sorted(skus, key=price, reverse=order == "PriceDesc")
    return sorted(skus, key=name) if order == "Name" else skus


def shows_market_products(wanted: str, hidden: bool) -> bool:
    """Return whether a category shows a market product, hidden or not."""
    # The server once ignored the filter: some categories show a market product nevertheless.
    return not hidden or seeded_random.random_share("market leak", wanted) < 0.15


def envelope(bundles: list[Json], total: int, title: str) -> Json:
    """Return the response of a category page."""
    brands = sorted({brand for row in bundles if (brand := row["Products"][0]["Brand"])})
    return {
        "SeoMetaTags": {"Title": f"{title} | Woolworths", "MetaDescription": f"Shop online for {title}.", "Groups": []},
        "Bundles": bundles,
        "TotalRecordCount": total,
        "UpperDynamicContent": None,
        "LowerDynamicContent": None,
        "RichRelevancePlacement": {"placement_name": None, "message": None, "Products": [], "Items": [], "StockcodesForDiscover": []},
        "Aggregations": aggregations(total, brands),
        "HasRewardsCard": True,
        "HasTobaccoItems": False,
        "Success": True,
    }


def aggregations(total: int, brands: Sequence[str] = ()) -> list[Json]:
    """Return the facets: the first is ``SoldBy``, the second groups the brands of the page by their initial."""
    sold_by = _choice("Woolworths", total) | {"Statement": "Items sold and shipped by Woolworths"}
    initials = sorted({brand[0].upper() for brand in brands})
    grouped = [
        {"Alphabet": initial, "Filters": [_choice(brand, 1) for brand in brands if brand[0].upper() == initial]} for initial in initials
    ]
    frame: Json = {
        "Type": "Multi", "FilterType": "Term", "FilterDataType": "String", "State": "Closed", "AdditionalResults": False, "DesignType": "Default",
        "ShowFilter": True, "DisplayCoachMarks": False,
    }  # fmt: skip
    first = {"Name": "SoldBy", "DisplayName": "Sold By", "Rank": 1, "Results": [sold_by], "ResultsGrouped": None, "DisplayIcons": True}
    second = {"Name": "Brand", "DisplayName": "Brand", "Rank": 2, "Results": None, "ResultsGrouped": grouped, "DisplayIcons": False}
    return [
        frame | first | {"Statement": "<div>Everyday Market items are sold by our partners.</div>"},
        frame | second | {"Statement": None},
    ]


def _choice(name: str, count: int) -> Json:
    return {
        "Name": name, "Term": name, "ExtraOutputFields": {}, "Min": None, "Max": None, "Applied": False, "Count": count, "Statement": None,
        "DisplayCoachMarks": False,
    }  # fmt: skip


def nodes(parent: Category, parent_id: str | None) -> list[Json]:
    """Return the category nodes below one, recursively."""
    found = []
    for position, child in enumerate(parent.children):
        entry = node(node_id(child.path), child.name, len(child.path), parent_id, position + 4)
        entry["Children"] = nodes(child, entry["NodeId"])
        found.append(entry)
    return found


def node(key: str, name: str, level: int, parent: str | None, order: int, *, special: bool = False, restricted: bool = False) -> Json:
    """Return one category node; ``ProductCount`` is always 0 in the tree."""
    return {
        "NodeId": key, "Description": name, "NodeLevel": level, "ParentNodeId": parent, "DisplayOrder": order, "IsRestricted": restricted,
        "ProductCount": 0, "IsSortEnabled": True, "IsPaginationEnabled": True, "UrlFriendlyName": slug(name),
        "IsSpecial": special, "RichRelevanceId": None, "IsBundle": False, "Children": [],
    }  # fmt: skip
