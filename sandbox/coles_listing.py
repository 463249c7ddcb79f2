"""Coles' listing responses: 48 products per page, mixed with advertisements, tiles and repeated rows."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from sandbox import seeded_random
from sandbox.coles_rows import Era, category_id, product_row
from sandbox.site import Json, opaque, slug, uuid
from sandbox.world import Category, Shelf, ShelfOffer

PAGE_SIZE = 48
#: Depth to which a listing is served regardless of its total; larger categories are read through their children.
PAGES_MAX = 104


def search_results(
    shelf: Shelf, skus: Sequence[str], page: int, era: Era, *, keyword: str | None = None, facets: Sequence[Category] = (), ads: bool = True
) -> Json:
    """Return the ``searchResults`` object of one page.

    Args:
        page: zero-based, as ``start`` in the response.
        facets: the subcategories of the listed one.
        ads: whether tiles, sponsored and associated rows are mixed in.
    """
    served = skus[page * PAGE_SIZE : (page + 1) * PAGE_SIZE] if page < PAGES_MAX else []
    offers = [offer for sku in served if (offer := shelf.offer(sku))]
    rows = [product_row(offer, era, sibling=offers[position - 1] if position else None) for position, offer in enumerate(offers)]
    if ads and rows:
        _mix_in_ads(rows, shelf, skus, page, era)
    envelope: Json = {
        "didYouMean": None,
        "noOfResults": len(skus),
        "start": page,
        "pageSize": PAGE_SIZE if offers else 0,
        "keyword": keyword,
        "resultType": 1,
        "searchUid": uuid("search", keyword, page) if era == "rest" else None,
        "alternateResult": False,
        "filters": _filters(offers, len(skus), era),
        "banners": [_banner(offers[0], era)] if ads and offers and page == 0 else [],
        "adMemoryToken": opaque("ad memory", page),
        "pageRestrictions": {"tobaccoProducts": False, "restrictedByOrganisationProducts": False},
        "results": rows,
        "catalogGroupView": [_facet(node) for node in facets],
        "excludedCatalogGroupView": {"productCount": 0},
    }
    if era == "rest":
        envelope["asmGuestId"] = opaque("guest")
    return envelope


def _mix_in_ads(rows: list[Json], shelf: Shelf, skus: Sequence[str], page: int, era: Era) -> None:
    """Insert the rows the site adds to the 48: repeated products (some twice on one page), tiles, associations."""
    sponsored = [seeded_random.pick(skus, "sponsored", len(skus), position) for position in range(min(5, len(skus) // 8))]
    if page % 3 == 1:
        sponsored += sponsored[:1]  # an exact duplicate
    for position, sku in enumerate(sponsored):
        offer = shelf.offer(sku)
        if offer:
            rows.insert(
                min(len(rows), 2 + 7 * position), product_row(offer, era, ad=(f"display_{opaque('ad', sku, position % 5)}", "citrus"))
            )
    for position in range(1 + (page + len(skus)) % 5):
        rows.insert(min(len(rows), 5 + 9 * position), _tile(skus, page, position, era))
    if (page + len(skus)) % 4 == 2:
        content = _tile(skus, page, 9, era) | {"_type": "CONTENT_ASSOCIATION", "targetProductId": int(skus[0])}
        rows.insert(min(len(rows), 11), {key: value for key, value in content.items() if key != "productIds"})
    if era == "rest" and (offer := shelf.offer(skus[-1 - page % len(skus)])):
        rows.append(product_row(offer, era) | {"_type": "PRODUCT_ASSOCIATION", "targetProductId": int(skus[0])})


def _tile(skus: Sequence[str], page: int, position: int, era: Era) -> Json:
    # The tiles of one source have no colours and no heading; all tiles of REST are like that.
    is_plain = era == "rest" or position % 2 == 0
    tile: Json = {
        "_type": "SINGLE_TILE",
        "adId": f"campaigns_aisle_tile_{page}_{position}",
        "adSource": "aem" if position % 2 == 0 else "citrus",
        "campaignName": f"/content/fragment/supplier-media/{page}-{position}",
        "expiry": None if is_plain else "2026-11-30T22:48:12.712671Z",
        "headingText": None if is_plain else "Single tile ad",
        "bannerText": "Everything for a Sunday lunch",
        "bannerTextColour": None if is_plain else "ffffff",
        "ctaFlag": None if is_plain else True,
        "ctaText": "Shop now",
        "ctaTextAccessibility": None if era == "rest" else "Shop the range",
        "ctaLink": f"/promotions/sunday-lunch?pid=campaigns_aisle_tile_{page}_{position}",
        "backgroundColour": None if is_plain else "ffffff",
        "backgroundImage": "/content/dam/tiles/sunday-lunch.png",
        "backgroundImagePosition": None if is_plain else "fill",
        "secondaryBackgroundImage": None,
        "secondaryBackgroundImagePosition": None,
        "heroImage": "/content/dam/tiles/hero.png" if position % 2 or era == "rest" else None,
        "heroImageAltText": "Half-price roundel" if position % 2 or era == "rest" else None,
        "secondaryHeroImage": None,
        "secondaryHeroImageAltText": None,
        # Strings here, numbers in the rows; some with a trailing blank.
        "productIds": [sku + (" " if position % 3 == 2 else "") for sku in skus[:4]],
        "additionalFields": [{"id": "description", "value": "Specials change every week."}, {"id": "singleTileTheme", "value": "dark"}],
    }
    return tile | ({"mbox": "cta-tile-first-shop-search-0209"} if era == "rest" else {})


def _banner(offer: ShelfOffer, era: Era) -> Json:
    banner: Json = {
        "_type": "STANDARD_BANNER",
        "adId": "search_ctabanner_supplier_1",
        "adSource": "aem",
        "bannerText": f"More from {offer.brand_label or 'the market'}",
        "ctaText": "Shop now",
        "ctaLink": "/promotions/more?pid=search_ctabanner_supplier_1",
        "productIds": [offer.sku],
    }
    if era == "rest":
        return banner
    looks = {"bannerTextColour": "ffffff", "ctaFlag": True, "backgroundColour": "2A5135", "backgroundImagePosition": "fill"}
    texts = {
        "campaignName": "Aisle_Banner",
        "expiry": "2026-11-30T22:48:12.712671Z",
        "headingText": "More of it",
        "ctaTextAccessibility": "Shop the range",
    }
    images = {
        "backgroundImage": "/content/dam/banners/back.png",
        "heroImage": "/content/dam/banners/hero.png",
        "heroImageAltText": "The range",
    }
    return banner | looks | texts | images | {"additionalFields": [{"id": "theme", "value": "light"}]}


def _filters(offers: Sequence[ShelfOffer], total: int, era: Era) -> list[Json]:
    brands: dict[str, int] = {}
    for offer in offers:
        if offer.brand_label:
            brands[offer.brand_label] = brands.get(offer.brand_label, 0) + 1
    found = {
        "Brand": [(str(seeded_random.random_int("brand", name) % 2**32), name, count) for name, count in sorted(brands.items())],
        "Allergen": [("9", "Gluten Free", total // 7)],
        "Dietary": [("1030", "GMO Free", total // 9)],
        "Special": [("allspecials", "All specials", total // 4), ("halfprice", "Half Price", total // 15)],
    }
    if era == "rest":
        found["BoughtBefore"] = []
    filters: list[Json] = [
        {"name": name, "values": [{"id": key, "displayText": text, "count": count} for key, text, count in values]}
        for name, values in found.items()
    ]
    if era == "rest":
        filters[-1]["values"] = [{"id": None, "displayText": "all", "count": 0}]
    elif named := filters[0]["values"]:  # one in about a hundred on record
        named[-1]["brand"] = named[-1]["displayText"]
    return filters


def _facet(node: Category) -> Json:
    return category_node(node) | {"catalogGroupView": None}


def category_node(node: Category) -> Json:
    """Return the keys common to all category formats."""
    return {
        "level": len(node.path),
        "name": node.name,
        "originalName": node.name + (" " if node.name == "Down Down" else ""),
        "seoToken": slug(node.name),
        "id": category_id(node.path),
        "productCount": node.count,
    }


def category_tree(root: Category) -> list[Json]:
    """Return the tree in the format of GraphQL and the browse page; leaves have no ``catalogGroupView``."""
    found = []
    for node in root.children:
        entry = category_node(node) | {"type": "CATALOG", "subType": "CORE"}
        if node.children:
            entry["catalogGroupView"] = category_tree(node)
        found.append(entry)
    return found


def menu_items(root: Category) -> list[Json]:
    """Return the tree in the format of GraphQL ``menuItems``."""
    return [category_node(node) | {"type": "CATALOG", "subType": "CORE", "childItems": menu_items(node)} for node in root.children]


def find_category(root: Category, slugs: Sequence[str]) -> Category | None:
    """Resolve slugs from the top: ``["dairy-eggs-fridge", "milk"]``; ``None`` if there is no such category."""
    node: Category | None = root
    for wanted in slugs:
        node = next((child for child in node.children if slug(child.name) == wanted), None) if node else None
    return node


def pages(skus: Sequence[str]) -> int:
    """Return the number of pages of a listing.

    >>> pages(["1"] * 97)
    3
    """
    return ceil(len(skus) / PAGE_SIZE)
