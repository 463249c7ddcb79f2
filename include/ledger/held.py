"""Questions about held store-days: which are open, who asks them, what was answered. The ledger decides, so nobody is asked twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from include import clock
from include.errors import NeedsPersonError
from include.ledger import quarantine
from include.ledger.decisions import Choice, Via, record
from include.warehouse.engine import Warehouse, lock

HeldChoice = Literal["release", "discard", "leave"]


def list_unclaimed(warehouse: Warehouse, retailers: Sequence[str]) -> list[str]:
    """Return ``retailer|night`` of held store-days no run has taken on yet."""
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT DISTINCT retailer, night FROM ops.staged_file WHERE state = 'held' AND question_run_id IS NULL AND retailer = ANY(%s) ORDER BY 1, 2",
            (list(retailers),),
        ).fetchall()
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
        connection.run("quarantine/claim_held_questions", {"retailers": list(retailers), "run": run, "is_again": again, "now": clock.now()})
        rows = connection.run("quarantine/list_claimed_questions", {"run": run}).fetchall()
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
        rows = connection.execute(
            "SELECT file_id FROM ops.staged_file WHERE file_id = ANY(%s) AND state = 'held' ORDER BY file_id", (list(file_ids),)
        ).fetchall()
    return [int(row["file_id"]) for row in rows]


def list_released_unpublished(warehouse: Warehouse, file_ids: Sequence[int]) -> list[tuple[str, str]]:
    """Return (retailer, night) of those of the files that were released and are not published yet."""
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT DISTINCT retailer, night FROM ops.staged_file WHERE file_id = ANY(%s) AND state = 'loaded' AND decided_by IS NOT NULL ORDER BY 1, 2",
            (list(file_ids),),
        ).fetchall()
    return [(row["retailer"], row["night"].isoformat()) for row in rows]


def answer(
    warehouse: Warehouse, file_ids: Sequence[int], choice: HeldChoice, by: str | None, reason: str, via: Via
) -> tuple[list[int], list[str]]:
    """Carry out one answer for all files of a question. Files that are no longer held are left as they are. Safe to repeat.

    Args:
        by: who answered; ``None`` = nobody did in time: the files stay held, and that is noted.

    Returns:
        The files the answer was applied to, and a sentence for each that was decided before.

    Raises:
        NeedsPersonError: an answer without a reason.
    """
    if by is not None and not reason.strip():
        raise NeedsPersonError(
            "the answer gives no reason, so nothing was decided. Clear the task `ask` with downstream and answer again with `why` filled in, "
            f"or decide on the command line: aisleflow quarantine {choice if choice != 'leave' else 'show'} {file_ids[0]}"
            + (" --why '…'." if choice != "leave" else ".")
        )
    applied, before = [], []
    with warehouse.transaction() as connection:
        for file_id in sorted(file_ids):
            file = connection.execute(
                "SELECT retailer, store_id, night, state, decided_by, decision_reason FROM ops.staged_file WHERE file_id = %s FOR UPDATE",
                (file_id,),
            ).fetchone()
            if file is None or file["state"] != "held":
                before.append(_decided_before(file_id, file))
                continue
            if choice == "leave":
                said: Choice = "leave" if by is not None else "unanswered"
                record(connection, file_id, said, by or "nobody", reason.strip() or "nobody answered in time", via)
            else:
                quarantine.decide(connection, file_id, choice, by or "nobody", reason, via)
            applied.append(file_id)
    return applied, before


def _decided_before(file_id: int, file: dict[str, Any] | None) -> str:
    if file is None:
        return f"file {file_id} is not in the ledger any more"
    said = (
        f"file {file_id} ({file['retailer']} {file['store_id']} of {file['night']}) was decided before this answer: it is {file['state']}"
    )
    return f"{said}, decided by {file['decided_by']}: {file['decision_reason']}" if file["decided_by"] else said
