"""Coles' product details: the only part of its site with a barcode (GraphQL ``gtin``)."""

from __future__ import annotations

from sandbox import gtin, seeded_random
from sandbox.coles_rows import Era, buyers, heirs, images, location, names, pricing, restrictions, stock, variations
from sandbox.site import Json, opaque, slug
from sandbox.world import Shelf, ShelfOffer


def info_row(offer: ShelfOffer) -> Json:
    """Return one result of GraphQL ``productsInfo``, with gtin: the barcode as 13 digits, or null."""
    row: Json = {"id": int(offer.sku)} | names(offer) | {"internalDescription": "", "imageUris": images(offer)}
    row |= {
        "restrictions": restrictions(offer, "graphql"),
        "continuity": None,
        "collectableCampaign": "",
        "lastUpdated": "2026-10-05T10:10:13Z",
    }
    row |= stock(offer) | {"availabilityStatus": None, "merchandiseHeir": buyers(offer), "onlineHeirs": heirs(offer)}
    return row | {"pricing": pricing(offer, "graphql"), "minGuarantee": None, "gtin": gtin.padded(offer.barcode) if offer.barcode else None}


def find_detail(shelf: Shelf, sku: str, era: Era) -> Json | None:
    """Return the detail of a SKU, ``None`` if this retailer does not have it."""
    offer = shelf.article(sku)
    if offer is None:
        return None
    others = (other for other in shelf.skus(offer.category_paths[0])[:2] if other != sku) if offer.category_paths else iter(())
    return detail(offer, era, shelf.offer(next(others, "")))


def detail(offer: ShelfOffer, era: Era, sibling: ShelfOffer | None = None) -> Json:
    """Return the product detail: GraphQL has ``gtin``, REST has ``unspscCode``, the page neither."""
    ids = opaque("image", offer.sku)[:4]
    path = f"/wcsstore/Coles-CAS/images/{ids[0]}/{ids[1]}/{ids[2]}/{offer.sku}"
    image: Json = {
        "thumb": {"path": f"{path}-th.jpg"},
        "zoom": {"path": f"{path}-zm.jpg", "description": f"Product Image of {offer.brand_label or ''} {offer.label}"},
        "full": {"path": f"{path}.jpg"},
    }
    if era == "graphql":
        image["thumb"]["description"] = image["full"]["description"] = None
    origin = {
        "logoRequired": False, "barcodeRequired": False, "descriptionRequired": True, "country": "Australia", "barcodePercentage": 0,
        "statement": "Made in Australia", "description": "Made in Australia",
    }  # fmt: skip
    found: Json = {"id": int(offer.sku)} | names(offer)
    found |= {
        "longDescription": f"<p>{offer.label}</p>",
        "lifestyle": ["GMO Free"],
        "imageUris": images(offer),
        "images": [image],
        "countryOfOrigin": origin,
    }
    found |= {
        "restrictions": restrictions(offer, era),
        "continuity": None,
        "locations": [location(offer, era)],
        "nutrition": _nutrition(era),
    }
    found["lastUpdated"] = "2026-10-05T10:10:12Z" if era == "graphql" else "2026-10-05T21:10:13.524+11:00"
    found["additionalInfo"] = [{"title": title, "description": "As on the pack"} for title in ("Ingredients", "Allergen", "Dimensions")]
    found |= stock(offer) | {"excludeFromSubstitution": False, "merchandiseHeir": buyers(offer), "onlineHeirs": heirs(offer)}
    brand = offer.brand_label or "Coles"
    found["brandDetails"] = {"id": seeded_random.random_int("brand", brand) % 2**32, "name": brand, "seoToken": slug(brand)}
    found |= {
        "nutritionalClaims": ["Peanut free", "Soy free"],
        "pricing": pricing(offer, era),
        "variations": variations(offer, era, sibling),
    }
    if era == "graphql":
        # The record has no availabilityType here, although productsInfo has it.
        del found["availabilityType"]
        found |= {
            "availabilityStatus": None,
            "minGuarantee": None,
            "associatedProductId": None,
            "collectableCampaign": "",
            "disclaimers": None,
        }
        return found | {"internalDescription": "", "gtin": gtin.padded(offer.barcode) if offer.barcode else None}
    return found | {"availableQuantity": 4 + seeded_random.random_int("stock", offer.sku) % 300, "unspscCode": "50131700"}


def _nutrition(era: Era) -> Json:
    nutrients: list[Json] = [{"nutrient": "Energy", "value": "170 kJ"}, {"nutrient": "Energy (Cal)", "value": "41 Cal"}]
    table: Json = {"title": "Per 100g/ml", "subtitle": "Average quantity per 100g (or 100ml)", "nutrients": nutrients}
    found: Json = {"title": "Nutritional information", "servingsPerPackage": "1.00", "servingSize": "100g", "breakdown": [table]}
    if era == "graphql":
        nutrients[0] |= {"dailyIntakeInfo": "(2.0% DI)", "nutrientDisplayOrder": "1.000"}
        nutrients[1] |= {"dailyIntakeInfo": None, "nutrientDisplayOrder": "3.000"}
        table["disclaimer"] = None
        found["dailyIntakeDisclaimer"] = "Percentage daily intakes are based on an average adult diet."
    return found


def schema_org(found: Json) -> Json:
    """Return the schema.org block of a product page: SKU and price, no gtin."""
    offers = {"@type": "Offer", "priceCurrency": "AUD", "price": found["pricing"] and found["pricing"]["now"]}
    return {"@context": "https://schema.org", "@type": "Product", "name": found["name"], "sku": str(found["id"]), "offers": offers}
