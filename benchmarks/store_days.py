"""Store-days of synthetic products: lines with the fields, the mix and the 1.2 kB of real ones.

They are written from the documented layout (docs/staged-files.md), not by the product's writer: every version is measured on the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

#: A Monday: the third night is a Wednesday, on which prices change.
FIRST_NIGHT = date(2026, 11, 16)
_FIRST_INSTANT = datetime(2026, 11, 15, 18, tzinfo=UTC)
_SKU = {"coles": "3{:06d}", "woolworths": "1{:05d}", "aldi": "{:018d}", "iga": "8{:07d}"}
_STORE_ID = {"coles": "COL:{}", "woolworths": "{}", "aldi": "G{}", "iga": "{}"}
#: Below this number of lines, writing is faster than starting processes.
_LINES_WORTH_PROCESSES = 20_000

_AISLES = ("Pantry", "Dairy, Eggs & Fridge", "Freezer", "Drinks", "Fruit & Veg", "Household", "Health & Beauty", "Pet")
_KINDS = ("Peach Slices", "Wholemeal Loaf", "Greek Style Yoghurt", "Basmati Rice", "Sparkling Water", "Laundry Liquid", "Dry Dog Food")
_ABOUT = "Picked when ripe and packed within a day, with no artificial colours."
_MADE_OF = "Water, wheat flour (gluten), sugar, salt, yeast, emulsifiers (481, 472e)"


@dataclass(frozen=True, slots=True)
class StoreDay:
    """One store-day to write.

    Products are numbered over all retailers: number ``n`` is the same product everywhere, by barcode and by name; each retailer has its own
    SKU for it. A store-day lists ``lines`` of them from ``first_product`` on; the last ``doubles`` lines repeat earlier products in another
    category.
    """

    retailer: str
    store: int
    lines: int
    night: int = 0
    first_product: int = 0
    doubles: int = 0

    @property
    def store_id(self) -> str:
        """The store's id in its retailer's format."""
        return _STORE_ID[self.retailer].format(9000 + self.store)

    @property
    def on(self) -> date:
        """The night's date."""
        return FIRST_NIGHT + timedelta(days=self.night)

    @property
    def at(self) -> datetime:
        """The instant of every line."""
        return _FIRST_INSTANT + timedelta(days=self.night)

    def content(self) -> bytes:
        """Return the unpacked lines. A third of the prices changes every Wednesday, another third each time."""
        metadata = {"company": self.retailer, "store_id": self.store_id, "store_name": f"Store {self.store}", "state": "VIC"}
        end = b',"metadata":' + msgspec.json.encode(metadata | {"scraped_at": self.at.isoformat()}) + b"}\n"
        wednesdays = (self.night + 5) // 7
        goods = self.lines - self.doubles
        numbers = [(n, 0) for n in range(goods)] + [(i * (goods // self.doubles), 1) for i in range(self.doubles)]
        return b"".join(
            b'{"product":' + _product(self.retailer, n, (wednesdays + 2 - n % 3) // 3, row) + end
            for n, row in ((self.first_product + place, row) for place, row in numbers)
        )


@lru_cache(40_000)
def _product(retailer: str, n: int, raised: int, row: int) -> bytes:
    cents = 95 + n * 37 % 4_000 + 40 * raised
    is_special, has_price = n % 9 == 0, n % 53 != 0
    brand, kind, grams = f"Brand {n % 1_331}", _KINDS[n % len(_KINDS)], 50 + n * 10 % 1_900
    slug = f"brand-{n % 1_331}-{kind.lower().replace(' ', '-')}-{grams}g-{n}"
    was = cents + 110 if is_special and has_price else None
    product: dict[str, Any] = {
        "sku": _SKU[retailer].format(n), "name": f"{brand} {kind} No {n} {grams}g", "brand": brand, "barcode": _barcode(n) if n % 5 else None,
        "description": f"{brand} {kind}. {_ABOUT}" if n % 4 else None, "size": f"{grams}g",
        "image_url": f"https://images.shop.example/content/productimages/large/{100_000 + n:06d}/{slug}.jpg",
        "url": f"https://shop.example/shop/productdetails/{100_000 + n}/{slug}",
        "category_path": [_AISLES[n % len(_AISLES)], f"Shelf {n % 90}", f"Row {n % 400 + row}"],
        "price_current": cents / 100 if has_price else None, "price_was": was / 100 if was else None, "price_save_amount": 1.1 if was else None,
        "is_on_special": is_special and has_price, "is_available": has_price, "per_unit_price_string": f"${cents * 10 / grams:.2f} per 1kg",
        "ingredients": _MADE_OF, "allergens": "Gluten, Soy", "country_of_origin": f"Made in Australia from at least {n % 100}% Australian ingredients",
        "per_unit_price_value": cents / 100, "per_unit_price_measure": "1kg", "average_user_rating": None, "rating_count": None, "health_star_rating": "3.5",
        "unit_price": cents / 100, "unit_of_measure": "1.0kg", "normalized_name": f"{kind} no {n}".lower(), "normalized_brand": f"brand{n % 1_331}",
        "sizes": [f"{grams}g"], "normalized_name_brand_size": slug.replace("-", ""),
    }  # fmt: skip
    return msgspec.json.encode(product)


def _barcode(n: int) -> str:
    digits = f"93{n:010d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-weighted % 10)


def write_plain(days: Sequence[StoreDay], folder: Path) -> list[Path]:
    """Write data files without manifests, as input of ``aisleflow import``; return them in the order of ``days``."""
    return _write(partial(_write_plain, folder), days)


def write_staged(days: Sequence[StoreDay], root: Path) -> list[Path]:
    """Write complete store-days into the outbox below a storage root; return their data files in the order of ``days``."""
    return _write(partial(_write_staged, root), days)


def _write(write: partial[Path], days: Sequence[StoreDay]) -> list[Path]:
    if len(days) == 1 or sum(day.lines for day in days) < _LINES_WORTH_PROCESSES:
        return [write(day) for day in days]
    with get_context("spawn").Pool(min(os.cpu_count() or 1, len(days))) as pool:
        return pool.map(write, days)


def _write_plain(folder: Path, day: StoreDay) -> Path:
    path = folder / f"{day.retailer}-{quote(day.store_id, safe='')}-{day.on}.jsonl.gz"
    _pack(path, day.content())
    return path


def _write_staged(root: Path, day: StoreDay) -> Path:
    content, at = day.content(), day.at.isoformat()
    sha256, run_key = hashlib.sha256(content).hexdigest(), f"bench{day.night}"
    stem = root / "outbox" / day.retailer / quote(day.store_id, safe="") / f"{day.on}--{run_key}--{sha256[:16]}"
    path = stem.with_name(f"{stem.name}.jsonl.gz")
    _pack(path, content)
    manifest = {
        "format_version": 1, "retailer": day.retailer, "store_id": day.store_id, "store_name": f"Store {day.store}", "state": "VIC", "night": day.on.isoformat(),
        "run_key": run_key, "observed_at": at, "last_observed_at": at, "rows": day.lines, "sha256": sha256, "data": path.name, "complete": True,
    }  # fmt: skip
    stem.with_name(f"{stem.name}.manifest.json").write_bytes(msgspec.json.encode(manifest))
    return path


def _pack(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, compresslevel=6, mtime=0))
