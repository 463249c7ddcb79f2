"""The nights a benchmark ingests: store-days whose lines have the fields, the mix and the 1.2 kB of real ones."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from multiprocessing import get_context

from include.model.offer import Offer, StoreRef
from include.staging.manifest import Manifest
from include.staging.staged_file import StoreDayWriter
from include.staging.storage import Stage, Storage
from include.wording.barcode import check_digit

RETAILER = "woolworths"
#: A Monday: the third night is a Wednesday, and prices may move.
FIRST_NIGHT = date(2026, 11, 16)
NIGHTS = ("first load", "unchanged night", "Wednesday, a third changed")

_AISLES = ("Pantry", "Dairy, Eggs & Fridge", "Freezer", "Drinks", "Fruit & Veg", "Household", "Health & Beauty", "Pet")
_KINDS = ("Peach Slices", "Wholemeal Loaf", "Greek Style Yoghurt", "Basmati Rice", "Sparkling Water", "Laundry Liquid", "Dry Dog Food")
_ABOUT = "Picked when ripe and packed within a day, with no artificial colours."
_MADE_OF = "Water, wheat flour (gluten), sugar, salt, yeast, emulsifiers (481, 472e)"


def _offer(n: int, is_changed: bool, at: datetime) -> Offer:
    cents = 95 + n * 37 % 4_000 + (40 if is_changed and n % 3 == 0 else 0)
    is_special, has_price = n % 9 == 0, n % 53 != 0
    brand, kind, grams = f"Brand {n % 1_331}", _KINDS[n % len(_KINDS)], 50 + n * 10 % 1_900
    slug = f"brand-{n % 1_331}-{kind.lower().replace(' ', '-')}-{grams}g-{n}"
    digits = f"93{n:010d}"
    price = Decimal(cents) / 100
    return Offer(
        sku=str(100_000 + n), name=f"{brand} {kind} No {n} {grams}g", brand=brand, size=f"{grams}g", observed_at=at,
        barcode=digits + check_digit(digits) if n % 5 else None, description=f"{brand} {kind}. {_ABOUT}" if n % 4 else None,
        url=f"https://shop.example/shop/productdetails/{100_000 + n}/{slug}",
        image_url=f"https://images.shop.example/content/wowproductimages/large/{100_000 + n:06d}/{slug}.jpg",
        category_path=(_AISLES[n % len(_AISLES)], f"Shelf {n % 90}", f"Row {n % 400}"),
        price_current=price if has_price else None, price_was=price + Decimal("1.10") if is_special else None,
        is_on_special=is_special and has_price, is_available=has_price, per_unit_price_string=f"${price * 1000 / grams:.2f} per 1kg",
        extra={
            "ingredients": _MADE_OF, "allergens": "Gluten, Soy", "country_of_origin": f"Made in Australia from at least {n % 100}% Australian ingredients",
            "per_unit_price_value": float(price), "per_unit_price_measure": "1kg", "average_user_rating": None, "rating_count": None, "health_star_rating": "3.5",
            "unit_price": float(price), "unit_of_measure": "1.0kg", "normalized_name": f"{kind} no {n}".lower(), "normalized_brand": f"brand{n % 1_331}",
            "sizes": [f"{grams}g"], "normalized_name_brand_size": slug.replace("-", ""), "scraped_date": at.date().isoformat(),
        },
    )  # fmt: skip


def _write_store_days(root: str, number: int, offers: int, places: list[int]) -> list[Manifest]:
    at = datetime(2026, 11, 15, 18, tzinfo=UTC) + timedelta(days=number)
    lines = [_offer(n, number == 2, at) for n in range(offers)]
    storage, made = Storage(root), []
    for place in places:
        store = StoreRef(RETAILER, f"{9000 + place}", f"Store {place}", "VIC")
        with StoreDayWriter(storage, Stage.OUTBOX, store, FIRST_NIGHT + timedelta(days=number), f"bench{number}") as writer:
            for line in lines:
                writer.write(line)
            made.append(writer.publish(complete=True))
    return made


def write_night(root: str, number: int, store_days: int, offers: int) -> list[Manifest]:
    """Stage one night of :data:`NIGHTS` by its number; returns the manifests in order of store."""
    parts = [list(range(first, store_days, 2)) for first in range(min(2, store_days))]
    with ProcessPoolExecutor(len(parts), mp_context=get_context("spawn")) as pool:
        written = pool.map(partial(_write_store_days, root, number, offers), parts)
        return sorted((manifest for made in written for manifest in made), key=lambda manifest: manifest.store_id)
