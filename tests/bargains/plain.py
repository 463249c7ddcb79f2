"""Bargains in plain Python, from the rows of ``core.store_price``: what the statements are compared with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
#: (state, zone, start of its present price week) of each store by (retailer, store_id); (quantity, unit) of each SKU by (retailer, sku).
Places = Mapping[tuple[str, str], tuple[str | None, int, datetime]]
Sizes = Mapping[tuple[str, str], tuple[Decimal | None, str | None]]


@dataclass(frozen=True)
class Found:
    """A bargain: lowest and highest value, both stores, and how many stores have either."""

    compared_by: str
    lowest: Decimal
    highest: Decimal
    cheapest: tuple[str, str, str]
    dearest: tuple[str, str, str]
    cheapest_stores: int
    dearest_stores: int
    stores: int


def bargains(
    rows: Iterable[Row], places: Places, sizes: Sizes, least: Decimal, most: Decimal
) -> tuple[dict[tuple[int, str], Found], Counter[str]]:
    """Return the bargains by (product, area), and how many spreads were compared, small and implausible."""
    offers: dict[int, list[Row]] = defaultdict(list)
    for row in one_per_store(rows):
        if row["is_current"] and row["is_available"] and row["observed_at"] >= places[row["retailer"], row["store_id"]][2]:
            offers[row["product_id"]].append(row)
    found, counts = {}, Counter[str]()
    for product, some in offers.items():
        compared_by, valued = value(some, sizes)
        for area in ["AU", *sorted({places[one["retailer"], one["store_id"]][0] or "AU" for one, _ in valued} - {"AU"})]:
            here = [pair for pair in valued if area in ("AU", places[pair[0]["retailer"], pair[0]["store_id"]][0])]
            if len({places[one["retailer"], one["store_id"]][1] for one, _ in here}) < 2:
                continue
            lowest, highest = min(v for _, v in here), max(v for _, v in here)
            saving = 1 - lowest / highest
            counts["compared"] += 1
            if saving < least:
                counts["small"] += 1
            elif saving > most:
                counts["implausible"] += 1
            else:
                cheap, dear = ([one for one, v in here if v == bound] for bound in (lowest, highest))
                found[product, area] = Found(
                    compared_by, lowest, highest, pick(cheap, places), pick(dear, places), len(cheap), len(dear), len(here)
                )
    return found, counts


def one_per_store(rows: Iterable[Row]) -> list[Row]:
    """Return one listed price per product and store: available before unavailable, then the newest, then the lowest."""
    best: dict[tuple[Any, ...], Row] = {}
    for row in sorted(
        (row for row in rows if row["is_listed"]),
        key=lambda row: (not row["is_available"], -row["observed_at"].timestamp(), row["price_cents"], row["sku"]),
    ):
        best.setdefault((row["product_id"], row["retailer"], row["store_id"]), row)
    return list(best.values())


def value(offers: Sequence[Row], sizes: Sizes) -> tuple[str, list[tuple[Row, Decimal]]]:
    """Return by what the offers of a product are compared, and those that can be, each with its value in dollars."""
    known = [sizes[one["retailer"], one["sku"]] for one in offers]
    quantities, units = {q for q, _ in known if q is not None}, {u for _, u in known if u is not None}
    is_one_size = len(units) <= 1 and (not quantities or max(quantities) <= Decimal("1.01") * min(quantities))
    if is_one_size and len({one["price_basis"] for one in offers}) == 1:
        return "price", [(one, Decimal(one["price_cents"]) / 100) for one in offers]
    priced = [one for one in offers if one["unit_price"] is not None and one["unit_price"] > 0]
    used = Counter(one["unit_of_measure"] for one in priced)
    unit = min(used, key=lambda unit: (-used[unit], unit), default=None)
    return "unit_price", [(one, one["unit_price"]) for one in priced if one["unit_of_measure"] == unit]


def pick(offers: Sequence[Row], places: Places) -> tuple[str, str, str]:
    """Return (retailer, store_id, sku) of the store that is shown. Stores of a zone and state that offer alike count as one, by their first id and oldest observation."""
    alike: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for one in offers:
        state, zone, _ = places[one["retailer"], one["store_id"]]
        same = (
            "price_cents",
            "price_basis",
            "unit_price",
            "unit_of_measure",
            "multi_buy_quantity",
            "multi_buy_cents",
            "is_on_special",
            "source",
        )
        alike[(one["retailer"], one["sku"], state, zone, *(one[name] for name in same))].append(one)
    shown = [
        (
            some[0]["source"] != "observed",
            -min(one["observed_at"] for one in some).timestamp(),
            some[0]["retailer"],
            min(one["store_id"] for one in some),
            some[0]["sku"],
        )
        for some in alike.values()
    ]
    return min(shown)[2:]
