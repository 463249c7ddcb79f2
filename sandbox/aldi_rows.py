"""Aldi's product objects and facets: cents as int, sizes in the name, no barcode anywhere."""

from __future__ import annotations

from datetime import date
from typing import Any

from sandbox import seeded_random
from sandbox.site import Json, dollar_text, slug, uuid
from sandbox.world import Category, CategoryPath, ShelfOffer, UnitPrice

# The old keys; newer categories have long ones.
_KEYS = {
    "fruits-vegetables": "950000000", "meat-seafood": "940000000", "deli-chilled-meats": "930000000", "dairy-eggs-fridge": "960000000",
    "pantry": "970000000", "bakery": "920000000", "freezer": "980000000", "drinks": "1000000000", "liquor": "1010000000", "pets": "1020000000",
    "baby": "1030000000", "health-beauty": "1040000000", "cleaning-household": "1050000000", "snacks-confectionery": "1588161408332087",
    "front-of-store": "1588161408332092", "lower-prices": "1588161425841179", "super-savers": "1588161426952145", "limited-time-only": "1588161420755352",
}  # fmt: skip
_ASSET = "https://dm.apac.cms.aldi.cx/is/image/aldiprodapac/product/jpg/scaleWidth/{width}/"
_SPECIAL_BUYS = ("Two Person Tent", "Camp Chair", "LED Lantern", "Picnic Rug", "Cooler Bag 30L", "Folding Table", "Pool Noodle", "Kite")


def category_key(path: CategoryPath) -> str:
    """Return the key of a category, stable over time."""
    if len(path) == 1 and slug(path[0]) in _KEYS:
        return _KEYS[slug(path[0])]
    return str(1_111_111_000 + seeded_random.random_int("aldi category", *path) % 888_888)


def product(offer: ShelfOffer) -> Json:
    """Return one product."""
    is_liquor = offer.department == "LIQUOR"
    named = f"{offer.brand_label or ''} {offer.label}"
    cents = offer.price_cents or 0
    was = dollar_text(offer.was_price_cents) if offer.was_price_cents else None
    saved = f"{dollar_text(offer.was_price_cents - cents)} off" if offer.was_price_cents else None
    return {
        "sku": offer.sku,
        "name": offer.label,
        "brandName": offer.brand_label,
        "urlSlugText": slug(named),
        "urlSlugTextAlternatives": [],
        "ageRestriction": 18 if is_liquor else None,
        "alcohol": "14.5 %" if is_liquor else None,
        "discontinued": False,
        "discontinuedNote": None,
        "notForSale": True,
        "notForSaleReason": None,
        "quantityMin": 1,
        "quantityMax": 99,
        "quantityInterval": 1,
        "quantityDefault": 1,
        "quantityUnit": "bt" if is_liquor else ("ea", "pac")[seeded_random.random_int("aldi unit", offer.sku) % 2],
        "weightType": "0",
        "sellingSize": offer.pack,
        "energyClass": None,
        "onSaleDateDisplay": None,
        "onSaleDate": None,
        "isAbstract": False,
        "abstractSku": f"{offer.sku}A" if seeded_random.random_int("aldi abstract", offer.sku) % 4 else f"{int(offer.sku) + 300_000:018d}",
        "isDropship": False,
        "sellingUnitDisplay": None,
        "price": _price(cents, offer.unit_price, was, saved),
        "countryExtensions": None,
        "categories": _categories(offer),
        "assets": [_asset(offer, kind) for kind in ("FR01", "FR02", "IN01")[: 1 + len(offer.sku) % 3]],
        "badges": [],
    }


def special_buy(on_sale_on: date, position: int) -> Json:
    """Return a special buy: announced with its date, in no category, and not part of any shelf's range."""
    number = 700_000 + on_sale_on.toordinal() % 9_000 * 10 + position
    name = _SPECIAL_BUYS[position % len(_SPECIAL_BUYS)]
    offer = ShelfOffer(
        sku=f"{number:018d}", name=name, brand="Winders", size=None, barcode=None, price_cents=1999 + 500 * position, was_price_cents=None,
        is_on_special=False, category_paths=(), label=name, brand_label="WINDERS", pack=None, regular_cents=1999, unit_price=None, piece_grams=None,
        description=None, image_url=None, department="SPECIAL BUYS",
    )  # fmt: skip
    return product(offer) | {
        "onSaleDate": on_sale_on.isoformat(),
        "onSaleDateDisplay": f"On Sale {on_sale_on:%a} {on_sale_on.day} {on_sale_on:%b}",
    }


def _price(cents: int, per: UnitPrice | None, was: str | None, saved: str | None) -> Json:
    measure = {"l": "L", "ea": "each"}.get(per.measure, per.measure) if per else ""
    return {
        "amount": cents,
        "amountRelevant": cents,
        "amountRelevantDisplay": dollar_text(cents),
        "bottleDeposit": 0,
        "bottleDepositDisplay": "$0.00",
        "comparison": per.cents if per else None,
        "comparisonDisplay": f"{dollar_text(per.cents)} per {per.quantity} {measure}" if per else None,
        "currencyCode": "AUD",
        "currencySymbol": "$",
        "perUnit": None,
        "perUnitDisplay": None,
        "wasPriceDisplay": was,
        "additionalInfo": None,
        "savingsDisplay": saved,
        "bottleDepositType": None,
        "feeText": None,
    }


def _categories(offer: ShelfOffer) -> list[Json]:
    """Return one path from the top, although the product may be listed in several."""
    path = offer.category_paths[-1] if offer.category_paths else ()
    steps = [path[: depth + 1] for depth in range(len(path))]
    return [{"id": category_key(step), "name": step[-1], "urlSlugText": "/".join(map(slug, step))} for step in steps]


def _asset(offer: ShelfOffer, kind: str) -> Json:
    url = offer.image_url or f"{_ASSET}{uuid('aldi image', offer.sku, kind)}/{{slug}}"
    return {"url": url, "maxWidth": 1500, "maxHeight": 1500, "mimeType": "image/*", "assetType": kind, "alt": None, "displayName": None}


def facets(root: Category, total: int) -> list[Json]:
    """Return the three facets; their ``docCount`` may exceed the total."""
    count = total + total // 10
    values: dict[str, list[Json]] = {
        "category-tree": [_facet_value(node) for node in root.children],
        "theme": [
            {"key": "1", "docCount": total // 20, "label": "Grocery Specials", "isSelected": None, "thumbnail": None, "children": []}
        ],
        "brand-name": [],
    }
    names = (("category-tree", "Category", "categoryTree"), ("theme", "Theme", "theme"), ("brand-name", "Brand Name", "brandName"))
    return [
        {
            "name": name, "localizedName": text, "docCount": count, "activeValue": [], "config": _facet_config(name, parameter), "stats": None,
            "values": values[name],
        }
        for name, text, parameter in names
    ]  # fmt: skip


def _facet_config(name: str, parameter: str) -> dict[str, Any]:
    tree = name == "category-tree"
    component = {"name": "categoryTree" if tree else "multiSelect", "valueActive": None, "valueInactive": None}
    component_name = "category-tree" if tree else "multi-select"
    return {"parameterName": parameter, "type": "value", "isMultiValue": True, "componentName": component_name, "component": component}


def _facet_value(node: Category) -> Json:
    children = [_facet_value(child) for child in node.children]
    return {
        "key": category_key(node.path),
        "docCount": node.count,
        "label": node.name,
        "isSelected": False,
        "thumbnail": None,
        "children": children,
    }
