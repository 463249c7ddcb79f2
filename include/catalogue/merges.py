"""Merges: decisions that pairs of SKUs are one product, or are not, as facts that grouping reads; and their undo.

Nothing but grouping moves a SKU (:mod:`include.catalogue.grouping`), so resolving again or another order of decisions loses none of them, and to undo one is to end
it and group its SKUs again: barcodes and keys hang on the SKUs and go back with them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from include.catalogue import brands
from include.catalogue.deciding import Undone, deciding
from include.catalogue.regroup import regroup
from include.errors import TerminalError
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)


def undo(warehouse: Warehouse, decision_ids: Sequence[int], by: str, why: str) -> Undone:
    """End decisions, all in one transaction: products, SKUs and barcodes are as without them, and their proposals wait again. Safe to repeat.

    A pair that the matcher joined and that is undone is neither joined by it nor proposed again.

    Raises:
        NeedsPersonError: no reason is given.
        TerminalError: there is no such decision; nothing was undone.
    """
    with deciding(warehouse, by, why, via="undo", decision_ids=sorted(set(decision_ids))) as (connection, values):
        found = connection.run("merges/list_decisions", values).fetchall()
        if missing := sorted(set(decision_ids) - {row["decision_id"] for row in found}):
            raise TerminalError(
                f"no decision {', '.join(map(str, missing))}, so nothing was undone. aisleflow catalogue decisions lists them."
            )
        open_ids = [int(row["decision_id"]) for row in found if row["ended_at"] is None]
        values |= {"decision_ids": open_ids}
        for statement in ("end_decisions", "end_pairs", "mark_undone", "forget_questions"):
            connection.run(f"merges/{statement}", values)
        moved = regroup_pairs(connection, open_ids)
        if any(row["kind"] == "brand" for row in found):
            brands.apply_merges(connection)
    log.info("undone by %s: %s, %s SKU(s) moved", by, open_ids, moved)
    before = [
        f"decision {row['decision_id']} {'was undone' if row['ended_via'] == 'undo' else 'has ended'} by {row['ended_by']}: {row['end_reason']}"
        for row in found
        if row["ended_at"] is not None
    ]
    return Undone(open_ids, moved, before)


def list_made(
    warehouse: Warehouse,
    vias: Sequence[str] | None = None,
    since: datetime | None = None,
    *,
    is_all: bool = False,
    rows_max: int | None = None,
) -> list[dict[str, Any]]:
    """Return decisions with the texts of their first pair, the newest first; with ``is_all`` also those that have ended.

    Args:
        vias: only those decided there (``ops.match_decision.decided_via``).
        since: only those made then or later.
    """
    values = {"vias": None if vias is None else list(vias), "since": since, "is_all": is_all, "rows_max": rows_max}
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("merges/list_made", values).fetchall()]


def regroup_pairs(connection: Connection, decision_ids: Sequence[int]) -> int:
    """Group the SKUs of some decisions again, inside the caller's transaction; returns how many moved to another product.

    Nothing is proposed: an undo leaves the proposals that were there before the decision.
    """
    rows = connection.run("merges/list_skus", {"decision_ids": list(decision_ids)}).fetchall()
    return regroup(connection, [row["sku_key"] for row in rows], are_proposals_new=False).moved if rows else 0
