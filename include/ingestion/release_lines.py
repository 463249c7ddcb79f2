"""Publishes refused lines that an operator released, or that pass since a rule or the reader was fixed.

Each file is one transaction: after a kill the same command resumes.
A released line is an observation of its own store-day: it never replaces a newer one, and a store-day older than the
store's last complete one publishes products and no prices, as in publishing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from include import clock
from include.catalogue.resolve import resolve_files
from include.ingestion.copying import copy_rows
from include.ingestion.quarantined_lines import Row, column_value, make_publishable, reread_lines
from include.ingestion.store_prices import Restage, confirm_instants, find_watermark, publish_lines, restage
from include.ledger.decisions import Via, check_decidable, choose_lines, decide
from include.ledger.files import LedgerEntry, entry, lock_store
from include.ledger.quarantine import decided_lines, refresh_reasons, settle_released
from include.ledger.settling import delete_staged_rows
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.price_changes import announce_price_change

#: Marks the staged lines of a file that break a rule (``include.ingestion.checks.gate.mark_lines``).
Marker = Callable[[Connection, int], Any]


@dataclass(frozen=True, slots=True)
class LineDecisionResult:
    """Outcome of a decision about refused lines of one file. ``refused`` = line number → why it stays in quarantine."""

    file_id: int
    decided: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


def release_lines(
    warehouse: Warehouse, storage: Storage, file_id: int, by: str, reason: str, *, lines: Sequence[int] = (), rule_id: str | None = None,
    via: Via = "command line",
) -> LineDecisionResult:  # fmt: skip
    """Publish refused lines in spite of their rules: the named ones, or all that a rule refused.

    Lines that cannot be published stay in quarantine, each with a reason. Lines released before are skipped.

    Raises:
        TerminalError: no reason is given, unknown file or line, or a line was discarded.
    """
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, "resolve")
        lock_store(connection, file_id)
        check_decidable(connection, file_id, "release", reason, about_lines=True)
        file = entry(connection, file_id)
        chosen = choose_lines(connection, file_id, lines, rule_id)
        if not chosen:
            return LineDecisionResult(file_id)
        rows_by_line = reread_lines(storage, file, chosen, warehouse.settings.line_bytes_max)
        ready, refused = _ready(connection, file, chosen, rows_by_line)
        outcomes = _publish(connection, file, ready, by, reason, _restager(connection, warehouse, storage)) if ready else {}
        if ready:
            decide(connection, file_id, "release", by, reason, via, lines=len(ready), rule_id=rule_id, detail=outcomes)
        return LineDecisionResult(file_id, len(ready), outcomes, refused)


def recheck_lines(warehouse: Warehouse, storage: Storage, file_id: int, mark: Marker, version: str, by: str) -> LineDecisionResult:
    """Check all undecided refused lines of a file with the current reader and rules: publish those that pass, update the reasons of the others.

    Args:
        mark: writes the reasons of the current rules to the staged rows of a file.
        version: version of the rule catalogue, recorded in the decision.
    """
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, "resolve")
        lock_store(connection, file_id)
        file = entry(connection, file_id)
        chosen = choose_lines(connection, file_id, (), None) if file.state in ("published", "superseded") else []
        if not chosen:
            return LineDecisionResult(file_id)
        wanted = {int(line["line_number"]) for line in chosen}
        rows_by_line = reread_lines(storage, file, chosen, warehouse.settings.line_bytes_max, with_twins=True)
        unreadable = dict.fromkeys(sorted(wanted - rows_by_line.keys()), "its text was cut and its file is no longer in the archive")
        discarded = decided_lines(connection, file_id, "discarded")  # a line an operator discarded does not count as a duplicate
        _stage(connection, file_id, [row for number, row in rows_by_line.items() if number not in discarded])
        connection.run("loading/mark_duplicates", {"file_id": file_id})
        mark(connection, file_id)
        refresh_reasons(connection, file_id)
        rows = connection.run("loading/list_reasons", {"file_id": file_id}).fetchall()
        passed = [row["line_number"] for row in rows if row["reasons"] is None and row["line_number"] in wanted]
        still_refused = {row["line_number"]: ", ".join(row["reasons"]) for row in rows if row["reasons"] and row["line_number"] in wanted}
        connection.run("loading/keep_lines", {"file_id": file_id, "lines": passed})
        reason = f"passes rule catalogue {version}"
        outcomes = _publish_staged(connection, file, by, reason, _restager(connection, warehouse, storage)) if passed else {}
        if passed:
            decide(connection, file_id, "recheck", by, reason, "command line", lines=len(passed), detail=outcomes)
        return LineDecisionResult(file_id, len(passed), outcomes, unreadable | still_refused)


def _restager(connection: Connection, warehouse: Warehouse, storage: Storage) -> Restage:
    return lambda before: restage(connection, storage, before, warehouse.settings.line_bytes_max)


def _ready(
    connection: Connection, file: LedgerEntry, chosen: Sequence[dict[str, Any]], rows_by_line: dict[int, Row]
) -> tuple[list[Row], dict[int, str]]:
    ready: dict[int, Row] = {}
    refused: dict[int, str] = {}
    for line in chosen:
        number = int(line["line_number"])
        publishable_row = (
            make_publishable(rows_by_line[number], file)
            if number in rows_by_line
            else "its text was cut and its file is no longer in the archive"
        )
        if isinstance(publishable_row, str):
            refused[number] = publishable_row
        else:
            ready[number] = publishable_row
    released_lines = {sku: number for number, sku in decided_lines(connection, file.file_id, "released").items()}
    lines_of: dict[str, list[int]] = {}
    for number, row in ready.items():
        lines_of.setdefault(str(column_value(row, "sku")), []).append(number)
    for sku, numbers in lines_of.items():
        if sku in released_lines:
            reason = f"line {released_lines[sku]} of the same SKU was released already"
        elif len(numbers) > 1:
            reason = f"lines {', '.join(map(str, numbers))} are of the same SKU {sku}: release the right one with --line"
        else:
            continue
        for number in numbers:
            del ready[number]
            refused[number] = reason
    return list(ready.values()), dict(sorted(refused.items()))


def _publish(
    connection: Connection, file: LedgerEntry, rows: Sequence[Row], by: str, reason: str, restage_before: Restage
) -> dict[str, int]:
    _stage(connection, file.file_id, rows)
    return _publish_staged(connection, file, by, reason.strip(), restage_before)


def _stage(connection: Connection, file_id: int, rows: Sequence[Row]) -> None:
    # other transactions never see these rows: they are deleted before the commit
    delete_staged_rows(connection, [file_id])
    copy_rows(connection, "staging.offer", rows)


def _publish_staged(connection: Connection, file: LedgerEntry, by: str, reason: str, restage_before: Restage) -> dict[str, int]:
    """Publish the staged lines of a file as its own observations; return lines per outcome."""
    resolve_files(connection, file.manifest.retailer, [file.file_id])
    store = connection.execute(
        "SELECT store_key FROM core.store WHERE retailer = %s AND store_id = %s", (file.manifest.retailer, file.manifest.store_id)
    ).fetchone()
    assert store is not None  # the file was published
    now = clock.now()
    watermark = find_watermark(connection, store["store_key"])
    confirm_instants(connection, file, store["store_key"], watermark, restage_before)
    outcomes = settle_released(connection, file.file_id, store["store_key"], by, reason, now)
    if set(outcomes) & {"published", "unavailable"}:
        publish_lines(connection, file, store["store_key"], watermark, now)
    delete_staged_rows(connection, [file.file_id])
    return outcomes
