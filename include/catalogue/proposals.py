"""Proposals: pairs of SKUs whose products may be one. A person approves them or rejects them; both are decisions that :mod:`include.catalogue.merges` undoes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from include.catalogue.deciding import Decided, Via, deciding
from include.catalogue.merges import regroup_pairs
from include.errors import TerminalError
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

Choice = Literal["join", "apart"]
#: What a person answers in a form or with a command, and the decision that it is.
CHOICES: Mapping[str, Choice] = {"approve": "join", "reject": "apart"}


def list_proposals(warehouse: Warehouse, *, is_all: bool = False, rows_max: int | None = None) -> list[dict[str, Any]]:
    """Return the waiting proposals with the texts of both SKUs, the surest first; with ``is_all`` also the decided and settled ones."""
    return _list(warehouse, None, is_all=is_all, rows_max=rows_max)


def list_some(warehouse: Warehouse, proposal_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return those of some proposals that wait, as :func:`list_proposals`."""
    return _list(warehouse, proposal_ids, is_all=False)


def count_proposals(warehouse: Warehouse) -> dict[str, int]:
    """Return the number of proposals by state."""
    with warehouse.transaction() as connection:
        rows = connection.run("proposals/count_proposals").fetchall()
    return dict.fromkeys(("waiting", "joined", "rejected", "settled"), 0) | {row["state"]: int(row["proposals"]) for row in rows}


def show_proposal(warehouse: Warehouse, proposal_id: int) -> dict[str, Any]:
    """Return one proposal with all evidence: ``proposal``, ``sides`` (the SKUs of both products, at most 30 each), ``decisions``.

    Raises:
        TerminalError: there is no such proposal.
    """
    rows = _list(warehouse, [proposal_id], is_all=True)
    if not rows:
        raise _unknown([proposal_id])
    values = {"product_id": rows[0]["left_product_id"], "other_product_id": rows[0]["right_product_id"], "gtin": None}
    with warehouse.transaction() as connection:
        sides = connection.run("inspection/list_sides", values).fetchall()
        decisions = connection.run("proposals/list_decisions", {"proposal_id": proposal_id}).fetchall()
    return {"proposal": rows[0], "sides": [dict(row) for row in sides], "decisions": [dict(row) for row in decisions]}


def decide_proposals(warehouse: Warehouse, choices: Mapping[int, Choice], by: str, why: str, via: Via) -> Decided:
    """Decide about waiting proposals, all in one transaction; any other is left as it is. Safe to repeat.

    ``join`` makes the two products one in spite of different barcodes or sizes; ``apart`` keeps every SKU of one from every SKU of the other.

    Raises:
        NeedsPersonError: no reason is given.
        TerminalError: there is no such proposal; nothing was decided.
    """
    with deciding(warehouse, by, why, via=via, proposal_ids=sorted(choices)) as (connection, values):
        before = connection.run("proposals/list_states", values).fetchall()
        if missing := sorted(set(choices) - {row["proposal_id"] for row in before}):
            raise _unknown(missing)
        waiting = [int(row["proposal_id"]) for row in before if row["state"] == "waiting"]
        values |= {"proposal_ids": waiting, "choices": [choices[one] for one in waiting]}
        made = connection.run("proposals/record_decisions", values).fetchall()
        applied = {int(row["proposal_id"]): int(row["decision_id"]) for row in made}
        moved = regroup_pairs(connection, list(applied.values()))
        joined = [one for one in waiting if choices[one] == "join"]
        after = connection.run("proposals/list_states", {"proposal_ids": joined}).fetchall()
    ineffective = [f"proposal {row['proposal_id']} is approved, but {_WHY_NOT}" for row in after if row["state"] != "joined"]
    log.info("decided by %s: %s, %s SKU(s) moved", by, applied, moved)
    return Decided(applied, moved, [_decided_before(row) for row in before if row["state"] != "waiting"] + ineffective)


_WHY_NOT = "a SKU of it was split off, or another decision keeps the two apart: undo that one (aisleflow barcodes conflicts, aisleflow catalogue proposals --all)"


def _list(warehouse: Warehouse, proposal_ids: Sequence[int] | None, *, is_all: bool, rows_max: int | None = None) -> list[dict[str, Any]]:
    values = {"is_all": is_all, "proposal_ids": None if proposal_ids is None else list(proposal_ids), "rows_max": rows_max}
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("proposals/list_proposals", values).fetchall()]


def _decided_before(row: Mapping[str, Any]) -> str:
    if row["decision_id"] is None:
        return f"proposal {row['proposal_id']} no longer waits: its SKUs are one product by other evidence, or another proposal is about the same two products"
    return (
        f"proposal {row['proposal_id']} was decided earlier: {row['choice']} by {row['decided_by']}: {row['decision_reason']}. "
        f"To decide otherwise: aisleflow catalogue undo {row['decision_id']} --why '…'"
    )


def _unknown(proposal_ids: Sequence[int]) -> TerminalError:
    return TerminalError(
        f"no proposal {', '.join(map(str, proposal_ids))}, so nothing was decided. Waiting ones: aisleflow catalogue proposals"
    )
