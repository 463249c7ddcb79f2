"""Store-days set aside because the database rejects lines of them: noted in the ledger, tried again by the next run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from include.errors import TerminalError
from include.staging.manifest import Manifest
from include.staging.storage import Stage
from include.warehouse.engine import Warehouse

#: How the ledger's ``state_reason`` of such a store-day begins.
REPORT_PREFIX = "the database rejects"

_LINES_SHOWN = 20


class RejectedByDatabase(TerminalError):
    """Store-days could not be written because the database rejects lines of them; the message names the lines."""


def save_report(warehouse: Warehouse, file_id: int, build_report: str) -> None:
    """Keep the report of a store-day that is still to be published."""
    assert build_report.startswith(REPORT_PREFIX)
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE ops.staged_file SET state_reason = %s WHERE file_id = %s AND state IN ('waiting', 'loaded')", (build_report, file_id)
        )


def requeue(warehouse: Warehouse, file_id: int) -> None:
    """Take a store-day out of its batch: it waits again, and its next load begins from its file."""
    with warehouse.transaction() as connection:
        taken = connection.execute(
            "UPDATE ops.staged_file SET state = 'waiting', check_version = NULL WHERE file_id = %s AND state = 'loaded'", (file_id,)
        ).rowcount
        if taken:
            connection.execute("DELETE FROM staging.offer WHERE file_id = %s", (file_id,))
            connection.execute("DELETE FROM staging.loaded_file WHERE file_id = %s", (file_id,))


def clear_reports(warehouse: Warehouse, retailer: str) -> None:
    """Forget earlier reports of a retailer: its waiting store-days are about to be tried again."""
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE ops.staged_file SET state_reason = NULL WHERE retailer = %s AND state IN ('waiting', 'loaded') AND starts_with(state_reason, %s)",
            (retailer, REPORT_PREFIX),
        )


def list_rejected(warehouse: Warehouse, retailers: Sequence[str]) -> list[dict[str, Any]]:
    """Return the store-days set aside: file_id, retailer, store_id, night, state_reason, path; oldest registration first."""
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT file_id, retailer, store_id, night, state_reason, manifest FROM ops.staged_file "
            "WHERE retailer = ANY(%s) AND state IN ('waiting', 'loaded') AND starts_with(state_reason, %s) ORDER BY file_id",
            (list(retailers), REPORT_PREFIX),
        ).fetchall()
    return [{**row, "path": msgspec.convert(row.pop("manifest"), Manifest).data_path(Stage.OUTBOX)} for row in map(dict, rows)]


def build_report(warehouse: Warehouse, retailers: Sequence[str]) -> str | None:
    """Return one report about every store-day set aside: files, lines, values, constraints, what to do. ``None``: there is none."""
    files = list_rejected(warehouse, retailers)
    if not files:
        return None
    remaining, sections = _LINES_SHOWN, list[str]()
    steps: dict[str, None] = {}
    for file in files[:_LINES_SHOWN]:
        headline, *lines = str(file["state_reason"]).split("\n")
        steps |= dict.fromkeys(line.removeprefix("Next: ") for line in lines if line.startswith("Next: "))
        rejected_lines = [line for line in lines if line.startswith("  ")]
        share = max(1, remaining // max(1, len(files[:_LINES_SHOWN]) - len(sections)))
        excerpt, remaining = rejected_lines[:share], max(0, remaining - min(share, len(rejected_lines)))
        more = [f"  … and more of it: aisleflow quarantine show {file['file_id']}"] if len(rejected_lines) > len(excerpt) else []
        sections.append(
            "\n".join(
                [
                    f"{file['path']} (file {file['file_id']}, {file['retailer']} {file['store_id']} of {file['night']}): {headline}",
                    *excerpt,
                    *more,
                ]
            )
        )
    if len(files) > _LINES_SHOWN:
        sections.append(f"… and {len(files) - _LINES_SHOWN} more files: they are in the log of the task that met the error")
    first = str(files[0]["state_reason"]).split("\n")
    worst = next((line.strip() for line in first if line.startswith("  ")), first[0])
    return (
        f"{len(files)} store-day(s) are not published: the database rejects lines of them, first {files[0]['retailer']} {files[0]['store_id']}, {worst}\n"
        "Nothing of these files is written, they stay in the outbox; everything else is published.\n"
        + "\n".join(sections)
        + "\nWhat to do: "
        + " ".join(steps)
        + " Then clear the task `load` of this run with downstream (or wait for sweep_outbox, which tries again by itself)."
    )


def raise_if_rejected(warehouse: Warehouse, retailers: Sequence[str]) -> None:
    """Raise if store-days of these retailers were set aside.

    Raises:
        RejectedByDatabase: names every file, its culprit lines (20 at most) and what to do.
    """
    if text := build_report(warehouse, retailers):
        raise RejectedByDatabase(text)
