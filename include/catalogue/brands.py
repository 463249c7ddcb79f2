"""Merges of brands: variations that barcodes show on the same goods, each pair a decision that :func:`include.catalogue.merges.undo` ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from include.warehouse.engine import Connection
from include.wording.brand import is_company

#: Products whose barcodes have to show that two brands are one: a single one may be a wrong barcode.
PRODUCTS_MIN = 2


def join_learned(connection: Connection, now: datetime) -> int:
    """Join the brands that enough barcodes show to be one, inside the caller's transaction; returns how many pairs. A join that they no longer show ends.

    A licence holder is on the goods of many brands, so it joins none: General Mills, Old El Paso and Betty Crocker stay three.
    """
    rows = connection.run("brands/list_learned", {"products_min": PRODUCTS_MIN}).fetchall()
    found = [row for row in rows if not is_company(row["folded"]) and not is_company(row["alias_folded"])]
    ended = [row["decision_id"] for row in connection.run("brands/list_unlearned", {"products_min": PRODUCTS_MIN}).fetchall()]
    if ended:
        why = {"by": "aisleflow", "reason": "the barcodes no longer show it", "via": "reconciliation", "now": now}
        connection.run("merges/end_decisions", {"decision_ids": ended} | why)
    if found:
        columns = {"brand_ids": "brand_id", "alias_ids": "alias_id", "products": "products", "gtins": "gtins"}
        connection.run("brands/record_joins", {name: [row[column] for row in found] for name, column in columns.items()} | {"now": now})
    if found or ended:
        apply_merges(connection)
    return len(found)


def apply_merges(connection: Connection) -> None:
    """Set the canonical brands that follow from the decisions in force, and the brands of products, inside the caller's transaction."""
    chosen = canonical_of(connection.run("brands/list_pairs").fetchall())
    connection.run("brands/set_canonical", {"brand_ids": list(chosen), "canonical_ids": list(chosen.values())})
    connection.run("brands/repoint_products")


def canonical_of(pairs: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """Return the canonical brand of each brand in connected pairs that is not canonical itself: fewest words, then the shortest, then the first in the alphabet.

    >>> canonical_of([
    ...     {"left_brand_id": 1, "left_folded": "arnott s biscuits", "right_brand_id": 2, "right_folded": "arnotts"},
    ...     {"left_brand_id": 2, "left_folded": "arnotts", "right_brand_id": 3, "right_folded": "arnott s"},
    ... ])
    {1: 2, 3: 2}
    """
    group_of: dict[int, dict[int, str]] = {}
    for pair in pairs:
        merged: dict[int, str] = {}
        for side in ("left", "right"):
            brand_id, folded = pair[f"{side}_brand_id"], pair[f"{side}_folded"]
            merged |= group_of.get(brand_id, {brand_id: folded})
        group_of.update(dict.fromkeys(merged, merged))
    first = {id(group): min(group, key=lambda one: (len(group[one].split()), len(group[one]), group[one])) for group in group_of.values()}
    return {brand_id: first[id(group)] for brand_id, group in sorted(group_of.items()) if first[id(group)] != brand_id}
