"""Barcode conflicts: what a retailer claims and the catalogue does not accept, and what a person decides about it.

A decision is a fact that resolution reads (:mod:`include.catalogue.grouping`): deciding and undoing record it and group the SKUs concerned again, so no order
of decisions and files matters to the products. The first decision about a conflict counts, until it is undone or something changes and opens it again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from include.catalogue.deciding import Decided, Undone, Via, deciding
from include.catalogue.grouping import Choice
from include.catalogue.regroup import regroup
from include.errors import TerminalError
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)

#: What a person answers in a form or with a command, and the decision that it is.
CHOICES: Mapping[str, Choice] = {"accept": "accept", "reject": "reject", "split": "split"}


def list_conflicts(
    warehouse: Warehouse, retailer: str | None = None, *, is_all: bool = False, rows_max: int | None = None
) -> list[dict[str, Any]]:
    """Return the open conflicts, the newest first, each with both sides; with ``is_all`` also decided and settled ones."""
    values = {"retailer": retailer, "is_all": is_all, "conflict_ids": None, "rows_max": rows_max}
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("conflicts/list_conflicts", values).fetchall()]


def list_some(warehouse: Warehouse, conflict_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return those of some conflicts that are open, as :func:`list_conflicts`."""
    values = {"retailer": None, "is_all": False, "conflict_ids": list(conflict_ids), "rows_max": None}
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("conflicts/list_conflicts", values).fetchall()]


def count_conflicts(warehouse: Warehouse, retailer: str | None = None) -> dict[str, int]:
    """Return the number of ``conflicts``, and of those ``open``."""
    with warehouse.transaction() as connection:
        row = connection.run("conflicts/count_conflicts", {"retailer": retailer}).fetchone()
    assert row is not None
    return dict(row)


def show_conflict(warehouse: Warehouse, conflict_id: int) -> dict[str, Any]:
    """Return one conflict with all evidence: ``conflict``, ``sides`` (the SKUs of both products, at most 30 each), ``decisions``.

    Raises:
        TerminalError: there is no such conflict.
    """
    wanted = {"retailer": None, "is_all": True, "conflict_ids": [conflict_id], "rows_max": None}
    with warehouse.transaction() as connection:
        conflict = connection.run("conflicts/list_conflicts", wanted).fetchone()
        if conflict is None:
            raise _unknown([conflict_id])
        values = {"product_id": conflict["product_id"], "other_product_id": conflict["owner_product_id"], "gtin": conflict["gtin"]}
        sides = connection.run("inspection/list_sides", values).fetchall()
        decisions = connection.run("inspection/list_barcode_decisions", {"claim_ids": [conflict_id]}).fetchall()
    return {"conflict": dict(conflict), "sides": [dict(row) for row in sides], "decisions": [dict(row) for row in decisions]}


def decide_conflicts(warehouse: Warehouse, choices: Mapping[int, Choice], by: str, why: str, via: Via) -> Decided:
    """Decide about conflicts, all in one transaction. A conflict that is already decided keeps its decision. Safe to repeat.

    Args:
        choices: choice by number of the conflict.

    Raises:
        NeedsPersonError: no reason is given.
        TerminalError: there is no such conflict; nothing was decided.
    """
    with deciding(warehouse, by, why, via=via, conflict_ids=sorted(choices)) as (connection, values):
        states = connection.run("conflicts/list_states", values).fetchall()
        if missing := sorted(set(choices) - {row["conflict_id"] for row in states}):
            raise _unknown(missing)
        before = [row for row in states if row["decision_id"] is not None and not row["is_open"]]
        open_ids = sorted(set(choices) - {row["conflict_id"] for row in before})
        applied, moved = dict[int, int](), 0
        if open_ids:
            values |= {"conflict_ids": open_ids, "choices": [choices[one] for one in open_ids]}
            connection.run("conflicts/end_decisions", values | {"reason": f"replaced: {values['reason']}"})  # those that were opened again
            made = connection.run("conflicts/record_decisions", values).fetchall()
            applied = {int(row["claim_id"]): int(row["decision_id"]) for row in made}
            moved = _regroup(connection, open_ids, open_ids)
    log.info("decided by %s: %s, %s SKU(s) moved, %s decided before", by, applied, moved, len(before))
    return Decided(applied, moved, [_decided_before(row) for row in before])


def undo_decisions(warehouse: Warehouse, conflict_ids: Sequence[int], by: str, why: str) -> Undone:
    """End the decisions about conflicts: what follows from the retailers' claims holds again, and the conflicts are open. Safe to repeat.

    Raises:
        NeedsPersonError: no reason is given.
        TerminalError: there is no such conflict; nothing was undone.
    """
    with deciding(warehouse, by, why, conflict_ids=sorted(conflict_ids)) as (connection, values):
        states = connection.run("conflicts/list_states", values).fetchall()
        if missing := sorted(set(conflict_ids) - {row["conflict_id"] for row in states}):
            raise _unknown(missing)
        decided = [int(row["conflict_id"]) for row in states if row["decision_id"] is not None]
        moved = 0
        if decided:
            connection.run("conflicts/end_decisions", values)
            connection.run("conflicts/forget_questions", {"conflict_ids": decided})
            moved = _regroup(connection, decided, ())
    return Undone(decided, moved)


def _regroup(connection: Connection, conflict_ids: Sequence[int], decided: Sequence[int]) -> int:
    rows = connection.run("conflicts/list_skus", {"conflict_ids": list(conflict_ids)}).fetchall()
    return regroup(connection, [row["sku_key"] for row in rows], decided).moved


def _decided_before(row: Mapping[str, Any]) -> str:
    return (
        f"conflict {row['conflict_id']} ({row['retailer']} {row['sku']}, barcode {row['gtin']}) was decided earlier: {row['choice']} by {row['decided_by']}: "
        f"{row['decision_reason']}. To decide otherwise: aisleflow barcodes conflicts undo {row['conflict_id']} --why '…'"
    )


def _unknown(conflict_ids: Sequence[int]) -> TerminalError:
    return TerminalError(
        f"no barcode conflict {', '.join(map(str, conflict_ids))}: it was resolved meanwhile, or never existed. Nothing was decided. Open ones: aisleflow barcodes conflicts"
    )
