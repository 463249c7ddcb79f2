"""A world from a seed, at any size. Nothing is stored: ranges are built on first use, prices on each request.

A store lists most of its retailer's range (an IGA shop about two thirds of it). Each day a few products disappear and
others return; seasonal ones are absent for months; about 1 percent of Coles', Woolworths' and IGA's offers
are unavailable. Aldi's site shows no unavailable products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache, partial

from include.clock import zone_of
from include.errors import ConfigurationError
from sandbox import generated_stores, seeded_random
from sandbox.generated_products import PRODUCTS_MAX, Product, range_of
from sandbox.prices import price_of
from sandbox.world import RETAILERS, CategoryPath, SandboxStore, Shelf, ShelfOffer, UnitPrice, World, unavailable

#: Share of a retailer's range that one store carries at all.
RANGED_SHARE = {"coles": 0.98, "woolworths": 0.98, "aldi": 0.99, "iga": 0.65}
#: Length of an absence, and share of products absent at a time; 0.8 percent disappear and return each day.
ABSENT_DAYS, ABSENT_SHARE = 7, 0.055
SEASON_DAYS, SEASON_SHARE = 540, 0.7
UNAVAILABLE_SHARE = 0.01
SHELVES_KEPT = 24


@dataclass(frozen=True, slots=True)
class WorldSize:
    """Size of a generated world per retailer; ``silent_stores``: Aldi stores that are listed but list no products."""

    stores: int = 4
    products: int = 1500
    silent_stores: int = 0


class GeneratedWorld(World):
    """A world in which every value is a hash of seed, store, SKU and week.

    Raises:
        ConfigurationError: an empty size, or one beyond the vocabulary.
    """

    kind = "generated"

    def __init__(self, seed: int, size: WorldSize | None = None) -> None:
        self.seed = seed
        self.size = size or WorldSize()
        if min(self.size.stores, self.size.products) < 1:
            raise ConfigurationError(
                f"a world of {self.size.stores} stores and {self.size.products} products is empty. Give --stores and --products of 1 or more."
            )
        if self.size.products > PRODUCTS_MAX:
            raise ConfigurationError(
                f"a generated world has at most {PRODUCTS_MAX} products per retailer. Lower --products {self.size.products}."
            )
        self._stores_of = cache(partial(generated_stores.stores_of, seed, supermarkets=self.size.stores, silent=self.size.silent_stores))
        self._range_of = cache(self._range)
        self._shelf_of = lru_cache(SHELVES_KEPT)(self._shelf)

    def describe(self) -> dict[str, object]:
        """Return kind, seed and sizes."""
        return {
            "kind": self.kind,
            "seed": self.seed,
            "stores": self.size.stores,
            "products": self.size.products,
            "silent_stores": self.size.silent_stores,
        }

    def stores(self, retailer: str) -> Sequence[SandboxStore]:
        """Return every store a locator would show."""
        return self._stores_of(retailer) if retailer in RETAILERS else ()

    def shelf(self, retailer: str, store_id: str, at: datetime) -> Shelf:
        """Return the shelf of a store at an instant."""
        store = self.store(retailer, store_id)
        return self._shelf_of(store, at.astimezone(zone_of(store.state)).date())

    def _range(self, retailer: str) -> dict[str, Product]:
        # Listed by popularity, which is independent of the order in which the range was generated.
        products = sorted(
            range_of(self.seed, retailer, self.size.products),
            key=lambda product: seeded_random.random_int(self.seed, "popularity", product.sku),
        )
        return {product.sku: product for product in products}

    def _shelf(self, store: SandboxStore, on: date) -> Shelf:
        products = self._range_of(store.retailer)
        listed: dict[str, tuple[CategoryPath, ...]] = {}
        if store.has_shelf:
            listed = {sku: product.paths for sku, product in products.items() if self._is_listed(store, product, on)}
        offer_of: Callable[[str], ShelfOffer] = partial(self._offer, products, store, on)
        return Shelf(listed, offer_of, lambda sku: unavailable(offer_of(sku)) if sku in products else None)

    def _is_listed(self, store: SandboxStore, product: Product, on: date) -> bool:
        fixed = seeded_random.random_int(self.seed, "ranged", store.retailer, store.store_id, product.sku)
        if (fixed & 0xFFFF) / 0x10000 >= RANGED_SHARE[store.retailer]:
            return False
        day = on.toordinal()
        period = (day + (fixed >> 16)) // ABSENT_DAYS
        if seeded_random.random_share(self.seed, "absent", store.retailer, store.store_id, product.sku, period) < ABSENT_SHARE:
            return False
        if product.is_seasonal:
            return (day + seeded_random.random_int(self.seed, "season", product.sku)) % SEASON_DAYS < SEASON_DAYS * SEASON_SHARE
        return True

    def _offer(self, products: dict[str, Product], store: SandboxStore, on: date, sku: str) -> ShelfOffer:
        product = products[sku]
        price = price_of(self.seed, store.retailer, store.zone, sku, product.base_cents, on)
        by_piece = product.size.is_weighed and store.retailer != "iga" and not product.is_by_kg
        scale = product.size.total / 1000 if by_piece else None
        now, regular = price.now_cents, price.regular_cents
        if scale:
            now, regular = max(1, round(now * scale)), max(1, round(regular * scale))
        was = regular if regular > now else None
        period = (on.toordinal() + int(sku)) // ABSENT_DAYS
        available = (
            store.retailer == "aldi"
            or seeded_random.random_share(self.seed, "available", store.retailer, store.store_id, sku, period) >= UNAVAILABLE_SHARE
        )
        return ShelfOffer(
            sku=sku,
            name=product.name,
            brand=product.brand,
            size=product.size.text,
            barcode=product.barcode,
            identity=product.identity,
            price_cents=now if available else None,
            was_price_cents=was if available else None,
            is_on_special=available and was is not None,
            category_paths=product.paths,
            label=product.label,
            brand_label=product.brand_label,
            pack=product.pack,
            regular_cents=regular,
            unit_price=_unit_price(store.retailer, product, price.now_cents),
            piece_grams=product.size.amount if product.size.is_weighed and not product.is_by_kg else None,
            multi_buy=None if product.size.is_weighed else price.multi_buy,
            description=None,
            image_url=None,
            department=product.department,
            price_basis="kg" if product.is_by_kg or (product.size.is_weighed and store.retailer == "iga") else "each",
        )


def _unit_price(retailer: str, product: Product, cents: int) -> UnitPrice | None:
    size = product.size
    if retailer == "aldi" and product.department == "LIQUOR":
        return None  # Aldi's site shows neither size nor unit price of liquor
    if size.is_weighed:
        return UnitPrice(cents, 1, "kg")
    if size.unit == "ea":
        return None if retailer == "iga" and size.text == "each" else UnitPrice(round(cents / size.total), 1, "ea")
    big = {"g": "kg", "ml": "l"}[size.unit]
    # Fresh products and drinks per kilogram and litre, others per 100 g and 100 ml.
    if product.department in ("PRODUCE", "MEAT", "DAIRY", "DRINKS"):
        return UnitPrice(round(cents * 1000 / size.total), 1, big)
    return UnitPrice(round(cents * 100 / size.total), 100, size.unit)
