"""What decisions about conflicts, proposals and merges share: a reason, one transaction that may move SKUs, and questions that are asked once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from include import clock
from include.errors import NeedsPersonError, TerminalError
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.price_changes import announce_price_change

Via = Literal["command line", "Airflow"]
#: What is decided one by one.
Subject = Literal["conflicts", "proposals"]
#: Items that one run of a DAG asks about, and those in one form.
QUESTIONS_MAX, BATCH = 200, 10

_CLAIM: Mapping[Subject, str] = {"conflicts": "conflicts/claim_questions", "proposals": "proposals/claim_questions"}
_LIST: Mapping[Subject, str] = {"conflicts": "conflicts/list_questions", "proposals": "proposals/list_questions"}

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Decided:
    """Outcome of decisions: items decided now with the number of each decision, SKUs that moved, and a sentence for each item that was not decided."""

    applied: dict[int, int] = field(default_factory=dict)
    moved: int = 0
    decided_before: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Undone:
    """Outcome of an undo: numbers ended now, SKUs that moved to another product, and a sentence for each that was undone earlier."""

    undone: list[int] = field(default_factory=list)
    moved: int = 0
    undone_before: list[str] = field(default_factory=list)


@contextmanager
def deciding(warehouse: Warehouse, by: str, why: str, **values: Any) -> Iterator[tuple[Connection, dict[str, Any]]]:
    """Yield a transaction that alone may move SKUs, and the parameters of its statements: ``by``, ``reason``, ``now`` and those given.

    Raises:
        NeedsPersonError: no reason is given; nothing was done.
    """
    if not why.strip():
        raise NeedsPersonError(
            "the decision has no reason, so nothing was changed. Repeat it with the reason (--why '…', or `why` in the form)."
        )
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, "resolve")
        yield connection, {"by": by, "reason": why.strip(), "now": clock.now()} | values


def read_choices(item: str, choices: Mapping[str, Choice], answers: Mapping[int, object]) -> dict[int, Choice]:
    """Read the answers of a form, by number of the item; what is left open is left out.

    Args:
        choices: the decision by what a person answers.

    Raises:
        TerminalError: an answer is no choice; nothing was decided.
    """
    found: dict[int, Choice] = {}
    for number, answer in answers.items():
        if isinstance(answer, str) and answer in choices:
            found[number] = choices[answer]
        elif answer not in (None, "leave"):
            raise TerminalError(
                f"{item} {number}: {answer!r} is no choice, so nothing was decided. Choose {', '.join(choices)} or leave; clear `ask` with downstream."
            )
    return found


def claim_questions(warehouse: Warehouse, subject: Subject, retailers: Sequence[str], run: str, *, again: bool = False) -> list[list[int]]:
    """Claim open items that no run has asked about, for one run, and return all that this run has claimed and that are open, in batches.

    Args:
        retailers: those whose SKUs the items are about.
        run: id of the run; repeating the call returns its open questions again.
        again: claim also those of other runs.
    """
    with warehouse.transaction() as connection:
        lock(connection, f"ask about {subject}")
        values = {"retailers": list(retailers), "run": run, "is_again": again, "rows_max": QUESTIONS_MAX}
        connection.run(_CLAIM[subject], values)
    found = list_questions(warehouse, subject, run)
    return [found[start : start + BATCH] for start in range(0, len(found), BATCH)]


def list_questions(warehouse: Warehouse, subject: Subject, run: str) -> list[int]:
    """Return the items that a run has asked about and that are open."""
    with warehouse.transaction() as connection:
        return [int(row["item_id"]) for row in connection.run(_LIST[subject], {"run": run}).fetchall()]
