"""A world from recorded store-days: real prices, served in the retailers' response formats.

The folder holds staged files (``*.jsonl.gz`` or ``*.jsonl``, one offer per line, at any depth). A store's shelf at
an instant is its newest store-day at or before it, else its first one.
"""

from __future__ import annotations

import gzip
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec

from include.clock import zone_of
from include.errors import ConfigurationError
from sandbox import generated_stores
from sandbox.identity import usable
from sandbox.world import RETAILERS, CategoryPath, PriceBasis, SandboxStore, Shelf, ShelfOffer, UnitPrice, World, unavailable

SHELVES_KEPT = 16
_DECODER = msgspec.json.Decoder()
_UNIT_PRICE = re.compile(r"\$(?P<dollars>[\d,.]+) ?(?:per |/ ?)?(?P<quantity>\d*) ?(?P<measure>kg|g|ml|l|each|ea|sheets|m)", re.IGNORECASE)
#: IGA's sizes of products whose price is per kilogram.
_BY_WEIGHT = re.compile(r"[\d.,]+ ?k?g ?EachUnit", re.IGNORECASE)
_ABOUT = re.compile(r"approx\.? ?(?P<amount>[\d.]+) ?(?P<unit>kg|g)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoreDay:
    """One recorded file: retailer, store, and the instant from which it is valid."""

    at: datetime
    path: Path
    retailer: str
    store_id: str
    store_name: str
    state: str
    rows: int


class RecordedWorld(World):
    """The store-days of a folder.

    Raises:
        ConfigurationError: no such folder, no store-day in it, or an invalid file.
    """

    kind = "recorded"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        days = sorted(map(_read_header, _files(folder)), key=lambda day: (day.retailer, day.store_id, day.at, day.path.name))
        self._days: dict[tuple[str, str], list[StoreDay]] = {}
        for day in days:
            self._days.setdefault((day.retailer, day.store_id), []).append(day)
        self._stores = {
            retailer: tuple(_store(known[-1]) for (owner, _), known in self._days.items() if owner == retailer) for retailer in RETAILERS
        }
        self._shelf_of = lru_cache(SHELVES_KEPT)(self._open)

    def describe(self) -> dict[str, object]:
        """Return kind, folder and the store-days in it."""
        store_days = [
            {"retailer": day.retailer, "store_id": day.store_id, "at": day.at.isoformat(), "rows": day.rows, "file": day.path.name}
            for days in self._days.values()
            for day in days
        ]
        return {"kind": self.kind, "folder": str(self.folder), "stores": len(self._days), "store_days": store_days}

    def stores(self, retailer: str) -> Sequence[SandboxStore]:
        """Return the stores that have a recorded day."""
        return self._stores.get(retailer, ())

    def shelf(self, retailer: str, store_id: str, at: datetime) -> Shelf:
        """Return the shelf recorded for a store at or before an instant."""
        self.store(retailer, store_id)
        days = self._days[retailer, store_id]
        day = days[max(0, bisect_right([known.at for known in days], at) - 1)]
        return self._shelf_of(day)

    def _open(self, day: StoreDay) -> Shelf:
        offers = _read_offers(day.path, day.retailer)
        paths = {sku: offer.category_paths for sku, offer in offers.items()}
        return Shelf(paths, offers.__getitem__, partial(self._article, day.retailer))

    def _article(self, retailer: str, sku: str) -> ShelfOffer | None:
        for (owner, _), days in self._days.items():
            if owner == retailer and (offer := self._shelf_of(days[-1]).offer(sku)):
                return unavailable(offer)
        return None


def _files(folder: Path) -> Sequence[Path]:
    found = sorted(path for path in folder.rglob("*.jsonl*") if path.name.endswith((".jsonl", ".jsonl.gz"))) if folder.is_dir() else []
    if not found:
        raise ConfigurationError(
            f"{folder} contains no store-day (*.jsonl.gz or *.jsonl). Give --folder the folder of recorded store-days."
        )
    return found


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = _DECODER.decode(line)
                yield record["product"], record["metadata"]
            except (msgspec.DecodeError, KeyError, TypeError) as error:
                raise ConfigurationError(f'{path}, line {number} is not an offer ({{"product": …, "metadata": …}}): {error}') from error


def _read_header(path: Path) -> StoreDay:
    first: dict[str, Any] = {}
    at, rows = datetime.max.replace(tzinfo=UTC), 0
    for product, metadata in _lines(path):
        first = first or metadata
        rows += 1
        at = min(at, _instant(metadata, product))
    if not first:
        raise ConfigurationError(f"{path} is empty. Remove it from the folder of recorded store-days.")
    store_id = str(first["store_id"])
    return StoreDay(
        at,
        path,
        str(first["company"]).lower(),
        store_id,
        str(first.get("store_name") or store_id),
        str(first.get("state") or "").upper(),
        rows,
    )


def _instant(metadata: dict[str, Any], product: dict[str, Any]) -> datetime:
    """Return when a line was read: naive times are local to the store, a bare date is 12:00 local."""
    zone = zone_of(str(metadata.get("state") or ""))
    text = str(metadata.get("scraped_at") or metadata.get("scraped_date") or product.get("scraped_date"))
    instant = datetime.combine(date.fromisoformat(text), time(12)) if len(text) == 10 else datetime.fromisoformat(text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)


def _store(day: StoreDay) -> SandboxStore:
    latitude, longitude, postcode = generated_stores.city(day.state)
    name = day.store_name.title()
    return SandboxStore(
        retailer=day.retailer,
        store_id=day.store_id,
        # The files do not name the web shop: Coles' follows from the id, IGA's is assumed to be the store id.
        online_store_id=day.store_id.rpartition(":")[2].zfill(4) if day.retailer == "coles" else day.store_id,
        name=name,
        kind="liquor" if day.store_id.startswith(("LQR", "VIN")) else "supermarket",
        brand={"coles": "Coles Supermarkets", "woolworths": "SUPERMARKETS", "aldi": "ALDI", "iga": "IGA"}.get(day.retailer, ""),
        address_line="1 Main Rd",
        suburb=name.removeprefix("Coles "),
        state=day.state,
        postcode=postcode,
        latitude=latitude,
        longitude=longitude,
        phone=None,
        is_open=True,
        zone=f"recorded {day.store_id}",
    )


def _read_offers(path: Path, retailer: str) -> dict[str, ShelfOffer]:
    offers: dict[str, ShelfOffer] = {}
    for product, _ in _lines(path):
        sku = str(product["sku"])
        category: CategoryPath = tuple(product.get("category_path") or ())
        if known := offers.get(sku):  # the same product in another category
            offers[sku] = replace(known, category_paths=tuple(dict.fromkeys((*known.category_paths, category))))
        else:
            offers[sku] = _offer(product, sku, retailer, category)
    return offers


def _offer(product: dict[str, Any], sku: str, retailer: str, category: CategoryPath) -> ShelfOffer:
    price, was = _cents(product.get("price_current")), _cents(product.get("price_was"))
    was = was if was and price and was > price else None
    per = _unit_price(product.get("per_unit_price_string"))
    about = _ABOUT.match(product.get("size") or "")
    grams = (
        round(float(about["amount"].strip(".")) * (1000 if about["unit"].lower() == "kg" else 1))
        if about and per and per.measure == "kg"
        else None
    )
    brand = product.get("brand") or None
    return ShelfOffer(
        sku=sku,
        name=product["name"],
        brand=brand,
        size=product.get("size"),
        barcode=product.get("barcode"),
        identity=usable(product.get("barcode") or ""),
        price_cents=price,
        was_price_cents=was,
        is_on_special=was is not None,
        category_paths=(category,) if category else (),
        label=product["name"],
        brand_label=brand,
        pack=product.get("size"),
        regular_cents=was or price or 100,
        unit_price=per,
        piece_grams=grams if retailer in ("coles", "woolworths") else None,
        price_basis=_price_basis(retailer, product.get("size") or "", price, per),
        description=product.get("description"),
        image_url=product.get("image_url"),
        department=category[0].upper() if category else "GENERAL",
    )


def _price_basis(retailer: str, size: str, cents: int | None, per: UnitPrice | None) -> PriceBasis:
    """Return what a price of the recorded file is for; the files do not say it, the sites do.

    >>> _price_basis("iga", "140g EachUnit", 400, None), _price_basis("aldi", "approx. 0.17 kg per piece", 499, UnitPrice(499, 1, "kg"))
    ('kg', 'kg')
    """
    if retailer == "iga":
        return "kg" if _BY_WEIGHT.fullmatch(size) else "each"
    is_by_weight = per is not None and (per.quantity, per.measure) == (1, "kg") and per.cents == cents and size.lower().startswith("approx")
    return "kg" if retailer == "aldi" and is_by_weight else "each"


def _cents(value: object) -> int | None:
    """Return the cents of a price given as number or text.

    >>> _cents(12.0), _cents("3.35"), _cents(None)
    (1200, 335, None)
    """
    return None if value is None else int((Decimal(str(value)) * 100).to_integral_value())


def _unit_price(text: str | None) -> UnitPrice | None:
    """Read a unit price text of any retailer.

    >>> _unit_price("$2.75 per 100 g"), _unit_price("$4.50/kg")
    (UnitPrice(cents=275, quantity=100, measure='g'), UnitPrice(cents=450, quantity=1, measure='kg'))
    """
    match = _UNIT_PRICE.match(text or "")
    if match is None:
        return None
    measure = match["measure"].lower()
    return UnitPrice(_cents(match["dollars"].replace(",", "")) or 0, int(match["quantity"] or 1), "ea" if measure == "each" else measure)
