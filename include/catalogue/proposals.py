"""Proposals: pairs of SKUs whose products may be one. A person approves them or rejects them; both are decisions that :mod:`include.catalogue.merges` undoes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from include import clock
from include.catalogue.merges import regroup_pairs
from include.errors import NeedsPersonError, TerminalError
from include.warehouse.engine import Warehouse, lock
from include.warehouse.price_changes import announce_price_change

log = logging.getLogger(__name__)

Choice = Literal["join", "apart"]
Via = Literal["command line", "Airflow"]
#: What a person answers in a form or with a command, and the decision that it is.
ANSWERS: Mapping[str, Choice] = {"approve": "join", "reject": "apart"}
#: Proposals that one run of ``decide_proposals`` asks about, and those in one form.
QUESTIONS_MAX, BATCH = 200, 10
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Decided:
    """Outcome of decisions: proposals decided now with the number of each decision, SKUs that moved, and a sentence for each proposal that did not wait."""

    applied: dict[int, int] = field(default_factory=dict)
    moved: int = 0
    decided_before: list[str] = field(default_factory=list)


def list_proposals(warehouse: Warehouse, *, is_all: bool = False, rows_max: int = _ALL) -> list[dict[str, Any]]:
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
    with warehouse.transaction() as connection:
        sides = connection.run("proposals/list_sides", {"proposal_id": proposal_id}).fetchall()
        decisions = connection.run("proposals/list_decisions", {"proposal_id": proposal_id}).fetchall()
    return {"proposal": rows[0], "sides": [dict(row) for row in sides], "decisions": [dict(row) for row in decisions]}


def read_answers(answers: Mapping[int, object]) -> dict[int, Choice]:
    """Read the answers of a form, by number of the proposal; what is left open is left out.

    Raises:
        TerminalError: an answer is no choice; nothing was decided.
    """
    choices: dict[int, Choice] = {}
    for number, answer in answers.items():
        if answer in ANSWERS:
            choices[number] = ANSWERS[str(answer)]
        elif answer not in (None, "leave"):
            raise TerminalError(
                f"proposal {number}: {answer!r} is no choice, so nothing was decided. Choose {', '.join(ANSWERS)} or leave; clear `ask` with downstream."
            )
    return choices


def decide_proposals(warehouse: Warehouse, choices: Mapping[int, Choice], by: str, why: str, via: Via) -> Decided:
    """Decide about waiting proposals, all in one transaction; any other is left as it is. Safe to repeat.

    ``join`` makes the two products one in spite of different barcodes or sizes; ``apart`` keeps every SKU of one from every SKU of the other.

    Raises:
        NeedsPersonError: no reason is given.
        TerminalError: there is no such proposal; nothing was decided.
    """
    if not why.strip():
        raise NeedsPersonError(
            "the decision has no reason, so nothing was decided. Decide again, with the reason (--why '…', or `why` in the form)."
        )
    values: dict[str, Any] = {"proposal_ids": sorted(choices), "by": by, "reason": why.strip(), "via": via, "now": clock.now()}
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, "resolve")
        before = connection.run("proposals/list_states", values).fetchall()
        if missing := sorted(set(choices) - {row["proposal_id"] for row in before}):
            raise _unknown(missing)
        waiting = {int(row["proposal_id"]) for row in before if row["state"] == "waiting"}
        joined, apart = ([one for one in sorted(waiting) if choices[one] == choice] for choice in ("join", "apart"))
        connection.run("proposals/record_rejections", values | {"proposal_ids": apart})
        connection.run("proposals/record_approvals", values | {"proposal_ids": joined})
        made = connection.run("proposals/list_made", values | {"proposal_ids": sorted(waiting)}).fetchall()
        applied = {int(row["proposal_id"]): int(row["decision_id"]) for row in made}
        moved = regroup_pairs(connection, list(applied.values()))
        after = connection.run("proposals/list_states", values | {"proposal_ids": joined}).fetchall()
    ineffective = [f"proposal {row['proposal_id']} is approved, but {_WHY_NOT}" for row in after if row["state"] != "joined"]
    log.info("decided by %s: %s, %s SKU(s) moved", by, applied, moved)
    return Decided(applied, moved, [_decided_before(row) for row in before if row["state"] != "waiting"] + ineffective)


def claim_questions(warehouse: Warehouse, run: str, *, again: bool = False) -> list[list[int]]:
    """Claim waiting proposals that no run has asked about, for one run, and return all that this run has claimed and that wait, in batches.

    Args:
        run: id of the run; repeating the call returns its open questions again.
        again: claim also those of other runs.
    """
    with warehouse.transaction() as connection:
        lock(connection, "ask about proposals")
        connection.run("proposals/claim_questions", {"run": run, "is_again": again, "rows_max": QUESTIONS_MAX})
        found = [int(row["proposal_id"]) for row in connection.run("proposals/list_questions", {"run": run}).fetchall()]
    return [found[start : start + BATCH] for start in range(0, len(found), BATCH)]


_WHY_NOT = "a SKU of it was split off, or another decision keeps the two apart: undo that one (aisleflow barcodes conflicts, aisleflow catalogue proposals --all)"


def _list(warehouse: Warehouse, proposal_ids: Sequence[int] | None, *, is_all: bool, rows_max: int = _ALL) -> list[dict[str, Any]]:
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
