"""Questions about held store-days: which are open, who asks them, what was answered. The ledger decides, so nobody is asked twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from include import clock
from include.errors import NeedsPersonError
from include.ledger.decisions import DecidedFiles, Via, decide_files
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse, lock

HeldChoice = Literal["release", "discard", "leave"]


def list_unclaimed(warehouse: Warehouse, retailers: Sequence[str]) -> list[str]:
    """Return ``retailer|night`` of held store-days no run has taken on yet."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_unclaimed", {"retailers": list(retailers)}).fetchall()
    return [f"{row['retailer']}|{row['night']}" for row in rows]


def claim(warehouse: Warehouse, retailers: Sequence[str], run: str, *, again: bool = False) -> list[dict[str, Any]]:
    """Take on, for one run, the questions nobody asks yet, and return all open questions of this run.

    Args:
        run: id of the run; the same run gets its own questions again, as long as they are open.
        again: ask also about what another run has asked or asks.

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


def list_released_unpublished(warehouse: Warehouse, file_ids: Sequence[int]) -> list[tuple[str, str]]:
    """Return (retailer, night) of those of the files that were released and are not published yet."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_released", {"file_ids": list(file_ids)}).fetchall()
    return [(row["retailer"], row["night"].isoformat()) for row in rows]


def answer(
    warehouse: Warehouse, storage: Storage, file_ids: Sequence[int], choice: HeldChoice, by: str | None, reason: str, via: Via
) -> DecidedFiles:
    """Carry out one answer for all files of a question, all or none. Files that are no longer held are left as they are. Safe to repeat.

    Args:
        by: who answered; ``None`` = nobody did in time: the files stay held, and that is recorded.

    Raises:
        NeedsPersonError: an answer without a reason.
    """
    if by is None:
        return decide_files(
            warehouse, storage, file_ids, "unanswered", "nobody", reason.strip() or "nobody answered in time", via, held_only=True
        )
    if not reason.strip():
        raise NeedsPersonError(
            "the answer gives no reason, so nothing was decided. Clear the task `ask` with downstream and answer again with `why` filled in, "
            f"or decide on the command line: aisleflow quarantine {choice if choice != 'leave' else 'show'} {file_ids[0]}"
            + (" --why '…'." if choice != "leave" else ".")
        )
    return decide_files(warehouse, storage, file_ids, choice, by, reason, via, held_only=True)
