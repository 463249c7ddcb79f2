"""Woolworths' product objects: 103 keys and about 90 attributes, all dollars as numbers."""

from __future__ import annotations

import json

from sandbox import gtin, seeded_random
from sandbox.site import Json, dollar_text, dollars, slug
from sandbox.world import CategoryPath, ShelfOffer

_ROUNDEL = "/content/promotiontags/australian-grown-roundel-200x200.png"
_IMAGES = "https://cdn0.woolworths.media/content/wowproductimages"

_NULL_ATTRIBUTES = (
    "boxedcontents spf haircolour skintype importantinformation allergystatement productdepthmm skincondition ophthalmologistapproved hairtype "
    "fragrance-free suitablefor productwidthmm contains dermatologisttested wool_productpackaging dermatologicallyapproved specialsgroupid "
    "productheightmm r&r_hidereviews paba-free lifestyleclaim alcoholfree tgawarning activeconstituents soap-free countryoforigin "
    "r&r_loggedinreviews anti-dandruff servingsize-total-nip tgahealthwarninglink allergenmaybepresent vendorarticleid ingredients colour "
    "manufacturer tgawarnings oilfree fragrance non-comedogenic vendorcostprice sweatresistant claims phbalanced wool_dietaryclaim "
    "ophthalmologisttested servingsperpack-total-nip hypo-allergenic timer dermatologistrecommended allergencontains waterresistant "
    "friendlydisclaimer recyclableinformation usageinstructions"
)
_FALSE_ATTRIBUTES = (
    "addedvitaminsandminerals microwavesafe microwaveable isexcludedfromsubstitution parabenfree containsgluten containsnuts antibacterial "
    "antiseptic bpafree antioxidant sulfatefree ovencook vegetarian freezable"
)
#: Keys of a schema.org product that this site always leaves null.
SCHEMA_ORG_NULLS = [
    "additionalProperty",
    "additionalType",
    "aggregateRating",
    "alternateName",
    "asin",
    "audience",
    "award",
    "category",
    "color",
    "countryOfAssembly",
    "countryOfLastProcessing",
    "countryOfOrigin",
    "depth",
    "description",
    "disambiguatingDescription",
    "funding",
    "gtin",
    "gtin12",
    "gtin14",
    "gtin8",
    "hasAdultConsideration",
    "hasCertification",
    "hasEnergyConsumptionDetails",
    "hasGS1DigitalLink",
    "hasMeasurement",
    "hasMerchantReturnPolicy",
    "height",
    "identifier",
    "inProductGroupWithID",
    "isAccessoryOrSparePartFor",
    "isConsumableFor",
    "isFamilyFriendly",
    "isRelatedTo",
    "isSimilarTo",
    "isVariantOf",
    "itemCondition",
    "keywords",
    "logo",
    "mainEntityOfPage",
    "manufacturer",
    "material",
    "mobileUrl",
    "model",
    "mpn",
    "negativeNotes",
    "nsn",
    "owner",
    "pattern",
    "positiveNotes",
    "potentialAction",
    "productID",
    "productionDate",
    "purchaseDate",
    "releaseDate",
    "review",
    "sameAs",
    "size",
    "slogan",
    "subjectOf",
    "url",
    "weight",
    "width",
]
_TAG: Json = {
    "TagContent": None, "TagLink": None, "FallbackText": None, "TagType": "None", "MultibuyData": None, "MemberPriceData": None,
    "TagContentText": None, "DualImageTagContent": None, "PromotionType": "NOT_SET", "IsRegisteredRewardCardPromotion": False,
}  # fmt: skip
_RATING: Json = dict.fromkeys(
    (
        "ReviewCount", "RatingCount", "RatingSum", "OneStarCount", "TwoStarCount", "ThreeStarCount", "FourStarCount", "FiveStarCount", "Average",
        "OneStarPercentage", "TwoStarPercentage", "ThreeStarPercentage", "FourStarPercentage", "FiveStarPercentage",
    ),
    0,
)  # fmt: skip
# Equal for every product, or unrelated to it.
_CONSTANT: Json = {
    "TileID": 0, "GtinFormat": 13, "IsNew": False, "IsOnlineOnly": False, "IsEdrSpecial": False, "QuantityInTrolley": 0, "Unit": "Each",
    "HasBeenBoughtBefore": False, "IsInTrolley": False, "IsRanged": True, "IsPmDelivery": False, "IsForCollection": True, "IsForDelivery": True,
    "IsForExpress": True, "ProductRestrictionMessage": None, "ProductWarningMessage": None, "IsCentreTag": False, "HeaderTag": None,
    "HasHeaderTag": False, "UnitWeightInGrams": 0, "RichDescription": None, "HideWasSavedPrice": False, "SapCategories": None,
    "IsRestrictedByDeliveryMethod": False, "FooterTag": _TAG, "IsFooterEnabled": False, "IsBundle": False, "IsInFamily": False, "ChildProducts": None,
    "UrlOverride": None, "Rating": _RATING, "HasProductSubs": False, "IsGiftable": False, "Untraceable": False, "MarketFeatures": None,
    "MarketSpecifications": None, "IsPersonalisedByPurchaseHistory": False, "IsFromFacetedSearch": False, "NumberOfSubstitutes": 0,
    "IsPrimaryVariant": False, "VariantGroupId": 0, "HasVariants": False, "VariantTitle": None, "IsTobacco": False,
    "IsB2BExtendedRangeSapCategory": False, "ProductLimit": 36,
}  # fmt: skip


def node_id(path: CategoryPath) -> str:
    """Return the NodeId of a category, stable over time."""
    return f"1_{seeded_random.random_int('woolworths category', *path) & 0xFFFFFFF:07X}"


def product(offer: ShelfOffer, position: int, *, ad: int | None = None) -> Json:
    """Return one product object; ``position`` is its index on the page, ``ad`` its number among the sponsored ones."""
    now, was = offer.price_cents, offer.was_price_cents or offer.regular_cents
    on_special = now is not None and was > now
    price = None if now is None else dollars(now)
    # WasPrice is always set: the last price while unavailable, the price itself without a reduction.
    was_price = dollars(was if on_special or now is None else now)
    saved = None if now is None else dollars(was - now) if on_special else 0.0
    cup, measure, cup_text = _cup(offer)
    stock = seeded_random.random_int("woolworths stock", offer.sku)
    limit = 4 + stock % 40 if stock % 9 == 0 else 36
    name = offer.label
    display = f"{name} {offer.pack}" if offer.pack else name
    image = f"{int(offer.sku):06d}.jpg"
    found: Json = _CONSTANT | {
        "Stockcode": int(offer.sku),
        "Barcode": gtin.padded(offer.barcode) if offer.barcode else None,
        "CupPrice": cup,
        "InstoreCupPrice": cup,
        "CupMeasure": measure,
        "CupString": cup_text,
        "InstoreCupString": cup_text,
        "HasCupPrice": cup is not None,
        "InstoreHasCupPrice": cup is not None,
        "Unit": "KG" if offer.price_basis == "kg" else "Each",
        "Price": price,
        "InstorePrice": price,
        "Name": name,
        "DisplayName": display,
        "UrlFriendlyName": slug(name),
        "Description": _till_text(offer, display),
        "SmallImageFile": f"{_IMAGES}/small/{image}",
        "MediumImageFile": f"{_IMAGES}/medium/{image}",
        "LargeImageFile": f"{_IMAGES}/large/{image}",
        "IsHalfPrice": on_special and now is not None and now * 2 <= was,
        "IsOnSpecial": on_special,
        "InstoreIsOnSpecial": on_special and seeded_random.random_int("woolworths special", offer.sku) % 50 != 0,
        "SavingsAmount": saved,
        "InstoreSavingsAmount": saved,
        "WasPrice": was_price,
        "InstoreWasPrice": was_price,
        "MinimumQuantity": 1.5 if stock % 61 == 0 else 1,
        "DisplayQuantity": 1.5 if stock % 61 == 0 else 1,
        "Source": f"Aisle.{offer.department.title()}",
        "SupplyLimit": 3.6 if stock % 53 == 0 else limit,
        "MaxSupplyLimitMessage": "36 item limit" if limit == 36 else f"{limit} item(s) left",
        "SupplyLimitSource": "ProductLimit" if limit == 36 else "StockQuantity",
        "SupplyLimitMessage": f"'{name}' has a supply limit of {limit}. The quantity in your cart has been reduced accordingly.",
        "PackageSize": offer.pack or "",
        "CentreTag": _centre_tag(offer),
        "ImageTag": _TAG | {"TagContent": _ROUNDEL, "FallbackText": "Australian Grown"} if stock % 4 else _TAG,
        "SmallFormatDescription": f" {name} ",
        "FullDescription": f" {name} ",
        "IsAvailable": now is not None,
        "IsInStock": now is not None,
        "IsPurchasable": now is not None,
        "InstoreIsAvailable": now is not None and stock % 37 != 0,
        "InstoreIsPurchasable": now is not None and stock % 37 != 0,
        "AgeRestricted": offer.department.startswith("LIQUOR"),
        "Brand": offer.brand_label,
        "Diagnostics": str(position),
        "AdditionalAttributes": _attributes(offer),
        "DetailsImagePaths": [f"{_IMAGES}/large/{image}"],
        "Variety": " ".join(name.split()[-2:]) if stock % 5 else None,
        "IsSponsoredAd": ad is not None,
        "AdID": None if ad is None else f"ad-{offer.sku}-{ad}",
        "AdIndex": ad,
        "AdStatus": None if ad is None else "Promoted",
        "IsMarketProduct": False,
        "Vendor": None,
        "ThirdPartyProductInfo": None,
        "Tags": _tags() if stock % 4 else [],
        "NextAvailabilityDate": None if stock % 8 else "2026-11-18T00:00:00.0000000Z",
        "OfferId": str(24_000_000 + stock % 999_999) if stock % 3 == 0 else None,
    }
    return found


def market_product(number: int) -> Json:
    """Return a third-party seller's product, which is in no store's range."""
    words = ShelfOffer(
        sku=str(1_100_000_000 + number), name="Camping Lantern", brand="Lumehaven", size=None, barcode=gtin.gtin(90_000_000 + number),
        price_cents=4995, was_price_cents=None, is_on_special=False, category_paths=(("Everyday Market",),), label="Lumehaven Camping Lantern",
        brand_label="Lumehaven", pack="Each", regular_cents=4995, unit_price=None, piece_grams=None, description=None,
        image_url=None, department="MARKET",
    )  # fmt: skip
    return product(words, 0) | {"IsMarketProduct": True, "Vendor": "Tent & Track", "ThirdPartyProductInfo": {"SellerName": "Tent & Track"}}


def bundle(item: Json) -> Json:
    """Return a product in the wrapper of listings and searches."""
    return {"Products": [item], "Name": item["Name"], "DisplayName": item["DisplayName"]}


def _cup(offer: ShelfOffer) -> tuple[int | float | None, str, str]:
    """Return CupPrice, CupMeasure and CupString. Products sold by the piece have the piece price here, not a price per kilogram."""
    if offer.price_cents is None:
        return None, _measure(offer), ""
    if seeded_random.random_share("woolworths no cup", offer.sku) < 0.006:  # 99.4 percent on record have a cup price
        return None, "", ""
    if offer.piece_grams or offer.unit_price is None:
        return dollars(offer.price_cents), "1EA", f"{dollar_text(offer.price_cents)} / 1EA"
    return dollars(offer.unit_price.cents), _measure(offer), f"{dollar_text(offer.unit_price.cents)} / {_measure(offer)}"


def _measure(offer: ShelfOffer) -> str:
    if offer.piece_grams or offer.unit_price is None:
        return "1EA"
    per = offer.unit_price
    return f"{per.quantity} sheets" if per.measure == "sheets" else f"{per.quantity}{per.measure.upper()}"


def _till_text(offer: ShelfOffer, display: str) -> str:
    if offer.description:
        return offer.description
    words = display.split()
    return f" {' '.join(words[:3])}<br>{' '.join(words[3:5])}... {offer.pack or ''}" if len(words) > 6 else f" {display}"


def _centre_tag(offer: ShelfOffer) -> Json:
    deal = offer.multi_buy
    if deal is None or offer.price_cents is None:
        return _TAG
    # The price of the whole quantity, unlike Coles'.
    text = f"{deal.quantity} for {deal.total_cents / 100:.2f}"
    multi = {
        "Quantity": deal.quantity,
        "Price": dollars(deal.total_cents),
        "CupTag": f"{dollar_text(deal.total_cents // deal.quantity)} each",
    }
    return _TAG | {
        "TagContent": f"<span>{text}</span>",
        "TagType": "Html",
        "MultibuyData": multi,
        "TagContentText": text,
        "PromotionType": "MULTIBUY",
    }


def _tags() -> list[Json]:
    roundel = {"ImagePath": _ROUNDEL, "FallbackText": "Australian Grown"}
    return [{"Content": {"Type": "Roundel", "Position": "Top", "Attributes": roundel}, "TemplateId": None, "Metadata": None}]


def _attributes(offer: ShelfOffer) -> Json:
    """Return the attributes: text or null, several of them JSON inside a text."""
    paths = offer.category_paths
    levels = [list(dict.fromkeys(path[depth] for path in paths if len(path) > depth)) for depth in range(3)]
    departments = [{"Id": node_id(path[:1]), "Description": path[0]} for path in {path[0]: path for path in paths}.values()]
    noise = seeded_random.random_int("woolworths attributes", offer.sku)
    found: Json = dict.fromkeys(_NULL_ATTRIBUTES.split()) | dict.fromkeys(_FALSE_ATTRIBUTES.split(), "False")
    return found | {
        "sapdepartmentname": offer.department,
        "sapcategoryname": levels[1][0].upper() if levels[1] else offer.department,
        "sapsubcategoryname": levels[2][0].upper() if levels[2] else offer.department,
        "sapsegmentname": levels[2][0].upper() if levels[2] else offer.department,
        "sapdepartmentno": str(noise % 90), "sapcategoryno": str(noise % 97), "sapsubcategoryno": str(noise % 797), "sapsegmentno": str(noise % 12),
        "piesdepartmentnamesjson": json.dumps(levels[0]),
        "piescategorynamesjson": json.dumps(levels[1]),
        "piessubcategorynamesjson": json.dumps(levels[2]),
        "PiesProductDepartmentsjson": json.dumps(departments),
        "PiesProductDepartmentNodeId": departments[0]["Id"] if departments else "",
        "lifestyleanddietarystatement": "Low Salt" if noise % 5 == 0 else None,
        "healthstarrating": str(noise % 10 / 2) if noise % 3 == 0 else None,
        "productimages": f"{int(offer.sku):06d}.jpg",
        "productimagecount": "1",
        "storageinstructions": "Keep Refrigerated" if noise % 6 == 0 else None,
        "nutritionalinformation": json.dumps({"Name": "Nutritional Information", "Attributes": []}) if noise % 4 == 0 else None,
        "brand": offer.brand_label.lower() if offer.brand_label else None,
        "description": f"<div>{offer.label}</div>" if noise % 2 else None,
    }  # fmt: skip
