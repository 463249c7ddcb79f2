"""Report of the store-days that wait because the database rejects lines of them, or because their file cannot be reached."""

from __future__ import annotations

from collections.abc import Sequence

from include.errors import TerminalError
from include.ledger.registering import list_unregistered
from include.ledger.rejections import list_rejected
from include.staging.storage import Storage, StorageUnavailable
from include.warehouse.engine import Warehouse

_LINES_SHOWN = 20


class RejectedByDatabase(TerminalError):
    """Store-days could not be written because the database rejects lines of them; the message names the lines."""


def build_report(warehouse: Warehouse, retailers: Sequence[str]) -> str | None:
    """Return one report of all rejected store-days: files, lines, values, constraints, next steps. ``None``: there are none."""
    files = [file for file in list_rejected(warehouse, retailers) if file["rejection"].cause == "database"]
    if not files:
        return None
    remaining, sections = _LINES_SHOWN, list[str]()
    steps: dict[str, None] = {}
    for file in files[:_LINES_SHOWN]:
        rejection = file["rejection"]
        steps[rejection.next_step] = None
        share = max(1, remaining // max(1, len(files[:_LINES_SHOWN]) - len(sections)))
        excerpt, remaining = rejection.lines[:share], max(0, remaining - min(share, len(rejection.lines)))
        is_cut = rejection.more_lines or len(rejection.lines) > len(excerpt)
        more = [f"  … more of them: aisleflow quarantine show {file['file_id']}"] if is_cut else []
        sections.append(
            "\n".join(
                [
                    f"{file['path']} (file {file['file_id']}, {file['retailer']} {file['store_id']} of {file['night']}): {rejection.headline}",
                    *(f"  {line}" for line in excerpt),
                    *more,
                ]
            )
        )
    if len(files) > _LINES_SHOWN:
        sections.append(f"… and {len(files) - _LINES_SHOWN} more files: see the log of the failed task")
    first = files[0]["rejection"]
    worst = next(iter(first.lines), first.headline)
    return (
        f"{len(files)} store-day(s) are not published: the database rejects lines of them, first {files[0]['retailer']} {files[0]['store_id']}, {worst}\n"
        "Nothing of these files is written, they stay in the outbox; everything else is published.\n"
        + "\n".join(sections)
        + "\nWhat to do: "
        + " ".join(steps)
        + " Then clear the task `load` of this run with downstream (or wait for sweep_outbox, which retries automatically)."
    )


def build_unreachable_report(warehouse: Warehouse, retailers: Sequence[str]) -> str | None:
    """Return one report of all store-days whose file cannot be reached. ``None``: there are none."""
    files = [file for file in list_rejected(warehouse, retailers) if file["rejection"].cause == "storage"]
    if not files:
        return None
    listed = [
        f"  file {file['file_id']}, {file['retailer']} {file['store_id']}: {file['rejection'].headline}" for file in files[:_LINES_SHOWN]
    ]
    more = [f"  … and {len(files) - _LINES_SHOWN} more"] if len(files) > _LINES_SHOWN else []
    return "\n".join(
        [
            f"{len(files)} store-day(s) wait because their files cannot be reached; nothing of them is refused, everything else is published.",
            *listed,
            *more,
            f"What to do: {files[0]['rejection'].next_step} The next run (sweep_outbox starts one) tries them again.",
        ]
    )


def _unregistered_report(warehouse: Warehouse, storage: Storage, retailers: Sequence[str]) -> str | None:
    paths = list_unregistered(warehouse, storage, retailers)
    if not paths:
        return None
    listed = "".join(f"\n  {path}" for path in paths[:_LINES_SHOWN]) + ("\n  …" if len(paths) > _LINES_SHOWN else "")
    return (
        f"{len(paths)} manifest(s) in the outbox are not in the ledger, so their files are not ingested:{listed}\n"
        "What to do: make them readable in the folder of a known retailer, or remove them; the next run registers them."
    )


def raise_if_rejected(warehouse: Warehouse, storage: Storage, retailers: Sequence[str]) -> None:
    """Raise if store-days of these retailers wait: the database rejects lines of them, or their files cannot be reached.

    Raises:
        RejectedByDatabase: lists every file, its rejected lines (20 at most) and the next steps.
        StorageUnavailable: only files that cannot be reached, also those that could not even be registered.
    """
    text = build_report(warehouse, retailers)
    unreachable = "\n\n".join(
        filter(None, (build_unreachable_report(warehouse, retailers), _unregistered_report(warehouse, storage, retailers)))
    )
    if text:
        text = "\n\n".join(filter(None, (text, unreachable)))
        raise RejectedByDatabase(text)
    if unreachable:
        raise StorageUnavailable(unreachable)
