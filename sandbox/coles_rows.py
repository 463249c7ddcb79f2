"""Coles' product rows in the formats of its three interfaces.

``next``    Next.js data route, until 2025: ``comparable`` "$1.53 per 100g", weighed products in grams
``rest``    /api/bff, 2026: "$1.53/ 100g", kilograms, every price a float, ``rawPriceNow``
``graphql`` 2026: as rest, but no key is absent (null instead), ``was`` null, units ``L``, with gtin in the detail
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from sandbox import seeded_random
from sandbox.site import Json, dollar_text, dollars
from sandbox.world import CategoryPath, ShelfOffer, UnitPrice, unavailable

Era = Literal["next", "rest", "graphql"]

PLACE_UNKNOWN = "Aisle information is not available for this product. Please ask a Team member at $STORE"


def category_id(path: CategoryPath) -> str:
    """Return the numeric id of a category, stable over time."""
    return str(1000 + seeded_random.random_int("coles category", *path) % 9_000_000)


def product_row(offer: ShelfOffer, era: Era, *, ad: tuple[str, str] | None = None, sibling: ShelfOffer | None = None) -> Json:
    """Return one PRODUCT row of a listing; ``ad`` = (adId, adSource) of a sponsored one, ``sibling`` another product of the same kind."""
    row: Json = {"_type": "PRODUCT", "id": int(offer.sku), "adId": ad and ad[0], "adSource": ad and ad[1], "featured": ad is not None}
    row |= names(offer)
    row |= stock(offer)
    if era == "rest":
        row["availableQuantity"] = 4 + seeded_random.random_int("stock", offer.sku) % 300
    row |= {"imageUris": images(offer), "locations": [location(offer, era)], "restrictions": restrictions(offer, era)}
    row |= {"merchandiseHeir": buyers(offer), "onlineHeirs": heirs(offer), "pricing": pricing(offer, era)}
    noise = seeded_random.random_int("coles noise", offer.sku)
    if noise % 4 == 0:
        row["variations"] = {"total": 1 + noise % 9} if era == "next" or noise % 8 else variations(offer, era, sibling)
    if noise % 11 == 0:
        row["continuity"] = _continuity()
    if era == "rest" and noise % 29 == 0:
        row["collectableCampaign"] = "Shop Scan Win Entry"
    return row


def names(offer: ShelfOffer) -> Json:
    """Return name, brand, till text and size; the name contains neither brand nor size."""
    till_text = offer.description or " ".join(filter(None, (offer.brand_label, offer.label, offer.pack))).upper()
    brand = (offer.brand_label or "") + (
        " " if offer.brand_label and seeded_random.random_int("coles blank", offer.brand_label) % 17 == 0 else ""
    )
    return {"name": offer.label, "brand": brand, "description": till_text, "size": offer.pack or ""}


def stock(offer: ShelfOffer) -> Json:
    """Return the availability; a price does not mean stock: 9 of 197 priced rows on record were not available."""
    in_stock = offer.price_cents is not None and seeded_random.random_share("coles stock", offer.sku) >= 0.04
    return {"availability": in_stock, "availabilityType": "InStoreAndOnline"}


def images(offer: ShelfOffer) -> list[Json]:
    """Return the image addresses, below ``assetsUrl``."""
    return [{"altText": "", "type": "default", "uri": f"/{offer.sku[0]}/{offer.sku}.jpg"}]


def location(offer: ShelfOffer, era: Era) -> Json:
    """Return the location in the store: mostly unknown (``order`` 9999)."""
    order = {"next": 9999, "rest": 9999.0, "graphql": 9999}
    if era == "rest" and seeded_random.random_share("coles aisle", offer.sku) < 0.2:
        return {
            "aisleSide": "Front of Store",
            "description": "Located in Fresh produce at $STORE",
            "facing": 0,
            "aisle": "Fresh produce",
            "order": 0.0,
            "shelf": None,
        }
    return {"aisleSide": None, "description": PLACE_UNKNOWN, "facing": 0, "aisle": None, "order": order[era], "shelf": None}


def restrictions(offer: ShelfOffer, era: Era) -> Json | None:
    """Return the purchase limits, ``None`` for unavailable products."""
    if offer.price_cents is None:
        return None
    noise = seeded_random.random_int("coles limits", offer.sku)
    flag = None if era != "graphql" and noise % 17 == 0 else False
    limits: Json = {
        "retailLimit": 50 if offer.piece_grams else 20,
        "promotionalLimit": None if era == "rest" and noise % 11 == 0 else 12,
        "liquorAgeRestrictionFlag": True if offer.department.startswith("LIQUOR") else flag,
        "tobaccoAgeRestrictionFlag": flag,
        "restrictedByOrganisation": False,
    }
    if era == "graphql" and noise % 3 == 0:
        limits["delivery"] = []
    elif era == "graphql" or noise % 3:
        limits["delivery"] = ["REMOTE SERVICE", "OVN"] if noise % 2 else ["T4T"]
    return limits


def buyers(offer: ShelfOffer) -> Json:
    """Return the buyers' hierarchy, upper case."""
    *_, category, leaf = ("", "", *(offer.category_paths[0] if offer.category_paths else ()))
    return {
        "tradeProfitCentre": offer.department,
        "categoryGroup": category.upper(),
        "category": category.upper(),
        "subCategory": leaf.upper(),
        "className": leaf.upper(),
    }


def heirs(offer: ShelfOffer) -> list[Json]:
    """Coles' names are shifted: ``subCategory`` is the department, ``category`` the middle, ``aisle`` the leaf."""
    heirs = []
    for path in offer.category_paths:
        department, category, leaf = (*path, *path[-1:] * 2)[:3]
        heirs.append(
            {
                "aisle": leaf,
                "category": category,
                "subCategory": department,
                "categoryId": category_id(path[:2]),
                "aisleId": category_id(path[:3]),
                "subCategoryId": category_id(path[:1]),
            }
        )
    return heirs


def _continuity() -> Json:
    return {
        "continuityPromotionId": None,
        "creditsToRedeem": None,
        "bonusAvailable": True,
        "bonusTimes": 1,
        "bonusPromoName": "Cookware",
        "bonusRoundelDisplayable": False,
        "bonusRoundelDescription": "Bonus Cookware Credit",
    }


def pricing(offer: ShelfOffer, era: Era) -> Json | None:
    """Return the price block, ``None`` if the product is not available in this store."""
    if offer.price_cents is None:
        return None
    now, was = offer.price_cents, offer.was_price_cents
    money = _money(era)
    block: Json = {"now": money(now)}
    if era == "rest":
        block["rawPriceNow"] = money(now)
    block["was"] = money(was) if was else None if era == "graphql" else 0
    block |= {"unit": _unit(offer, era), "comparable": comparable(_measured(offer), era), "onlineSpecial": False}
    block |= _promotion(offer, now, was, era)
    if era == "graphql":
        always = (
            "saveAmount",
            "saveStatement",
            "promotionType",
            "multiBuyPromotion",
            "priceDescription",
            "savePercent",
            "specialType",
            "offerDescription",
        )
        block = dict.fromkeys(always) | block
    return block


def _money(era: Era) -> Callable[[int], int | float]:
    return dollars if era == "next" else lambda cents: cents / 100


def _promotion(offer: ShelfOffer, now: int, was: int | None, era: Era) -> Json:
    money = _money(era)
    if was:
        percent = (was - now) * 100 // was
        found: Json = {"saveAmount": money(was - now)}
        if percent >= 50:
            return found | {
                "priceDescription": "1/2 Price", "saveStatement": f"save {dollar_text(was - now)}", "savePercent": percent,
                "promotionType": "SPECIAL", "specialType": "PERCENT_OFF",
            }  # fmt: skip
        kind = "DOWNDOWN" if any(path[0] == "Down Down" for path in offer.category_paths) else "SPECIAL"
        return found | {
            "priceDescription": f"Was {dollar_text(was)} on Oct 2026",
            "saveStatement": f"save {dollar_text(was - now)}",
            "promotionType": kind,
        }
    if offer.multi_buy:
        deal = offer.multi_buy
        each = deal.total_cents / deal.quantity / 100
        reward: Json = {
            "type": "MultibuyMultiSku",
            "id": str(720_000_000 + seeded_random.random_int("deal", offer.sku) % 9_999_999),
            "minQuantity": deal.quantity,
        }
        reward["reward"] = int(each) if each.is_integer() and era == "next" else each
        if era == "rest" and offer.unit_price:
            cents = round(offer.unit_price.cents * deal.total_cents / deal.quantity / now)
            reward["unitPriceDisplay"] = comparable(UnitPrice(cents, offer.unit_price.quantity, offer.unit_price.measure), era)
        text = f"Pick any {deal.quantity} for ${deal.total_cents // 100}"
        return {"promotionType": "SPECIAL", "specialType": "MULTI_SAVE", "offerDescription": text, "multiBuyPromotion": reward}
    return {"promotionType": "EVERYDAY"} if seeded_random.random_share("everyday", offer.sku) < 0.3 else {}


def _measured(offer: ShelfOffer) -> UnitPrice:
    return offer.unit_price or UnitPrice(offer.price_cents or 0, 1, "ea")


def _unit(offer: ShelfOffer, era: Era) -> Json:
    per = _measured(offer)
    measure = per.measure.upper() if era == "graphql" and per.measure == "l" else per.measure
    kind = None if era == "graphql" else measure
    unit: Json = {"ofMeasureQuantity": per.quantity, "ofMeasureUnits": measure, "price": _money(era)(per.cents), "ofMeasureType": kind}
    if offer.piece_grams is None:
        unit["quantity"] = 1.0 if era == "rest" else 1
        if era == "graphql" or seeded_random.random_share("coles weighted", offer.sku) > 0.1:
            unit["isWeighted"] = False
    elif era == "next":
        # Until 2025 the unit was that of ``quantity``, although the price is per kilogram.
        heavy = offer.piece_grams >= 1000
        kind, quantity = ("kg", offer.piece_grams / 1000) if heavy else ("g", offer.piece_grams)
        unit |= {"quantity": quantity, "ofMeasureQuantity": 1, "ofMeasureUnits": kind, "ofMeasureType": kind, "isWeighted": True}
    else:
        unit |= {"quantity": offer.piece_grams / 1000, "isWeighted": True}
    return unit | {"isIncremental": False}


def comparable(per: UnitPrice, era: Era) -> str:
    """Return the unit price text of an era.

    >>> comparable(UnitPrice(153, 100, "ml"), "next"), comparable(UnitPrice(842, 1, "l"), "rest")
    ('$1.53 per 100mL', '$8.42/ 1L')
    """
    measure = {"ml": "mL", "l": "L"}.get(per.measure, per.measure)
    return (
        f"{dollar_text(per.cents)} per {per.quantity}{measure}" if era == "next" else f"{dollar_text(per.cents)}/ {per.quantity}{measure}"
    )


def variations(offer: ShelfOffer, era: Era, sibling: ShelfOffer | None = None) -> Json:
    """Return products of the same kind, and the regional twin: same text, other id, no price (a test case for text matching)."""
    twin = _short(unavailable(offer), era) | {"id": int(offer.sku) + 1_000_000_000}
    twin["description"] += " *NT*"
    sizes: list[Json] = []
    varieties = [_short(sibling, era)] if sibling else []
    (varieties if seeded_random.random_int("coles twin", offer.sku) % 2 else sizes).append(twin)
    return {"total": len(varieties) + len(sizes), "byVarieties": varieties, "bySizes": sizes}


def _short(offer: ShelfOffer, era: Era) -> Json:
    row: Json = (
        {"id": int(offer.sku)} | names(offer) | stock(offer) | {"imageUris": images(offer), "restrictions": restrictions(offer, era)}
    )
    row |= {"merchandiseHeir": buyers(offer), "onlineHeirs": heirs(offer), "pricing": pricing(offer, era)}
    return row | ({"availabilityStatus": None, "associatedProductId": None, "continuity": None} if era == "graphql" else {})
