"""The range of one retailer in the generated world: its products, their SKUs and their texts.

A product is identified by its ``key``: ``b7`` is number 7 of the branded universe, which several retailers share by
barcode; ``o7`` a retailer's own label; ``l7`` loose produce, sold by all under in-store codes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from sandbox import gtin, seeded_random, wording
from sandbox.prices import tidy
from sandbox.vocabulary import (
    BRAND_AT_WOOLWORTHS,
    BRANDS_A_DEPARTMENT,
    DEPARTMENTS,
    DIETARY,
    KINDS,
    OWN_LABELS,
    PROMOTIONAL,
    ProductKind,
    Size,
    brands_of,
)  # fmt: skip
from sandbox.world import RETAILERS, CategoryPath

#: Share of a retailer's range that is its own label, and of the branded universe that it carries.
OWN_SHARE = {"coles": 0.25, "woolworths": 0.25, "aldi": 0.88, "iga": 0.08}
CARRIED_SHARE = {"coles": 0.8, "woolworths": 0.8, "aldi": 0.1, "iga": 0.7}
#: A discounter's range is small in a world of any size.
ALDI_RANGE = 2600
#: The largest range; a store lists about 92 percent of its retailer's range, an IGA shop 60.
PRODUCTS_MAX = 33_000
#: Sets of brands per department: when all products of the usual brands are named, the next set follows.
_WAVES = {"o": 1, "b": 3}
#: Limit of the five digits of an in-store code; later products have none.
_IN_STORE_CODES = 50_000

_LOOSE = tuple(kind for kind in KINDS if kind.is_loose)
_PACKED = tuple(kind for kind in KINDS if not kind.is_loose)


@dataclass(frozen=True, slots=True)
class Product:
    """One SKU of one retailer. ``base_cents`` is its usual NSW price: per item, or per kilogram if weighed."""

    sku: str
    name: str
    brand: str | None
    brand_label: str | None
    label: str
    size: Size
    pack: str | None
    barcode: str | None
    identity: str
    paths: tuple[CategoryPath, ...]
    base_cents: int
    department: str
    is_seasonal: bool
    is_by_kg: bool


@dataclass(frozen=True, slots=True)
class _ProductVariant:
    key: str
    kind: ProductKind
    variety: str
    size: Size
    brand: str | None


def range_of(seed: int, retailer: str, products: int) -> Iterator[Product]:
    """Yield the range of a retailer, ``products`` SKUs (fewer for Aldi), the same ones for the same seed."""
    wanted = min(products, ALDI_RANGE) if retailer == "aldi" else products
    for number, variant in enumerate(_product_variants(seed, retailer, wanted)):
        yield _product(seed, retailer, variant, number)


def _product_variants(seed: int, retailer: str, wanted: int) -> Iterator[_ProductVariant]:
    loose = [_combination(_LOOSE, 1, number) for number in range(min(_combinations(_LOOSE, 1), wanted // 10))]
    own = round((wanted - len(loose)) * OWN_SHARE[retailer])
    for number, (kind, variety, size, _) in enumerate(loose):
        yield _ProductVariant(f"l{number}", kind, variety, size, None)
    left = {"o": own, "b": wanted - len(loose) - own}
    brands = {"o": len(OWN_LABELS[retailer]), "b": BRANDS_A_DEPARTMENT}
    for letter in "ob":
        total = _combinations(_PACKED, brands[letter])
        for number in range(total * _WAVES[letter]):
            if not left[letter]:
                break
            wave, position = divmod(number, total)
            kind, variety, size, brand = _combination(_PACKED, brands[letter], _shuffled(seed, position, total))
            if DEPARTMENTS[kind.department][RETAILERS.index(retailer)] is None:
                continue
            if letter == "b" and seeded_random.random_share(seed, "carried", retailer, number) >= CARRIED_SHARE[retailer]:
                continue
            left[letter] -= 1
            names = OWN_LABELS[retailer] if letter == "o" else brands_of(kind.department, wave)
            yield _ProductVariant(f"{letter}{number}", kind, variety, size, names[brand])
        left["b"] += left["o"] if letter == "o" else 0  # more products than the own labels can name


def _combinations(kinds: tuple[ProductKind, ...], brands: int) -> int:
    return sum(len(kind.varieties) * len(kind.sizes) for kind in kinds) * brands


def _shuffled(seed: int, number: int, total: int) -> int:
    """A permutation of range(total): neighbouring numbers come from all departments."""
    return (number * 7919 + seed * 104_729) % total  # 7919 is prime and divides no total in use


@cache
def _ends(kinds: tuple[ProductKind, ...], brands: int) -> tuple[int, ...]:
    return tuple(accumulate(len(kind.varieties) * len(kind.sizes) * brands for kind in kinds))


def _combination(kinds: tuple[ProductKind, ...], brands: int, number: int) -> tuple[ProductKind, str, Size, int]:
    ends = _ends(kinds, brands)
    at = bisect_right(ends, number)
    kind = kinds[at]
    rest, brand = divmod(number - (ends[at - 1] if at else 0), brands)
    variety, size = divmod(rest, len(kind.sizes))
    return kind, kind.varieties[variety], kind.sizes[size], brand


def _product(seed: int, retailer: str, variant: _ProductVariant, number: int) -> Product:
    kind, size, brand = variant.kind, variant.size, variant.brand
    chance = seeded_random.random_int(seed, "product", retailer, variant.key)
    # Berries have a name of one word, most products of two. Loose goods of two weights differ by a word: in recorded store-days no two goods have one text.
    name = f"{variant.variety}berries" if kind.noun == "Berries" and variant.variety != "Ras" else f"{variant.variety} {kind.noun}"
    if kind.is_loose and size.is_weighed and size is not kind.sizes[0]:
        name = f"Large {name}"
    brand_label = _brand_label(retailer, brand)
    # Woolworths prices some trays of meat per kilogram, all other products per item.
    is_by_kg = retailer == "woolworths" and size.is_weighed and kind.department == "meat" and chance % 3 == 0
    pack = f"Min. {size.amount}g" if is_by_kg else wording.pack(retailer, size, chance)
    return Product(
        sku=_sku(retailer, variant, number),
        name=name,
        brand=brand,
        brand_label=brand_label,
        label=wording.label(retailer, name, brand_label, size),
        size=size,
        pack=None if retailer == "aldi" and kind.department == "liquor" else pack,
        barcode=_barcode(seed, retailer, variant),
        identity=f"{retailer} {variant.key}" if variant.key[0] == "o" else variant.key,
        paths=_paths(seed, retailer, variant),
        base_cents=_base_cents(seed, retailer, variant),
        department=kind.department.upper(),
        is_seasonal=variant.key[0] == "b" and chance % 100 < 8,
        is_by_kg=is_by_kg,
    )


def _brand_label(retailer: str, brand: str | None) -> str | None:
    if brand is None:
        return None
    if retailer == "aldi":
        return brand.upper()
    return BRAND_AT_WOOLWORTHS.get(brand, brand) if retailer == "woolworths" else brand


def _sku(retailer: str, variant: _ProductVariant, number: int) -> str:
    # Prime moduli: one number, one SKU. The order is unrelated to the products.
    if retailer == "coles":
        return str(1_000_003 + (number * 52_361) % 7_999_993)
    if retailer == "woolworths":
        return str(10_007 + (number * 6_151) % 989_999)
    if retailer == "aldi":
        return f"{398_449 + (number * 4_099) % 600_011:018d}"
    return f"800{60_000 + number:05d}" if variant.kind.is_loose else str(100_003 + (number * 7_919) % 899_981)


def _barcode(seed: int, retailer: str, variant: _ProductVariant) -> str | None:
    number = int(variant.key[1:])
    if variant.kind.is_loose:
        if retailer == "aldi":
            return None
        return (
            str(60_000 + number)
            if retailer == "iga"
            else gtin.in_store_code({"coles": "29", "woolworths": "02"}[retailer], 64_000 + number)
        )
    if variant.size.is_weighed or variant.kind.leaf in ("Ham", "Olives"):
        if number >= _IN_STORE_CODES:
            return None
        return gtin.in_store_code(
            {"coles": "29", "woolworths": "02", "aldi": "21", "iga": "28"}[retailer], {"b": 10_000, "o": 70_000}[variant.key[0]] + number
        )
    if variant.key[0] == "o":
        return gtin.gtin(50_000_000 + 10_000_000 * RETAILERS.index(retailer) // 4 + number)
    return None if seeded_random.random_share(seed, "no barcode", number) < 0.03 else gtin.gtin(number)


def _paths(seed: int, retailer: str, variant: _ProductVariant) -> tuple[CategoryPath, ...]:
    kind, position = variant.kind, RETAILERS.index(retailer)
    department, world = str(DEPARTMENTS[kind.department][position]), DEPARTMENTS["world"][position]
    paths: list[CategoryPath] = []
    if retailer in PROMOTIONAL:
        name, part = PROMOTIONAL[retailer]
        if seeded_random.random_share(seed, "promotional", retailer, variant.key) < part:
            paths.append({"coles": (name, department, kind.leaf), "woolworths": (name, department), "aldi": (name,)}[retailer])
    main = (department, kind.category, kind.leaf)
    paths.append({"aldi": main[:2], "iga": ("Grocery", *main)}.get(retailer, main))
    if world and kind.department != "world" and seeded_random.random_share(seed, "dietary", variant.key) < 0.15:
        diet = seeded_random.pick(DIETARY, seed, "diet", variant.key)
        paths.append(
            {"coles": (world, diet, kind.category), "woolworths": (world, diet), "iga": ("Grocery", world, "Dietary", diet)}[retailer]
        )
    return tuple(paths)


def _base_cents(seed: int, retailer: str, variant: _ProductVariant) -> int:
    kind, size = variant.kind, variant.size
    first = kind.sizes[0]
    # A larger pack costs less per gram; a weighed one is priced per kilogram regardless of the weight of a piece.
    scale = 1.0 if size.is_weighed or size.unit != first.unit else (size.total / first.total) ** 0.82
    if first.is_weighed and not size.is_weighed:
        scale = (size.total / 1000) ** 0.9 if size.unit == "g" else 1.0
    identity = (variant.key, "") if variant.key[0] == "b" else (variant.key, retailer)
    factor = 0.85 + 0.6 * seeded_random.random_share(seed, "brand price", variant.brand, kind.noun)
    factor *= 0.95 + 0.1 * seeded_random.random_share(seed, "good price", *identity)
    factor *= {"o": 0.7, "b": 1.0, "l": 1.0}[variant.key[0]]
    cents = tidy(kind.cents * scale * factor)
    # About four in five shared products have the same usual price at Coles and Woolworths.
    differs = 0.9 if retailer == "iga" else 0.2 if retailer != "coles" else 0.0
    if seeded_random.random_share(seed, "differs", retailer, variant.key) < differs:
        cents = tidy(
            cents * (1.06 if retailer == "iga" else seeded_random.pick((0.93, 0.97, 1.03, 1.06), seed, "step", retailer, variant.key))
        )
    return cents - 1 if retailer == "aldi" and cents > 100 else cents
