"""The matcher over the warehouse: products of two retailers that share no barcode and no key. It reads only; who calls it stores and joins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from types import MappingProxyType
from typing import Any, Protocol

from include.catalogue.matching.candidates import candidates
from include.catalogue.matching.exact import Method
from include.catalogue.matching.features import FEATURES, Aliases
from include.catalogue.matching.listing import Described, Listing, describe
from include.catalogue.matching.match import Match, Tier, compare_pairs, decide, score
from include.catalogue.matching.words import WordStatistics, word_statistics
from include.retailer_names import RETAILERS
from include.warehouse.engine import Connection
from include.wording.brand import short_brand
from include.wording.product_key import RULE_VERSION, spelling

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SkuMatch:
    """Two SKUs of two retailers whose products may be one. ``evidence`` has the reason in words, the features that are not zero, and the rule version."""

    left_sku_key: int
    right_sku_key: int
    score: float
    tier: Tier
    method: Method
    evidence: dict[str, Any]


class Judged(Protocol):
    """A product as the matcher judges it: its number and its barcodes."""

    @property
    def product_id(self) -> int:
        """Its number."""

    @property
    def gtins(self) -> tuple[str, ...]:
        """Its barcodes (GTIN-14)."""


def score_changed(
    connection: Connection, since: datetime | None, seen_sku_key: int | None = None, instead: Mapping[int, Judged] = MappingProxyType({})
) -> list[SkuMatch]:
    """Match the products whose SKUs changed after ``since`` (None: all), or are newer than ``seen_sku_key``, with those of each other retailer, the most certain first.

    ``instead`` has, by SKU key, other products to judge by than those in force.

    A product is in one pair at most for each pair of retailers. Products that both retailers have already are neither matched nor rivals. Aliases of brands come from
    accepted barcodes; a pair that shares one is joined, so no pair teaches what it is judged by.
    """
    rows = connection.run(
        "matching/list_catalogue", {"retailers": list(RETAILERS), "since": since, "seen_sku_key": seen_sku_key}
    ).fetchall()
    for row in rows:
        if other := instead.get(row["sku_key"]):
            row.update(product_id=other.product_id, product_gtins=list(other.gtins))
    if not any(row["is_changed"] for row in rows):
        return []
    aliases = brand_aliases(connection)
    retailers: dict[int, set[str]] = defaultdict(set)
    by_retailer: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        retailers[row["product_id"]].add(row["retailer"])
        by_retailer[row["retailer"]].append(row)
    found: list[SkuMatch] = []
    for left, right in combinations(sorted(by_retailer), 2):
        sides = [_products(by_retailer[retailer], {left, right}, retailers) for retailer in (left, right)]
        found += [_checked(match, retailers, rows_of) for match, rows_of in _matches(sides[0], sides[1], aliases)]
    return sorted(found, key=lambda match: (match.tier is not Tier.AUTOMATIC, -match.score, match.left_sku_key, match.right_sku_key))


def brand_aliases(connection: Connection) -> Aliases:
    """The aliases in force (``core.brand_alias``), as the matcher writes brands."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in connection.run("matching/list_brand_aliases").fetchall():
        brand, alias = (" ".join(spelling(word) for word in short_brand(row[name]).split()) for name in ("brand", "alias"))
        if brand != alias:
            found[brand].add(alias)
            found[alias].add(brand)
    return {brand: frozenset(others) for brand, others in sorted(found.items())}


def listing_of(row: Row, gtins: Sequence[str]) -> Listing:
    """A row of the catalogue as the matcher reads it; its id is the SKU key."""
    texts = row["name"], row["brand"], row["size"]
    return Listing(str(row["sku_key"]), *texts, piece_count=row["piece_count"], retailer=row["retailer"], gtins=tuple(gtins))


def _products(rows: Iterable[Row], pair: Collection[str], retailers: Mapping[int, set[str]]) -> list[Row]:
    """The first SKU of each product that only one retailer of the pair has; changed, if one of its SKUs is."""
    first: dict[int, Row] = {}
    for row in rows:
        if not retailers[row["product_id"]].issuperset(pair):
            known = first.setdefault(row["product_id"], dict(row))
            known["is_changed"] = known["is_changed"] or row["is_changed"]
    return list(first.values())


def _matches(left: Sequence[Row], right: Sequence[Row], aliases: Aliases) -> list[tuple[Match, tuple[Row, Row, dict[str, float]]]]:
    rows = {str(row["sku_key"]): row for row in (*left, *right)}
    mine, other = describe(*([listing_of(row, row["product_gtins"]) for row in side] for side in (left, right)))
    statistics = word_statistics(mine, other)
    chosen = _chosen(mine, other, statistics, aliases, {key for key, row in rows.items() if row["is_changed"]})
    pairs = compare_pairs(mine, other, chosen, statistics, aliases)
    features = {
        (mine[at].listing.id, other[to].listing.id): {name: round(value, 3) for name, value in zip(FEATURES, values, strict=True) if value}
        for (at, to), values in zip(chosen, pairs.values.tolist(), strict=True)
    }  # fmt: skip
    return [
        (match, (rows[match.left_id], rows[match.right_id], features[match.left_id, match.right_id]))
        for match in decide(pairs, score(pairs))
        if rows[match.left_id]["is_changed"] or rows[match.right_id]["is_changed"]
    ]


def _chosen(
    left: Sequence[Described], right: Sequence[Described], statistics: WordStatistics, aliases: Aliases, changed: Collection[str]
) -> list[tuple[int, int]]:
    """Positions to compare: the candidates of changed products, and the rivals of both sides of those."""
    turned = replace(statistics, left=statistics.right, right=statistics.left)
    left_at, right_at = ([n for n, item in enumerate(items) if item.listing.id in changed] for items in (left, right))
    found: set[tuple[int, int]] = set()
    for _ in range(2):
        for at, chosen in zip(left_at, candidates([left[n] for n in left_at], right, statistics, aliases), strict=True):
            found.update((at, to) for to in chosen)
        for to, chosen in zip(right_at, candidates([right[n] for n in right_at], left, turned, aliases), strict=True):
            found.update((at, to) for at in chosen)
        left_at, right_at = (sorted({pair[side] for pair in found} - set(known)) for side, known in ((0, left_at), (1, right_at)))
    return sorted(found)


def _checked(match: Match, retailers: Mapping[int, set[str]], rows: tuple[Row, Row, dict[str, float]]) -> SkuMatch:
    """A match of SKUs. Two products that a third retailer has both are probably two goods: a person decides."""
    left, right, features = rows
    is_apart = not retailers[left["product_id"]].isdisjoint(retailers[right["product_id"]])
    return SkuMatch(
        left["sku_key"], right["sku_key"], match.score, Tier.WAITING if is_apart else match.tier, match.method,
        {"reason": match.reason, "features": features, "rule_version": RULE_VERSION},
    )  # fmt: skip
