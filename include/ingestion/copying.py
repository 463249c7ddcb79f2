"""The one way into ``staging.offer``: ``COPY``, row by row as they are read, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

from include.warehouse.engine import Connection

#: What a line gives, in the order of :class:`include.ingestion.lines.LineReader`'s rows.
COLUMNS: tuple[LiteralString, ...] = (
    "file_id", "line_number", "retailer", "store_id", "sku", "name", "brand", "size", "url", "image_url", "category",
    "price", "was_price", "unit_price", "unit_of_measure", "is_on_special", "gtins", "barcode_note", "observed_at", "defects",
)  # fmt: skip


def copy_rows(connection: Connection, table: LiteralString, rows: Iterable[tuple[Any, ...]]) -> None:
    """Copy rows into a table with :data:`COLUMNS`: ``staging.offer``, or the benchmark's bare one."""
    columns: LiteralString = ", ".join(COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
