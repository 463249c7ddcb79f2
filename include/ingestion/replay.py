"""The prices of one store, computed again from its published store-days.

They are published once more, from the archive and in order of time, to a temporary working store that no other transaction sees, with the
statements of publishing; the store then gets what differs. So a store-day that arrives late, a store-day whose completeness was corrected
and one that is retracted leave the prices that the same store-days give in order of time. Every function needs the store's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from include.config import Settings
from include.ingestion.store_prices import publish_prices, restage
from include.ledger.files import LedgerEntry, published_entries
from include.ledger.settling import delete_staged_rows
from include.staging.staged_file import UnreadableFile
from include.staging.storage import Storage
from include.warehouse.engine import Connection

log = logging.getLogger(__name__)


@contextmanager
def corrections(
    connection: Connection, storage: Storage, file: LedgerEntry, store_key: int, now: datetime, settings: Settings
) -> Iterator[None]:
    """Change a store's prices and its published store-days in the block; then the store gets its prices in order of time.

    Whatever the block did, the change log has the difference between before and after. Where a store-day from ``file`` on is no longer
    in the archive, what the block did stays.
    """
    values: dict[str, Any] = {"file_id": file.file_id, "store_key": store_key, "is_whole_store": True, "now": now}
    connection.run("retraction/collect_affected", values)
    with change_log_off(connection, settings):
        yield
        values |= {"working_store_key": open_working_store(connection, file, now)}
        published = published_entries(connection, file.manifest.retailer, file.manifest.store_id)
        missing = publish_again(connection, storage, published, values, settings.line_bytes_max)
        if later := [other.file_id for other in missing if not other.is_before(file)]:
            log.warning("file %s arrived late: the store's prices are not computed again, the archive lacks file %s", file.file_id, later)
        else:
            connection.run("retraction/restore_prices", values)
    finish(connection, values | {"is_to_move": not later})


@contextmanager
def change_log_off(connection: Connection, settings: Settings) -> Iterator[None]:
    """Log no change of a price: :func:`finish` logs the difference."""
    connection.execute("SELECT set_config('aisleflow.change_log', 'off', true)")
    yield
    connection.execute("SELECT set_config('aisleflow.change_log', %s, true)", ("on" if settings.change_log else "off",))


def open_working_store(connection: Connection, file: LedgerEntry, now: datetime) -> int:
    """Create the working store for a replay that a file causes; return its key."""
    row = connection.execute(
        "INSERT INTO core.store (retailer, store_id, first_seen_at) VALUES (%s, %s, %s) RETURNING store_key",
        (file.manifest.retailer, f"replay for file {file.file_id}", now),
    ).fetchone()
    assert row is not None
    return int(row["store_key"])


def publish_again(
    connection: Connection,
    storage: Storage,
    published: Sequence[LedgerEntry],
    values: Mapping[str, Any],
    line_bytes_max: int,
    skus: Collection[str] | None = None,
) -> list[LedgerEntry]:
    """Publish store-days, given in order of time, to the working store; return those missing in the archive.

    Args:
        values: ``working_store_key`` and ``now``.
        skus: only these; ``None``: all.
    """
    missing = []
    for file in published:
        try:
            restage(connection, storage, file, line_bytes_max, skus)
        except UnreadableFile as error:
            log.warning("file %s is not in the archive: %s", file.file_id, error)
            missing.append(file)
            continue
        publish_prices(
            connection,
            file,
            values["working_store_key"],
            values["now"],
            lambda before: restage(connection, storage, before, line_bytes_max, skus),
        )
        delete_staged_rows(connection, [file.file_id])
    return missing


def finish(connection: Connection, values: dict[str, Any]) -> None:
    """Give the store the prices that only the working store has, if ``is_to_move``; log the corrections, remove the working store."""
    if values["is_to_move"]:
        connection.run("retraction/move_new_prices", values)
    connection.run("publishing/ensure_change_month", values)
    connection.run("retraction/log_corrections", values)
    connection.run("retraction/drop_working_store", values)
