"""Makes the sample: invented store-days of every retailer over two nights, with every kind of trouble real files bring.

Run ``python sample/make_sample.py`` to write ``sample/store-days/`` again; the same seed gives the same bytes. Names, brands,
barcodes and stores are made up. Errors on purpose:

- ``aldi``: zero-padded SKUs, prices as ``12``, ``12.0`` and ``12.5``, two conflicting duplicates, bare dates; Wattle Flat's Wednesday
  is a partial crawl; Saltbush's Tuesday is not packed
- ``coles``: whole numbers as SKUs, several barcodes in one field, in-store codes, wrong check digits, identical duplicates, unavailable products, local times
- ``woolworths``: a special whose was-price is lower, a line without ``price_current``, a donation, times with and without an offset
- ``iga``: brands in other scripts, damaged lines, a line of another store, the date in the product instead of the metadata
- ``iga`` 90002, Wednesday: every second price times 100: **held** by the rule ``price_scale``. No other store-day is.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

SEED = 20261118
FOLDER = Path(__file__).parent / "store-days"
TUESDAY, WEDNESDAY = "2026-11-17", "2026-11-18"
LINES_PER_STORE = 170
HELD = ("iga", "90002", WEDNESDAY)

BRANDS = (
    "Zorbo", "Quillbee", "Tumbledown", "Marrowby", "Ölvikka", "Ñandola", "Крупеня", "菜灯坊", "Fennick & Daughters", "Pip'n'Drum", "Old Ferry Lane", "Nubbin",
)  # fmt: skip
KINDS = (
    "Golden",
    "Crunchy",
    "Lightly Salted",
    "Wild",
    "Creamy",
    "Stone Ground",
    "Sun Dried",
    "Smoky",
    "Honey",
    "Garden",
    "Classic",
    "Double",
)
GOODS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Pantry": (
        ("Oat Biscuits", "Lentil Soup", "Penne", "Basmati Rice", "Plum Jam", "Green Tea", "Peanut Paste"),
        ("100g", "250 g", "375g", "500g", "1kg"),
    ),
    "Dairy": (("Yoghurt", "Cheddar", "Butter", "Custard"), ("170g", "250g", "500 g", "1kg")),
    "Drinks": (("Cola", "Lemon Squash", "Apple Juice", "Soda Water"), ("375mL", "1.25L", "2 L", "10 x 375mL")),
    "Freezer": (("Garden Peas", "Fish Fingers", "Berry Mix", "Potato Gems"), ("450g", "600g", "1 kg")),
    "Household": (("Dish Liquid", "Paper Towels", "Bin Liners", "Laundry Powder"), ("450mL", "4 pack", "30 pack", "2kg")),
}


@dataclass(frozen=True)
class Store:
    """A made-up shop."""

    retailer: str
    store_id: str
    town: str
    state: str


STORES = (
    Store("aldi", "G901", "Wattle Flat", "qld"), Store("aldi", "G902", "Saltbush", "nsw"),
    Store("coles", "COL:9001", "Pelican Reach", "sa"), Store("coles", "COL:9002", "Karrawin", "wa"),
    Store("woolworths", "9101", "Mount Quoll", "vic"), Store("woolworths", "9102", "Dry Creek Bend", "nt"),
    Store("iga", "90001", "Lantern Bay", "wa"), Store("iga", "90002", "Upper Tarn", "tas"),
)  # fmt: skip


@dataclass(frozen=True)
class Article:
    """An article, regardless of who sells it. ``price_cents`` is its price on Tuesday in its first store."""

    number: int
    name: str
    brand: str
    size: str
    category: str
    barcode: str
    price_cents: int


def gtin(number: int) -> str:
    """Return a made-up GTIN-13 with a right check digit."""
    digits = f"9509{number:08d}"
    return digits + str(-sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10)


def assortment(rng: Random) -> list[Article]:
    """Make the articles all retailers choose from."""
    found: dict[tuple[str, str, str], Article] = {}
    while len(found) < 260:
        category = rng.choice(list(GOODS))
        goods, sizes = GOODS[category]
        name, brand, size = f"{rng.choice(KINDS)} {rng.choice(goods)}", rng.choice(BRANDS), rng.choice(sizes)
        number = len(found) + 1
        found.setdefault((name, brand, size), Article(number, name, brand, size, category, gtin(number), rng.randrange(90, 2400, 5)))
    return list(found.values())


def sku_of(store: Store, article: Article) -> str | int:
    """Return the retailer's own number in the retailer's own form."""
    forms: dict[str, str | int] = {
        "aldi": f"{article.number + 600_000:018d}", "coles": 3_000_000 + article.number * 7, "woolworths": str(100_000 + article.number * 3), "iga": f"8{article.number:07d}",
    }  # fmt: skip
    return forms[store.retailer]


def dollars(cents: int) -> int | float:
    """Return the number as a careless writer has it: ``12``, ``12.0`` or ``12.5``."""
    return cents // 100 if cents % 200 == 0 else cents / 100


def line_of(store: Store, article: Article, night: str, was_cents: int | None) -> dict[str, Any]:
    """Make one line in the shape of a staged file."""
    in_title = store.retailer in ("aldi", "iga")
    measure = "per 100 g" if article.size.endswith("g") and not article.size.endswith("kg") else "per each"
    product = {
        "sku": sku_of(store, article),
        "name": f"{article.brand} {article.name} {article.size}" if in_title else article.name,
        "brand": article.brand.upper() if store.retailer == "aldi" else article.brand,
        "barcode": None if store.retailer == "aldi" else article.barcode,
        "description": None,
        "size": article.size,
        "category_path": [article.category, article.name.split()[-1]],
        "price_current": dollars(article.price_cents),
        "price_was": dollars(was_cents) if was_cents else None,
        "price_save_amount": dollars(was_cents - article.price_cents) if was_cents else None,
        "is_on_special": was_cents is not None,
        "is_available": store.retailer != "aldi",
        "per_unit_price_string": f"${article.price_cents / 100:.2f} {measure}",
        "scraped_date": night,
    }
    return {
        "product": product,
        "metadata": {"company": store.retailer, "store_name": store.town.lower(), "store_id": store.store_id, "state": store.state},
    }


def shelf(store: Store, articles: list[Article], rng: Random, night: str) -> list[dict[str, Any]]:
    """Return a store's ordinary lines of one night: on Wednesday a fifth of the prices differ, a few goods went and a few came."""
    listed = rng.sample(articles, LINES_PER_STORE + 5)
    moves = [rng.random() for _ in listed]
    lines = []
    chosen = listed[:LINES_PER_STORE] if night == TUESDAY else listed[5:]
    for article, move in zip(listed, moves, strict=True):
        if article not in chosen:
            continue
        is_special = night == WEDNESDAY and move < 0.1
        factor = 0.75 if is_special else 1.1 if night == WEDNESDAY and move > 0.9 else 1.0
        lines.append(
            line_of(
                store,
                replace(article, price_cents=max(5, round(article.price_cents * factor / 5) * 5)),
                night,
                article.price_cents if is_special else None,
            )
        )
    return lines


def stamp(store: Store, night: str, lines: list[dict[str, Any]]) -> None:
    """Write when each line was seen, in the forms that occur."""
    for index, line in enumerate(lines):
        clock, metadata = f"04:{index // 4:02d}:{index % 4 * 15:02d}", line["metadata"]
        if store.retailer == "coles":
            metadata["scraped_at"] = f"{night}T{clock}.250000"
        elif store.retailer == "woolworths":
            metadata["scraped_at"] = f"{night}T{clock}" if index % 3 else f"{night}T{clock}+{'10:30' if store.state == 'vic' else '09:30'}"
        elif store.retailer == "aldi" or index % 5:
            metadata["scraped_date"] = night


def trouble(store: Store, night: str, lines: list[dict[str, Any]]) -> list[dict[str, Any] | str]:
    """Add what goes wrong at this retailer."""

    def copied(index: int, **product: Any) -> dict[str, Any]:
        return {"product": lines[index]["product"] | product, "metadata": dict(lines[index]["metadata"])}

    made: list[dict[str, Any] | str] = list(lines)
    if store.retailer == "aldi":
        made += [copied(3, price_current=dollars(12300))]
        if (store.store_id, night) == ("G901", WEDNESDAY):
            made = made[:60]
    elif store.retailer == "coles":
        lines[1]["product"]["barcode"] = f"{lines[1]['product']['barcode']},{gtin(90_000_000)}"
        lines[2]["product"]["barcode"] = "2950000000008"
        lines[4]["product"]["barcode"] = "4011"
        lines[5]["product"]["barcode"] = "9509000000010"
        for index in (6, 7, 8):
            lines[index]["product"] |= {
                "price_current": None,
                "price_was": None,
                "price_save_amount": None,
                "is_on_special": False,
                "is_available": False,
            }
        made += [copied(9), copied(10), copied(10)]
    elif store.retailer == "woolworths":
        lines[11]["product"] |= {"price_was": 0.5, "is_on_special": True}
        del lines[12]["product"]["price_current"]
        made += [copied(13, sku="199999", name="Lunch Box Appeal Donation", brand=None, barcode=None, price_current=2)]
    else:
        made.insert(20, json.dumps(lines[14], ensure_ascii=False)[:90])
        made.insert(40, '{"product": {"sku": 1}, "metadata"')
        made += [{"product": dict(lines[15]["product"]), "metadata": lines[15]["metadata"] | {"store_id": "90009"}}]
        if (store.retailer, store.store_id, night) == HELD:
            for line in lines[::2]:
                for key in ("price_current", "price_was"):
                    if line["product"][key] is not None:
                        line["product"][key] = round(line["product"][key] * 100)
    return made


def write(path: Path, lines: list[dict[str, Any] | str]) -> None:
    """Write one store-day, packed if its name ends in .gz; without a time or a name in the archive, so that bytes repeat."""
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines]
    content = "".join(f"{text}\n" for text in texts).encode()
    path.write_bytes(gzip.compress(content, compresslevel=9, mtime=0) if path.suffix == ".gz" else content)


def make(folder: Path = FOLDER) -> list[Path]:
    """Write all store-days into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    articles = assortment(Random(SEED))  # noqa: S311
    paths = []
    for store in STORES:
        for night in (TUESDAY, WEDNESDAY):
            lines = shelf(store, articles, Random(f"{SEED} {store.store_id}"), night)  # noqa: S311
            stamp(store, night, lines)
            suffix = ".jsonl" if (store.store_id, night) == ("G902", TUESDAY) else ".jsonl.gz"
            paths.append(
                folder
                / f"{store.retailer}-{store.town.lower().replace(' ', '-')}-{store.store_id.lower().replace(':', '')}-{night}{suffix}"
            )
            write(paths[-1], trouble(store, night, lines))
    return paths


if __name__ == "__main__":
    print(f"wrote {len(make())} store-days to {FOLDER}")
