"""Refused lines and held store-days: what waits, why, and a person's decision about it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from include import clock
from include.errors import TerminalError
from include.ledger.decisions import Via, decisions_of, record
from include.model.rules import reason_of
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)


def list_undecided(warehouse: Warehouse, retailer: str | None = None) -> list[dict[str, Any]]:
    """Return held store-days and refused files nobody has decided about, oldest first: file_id, retailer, store_id, night, rows, state, state_reason."""
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT file_id, retailer, store_id, night, rows, state, state_reason FROM ops.staged_file "
            "WHERE (state = 'held' OR state = 'refused') AND decided_by IS NULL AND (%(retailer)s::text IS NULL OR retailer = %(retailer)s) "
            "ORDER BY observed_at, file_id",
            {"retailer": retailer},
        ).fetchall()
    return [dict(row) for row in rows]


def list_refused_lines(warehouse: Warehouse, retailer: str | None = None) -> list[dict[str, Any]]:
    """Return per file how many lines are in quarantine for which rule, newest night first: file_id, retailer, store_id, night, rule_id, lines, reason."""
    with warehouse.transaction() as connection:
        rows = connection.run("quarantine/list_lines", {"retailer": retailer}).fetchall()
    return [{**row, "reason": reason_of(row["rule_id"])} for row in rows]


def show(warehouse: Warehouse, file_id: int, limit: int = 20) -> dict[str, Any]:
    """Return one file's ledger row, its check results and its first refused lines with raw text.

    Raises:
        TerminalError: the ledger has no such file.
    """
    with warehouse.transaction() as connection:
        file = connection.execute("SELECT * FROM ops.staged_file WHERE file_id = %s", (file_id,)).fetchone()
        if file is None:
            raise TerminalError(f"no file {file_id} in the ledger. `aisleflow quarantine list` shows what waits.")
        results = connection.execute(
            "SELECT * FROM ops.data_quality_result WHERE file_id = %s ORDER BY is_passed, rule_id", (file_id,)
        ).fetchall()
        lines = connection.execute(
            "SELECT * FROM ops.quarantined_offer WHERE file_id = %s ORDER BY line_number LIMIT %s", (file_id, limit)
        ).fetchall()
        decisions = decisions_of(connection, file_id)
        counted = connection.execute(
            "SELECT count(*) AS lines, count(*) FILTER (WHERE state = 'quarantined') AS undecided FROM ops.quarantined_offer WHERE file_id = %s",
            (file_id,),
        ).fetchone()
    assert counted is not None
    return {
        "next": _next_steps(file, counted["undecided"]),
        "more_lines": max(counted["lines"] - len(lines), 0),
        "file": dict(file),
        "decisions": decisions,
        "results": [dict(row) for row in results],
        "lines": [{**row, "why": [reason_of(rule) for rule in row["reasons"]]} for row in lines],
    }


def _next_steps(file: Mapping[str, Any], undecided: int) -> list[str]:
    file_id = file["file_id"]
    if file["state"] == "held":
        return [
            "What to do: nothing of it is published until somebody decides, here or in the Airflow UI (Required Actions).",
            f"  right after all: aisleflow quarantine release {file_id} --why '…'",
            f"  wrong:           aisleflow quarantine discard {file_id} --why '…'; the store's next crawl takes its place",
            f"  a rule or the reader was mended: aisleflow quarantine recheck --file {file_id}",
        ]
    if file["state"] == "refused":
        return [
            f"What to do: stage the store-day again (clear its crawl task), then take note: aisleflow quarantine discard {file_id} --why '…'"
        ]
    if undecided:
        return [
            f"What to do: {undecided} line(s) wait; the rest of the file is {file['state']}, and the products of these lines keep their last price.",
            f"  right after all: aisleflow quarantine release {file_id} --line N --why '…' (or --rule RULE)",
            f"  wrong:           aisleflow quarantine discard {file_id} --line N --why '…' (or --rule RULE)",
            f"  a rule or the reader was mended: aisleflow quarantine recheck --file {file_id}",
        ]
    return []


def release(warehouse: Warehouse, file_id: int, by: str, reason: str, via: Via = "command line") -> str:
    """Let a held store-day through its store-level checks; row rules still apply. Publishing is the next step.

    Returns:
        The retailer whose store-days are to be published now.

    Raises:
        TerminalError: the file is not held (says what it is), or no reason is given.
    """
    with warehouse.transaction() as connection:
        return decide(connection, file_id, "release", by, reason, via)


def release_all(warehouse: Warehouse, file_ids: Sequence[int], by: str, reason: str) -> str:
    """Release several held store-days of one retailer, all or none; see :func:`release`."""
    with warehouse.transaction() as connection:
        return {decide(connection, file_id, "release", by, reason, "command line") for file_id in sorted(file_ids)}.pop()


def discard(warehouse: Warehouse, file_id: int, by: str, reason: str, via: Via = "command line") -> str:
    """Never publish a held store-day, or take note of a refused file. It stays in the refused stage and in the ledger.

    Returns:
        The retailer it belongs to.

    Raises:
        TerminalError: the file is neither held nor refused (says what it is), or no reason is given.
    """
    with warehouse.transaction() as connection:
        return decide(connection, file_id, "discard", by, reason, via)


def decide(connection: Connection, file_id: int, choice: Literal["release", "discard"], by: str, reason: str, via: Via) -> str:
    """Release or discard one file inside the caller's transaction; see :func:`release` and :func:`discard`."""
    states, becomes = (("held",), "loaded") if choice == "release" else (("held", "refused"), "discarded")
    if not reason.strip():
        raise TerminalError("a decision needs a reason: --why '…'. It is kept in the ledger.")
    file = connection.execute(
        "SELECT retailer, store_id, night, state, decided_by, decision_reason FROM ops.staged_file WHERE file_id = %s FOR UPDATE",
        (file_id,),
    ).fetchone()
    if file is None:
        raise TerminalError(f"no file {file_id} in the ledger. `aisleflow quarantine list` shows what waits.")
    if file["state"] not in states:
        decided = f" {file['decided_by']} decided so: {file['decision_reason']}." if file["decided_by"] else ""
        raise TerminalError(
            f"file {file_id} ({file['retailer']} {file['store_id']} of {file['night']}) is {file['state']}, not {' or '.join(states)}: "
            f"there is nothing to decide.{decided} `aisleflow quarantine list` shows what waits."
        )
    connection.execute(
        "UPDATE ops.staged_file SET state = %s, decided_by = %s, decision_reason = %s, decided_at = %s WHERE file_id = %s",
        (becomes, by, reason.strip(), clock.now(), file_id),
    )
    if choice == "discard":
        connection.execute("UPDATE ops.staged_file SET stage = 'refused' WHERE file_id = %s", (file_id,))
        connection.execute("DELETE FROM staging.offer WHERE file_id = %s", (file_id,))
        connection.execute("DELETE FROM staging.loaded_file WHERE file_id = %s", (file_id,))
    record(connection, file_id, choice, by, reason.strip(), via)
    return str(file["retailer"])


def undecided_files(warehouse: Warehouse, retailer: str | None, file_id: int | None) -> dict[str, list[int]]:
    """Return the ledger ids of held store-days (``held``) and of files with undecided refused lines (``lines``), oldest first.

    Raises:
        TerminalError: the file is named and neither.
    """
    with warehouse.transaction() as connection:
        rows = connection.run("quarantine/list_undecided", {"retailer": retailer, "file_id": file_id}).fetchall()
    if file_id is not None and not rows:
        raise TerminalError(f"file {file_id} is not held and has no undecided refused lines. `aisleflow quarantine list` shows what waits.")
    return {kind: [int(row["file_id"]) for row in rows if row["is_held"] == (kind == "held")] for kind in ("held", "lines")}


def requeue_held(warehouse: Warehouse, file_ids: Sequence[int], by: str, version: str) -> list[str]:
    """Send held store-days back to the start of ingestion: they are loaded and checked afresh. Returns their retailers."""
    retailers = set()
    with warehouse.transaction() as connection:
        for file_id in sorted(file_ids):
            row = connection.execute(
                "UPDATE ops.staged_file SET state = 'waiting', state_reason = NULL, check_version = NULL WHERE file_id = %s AND state = 'held' RETURNING retailer",
                (file_id,),
            ).fetchone()
            if row is None:
                continue
            connection.execute("DELETE FROM staging.offer WHERE file_id = %s", (file_id,))
            connection.execute("DELETE FROM staging.loaded_file WHERE file_id = %s", (file_id,))
            record(connection, file_id, "recheck", by, f"held store-day, rule catalogue {version}", "command line")
            retailers.add(str(row["retailer"]))
    return sorted(retailers)


def prune_decided(warehouse: Warehouse) -> int:
    """Forget refused lines that were released or discarded more than ``AISLEFLOW_QUARANTINE_DAYS`` ago; returns how many.

    Undecided lines are never forgotten, and none while its file is in the archive: taking a store-day back needs to know them.
    """
    days = max(warehouse.settings.quarantine_days, warehouse.settings.archive_days)
    with warehouse.transaction() as connection:
        found = connection.run("quarantine/prune_decided", {"decided_before": clock.now() - timedelta(days=days)}).rowcount
    log.info("forgot %s decided lines older than %s days", found, days)
    return found


def batch_of(warehouse: Warehouse, file_id: int) -> list[int]:
    """Return the held files that the same check held together with this one by a rule about the whole retailer; at least itself."""
    with warehouse.transaction() as connection:
        rows = connection.run("quarantine/list_batch", {"file_id": file_id}).fetchall()
    ids = [int(row["file_id"]) for row in rows]
    return ids if file_id in ids else [file_id]
