"""Why two SKUs of the warehouse are one product, or not: what speaks for and against it, their rivals, and what the matcher would decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from include.catalogue.matching.aliases import learn_aliases
from include.catalogue.matching.candidates import candidates
from include.catalogue.matching.features import FEATURES, Aliases, veto
from include.catalogue.matching.listing import Described, Listing, describe
from include.catalogue.matching.match import compare_pairs, explain, same_barcode, score, tier_of
from include.catalogue.matching.model import COEFFICIENTS
from include.catalogue.matching.pairs import Pairs
from include.catalogue.matching.warehouse import listing_of
from include.catalogue.matching.words import word_statistics
from include.catalogue.sku_name import SkuName
from include.errors import TerminalError
from include.warehouse.engine import Warehouse

_RIVALS_MAX = 3


def inspect_match(warehouse: Warehouse, left: SkuName, right: SkuName) -> dict[str, Any]:
    """Compare two SKUs against the whole catalogues of their retailers.

    Returns:
        ``left`` and ``right`` (texts, product, barcodes), ``is_one_product`` in the warehouse, ``shared_barcodes``, ``veto``, ``score`` and ``tier`` (null when
        vetoed), ``reason``, ``features`` (value and log-odds of each that is not zero), ``rivals`` of either.

    Raises:
        TerminalError: a SKU is unknown, or both are the same.
    """
    if left == right:
        raise TerminalError(f"{left} is compared with itself: give two SKUs.")
    with warehouse.transaction() as connection:
        rows = connection.run(
            "matching/list_catalogue", {"retailers": sorted({left.retailer, right.retailer}), "since": None, "seen_sku_key": None}
        ).fetchall()
    known = {f"{row['retailer']}:{row['sku']}": row for row in rows}
    for name in (left, right):
        if str(name) not in known:
            raise TerminalError(f"{name} is unknown: no published store-day has it. `aisleflow prices` finds products by words.")
    lists = [
        [replace(listing_of(row, row["gtins"]), id=key) for key, row in known.items() if row["retailer"] == name.retailer]
        for name in (left, right)
    ]
    shared = sorted(set(known[str(left)]["gtins"]) & set(known[str(right)]["gtins"]))
    return {
        "left": _texts(known[str(left)]), "right": _texts(known[str(right)]),
        "is_one_product": known[str(left)]["product_id"] == known[str(right)]["product_id"], "shared_barcodes": shared,
    } | _judge(lists[0], lists[1], str(left), str(right))  # fmt: skip


def _texts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("retailer", "sku", "name", "brand", "size", "product_id", "joined_by", "gtins")}


def _judge(left: Sequence[Listing], right: Sequence[Listing], left_id: str, right_id: str) -> dict[str, Any]:
    mine, other = describe(left, right)
    at = next(n for n, item in enumerate(mine) if item.listing.id == left_id)
    other_at = next(n for n, item in enumerate(other) if item.listing.id == right_id)
    reason = veto(mine[at], other[other_at])
    pairs = _pairs(mine, other, at, other_at)
    row = next(n for n, pair in enumerate(zip(pairs.left_at, pairs.right_at, strict=True)) if pair == (at, other_at))
    scores, comparison = score(pairs), pairs.comparison(row)
    rivals = [
        {
            "left": mine[int(pairs.left_at[n])].listing.id, "right": other[int(pairs.right_at[n])].listing.id, "score": round(float(scores[n]), 4),
            "reason": explain(pairs.comparison(n)),
        }
        for n in np.argsort(-scores, kind="stable").tolist()
        if n != row
    ]  # fmt: skip
    features = [
        {"feature": name, "value": round(value, 3), "log_odds": round(value * COEFFICIENTS[name], 2)}
        for name, value in zip(FEATURES, comparison.values, strict=True)
        if value
    ]
    probability = float(scores[row])
    return {
        "veto": reason, "score": None if reason else round(probability, 4), "tier": None if reason else tier_of(probability, comparison.values).value,
        "reason": explain(comparison), "features": features, "rivals": rivals[:_RIVALS_MAX],
    }  # fmt: skip


def _pairs(left: list[Described], right: list[Described], at: int, other_at: int) -> Pairs:
    """The pair with the candidates of both: those are its rivals."""
    statistics = word_statistics(left, right)
    ids = {left[at].listing.id, right[other_at].listing.id}
    aliases: Aliases = learn_aliases(pair for pair in same_barcode(left, right) if ids.isdisjoint(item.listing.id for item in pair))
    found = [(at, n) for chosen in candidates([left[at]], right, statistics, aliases) for n in chosen]
    turned = replace(statistics, left=statistics.right, right=statistics.left)
    found += [(n, other_at) for chosen in candidates([right[other_at]], left, turned, aliases) for n in chosen]
    rows = sorted({(a, b) for a, b in found if left[a].listing.id != right[b].listing.id} | {(at, other_at)})
    return compare_pairs(left, right, rows, statistics, aliases)
