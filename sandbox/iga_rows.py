"""IGA's items: dollars as number and text, absent keys instead of null, shop codes as barcodes."""

from __future__ import annotations

import re

from sandbox import seeded_random
from sandbox.site import Json, dollar_text, dollars, uuid
from sandbox.world import CategoryPath, ShelfOffer

_PACK = re.compile(r"(?:(?P<amount>[\d.,]+) ?(?P<unit>kg|g|ml|l))? ?(?P<sell>EachUnit|Each)?", re.IGNORECASE)
_MEASURES = {
    "g": ("g", "Gram", "gram"),
    "kg": ("kg", "Kilogram", "kilogram"),
    "ml": ("ml", "Millilitre", "millilitre"),
    "l": ("l", "Litre", "litre"),
}


def breadcrumb_ids(path: CategoryPath) -> tuple[str, str]:
    """Return ``categoryBreadcrumb`` and ``retailerId`` (the route's identifier) of a category.

    >>> breadcrumb_ids(("Grocery", "Fruit and Vegetable", "Apples & Pears"))[0]
    'Grocery/Fruit and Vegetable/Apples & Pears'
    """
    identifier = re.sub(r"\W+", "_", path[-1]).strip("_")
    # Two categories of one name would share a route: the deeper ones include their parent.
    return "/".join(path), identifier if len(
        path
    ) < 3 else f"{re.sub(r'[^A-Za-z0-9]+', '_', path[-2]).strip('_')}_{identifier}_{seeded_random.random_int(*path) % 1000:03d}"


def item(offer: ShelfOffer) -> Json:
    """Return one item; only ``tpr`` rows have was-price keys."""
    match = _PACK.fullmatch(offer.pack or "")
    amount, unit, sell = (match["amount"], match["unit"], match["sell"]) if match else (None, None, None)
    grams = _grams(amount, unit) if sell == "EachUnit" else None
    # Out of stock, the shelf label stays: only ``available`` changes.
    whole = offer.price_cents if offer.price_cents is not None else offer.regular_cents
    label = _label(offer, whole)
    image = offer.image_url or f"https://cdn.metcash.media/image/upload/w_1500,h_1500,c_pad,b_auto/igashop/images/{offer.sku}.jpg"
    paths = offer.category_paths
    steps = list(dict.fromkeys(path[:depth] for path in paths for depth in range(1, len(path) + 1)))
    found: Json = {
        "attributes": {},
        "available": offer.price_cents is not None,
        "barcode": _barcode(offer),
        "brand": offer.brand_label or "",
        "categories": [_category(step) for step in steps],
        "defaultCategory": [_category(paths[0])] if paths else [],
        "description": offer.description or ("This product is priced and sold by weight.<br />" if grams else ""),
        "image": dict.fromkeys(("cell", "default", "details", "template", "zoom"), image),
        "isFavorite": False,
        "isPastPurchased": False,
        "name": offer.label + (" " if seeded_random.random_int("iga blank", offer.sku) % 13 == 0 else ""),
        "price": _price_text(whole, grams),
        "priceLabel": label,
        "priceNumeric": dollars(_piece(whole, grams)),
        "priceSource": "tpr" if offer.was_price_cents else "regular",
        "productId": offer.sku,
        "sellBy": sell or "Each",
        "shoppingRuleMessages": None,
        "sku": offer.sku,
        "tprPrice": [],
        "unitOfMeasure": _measure_of_price(offer),
        "unitOfPrice": _measure("kg", 1) if grams else _each(),
        "unitOfSize": _measure(unit.lower(), _size(amount)) if unit and amount else _each(),
        "weightIncrement": None,
        "wholePrice": dollars(whole),
    }
    if per := offer.unit_price:
        # Products sold each without a measure have no such key.
        found["pricePerUnit"] = (
            f"{dollar_text(per.cents)} each" if per.measure == "ea" else f"{dollar_text(per.cents)}/{_per(per.quantity, per.measure)}"
        )
    if was := offer.was_price_cents:
        # ``markdown`` is the reduced price, not the reduction.
        reduced = {
            "effectiveFrom": None,
            "effectiveUntil": None,
            "label": label,
            "markdown": dollars(_piece(whole, grams)),
            "wholePrice": dollars(whole),
        }
        found["tprPrice"] = [reduced]
        found |= {"wasPrice": _price_text(was, grams), "wasPriceNumeric": dollars(_piece(was, grams)), "wasWholePrice": dollars(was)}
    return found


def _barcode(offer: ShelfOffer) -> str:
    code = offer.barcode or ""
    # One value may hold two codes: the second is the first with a leading zero.
    return f"{code}, 0{code}" if len(code) == 13 and seeded_random.random_int("iga double", offer.sku) % 150 == 0 else code


def _size(amount: str) -> int | float:
    value = float(amount.replace(",", ""))
    return int(value) if value.is_integer() else value


def _grams(amount: str | None, unit: str | None) -> float | None:
    if amount is None or unit is None:
        return None
    return float(_size(amount)) * (1000 if unit.lower() == "kg" else 1)


def _piece(cents: int, grams: float | None) -> int:
    return max(1, round(cents * grams / 1000)) if grams else cents


def _price_text(cents: int, grams: float | None) -> str:
    return f"{dollar_text(_piece(cents, grams))} avg/ea" if grams else dollar_text(cents)


def _per(quantity: int, measure: str) -> str:
    return measure if quantity == 1 else f"{quantity}{measure}"


def _label(offer: ShelfOffer, now: int) -> str:
    if not offer.was_price_cents:
        return ""
    percent = round((offer.was_price_cents - now) * 100 / offer.was_price_cents)
    if percent == 50:
        return "Half Price"
    return "Better than 1/2 Price" if percent > 50 else "Special" if percent % 5 else f"{percent}% Off"


def _category(path: CategoryPath) -> Json:
    breadcrumb, retailer_id = breadcrumb_ids(path)
    return {"category": path[-1], "categoryBreadcrumb": breadcrumb, "categoryId": uuid("iga category", *path), "retailerId": retailer_id}


def _measure(unit: str, size: float) -> Json:
    abbreviation, label, kind = _MEASURES[unit]
    return {"abbreviation": abbreviation, "label": label, "size": size, "type": kind}


def _each() -> Json:
    return {"abbreviation": "", "label": "Each", "size": 1, "type": "each"}


def _measure_of_price(offer: ShelfOffer) -> Json:
    per = offer.unit_price
    return _measure(per.measure, per.quantity) if per and per.measure in _MEASURES else _each()
