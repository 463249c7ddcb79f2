"""What a night leaves open: held store-days, refused files, missing data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.errors import NeedsPersonError
from include.warehouse.engine import Warehouse


class HeldStoreDays(NeedsPersonError):
    """Only held store-days are undecided. ``files``: their ids and the rules that hold them, to suppress repeated alerts."""

    def __init__(self, message: str, files: Sequence[dict[str, Any]]) -> None:
        """Keep ``file_id`` and ``rule_ids`` of each file."""
        super().__init__(message)
        self.files = [{"file_id": file["file_id"], "rule_ids": file["rule_ids"]} for file in files]


class NightIncomplete(NeedsPersonError):
    """Data of a night are missing. ``missing``: retailer, state (``not_planned``, or a state of sql/diagnostics/list_missing.sql) and file_id of each item."""

    def __init__(self, message: str, missing: Sequence[dict[str, Any]]) -> None:
        super().__init__(message)
        self.missing = [{name: item.get(name) for name in ("retailer", "state", "file_id")} for item in missing]


def raise_if_undecided(warehouse: Warehouse, retailers: Sequence[str], night: str) -> None:
    """Raise if store-days of these retailers and this night are held or were refused.

    Raises:
        NeedsPersonError: (:class:`HeldStoreDays` where nothing was refused) lists each with its reason and the commands that decide it.
    """
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_open_questions", {"retailers": list(retailers), "night": night}).fetchall()
    if rows:
        listed = "\n".join(
            f"  file {row['file_id']}, {row['retailer']} {row['store_id']}, {row['rows']} lines, {row['state']}: {row['state_reason']}"
            for row in rows
        )
        held, refused = (sum(row["state"] == state for row in rows) for state in ("held", "refused"))
        message = (
            f"{held} store-day(s) of {night} held and {refused} file(s) refused; everything else is published.\n{listed}\n"
            "Look at one: aisleflow quarantine show ID. A held one: aisleflow quarantine release ID --why …, or discard ID --why …. "
            "A refused one: stage the store-day again (clear its crawl task), or acknowledge it: aisleflow quarantine discard ID --why …. Then clear this task."
        )
        raise NeedsPersonError(message) if refused else HeldStoreDays(message, rows)
