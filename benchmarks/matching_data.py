"""Lists with known pairs for ``make bench-matching``: read from ``../shared/data``, never part of the project."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from include.catalogue.matching.listing import Listing
from include.wording.barcode import read_barcodes
from include.wording.product_key import spelling
from include.wording.size import canonical
from include.wording.text import fold

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

#: name -> (products, pairs)
RECORDED = {
    "first": ("products_2020.csv.gz", "barcode_true_pairs_2020.csv"),
    "more": ("more_products_2020.csv.gz", "more_pairs_2020.csv"),
}
COLES_DAY, IGA_DAY = "coles-firle-401-2025-09-23", "iga-local-grocer-north-sydney-2025-09-19"
#: Made-up sisters of a product: four times as many products.
_SISTERS = 3
ALDI_DAY = "aldi-bankstown-g475-2025-09-20"


@dataclass(frozen=True, slots=True)
class Lists:
    """Two lists without barcodes, the pairs that are one product, and the pairs about which the barcodes say nothing."""

    name: str
    left: tuple[Listing, ...]
    right: tuple[Listing, ...]
    pairs: frozenset[tuple[str, str]]
    gtins: dict[str, frozenset[str]]

    def verdict(self, left_id: str, right_id: str) -> bool | None:
        """Whether a pair is one product by its barcodes; None where one has no usable barcode, or where they share one that is not listed."""
        if (left_id, right_id) in self.pairs:
            return True
        mine, other = self.gtins[left_id], self.gtins[right_id]
        return None if not mine or not other or mine & other else False

    def with_distractors(self, left: Iterable[Listing], right: Iterable[Listing], gtins: dict[str, frozenset[str]]) -> Lists:
        """The same lists with further listings."""
        return replace(self, left=(*self.left, *left), right=(*self.right, *right), gtins={**self.gtins, **gtins})


def opaque(text: str) -> str:
    """An id that says nothing: those of the recorded products end in the barcode."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def recorded(name: str, folder: Path = DATA) -> Lists:
    """Coles and Woolworths specials of July 2020."""
    products, pairs = RECORDED[name]
    by_retailer: dict[str, dict[str, Listing]] = {"coles": {}, "woolworths": {}}
    gtins: dict[str, frozenset[str]] = defaultdict(frozenset)
    with gzip.open(folder / "matching" / products, "rt", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            found = opaque(row["source_id"])
            by_retailer[row["retailer"]][found] = Listing(found, row["name"], row["brand"], row["size"], retailer=row["retailer"])
            gtins[found] |= set(read_barcodes(row["barcode"]).gtins)
    with (folder / "matching" / pairs).open(encoding="utf-8") as rows:
        truth = frozenset((opaque(row["coles_id"]), opaque(row["woolworths_id"])) for row in csv.DictReader(rows))
    return Lists(name, tuple(by_retailer["coles"].values()), tuple(by_retailer["woolworths"].values()), truth, dict(gtins))


def store_day(name: str, folder: Path = DATA) -> tuple[dict[str, Listing], dict[str, frozenset[str]]]:
    """Listings of a real store-day by id, without barcodes, and their barcodes apart."""
    listings: dict[str, Listing] = {}
    gtins: dict[str, frozenset[str]] = {}
    with gzip.open(folder / "store-days" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            product: dict[str, Any] = json.loads(line)["product"]
            found = opaque(f"{name} {product['sku']}")
            price = product.get("price_current")
            listings[found] = Listing(
                found, product["name"] or "", product.get("brand"), product.get("size"), None if price is None else round(price * 100),
                product.get("per_unit_price_string"), name.partition("-")[0],
            )  # fmt: skip
            gtins[found] = frozenset(read_barcodes(str(product["barcode"]) if product.get("barcode") else None).gtins)
    return listings, gtins


def coles_iga(folder: Path = DATA) -> Lists:
    """A Coles and an IGA store-day of September 2025."""
    (left, left_gtins), (right, right_gtins) = store_day(COLES_DAY, folder), store_day(IGA_DAY, folder)
    owners: dict[str, list[str]] = defaultdict(list)
    for found, codes in right_gtins.items():
        for code in codes:
            owners[code].append(found)
    pairs = {(mine, other) for mine, codes in left_gtins.items() for code in codes for other in owners[code]}
    return Lists("coles-iga", tuple(left.values()), tuple(right.values()), frozenset(pairs), left_gtins | right_gtins)


def crowded(lists: Lists, opposites: Collection[tuple[str, str]]) -> Lists:
    """The lists with three made-up sisters for each product of the right one, where its words allow it: one word is replaced by another that tells products of
    these lists apart. A sister with the words of a product of the lists is left out; each has a barcode of its own, so a pair with one is wrong."""
    others: dict[str, list[str]] = defaultdict(list)
    for word, other in sorted(opposites):
        others[word].append(other)
    known = {_words(item) for item in (*lists.left, *lists.right)}
    sisters: list[Listing] = []
    for item in lists.right:
        tokens = item.name.split()
        changed = [(at, other) for at, token in enumerate(tokens) for other in others[spelling(fold(token))]]
        for at, other in sorted(changed, key=lambda change: opaque(f"{item.id} {change}"))[:_SISTERS]:
            sister = replace(item, id=opaque(f"{item.id} {at} {other}"), name=" ".join((*tokens[:at], other, *tokens[at + 1 :])))
            if _words(sister) not in known:
                known.add(_words(sister))
                sisters.append(sister)
    return lists.with_distractors((), sisters, {item.id: frozenset({f"made up {item.id}"}) for item in sisters})


def _words(item: Listing) -> tuple[frozenset[str], str | None]:
    return frozenset(spelling(word) for word in fold(f"{item.brand or ''} {item.name}").split()), canonical(item.size)


def union(*sets: Lists) -> Lists:
    """Several lists as one."""
    return Lists(
        " and ".join(lists.name for lists in sets),
        tuple({item.id: item for lists in sets for item in lists.left}.values()),
        tuple({item.id: item for lists in sets for item in lists.right}.values()),
        frozenset(pair for lists in sets for pair in lists.pairs),
        {found: gtins for lists in sets for found, gtins in lists.gtins.items()},
    )
