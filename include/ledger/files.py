"""Read access to the ledger, the record of every staged file and its state.

Only this package writes the ledger's rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from include.staging.manifest import Manifest
from include.staging.storage import Stage
from include.warehouse.engine import Connection, Warehouse, lock

#: Stage of the files in each final state; files in other states stay in the outbox.
FINAL_STAGE = {"published": Stage.ARCHIVE, "superseded": Stage.ARCHIVE, "refused": Stage.REFUSED, "discarded": Stage.REFUSED}


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One staged file. ``is_released``: an operator overrode its store-level checks."""

    file_id: int
    state: str
    manifest: Manifest
    observed_at: datetime
    last_observed_at: datetime
    is_complete: bool
    is_released: bool

    def is_before(self, other: LedgerEntry) -> bool:
        """Return whether it comes before another store-day of its store; of equal instants the later registration is the newer."""
        return (self.observed_at, self.file_id) < (other.observed_at, other.file_id)


def find(connection: Connection, manifest: Manifest) -> int | None:
    """Return the file id of this content of this run, ``None`` if it is not registered."""
    row = connection.execute(
        "SELECT file_id FROM ops.staged_file WHERE (retailer, store_id, run_key, content_hash) = (%s, %s, %s, %s)",
        (manifest.retailer, manifest.store_id, manifest.run_key, manifest.sha256),
    ).fetchone()
    return int(row["file_id"]) if row else None


def entries(connection: Connection, retailer: str, states: Sequence[str]) -> list[LedgerEntry]:
    """Return a retailer's files in the given states, oldest store-day first."""
    return [_entry(row) for row in connection.run("ledger/list_entries", {"retailer": retailer, "states": list(states)}).fetchall()]


def lock_store(connection: Connection, file_id: int) -> None:
    """Lock the prices of a file's store until the transaction ends.

    Call it before any row of the file or the store is locked: two transactions that take the two in opposite order block each other.
    A file that the ledger does not have locks nothing.
    """
    row = connection.execute("SELECT retailer, store_id FROM ops.staged_file WHERE file_id = %s", (file_id,)).fetchone()
    if row is not None:
        lock(connection, f"store:{row['retailer']}:{row['store_id']}")


def entry(connection: Connection, file_id: int) -> LedgerEntry:
    """Return one file, its ledger row locked until the transaction ends (not for foreign keys: prices may refer to it meanwhile).

    Raises:
        KeyError: the ledger has no such file.
    """
    row = connection.execute(
        "SELECT file_id, state, manifest, observed_at, last_observed_at, coalesce(is_complete, false) AS is_complete, decided_by IS NOT NULL AS is_released "
        "FROM ops.staged_file WHERE file_id = %s FOR NO KEY UPDATE",
        (file_id,),
    ).fetchone()
    if row is None:
        raise KeyError(file_id)
    return _entry(row)


def published_entries(connection: Connection, retailer: str, store_id: str) -> list[LedgerEntry]:
    """Return the published store-days of one store, oldest first."""
    return [_entry(row) for row in connection.run("ledger/list_published", {"retailer": retailer, "store_id": store_id}).fetchall()]


def lost_files(connection: Connection, retailer: str) -> list[int]:
    """Return the loaded files of a retailer whose rows are missing in ``staging.offer``, which a server crash empties."""
    return [int(row["file_id"]) for row in connection.run("ledger/list_lost", {"retailer": retailer}).fetchall()]


def loaded_files(connection: Connection, retailer: str, *, is_checked: bool = False) -> list[dict[str, Any]]:
    """Return the loaded files of a retailer whose rows are in ``staging.offer``, oldest store-day first: file_id, store_id, rows, check_version."""
    rows = connection.run("ledger/list_loaded", {"retailer": retailer, "is_checked": is_checked}).fetchall()
    return [dict(row) for row in rows]


def next_round(connection: Connection, retailer: str, version: str) -> tuple[list[dict[str, Any]], int]:
    """Return the loaded store-days to check next (file_id, observed_at, last_observed_at, state), and how many are left after them.

    Those of the earliest date, each the oldest unpublished one of its store; what this ``version`` of the rule catalogue has checked is left out.
    """
    rows = [dict(row) for row in connection.run("ledger/list_round", {"retailer": retailer, "version": version}).fetchall()]
    chosen = [row for row in rows if row["is_next"]]
    return chosen, len(rows) - len(chosen)


def list_store(warehouse: Warehouse, retailer: str, store_id: str) -> list[dict[str, Any]]:
    """Return the store-days of one store and their states, newest first."""
    with warehouse.transaction() as connection:
        rows = connection.run("ledger/list_store", {"retailer": retailer, "store_id": store_id}).fetchall()
    return [dict(row) for row in rows]


def _entry(row: dict[str, Any]) -> LedgerEntry:
    return LedgerEntry(
        row["file_id"], row["state"], msgspec.convert(row["manifest"], Manifest), row["observed_at"], row["last_observed_at"],
        row["is_complete"], row["is_released"],
    )  # fmt: skip
