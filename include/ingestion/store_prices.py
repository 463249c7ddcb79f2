"""The prices of one store, changed by one store-day whose lines are in ``staging.offer``. Every function needs the store's lock.

Newest is decided line by line. Rows that a complete store-day shows unchanged are not written: they count as observed at its
first instant, the store's watermark. Where crawls of a store overlap in time that is too early, so the watermark's store-day is
read again from the archive and the instants of its lines are written first (docs/decisions/0002-the-store-watermark.md).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include import clock
from include.ingestion.copying import copy_rows
from include.ingestion.lines import LineReader
from include.ingestion.quarantined_lines import Row, column_value, make_publishable
from include.ledger.files import LedgerEntry, published_entries
from include.ledger.quarantine import decided_lines
from include.ledger.settling import delete_staged_rows
from include.staging.staged_file import UnreadableFile, open_staged
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Connection

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watermark:
    """The newest complete store-day of a store: its first and last instant. All ``None``: there is none."""

    complete_at: datetime | None
    complete_file_id: int | None
    last_observed_at: datetime | None

    def is_newer_than(self, file: LedgerEntry) -> bool:
        """Return whether a store-day began before this one; of equal instants the later registration is the newer."""
        if self.complete_at is None or self.complete_file_id is None:
            return False
        return (file.observed_at, file.file_id) < (self.complete_at, self.complete_file_id)

    def overlaps(self, file: LedgerEntry) -> bool:
        """Return whether another store-day has lines of the same time."""
        if self.complete_at is None or self.last_observed_at is None or self.complete_file_id == file.file_id:
            return False
        return file.observed_at <= self.last_observed_at and self.complete_at <= file.last_observed_at


#: Puts the accepted lines of a published store-day into ``staging.offer`` again.
Restage = Callable[[LedgerEntry], None]


def find_watermark(connection: Connection, store_key: int) -> Watermark:
    """Return a store's watermark."""
    row = connection.run("publishing/find_watermark", {"store_key": store_key}).fetchone()
    assert row is not None
    return Watermark(**row)


def publish_prices(connection: Connection, file: LedgerEntry, store_key: int, now: datetime, restage: Restage) -> dict[str, int] | None:
    """Publish a store-day's accepted lines as the store's newest prices; return the counts of lines, and of prices delisted.

    ``None``: the whole store-day is older than the store's newest complete one, so none of its prices is published.
    """
    watermark = find_watermark(connection, store_key)
    is_late, is_overlapping = watermark.is_newer_than(file), watermark.overlaps(file)
    if is_late and not is_overlapping:
        return None
    values: dict[str, Any] = {
        "file_id": file.file_id, "store_key": store_key, "observed_at": file.observed_at, "now": now, "is_exact": is_overlapping or not file.is_complete,
        "complete_at": watermark.complete_at, "complete_file_id": watermark.complete_file_id,
    }  # fmt: skip
    confirm_instants(connection, file, store_key, watermark, restage)
    if file.is_complete and not is_late:
        connection.run("publishing/freeze_refused", values)
    counts = merge_prices(connection, values)
    delisted = 0
    if file.is_complete:
        missing = connection.run("publishing/delist_missing", values).fetchone()
        delisted = int(missing["delisted"]) if missing else 0
        if not is_late:
            connection.run("publishing/move_watermark", values)
    return counts | {"delisted": delisted}


def publish_lines(connection: Connection, file: LedgerEntry, store_key: int, watermark: Watermark, now: datetime) -> None:
    """Publish single lines of a published store-day; what they leave out stays as it is."""
    values = {
        "file_id": file.file_id, "store_key": store_key, "now": now, "is_exact": True,
        "complete_at": watermark.complete_at, "complete_file_id": watermark.complete_file_id,
    }  # fmt: skip
    merge_prices(connection, values)


def merge_prices(connection: Connection, values: dict[str, Any]) -> dict[str, int]:
    """Run ``publishing/merge_prices``, with the month of the change log it may need. Returns the counts."""
    connection.run("publishing/ensure_change_month", {"now": values["now"]})
    counts = connection.run("publishing/merge_prices", values).fetchone()
    assert counts is not None
    return dict(counts)


def confirm_instants(connection: Connection, file: LedgerEntry, store_key: int, watermark: Watermark, restage: Restage) -> None:
    """Write the instants of the watermark's lines to the store's prices, if a store-day overlaps the watermark's in time.

    A store-day that is no longer in the archive counts with its first instant.
    """
    if not watermark.overlaps(file):
        return
    manifest = file.manifest
    published = published_entries(connection, manifest.retailer, manifest.store_id)
    before = next((other for other in published if other.file_id == watermark.complete_file_id), None)
    try:
        if before is not None:
            restage(before)
            connection.run("publishing/confirm_instants", {"file_id": before.file_id, "store_key": store_key})
            delete_staged_rows(connection, [before.file_id])
    except UnreadableFile as error:
        log.warning(
            "file %s overlaps file %s, whose lines count with its first instant: %s", file.file_id, watermark.complete_file_id, error
        )


def restage(connection: Connection, storage: Storage, file: LedgerEntry, line_bytes_max: int, skus: Collection[str] | None = None) -> None:
    """Put a published store-day into ``staging.offer`` again, with the decisions about its lines; only some SKUs, if given.

    Raises:
        UnreadableFile: it is no longer in the archive, or damaged.
    """
    rows = list(_rows(connection, storage, file, line_bytes_max, skus))
    delete_staged_rows(connection, [file.file_id])
    copy_rows(connection, "staging.offer", rows)
    connection.run("loading/mark_duplicates", {"file_id": file.file_id})
    connection.run("retraction/mark_refused", {"file_id": file.file_id})
    connection.run("loading/fold_into_accepted", {"file_ids": [file.file_id]})


def _rows(connection: Connection, storage: Storage, file: LedgerEntry, line_bytes_max: int, skus: Collection[str] | None) -> Iterator[Row]:
    released = decided_lines(connection, file.file_id, "released")
    reader = LineReader(file.file_id, file.manifest, clock.now())
    stage = Stage.ARCHIVE if storage.exists(file.manifest.data_path(Stage.ARCHIVE)) else Stage.OUTBOX  # a move may have been interrupted
    for line in open_staged(storage, file.manifest, stage, line_bytes_max):
        row = reader(line)
        sku = column_value(row, "sku")
        if skus is None or sku is None or sku in skus:  # a line whose SKU cannot be read delists nothing
            publishable_row = make_publishable(row, file) if line.number in released else row
            yield row if isinstance(publishable_row, str) else publishable_row
