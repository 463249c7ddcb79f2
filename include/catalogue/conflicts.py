"""Barcode conflicts: what a retailer claims and the catalogue does not accept, and what a person decides about it.

A decision is a fact that resolution reads (:mod:`include.catalogue.grouping`): deciding and undoing record it and group the SKUs concerned again, so no order
of decisions and files matters to the products. The first decision about a conflict counts, until it is undone or something changes and opens it again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from include import clock
from include.catalogue.grouping import Choice
from include.catalogue.resolve import regroup
from include.errors import NeedsPersonError, TerminalError
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.price_changes import announce_price_change

log = logging.getLogger(__name__)

Via = Literal["command line", "Airflow"]
CHOICES: tuple[Choice, ...] = ("accept", "reject", "split")
#: Conflicts that one run of ``decide_conflicts`` asks about, and those in one form.
QUESTIONS_MAX, BATCH = 200, 10
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Decided:
    """Outcome of decisions: conflicts decided now, SKUs that moved to another product, and a sentence for each conflict decided earlier."""

    applied: list[int] = field(default_factory=list)
    moved: int = 0
    decided_before: list[str] = field(default_factory=list)


def list_conflicts(
    warehouse: Warehouse, retailer: str | None = None, *, is_all: bool = False, rows_max: int = _ALL
) -> list[dict[str, Any]]:
    """Return the open conflicts, the newest first, each with both sides; with ``is_all`` also decided and settled ones."""
    values = {"retailer": retailer, "is_all": is_all, "conflict_ids": None, "rows_max": rows_max}
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("conflicts/list_conflicts", values).fetchall()]


def list_some(warehouse: Warehouse, conflict_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return those of some conflicts that are open, as :func:`list_conflicts`."""
    values = {"retailer": None, "is_all": False, "conflict_ids": list(conflict_ids), "rows_max": _ALL}
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
    values = {"retailer": None, "is_all": True, "conflict_ids": [conflict_id], "rows_max": 1}
    with warehouse.transaction() as connection:
        conflict = connection.run("conflicts/list_conflicts", values).fetchone()
        if conflict is None:
            raise _unknown([conflict_id])
        sides = connection.run("conflicts/list_sides", {"conflict_id": conflict_id}).fetchall()
        decisions = connection.run("inspection/list_barcode_decisions", {"claim_ids": [conflict_id]}).fetchall()
    return {"conflict": dict(conflict), "sides": [dict(row) for row in sides], "decisions": [dict(row) for row in decisions]}


def read_choices(answers: Mapping[int, object]) -> dict[int, Choice]:
    """Read the answers of a form, by number of the conflict; what is left open is left out.

    Raises:
        TerminalError: an answer is no choice; nothing was decided.
    """
    choices: dict[int, Choice] = {}
    for number, answer in answers.items():
        if answer in CHOICES:
            choices[number] = answer
        elif answer not in (None, "leave"):
            raise TerminalError(
                f"conflict {number}: {answer!r} is no choice, so nothing was decided. Choose {', '.join(CHOICES)} or leave; clear `ask` with downstream."
            )
    return choices


def decide_conflicts(warehouse: Warehouse, choices: Mapping[int, Choice], by: str, why: str, via: Via) -> Decided:
    """Decide about conflicts, all in one transaction. A conflict that is already decided keeps its decision. Safe to repeat.

    Args:
        choices: choice by number of the conflict.

    Raises:
        NeedsPersonError: no reason is given.
        TerminalError: there is no such conflict; nothing was decided.
    """
    if not why.strip():
        raise NeedsPersonError(
            "the decision has no reason, so nothing was decided. Decide again, with the reason (--why '…', or `why` in the form)."
        )
    values: dict[str, Any] = {"conflict_ids": sorted(choices), "by": by, "reason": why.strip(), "via": via, "now": clock.now()}
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, "resolve")
        states = connection.run("conflicts/list_states", values).fetchall()
        if missing := sorted(set(choices) - {row["conflict_id"] for row in states}):
            raise _unknown(missing)
        before = [row for row in states if row["decision_id"] is not None and not row["is_open"]]
        open_ids = sorted(set(choices) - {row["conflict_id"] for row in before})
        moved = 0
        if open_ids:
            values |= {"conflict_ids": open_ids, "choices": [choices[one] for one in open_ids]}
            connection.run("conflicts/end_decisions", values | {"reason": f"replaced: {values['reason']}"})  # those that were opened again
            connection.run("conflicts/record_decisions", values)
            moved = _regroup(connection, open_ids, open_ids)
    log.info("decided %s: %s SKU(s) moved, %s decided before", open_ids, moved, len(before))
    return Decided(open_ids, moved, [_decided_before(row) for row in before])


def undo_decisions(warehouse: Warehouse, conflict_ids: Sequence[int], by: str, why: str) -> Decided:
    """End the decisions about conflicts: what follows from the retailers' claims holds again, and the conflicts are open. Safe to repeat.

    Raises:
        NeedsPersonError: no reason is given.
        TerminalError: there is no such conflict; nothing was undone.
    """
    if not why.strip():
        raise NeedsPersonError("the undo has no reason, so nothing was undone. Repeat it with --why '…'.")
    values: dict[str, Any] = {"conflict_ids": sorted(conflict_ids), "by": by, "reason": why.strip(), "now": clock.now()}
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, "resolve")
        states = connection.run("conflicts/list_states", values).fetchall()
        if missing := sorted(set(conflict_ids) - {row["conflict_id"] for row in states}):
            raise _unknown(missing)
        decided = [int(row["conflict_id"]) for row in states if row["decision_id"] is not None]
        moved = 0
        if decided:
            connection.run("conflicts/end_decisions", values)
            connection.run("conflicts/forget_questions", {"conflict_ids": decided})
            moved = _regroup(connection, decided, ())
    return Decided(decided, moved)


def claim_questions(warehouse: Warehouse, retailers: Sequence[str], run: str, *, again: bool = False) -> list[list[int]]:
    """Claim open conflicts that no run has asked about, for one run, and return all that this run has claimed and that are open, in batches.

    Args:
        run: id of the run; repeating the call returns its open questions again.
        again: claim also those of other runs.
    """
    with warehouse.transaction() as connection:
        lock(connection, "ask about barcodes")
        values = {"retailers": list(retailers), "run": run, "is_again": again, "rows_max": QUESTIONS_MAX}
        connection.run("conflicts/claim_questions", values)
    found = list_questions(warehouse, run)
    return [found[start : start + BATCH] for start in range(0, len(found), BATCH)]


def list_questions(warehouse: Warehouse, run: str) -> list[int]:
    """Return the conflicts that a run has asked about and that are open."""
    with warehouse.transaction() as connection:
        return [int(row["conflict_id"]) for row in connection.run("conflicts/list_questions", {"run": run}).fetchall()]


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
