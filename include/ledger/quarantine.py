"""Quarantine: refused lines and held store-days with their reasons."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from include import clock
from include.errors import TerminalError
from include.ledger.decisions import decisions_of
from include.model.rules import reason_of
from include.warehouse.engine import Connection, Warehouse

log = logging.getLogger(__name__)


def list_undecided(warehouse: Warehouse, retailer: str | None = None) -> list[dict[str, Any]]:
    """Return undecided held store-days and refused files, oldest first: file_id, retailer, store_id, night, rows, state, state_reason."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_undecided_files", {"retailer": retailer}).fetchall()
    return [dict(row) for row in rows]


def list_refused_lines(warehouse: Warehouse, retailer: str | None = None) -> list[dict[str, Any]]:
    """Return the number of quarantined lines per file and rule, newest night first: file_id, retailer, store_id, night, rule_id, lines, reason."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_lines", {"retailer": retailer}).fetchall()
    return [{**row, "reason": reason_of(row["rule_id"])} for row in rows]


def show(warehouse: Warehouse, file_id: int, limit: int = 20) -> dict[str, Any]:
    """Return one file's ledger row, its check results, the pairs of SKUs it may have renumbered, and its first refused lines with raw text.

    Raises:
        TerminalError: the ledger has no such file.
    """
    with warehouse.transaction() as connection:
        file = connection.execute("SELECT * FROM ops.staged_file WHERE file_id = %s", (file_id,)).fetchone()
        if file is None:
            raise TerminalError(f"no file {file_id} in the ledger. `aisleflow quarantine list` shows the undecided ones.")
        results = connection.run("ledger/list_results", {"file_id": file_id}).fetchall()
        lines = connection.run("ledger/list_refused_lines", {"file_id": file_id, "limit": limit}).fetchall()
        decisions = decisions_of(connection, file_id)
        counted = connection.run("ledger/count_lines", {"file_id": file_id}).fetchone()
        renumbered = connection.run("quality/list_renumbered", {"file_id": file_id}).fetchall()
    assert counted is not None
    return {
        "next": _next_steps(file, counted["undecided"]),
        "more_lines": max(counted["lines"] - len(lines), 0),
        "file": dict(file),
        "decisions": decisions,
        "results": [dict(row) for row in results],
        "renumbered": [dict(row) for row in renumbered],
        "lines": [{**row, "why": [reason_of(rule) for rule in row["reasons"]]} for row in lines],
    }


def _next_steps(file: Mapping[str, Any], undecided: int) -> list[str]:
    file_id = file["file_id"]
    if file["state"] == "held":
        return [
            "What to do: decide, here or in the Airflow UI (Required Actions); until then nothing of it is published.",
            f"  data is correct: aisleflow quarantine release {file_id} --why '…'",
            f"  data is wrong:   aisleflow quarantine discard {file_id} --why '…'; the store's next crawl replaces it",
            f"  a rule or the reader was fixed: aisleflow quarantine recheck --file {file_id}",
        ]
    if file["state"] == "refused":
        return [
            f"What to do: stage the store-day again (clear its crawl task), then acknowledge it: aisleflow quarantine discard {file_id} --why '…'",
            f"  it was refused wrongly: aisleflow import --again --file {file_id} --why '…'",
        ]
    if file["state"] == "discarded":
        return [
            f"It was discarded or retracted. Bring it back, to be checked and published: aisleflow import --again --file {file_id} --why '…'"
        ]
    if undecided:
        return [
            f"What to do: {undecided} line(s) wait; the rest of the file is {file['state']}, and the products of these lines keep their last price.",
            f"  data is correct: aisleflow quarantine release {file_id} --line N --why '…' (or --rule RULE)",
            f"  data is wrong:   aisleflow quarantine discard {file_id} --line N --why '…' (or --rule RULE)",
            f"  a rule or the reader was fixed: aisleflow quarantine recheck --file {file_id}",
        ]
    return []


def undecided_files(warehouse: Warehouse, retailer: str | None, file_id: int | None) -> dict[str, list[int]]:
    """Return the ledger ids of held store-days (``held``) and of files with undecided refused lines (``lines``), oldest first.

    Raises:
        TerminalError: the named file is neither.
    """
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_undecided", {"retailer": retailer, "file_id": file_id}).fetchall()
    if file_id is not None and not rows:
        raise TerminalError(
            f"file {file_id} is not held and has no undecided refused lines. `aisleflow quarantine list` shows the undecided ones."
        )
    return {kind: [int(row["file_id"]) for row in rows if row["is_held"] == (kind == "held")] for kind in ("held", "lines")}


def prune_decided(warehouse: Warehouse) -> int:
    """Delete refused lines that were released or discarded more than ``AISLEFLOW_QUARANTINE_DAYS`` ago; return their number.

    Undecided lines are kept, and so are all lines whose file is in the archive: a retraction needs them.
    """
    days = max(warehouse.settings.quarantine_days, warehouse.settings.archive_days)
    with warehouse.transaction() as connection:
        found = connection.run("ledger/prune_decided", {"decided_before": clock.now() - timedelta(days=days)}).rowcount
    log.info("deleted %s decided lines older than %s days", found, days)
    return found


def batch_of(warehouse: Warehouse, file_id: int) -> list[int]:
    """Return the files that the same check and retailer-level rule held together with this one, itself included."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_batch", {"file_id": file_id}).fetchall()
    ids = [int(row["file_id"]) for row in rows]
    return ids if file_id in ids else [file_id]


def quarantine_lines(connection: Connection, file_id: int, now: datetime) -> set[int]:
    """Move the refused lines of a file from staging to quarantine; return the numbers of those whose raw text is not stored yet."""
    values = {"file_id": file_id, "now": now}
    if connection.run("ledger/quarantine_lines", values).rowcount <= 0:
        return set()
    return {int(row["line_number"]) for row in connection.run("ledger/list_lines_without_text", values).fetchall()}


def keep_raw_texts(connection: Connection, file_id: int, texts: Mapping[int, str]) -> None:
    """Store the raw text of refused lines: line number → text."""
    connection.run("ledger/keep_raw_texts", {"file_id": file_id, "lines": list(texts), "texts": list(texts.values())})


def refresh_reasons(connection: Connection, file_id: int) -> None:
    """Update the reasons of undecided refused lines from their staged rows, checked by the current rules."""
    connection.run("ledger/refresh_reasons", {"file_id": file_id})


def settle_released(connection: Connection, file_id: int, store_key: int, by: str, reason: str, now: datetime) -> dict[str, int]:
    """Mark the staged lines of a file as released, each with its outcome; return lines per outcome.

    Lines whose price must not be published leave staging.
    """
    values = {"file_id": file_id, "store_key": store_key, "by": by, "reason": reason, "now": now}
    outcomes: dict[str, int] = {}
    for row in connection.run("ledger/settle_released", values).fetchall():
        outcomes[row["outcome"]] = outcomes.get(row["outcome"], 0) + 1
    return outcomes


def decided_lines(connection: Connection, file_id: int, state: str) -> dict[int, str]:
    """Return the refused lines of a file that were ``released`` or ``discarded``: line number → SKU."""
    rows = connection.run("ledger/list_decided_lines", {"file_id": file_id, "state": state}).fetchall()
    return {int(row["line_number"]): row["sku"] for row in rows}
