"""Questions about held store-days: open ones, their run and their decisions, kept in the ledger so that each is asked once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from include import clock
from include.errors import NeedsPersonError
from include.ledger.decisions import DecidedFiles, Via, decide_files, decisions_before
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse, lock

HeldChoice = Literal["release", "discard", "leave"]


def list_unclaimed(warehouse: Warehouse, retailers: Sequence[str]) -> list[str]:
    """Return ``retailer|night`` of held store-days that no run has claimed."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_unclaimed", {"retailers": list(retailers)}).fetchall()
    return [f"{row['retailer']}|{row['night']}" for row in rows]


def claim(warehouse: Warehouse, retailers: Sequence[str], run: str, *, again: bool = False) -> list[dict[str, Any]]:
    """Claim the unclaimed questions for one run, and return all open questions of this run.

    Args:
        run: id of the run; repeating the call returns its open questions again.
        again: claim also the questions of other runs.

    Returns:
        One per held store-day, or one for all store-days of a batch that only a rule about the whole retailer holds:
        ``label`` (names the task), ``file_ids``.
    """
    with warehouse.transaction() as connection:
        lock(connection, "ask about held data")
        connection.run("ledger/claim_held_questions", {"retailers": list(retailers), "run": run, "is_again": again, "now": clock.now()})
        rows = connection.run("ledger/list_claimed_questions", {"run": run}).fetchall()
    return [
        {
            "label": f"{row['retailer']} {row['store_id'] or 'batch of ' + str(len(row['file_ids']))}, {', '.join(map(str, row['nights']))}",
            "file_ids": row["file_ids"],
        }
        for row in rows
    ]


def still_held(warehouse: Warehouse, file_ids: Sequence[int]) -> list[int]:
    """Return those of the files that are still held."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_still_held", {"file_ids": list(file_ids)}).fetchall()
    return [int(row["file_id"]) for row in rows]


def raise_if_decided(warehouse: Warehouse, file_ids: Sequence[int]) -> None:
    """Raise if all of the files were decided while an answer was on its way: the answer changes nothing.

    Raises:
        NeedsPersonError: who decided what, and how to decide otherwise.
    """
    if not still_held(warehouse, file_ids):
        raise NeedsPersonError(
            f"this answer came too late and changed nothing: {'; '.join(decisions_before(warehouse, file_ids))}. "
            f"To decide otherwise: aisleflow quarantine show {min(file_ids)}"
        )


def list_released_unpublished(warehouse: Warehouse, file_ids: Sequence[int]) -> list[tuple[str, str]]:
    """Return (retailer, night) of those of the files that were released and are not published yet."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_released", {"file_ids": list(file_ids)}).fetchall()
    return [(row["retailer"], row["night"].isoformat()) for row in rows]


def decide_question(
    warehouse: Warehouse, storage: Storage, file_ids: Sequence[int], choice: HeldChoice, by: str | None, reason: str, via: Via
) -> DecidedFiles:
    """Apply one decision to all files of a question, all or none. Files that are no longer held are skipped. Safe to repeat.

    Args:
        by: the user who decided; ``None`` = the question timed out: the files stay held, and that is recorded.

    Raises:
        NeedsPersonError: no reason is given.
    """
    if by is None:
        return decide_files(warehouse, storage, file_ids, "unanswered", None, reason.strip() or "no decision in time", via, held_only=True)
    if not reason.strip():
        raise NeedsPersonError(
            "the decision has no reason, so nothing was decided. Clear the task `ask` with downstream and decide again with `why` filled in, "
            f"or decide on the command line: aisleflow quarantine {choice if choice != 'leave' else 'show'} {file_ids[0]}"
            + (" --why '…'." if choice != "leave" else ".")
        )
    return decide_files(warehouse, storage, file_ids, choice, by, reason, via, held_only=True)
