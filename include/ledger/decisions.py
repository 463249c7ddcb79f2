"""Decisions about staged files and their refused lines, shared by the DAG, the command line and the web UI.

A decision is checked against the file's state, carried out and recorded in one transaction; the record is append-only.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from psycopg.types.json import Jsonb

from include import clock
from include.errors import TerminalError
from include.ledger.settling import delete_staged_rows, move_to_final_stage, requeue
from include.staging.manifest import Manifest
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)

Choice = Literal["release", "discard", "leave", "unanswered", "recheck", "retract", "again"]
Via = Literal["command line", "Airflow"]

#: File states that allow each decision about a whole file.
_FILE_STATES: Mapping[Choice, tuple[str, ...]] = {
    "release": ("held",),
    "discard": ("held", "refused"),
    "leave": ("held",),
    "unanswered": ("held",),
    "recheck": ("held",),
    "retract": ("published",),
    "again": ("refused", "discarded"),
}
#: File states that allow decisions about single refused lines.
_LINE_STATES = ("published", "superseded")


class NotDecidable(TerminalError):
    """The file's state does not allow this decision; usually another decision came first."""


@dataclass(frozen=True, slots=True)
class DecidedFiles:
    """Result of one decision about several files. ``skipped``: one message per file that was no longer held."""

    applied: list[int]
    retailers: list[str]
    skipped: list[str]


def decide_files(
    warehouse: Warehouse, storage: Storage, file_ids: Sequence[int], choice: Choice, by: str | None, reason: str, via: Via, *, held_only: bool = False
) -> DecidedFiles:  # fmt: skip
    """Decide about whole files, all or none, and move discarded ones out of the outbox. The caller publishes released ones.

    Args:
        held_only: skip files that are no longer held; without it they are an error.

    Raises:
        NotDecidable: the state of a file (named in the message) does not allow it; nothing was decided.
        TerminalError: unknown file, or no reason is given.
    """
    applied: list[int] = []
    retailers: set[str] = set()
    skipped: list[str] = []
    left_outbox: list[Manifest] = []
    with warehouse.transaction() as connection:
        for file_id in sorted(file_ids):
            file = _lock_file(connection, file_id)
            if held_only and (file is None or file["state"] != "held"):
                skipped.append(_decided_before(file_id, file))
                continue
            decide(connection, file_id, choice, by, reason, via)
            assert file is not None
            applied.append(file_id)
            retailers.add(file["retailer"])
            if choice == "discard" and file["state"] == "held":  # a refused file has left the outbox already
                left_outbox.append(msgspec.convert(file["manifest"], Manifest))
    for manifest in left_outbox:
        move_to_final_stage(warehouse, storage, manifest)
    return DecidedFiles(applied, sorted(retailers), skipped)


def decide(
    connection: Connection, file_id: int, choice: Choice, by: str | None, reason: str, via: Via,
    *, lines: int | None = None, rule_id: str | None = None, detail: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Check, carry out and record one decision about a file, or about refused lines of it, inside the caller's transaction.

    Args:
        lines: number of refused lines decided, whose rows are already written; ``None`` = the whole file.
        rule_id: set if the decision covers all lines of this rule.
        detail: counts of the decision's effects.

    Raises:
        NotDecidable: the file's state does not allow it.
        TerminalError: unknown file, or no reason is given.
    """
    check_decidable(connection, file_id, choice, reason, about_lines=lines is not None)
    if lines is None:
        _carry_out(connection, file_id, choice, by, reason.strip())
    connection.execute(
        "INSERT INTO ops.decision (file_id, choice, rule_id, lines, decided_by, decision_reason, decided_via, decided_at, detail) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (file_id, choice, rule_id, lines, by, reason.strip(), via, clock.now(), Jsonb(dict(detail or {}))),
    )


def check_decidable(connection: Connection, file_id: int, choice: Choice, reason: str, *, about_lines: bool = False) -> None:
    """Lock a file and check that its state allows this decision; see :func:`decide`."""
    if not reason.strip():
        raise TerminalError("a decision needs a reason: --why '…'. It is kept in the ledger.")
    file = _lock_file(connection, file_id)
    if file is None:
        raise TerminalError(f"no file {file_id} in the ledger. `aisleflow quarantine list` shows the undecided ones.")
    states = _LINE_STATES if about_lines else _FILE_STATES[choice]
    if file["state"] in states:
        return
    is_now = f"file {file_id} ({file['retailer']} {file['store_id']} of {file['night']}) is {file['state']}"
    if about_lines:
        raise NotDecidable(f"{is_now}, so it has no single lines to decide. Look at it: aisleflow quarantine show {file_id}")
    if choice == "retract":
        raise NotDecidable(
            f"{is_now}: none of its prices is published, so there is nothing to retract. Look at it: aisleflow quarantine show {file_id}"
        )
    decided = f" Decided by {file['decided_by']}: {file['decision_reason']}." if file["decided_by"] else ""
    raise NotDecidable(
        f"{is_now}, not {' or '.join(states)}: there is nothing to decide.{decided} `aisleflow quarantine list` shows the undecided ones."
    )


def decisions_before(warehouse: Warehouse, file_ids: Sequence[int]) -> list[str]:
    """Return one sentence per file that is no longer held: who decided what, and why."""
    with warehouse.transaction() as connection:
        files = [(file_id, _lock_file(connection, file_id)) for file_id in sorted(file_ids)]
    return [_decided_before(file_id, file) for file_id, file in files if file is None or file["state"] != "held"]


def choose_lines(
    connection: Connection, file_id: int, lines: Sequence[int], rule_id: str | None, target_state: str = "released"
) -> list[dict[str, Any]]:
    """Lock and return the selected undecided lines. A named line already in ``target_state`` is skipped; another decision is an error.

    Raises:
        TerminalError: a line was not refused, no line was refused by the rule, or a named line was decided otherwise.
    """
    values = {"file_id": file_id, "lines": list(lines) or None, "rule_id": rule_id}
    rows = [dict(row) for row in connection.run("ledger/lock_lines", values).fetchall()]
    found = {row["line_number"] for row in rows}
    if unknown := sorted(set(lines) - found):
        refused_by = f" by rule {rule_id}" if rule_id else ""
        raise TerminalError(
            f"file {file_id}: line {', '.join(map(str, unknown))} was not refused{refused_by}. List the refused ones: aisleflow quarantine show {file_id}"
        )
    if rule_id and not rows:
        raise TerminalError(f"file {file_id}: no line was refused by rule {rule_id}. See the reasons: aisleflow quarantine show {file_id}")
    if lines and (decided_differently := [row for row in rows if row["state"] not in ("quarantined", target_state)]):
        one = decided_differently[0]
        raise TerminalError(
            f"file {file_id}, line {one['line_number']} was {one['state']} by {one['decided_by']} ({one['decision_reason']}), and a decision about a line is final. "
            "Wait for the store's next crawl: it reads the current price."
        )
    return [row for row in rows if row["state"] == "quarantined"]


def discard_lines(
    warehouse: Warehouse, file_id: int, by: str, reason: str, *, lines: Sequence[int] = (), rule_id: str | None = None, via: Via = "command line"
) -> int:  # fmt: skip
    """Discard refused lines permanently and return their number. Safe to repeat.

    Raises:
        TerminalError: no reason is given, unknown file or line, or a line was released.
    """
    with warehouse.transaction() as connection:
        check_decidable(connection, file_id, "discard", reason, about_lines=True)
        chosen = [line["line_number"] for line in choose_lines(connection, file_id, lines, rule_id, target_state="discarded")]
        if chosen:
            _discard_lines(connection, file_id, chosen, by, reason.strip())
            decide(connection, file_id, "discard", by, reason, via, lines=len(chosen), rule_id=rule_id)
    return len(chosen)


def decisions_of(connection: Connection, file_id: int) -> list[dict[str, Any]]:
    """Return the decisions about one file, oldest first."""
    return [dict(row) for row in connection.run("ledger/list_decisions", {"file_id": file_id}).fetchall()]


def _lock_file(connection: Connection, file_id: int) -> dict[str, Any] | None:
    return connection.execute(
        "SELECT retailer, store_id, night, state, manifest, decided_by, decision_reason FROM ops.staged_file WHERE file_id = %s FOR NO KEY UPDATE",
        (file_id,),
    ).fetchone()


def _carry_out(connection: Connection, file_id: int, choice: Choice, by: str | None, reason: str) -> None:
    if choice == "recheck":
        requeue(connection, file_id, "held")
    elif choice == "release":
        _settle(connection, file_id, "loaded", by, reason)
    elif choice == "discard":
        _settle(connection, file_id, "discarded", by, reason, stage="refused")
        delete_staged_rows(connection, [file_id])
    elif choice == "retract":
        _settle(connection, file_id, "discarded", by, reason, state_reason=f"retracted after it was published: {reason}")
        _discard_lines(connection, file_id, None, by, f"its store-day was retracted: {reason}")
    elif choice == "again":
        delete_staged_rows(connection, [file_id])
        connection.run("ledger/bring_back", {"file_id": file_id})


def _settle(
    connection: Connection,
    file_id: int,
    state: str,
    by: str | None,
    reason: str,
    *,
    stage: str | None = None,
    state_reason: str | None = None,
) -> None:
    connection.execute(
        "UPDATE ops.staged_file SET state = %s, stage = coalesce(%s, stage), state_reason = coalesce(%s, state_reason), "
        "check_version = CASE %s WHEN 'loaded' THEN NULL ELSE check_version END, decided_by = %s, decision_reason = %s, decided_at = %s WHERE file_id = %s",
        (
            state,
            stage,
            state_reason,
            state,
            by,
            reason,
            clock.now(),
            file_id,
        ),  # a released one is marked again: fewer rules refuse its lines
    )


def _discard_lines(connection: Connection, file_id: int, lines: Sequence[int] | None, by: str | None, reason: str) -> None:
    values = {"file_id": file_id, "lines": None if lines is None else list(lines), "by": by, "reason": reason, "now": clock.now()}
    connection.run("ledger/discard_lines", values)


def _decided_before(file_id: int, file: dict[str, Any] | None) -> str:
    if file is None:
        return f"file {file_id} is no longer in the ledger"
    skipped = f"file {file_id} ({file['retailer']} {file['store_id']} of {file['night']}) was decided earlier: it is {file['state']}"
    return f"{skipped}, decided by {file['decided_by']}: {file['decision_reason']}" if file["decided_by"] else skipped
