"""One product row of Coles, in all formats since 2023: HTML and Next.js (2023-2025), REST (2025-2026).

What drifted: ``comparable`` (``$25.00 per 1kg`` became ``$8.42/ 1L``), the weight of a piece (170 ``g`` became 0.17 ``kg``, both with
a price for the kilogram), the absence of a was-price (0 or null), ``isWeighted`` (may be missing).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from include.model.offer import MultiBuy, Offer
from include.retailers.base import RetailerUnitPrice
from include.retailers.fields import as_number, multi_buy, number, required_text, sku_text, text, was_price
from include.wording.size_units import Dimension, base_units

_CENT = Decimal("0.01")
#: Departments that repeat products of others. They are walked last: a few products are listed only there.
PROMOTIONAL = re.compile(r"down-down|bonus-|christmas|seasonal|big-night-in|back-to-school|front-of-store|easter")


def offer_of(item: Any, observed_at: datetime, site: str, assets: str) -> Offer:
    """Read a product row.

    Args:
        site: address of the web shop, for the product's page.
        assets: address of its images.
    """
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
        url=f"{site}/product/{_slug(name)}-{sku}",
        image_url=f"{assets}{images[0]['uri']}" if images else None,
        category_path=paths[0] if paths else (),
        price_current=price,
        price_was=was,
        multi_buy=_multi_buy(pricing or {}),
        is_on_special=was is not None,
        is_available=bool(item["availability"]) and price is not None,
        per_unit_price_string=text((pricing or {}).get("comparable")),
        observed_at=observed_at,
        extra=_extra(pricing or {}, paths),
    )


def unit_of(item: Any) -> RetailerUnitPrice | None:
    """Return the unit price data: the measure of the number is wrong in many rows, so only its amount is used."""
    unit = (item["pricing"] or {}).get("unit")
    if not unit:
        return None
    weight = _average_weight_kg(unit)
    return RetailerUnitPrice(amount=as_number(unit.get("price"), "price"), size=None if weight is None else f"{weight}kg")


def is_sponsored(item: Any) -> bool:
    """Whether a product row is an advertisement: it is not part of the listing's total."""
    return bool(item.get("adId") or item.get("adSource"))


def _average_weight_kg(unit: Mapping[str, Any]) -> Decimal | None:
    """Return the weight of a piece of a weighed product, ``None`` for packaged ones.

    >>> _average_weight_kg({"isWeighted": True, "quantity": 170, "ofMeasureUnits": "g"})
    Decimal('0.170')
    >>> _average_weight_kg({"isWeighted": True, "quantity": Decimal("0.17"), "ofMeasureUnits": "kg"})
    Decimal('0.17')
    """
    quantity = as_number(unit.get("quantity"), "quantity")
    measure = base_units((text(unit.get("ofMeasureUnits")) or "").lower())
    if not unit.get("isWeighted") or not quantity or measure is None or measure[0] is not Dimension.MASS:
        return None
    return quantity if measure[1] == 1000 else quantity * measure[1].scaleb(-3)


def _slug(name: str) -> str:
    """Return a product's name as in Coles' URLs: without punctuation, with hyphens for blanks.

    >>> _slug("I'm Free From Crème & Co")
    'im-free-from-creme-co'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[\s-]+", "-", re.sub(r"[^a-z0-9\s-]", "", plain)).strip("-")


def _paths(heirs: Iterable[Any]) -> list[tuple[str, ...]]:
    """Return the category paths of a product, promotional ones last; names are shifted: ``subCategory`` is the top."""
    paths = [tuple(filter(None, map(text, (heir.get("subCategory"), heir.get("category"), heir.get("aisle"))))) for heir in heirs]
    return sorted(filter(None, paths), key=lambda path: bool(PROMOTIONAL.search(path[0].lower().replace(" ", "-"))))


_TOGETHER = re.compile(r"(?:pick any|buy|any)?\s*(\d+) for \$(\d+(?:\.\d\d)?)", re.IGNORECASE)


def _multi_buy(pricing: Any) -> MultiBuy | None:
    """Return the multi-buy offer: ``reward`` is a rounded price per item, the exact price of all is in the text beside it.

    >>> deal = {"minQuantity": 3, "reward": Decimal("3.33")}
    >>> _multi_buy({"multiBuyPromotion": deal, "offerDescription": "Pick any 3 for $10"}), _multi_buy({"multiBuyPromotion": deal}), _multi_buy({})
    (MultiBuy(quantity=3, price=Decimal('10.00')), MultiBuy(quantity=3, price=Decimal('9.99')), None)
    """
    deal = pricing.get("multiBuyPromotion") or {}
    quantity, each = as_number(deal.get("minQuantity"), "minQuantity"), as_number(deal.get("reward"), "reward")
    if quantity is None or each is None:
        return None
    printed = _TOGETHER.fullmatch(text(pricing.get("offerDescription")) or "")
    together = Decimal(printed[2]) if printed and int(printed[1]) == quantity else None
    is_the_same = together is not None and abs(together - each * quantity) <= quantity * _CENT
    return multi_buy(deal["minQuantity"], together if is_the_same else each * quantity)


def _extra(pricing: Any, paths: list[tuple[str, ...]]) -> dict[str, Any]:
    deal = pricing.get("multiBuyPromotion") or {}
    found = {
        "promotion": text(pricing.get("promotionType")),
        "promotion_text": text(pricing.get("offerDescription") or pricing.get("priceDescription")),
        "multi_buy_id": text(deal.get("id")),  # one offer over several products
        "average_weight_kg": _average_weight_kg(pricing.get("unit") or {}),
        "category_paths": [list(path) for path in paths] if len(paths) > 1 else None,
    }
    return {name: value for name, value in found.items() if value is not None}
