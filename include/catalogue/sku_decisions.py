"""Decisions of a person about SKUs that no proposal names: these are one product, or this one is another good than those.

They are facts like decisions about proposals (:mod:`include.catalogue.merges`): grouping reads them, and an undo ends them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from include import clock
from include.catalogue.deciding import deciding
from include.catalogue.regroup import regroup
from include.catalogue.sku_name import SkuName
from include.errors import TerminalError
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decided:
    """Outcome: the number of the decision, None where it was in force already; SKUs that moved to another product."""

    decision_id: int | None
    moved: int


def join(warehouse: Warehouse, left: SkuName, right: SkuName, by: str, why: str) -> Decided:
    """Make the products of two SKUs one, in spite of different barcodes or sizes. Safe to repeat.

    Raises:
        NeedsPersonError: no reason is given.
        TerminalError: a SKU is unknown, both are the same, or another decision keeps them apart; nothing was decided.
    """
    with deciding(warehouse, by, why) as (connection, _):
        found = _Found.read(connection, [left, right])
        done = _record(connection, "join", [(found.key(left), found.key(right))], (left, right), by, why)
        after = _Found.read(connection, [left, right])
        if after.product(left) != after.product(right):
            raise TerminalError(
                f"{left} and {right} stay two products, so nothing was decided: another decision keeps them apart, or one was split off. "
                f"aisleflow inspect sku shows the decisions about each; undo that one first."
            )
    log.info("%s joined %s and %s: %s", by, left, right, done)
    return done


def separate(warehouse: Warehouse, name: SkuName, others: Sequence[SkuName], by: str, why: str) -> Decided:
    """Make a SKU another good than others, by default than all others of its product. Safe to repeat.

    Where it is in another product already, every SKU of the one stays apart from every SKU of the other.

    Raises:
        NeedsPersonError: no reason is given.
        TerminalError: a SKU is unknown, is alone in its product, or an accepted barcode joins them; nothing was decided.
    """
    with deciding(warehouse, by, why) as (connection, _):
        found = _Found.read(connection, [name, *others])
        rivals = list(others) or found.others(name)
        if not rivals:
            raise TerminalError(
                f"{name} is the only SKU of its product, so nothing was decided. Name the SKUs that it is never to be one with."
            )
        pairs = [pair for other in rivals for pair in found.pairs(name, other)]
        done = _record(connection, "apart", pairs, (name, *rivals), by, why)
        after = _Found.read(connection, [name, *rivals])
        if still := [str(other) for other in rivals if after.product(other) == after.product(name)]:
            raise TerminalError(
                f"{name} stays one product with {', '.join(still)}, so nothing was decided: a barcode that a person accepted joins them. "
                f"Undo that first: aisleflow inspect sku {name}, aisleflow barcodes undo."
            )
    log.info("%s separated %s from %s: %s", by, name, rivals, done)
    return done


@dataclass(frozen=True, slots=True)
class _Found:
    """SKUs by name, with all others of their products."""

    rows: dict[SkuName, dict[str, Any]]

    @classmethod
    def read(cls, connection: Connection, names: Sequence[SkuName]) -> _Found:
        values = {"retailers": [name.retailer for name in names], "skus": [name.sku for name in names]}
        found = cls({SkuName(row["retailer"], row["sku"]): dict(row) for row in connection.run("merges/find_skus", values).fetchall()})
        if missing := [str(name) for name in names if name not in found.rows]:
            raise TerminalError(
                f'no SKU {", ".join(missing)} here, so nothing was decided. `aisleflow prices "words of its name"` finds products by name.'
            )
        if len(set(names)) < len(names):
            raise TerminalError("a SKU is named twice, so nothing was decided: give different SKUs.")
        return found

    def key(self, name: SkuName) -> int:
        return int(self.rows[name]["sku_key"])

    def product(self, name: SkuName) -> int:
        return int(self.rows[name]["product_id"])

    def others(self, name: SkuName) -> list[SkuName]:
        """The other SKUs of its product."""
        return [other for other in self.rows if other != name and self.product(other) == self.product(name)]

    def pairs(self, name: SkuName, other: SkuName) -> list[tuple[int, int]]:
        """The keys of the two; where they are in two products, of every SKU of one and every SKU of the other."""
        if self.product(name) == self.product(other):
            return [(self.key(name), self.key(other))]
        left, right = ([self.key(each) for each in (one, *self.others(one))] for one in (name, other))
        return [(mine, theirs) for mine in left for theirs in right]


def _record(
    connection: Connection,
    choice: Literal["join", "apart"],
    pairs: Sequence[tuple[int, int]],
    names: Sequence[SkuName],
    by: str,
    why: str,
) -> Decided:
    left, right = zip(*pairs, strict=True)
    values = {"left_sku_keys": list(left), "right_sku_keys": list(right), "skus": [str(name) for name in names]}
    made = connection.run(
        "merges/record_decision", values | {"choice": choice, "by": by, "reason": why.strip(), "now": clock.now()}
    ).fetchone()
    moved = regroup(connection, sorted({*left, *right}), are_proposals_new=False).moved if made else 0
    return Decided(int(made["decision_id"]) if made else None, moved)
