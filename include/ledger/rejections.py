"""Store-days that wait because the database rejects lines of them, or because their file cannot be reached: the next run retries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import msgspec
from psycopg.types.json import Jsonb

from include.ledger.settling import requeue
from include.staging.manifest import Manifest
from include.staging.storage import Stage
from include.warehouse.engine import Warehouse


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a store-day waits: headline, first rejected lines, number of further ones, next step.

    ``cause``: the database rejects lines, or the storage does not give the file.
    """

    headline: str
    lines: tuple[str, ...]
    more_lines: int
    next_step: str
    cause: Literal["database", "storage"] = "database"

    def text(self) -> str:
        """Return the rejection as human-readable text."""
        more = [f"  … and {self.more_lines} more, all in the log of the task"] if self.more_lines else []
        return "\n".join([self.headline, *(f"  {line}" for line in self.lines), *more, f"Next: {self.next_step}"])


def save_rejection(warehouse: Warehouse, file_id: int, rejection: Rejection) -> None:
    """Store the rejection of a store-day that is not published yet."""
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE ops.staged_file SET rejection = %s, state_reason = %s WHERE file_id = %s AND state IN ('waiting', 'loaded')",
            (Jsonb(asdict(rejection)), rejection.text(), file_id),
        )


def requeue_rejected(warehouse: Warehouse, file_id: int) -> None:
    """Remove a store-day from its batch: it waits again, and its next load starts from its file."""
    with warehouse.transaction() as connection:
        requeue(connection, file_id, "loaded")


def clear_rejections(warehouse: Warehouse, retailer: str) -> None:
    """Delete the rejections of a retailer, whose waiting store-days are about to be retried."""
    with warehouse.transaction() as connection:
        connection.run("ledger/clear_rejections", {"retailer": retailer})


def list_rejected(warehouse: Warehouse, retailers: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rejected store-days, oldest registration first: file_id, retailer, store_id, night, path, rejection."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_rejected", {"retailers": list(retailers)}).fetchall()
    return [
        {
            **row,
            "path": msgspec.convert(row.pop("manifest"), Manifest).data_path(Stage.OUTBOX),
            "rejection": msgspec.convert(row["rejection"], Rejection),
        }
        for row in map(dict, rows)
    ]
