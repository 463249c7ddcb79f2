"""Refused lines and held store-days: what waits, why, and a person's decision about it."""

from __future__ import annotations

from typing import Any

from include.errors import TerminalError
from include.quality.rules import reason_of
from include.warehouse.engine import Connection, Warehouse
from include.warehouse.statements import statement


def list_undecided(warehouse: Warehouse, retailer: str | None = None) -> list[dict[str, Any]]:
    """Return held store-days and refused files nobody has decided about, oldest first: file_id, retailer, store_id, night, rows, state, state_reason."""
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT file_id, retailer, store_id, night, rows, state, state_reason FROM ops.staged_file "
            "WHERE (state = 'held' OR state = 'refused') AND released_by IS NULL AND (%(retailer)s::text IS NULL OR retailer = %(retailer)s) "
            "ORDER BY observed_at, file_id",
            {"retailer": retailer},
        ).fetchall()
    return [dict(row) for row in rows]


def list_refused_lines(warehouse: Warehouse, retailer: str | None = None) -> list[dict[str, Any]]:
    """Return per file how many lines are in quarantine for which rule, newest night first: file_id, retailer, store_id, night, rule_id, lines, reason."""
    with warehouse.transaction() as connection:
        rows = connection.execute(statement("quality/list_quarantine"), {"retailer": retailer}).fetchall()
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
    return {
        "file": dict(file),
        "results": [dict(row) for row in results],
        "lines": [{**row, "why": [reason_of(rule) for rule in row["reasons"]]} for row in lines],
    }


def release(warehouse: Warehouse, file_id: int, by: str, why: str) -> str:
    """Let a held store-day through its store-level checks; row rules still apply. Publishing is the next step.

    Returns:
        The retailer whose store-days are to be published now.

    Raises:
        TerminalError: the file is not held (says what it is), or no reason is given.
    """
    with warehouse.transaction() as connection:
        return _decide(connection, file_id, by, why, ("held",), "loaded")


def discard(warehouse: Warehouse, file_id: int, by: str, why: str) -> str:
    """Never publish a held store-day, or take note of a refused file. It stays in the refused stage and in the ledger.

    Returns:
        The retailer it belongs to.

    Raises:
        TerminalError: the file is neither held nor refused (says what it is), or no reason is given.
    """
    with warehouse.transaction() as connection:
        retailer = _decide(connection, file_id, by, why, ("held", "refused"), "discarded")
        connection.execute("UPDATE ops.staged_file SET stage = 'refused' WHERE file_id = %s", (file_id,))
        connection.execute("DELETE FROM staging.offer WHERE file_id = %s", (file_id,))
        connection.execute("DELETE FROM staging.loaded_file WHERE file_id = %s", (file_id,))
        return retailer


def _decide(connection: Connection, file_id: int, by: str, why: str, states: tuple[str, ...], becomes: str) -> str:
    if not why.strip():
        raise TerminalError("a decision needs a reason: --why '…'. It is kept in the ledger.")
    file = connection.execute(
        "SELECT retailer, store_id, night, state FROM ops.staged_file WHERE file_id = %s FOR UPDATE", (file_id,)
    ).fetchone()
    if file is None:
        raise TerminalError(f"no file {file_id} in the ledger. `aisleflow quarantine list` shows what waits.")
    if file["state"] not in states:
        raise TerminalError(
            f"file {file_id} ({file['retailer']} {file['store_id']} of {file['night']}) is {file['state']}, not {' or '.join(states)}: there is nothing to decide."
        )
    connection.execute(
        "UPDATE ops.staged_file SET state = %s, released_by = %s, released_why = %s WHERE file_id = %s", (becomes, by, why, file_id)
    )
    return str(file["retailer"])
