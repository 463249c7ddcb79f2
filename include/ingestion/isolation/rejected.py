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
MARK = "the database rejects"

_SHOWN = 20


class RejectedByDatabase(TerminalError):
    """Store-days could not be written because the database rejects lines of them; the message names the lines."""


def note(warehouse: Warehouse, file_id: int, report: str) -> None:
    """Keep the report of a store-day that is still to be published."""
    assert report.startswith(MARK)
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE ops.staged_file SET state_reason = %s WHERE file_id = %s AND state IN ('waiting', 'loaded')", (report, file_id)
        )


def set_aside(warehouse: Warehouse, file_id: int) -> None:
    """Take a store-day out of its batch: it waits again, and its next load begins from its file."""
    with warehouse.transaction() as connection:
        taken = connection.execute(
            "UPDATE ops.staged_file SET state = 'waiting', check_version = NULL WHERE file_id = %s AND state = 'loaded'", (file_id,)
        ).rowcount
        if taken:
            connection.execute("DELETE FROM staging.offer WHERE file_id = %s", (file_id,))
            connection.execute("DELETE FROM staging.loaded_file WHERE file_id = %s", (file_id,))


def forget(warehouse: Warehouse, retailer: str) -> None:
    """Forget earlier reports of a retailer: its waiting store-days are about to be tried again."""
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE ops.staged_file SET state_reason = NULL WHERE retailer = %s AND state IN ('waiting', 'loaded') AND starts_with(state_reason, %s)",
            (retailer, MARK),
        )


def listed(warehouse: Warehouse, retailers: Sequence[str]) -> list[dict[str, Any]]:
    """Return the store-days set aside: file_id, retailer, store_id, night, state_reason, path; oldest registration first."""
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT file_id, retailer, store_id, night, state_reason, manifest FROM ops.staged_file "
            "WHERE retailer = ANY(%s) AND state IN ('waiting', 'loaded') AND starts_with(state_reason, %s) ORDER BY file_id",
            (list(retailers), MARK),
        ).fetchall()
    return [{**row, "path": msgspec.convert(row.pop("manifest"), Manifest).data_path(Stage.OUTBOX)} for row in map(dict, rows)]


def report(warehouse: Warehouse, retailers: Sequence[str]) -> str | None:
    """Return one report about every store-day set aside: files, lines, values, constraints, what to do. ``None``: there is none."""
    files = listed(warehouse, retailers)
    if not files:
        return None
    left, parts = _SHOWN, list[str]()
    steps: dict[str, None] = {}
    for file in files[:_SHOWN]:
        headline, *lines = str(file["state_reason"]).split("\n")
        steps |= dict.fromkeys(line.removeprefix("Next: ") for line in lines if line.startswith("Next: "))
        culprits = [line for line in lines if line.startswith("  ")]
        share = max(1, left // max(1, len(files[:_SHOWN]) - len(parts)))
        shown, left = culprits[:share], max(0, left - min(share, len(culprits)))
        more = [f"  … and more of it: aisleflow quarantine show {file['file_id']}"] if len(culprits) > len(shown) else []
        parts.append(
            "\n".join(
                [
                    f"{file['path']} (file {file['file_id']}, {file['retailer']} {file['store_id']} of {file['night']}): {headline}",
                    *shown,
                    *more,
                ]
            )
        )
    if len(files) > _SHOWN:
        parts.append(f"… and {len(files) - _SHOWN} more files: they are in the log of the task that met the error")
    first = str(files[0]["state_reason"]).split("\n")
    worst = next((line.strip() for line in first if line.startswith("  ")), first[0])
    return (
        f"{len(files)} store-day(s) are not published: the database rejects lines of them, first {files[0]['retailer']} {files[0]['store_id']}, {worst}\n"
        "Nothing of these files is written, they stay in the outbox; everything else is published.\n"
        + "\n".join(parts)
        + "\nWhat to do: "
        + " ".join(steps)
        + " Then clear the task `load` of this run with downstream (or wait for sweep_outbox, which tries again by itself)."
    )


def raise_if_any(warehouse: Warehouse, retailers: Sequence[str]) -> None:
    """Raise if store-days of these retailers were set aside.

    Raises:
        RejectedByDatabase: names every file, its culprit lines (20 at most) and what to do.
    """
    if text := report(warehouse, retailers):
        raise RejectedByDatabase(text)
