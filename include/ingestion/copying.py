"""Fills ``staging.offer`` by ``COPY``, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

from include.warehouse.engine import Connection
from include.wording.text import storable

#: Columns of a line, in the order of :class:`include.ingestion.lines.LineReader`'s rows.
COLUMNS: tuple[LiteralString, ...] = (
    "file_id", "line_number", "retailer", "store_id", "sku", "name", "brand", "size", "url", "image_url", "category",
    "price", "was_price", "unit_price", "unit_of_measure", "is_on_special", "price_basis", "multi_buy_quantity", "multi_buy_price",
    "gtins", "barcode_note", "observed_at", "defects",
)  # fmt: skip


#: Text is passed to ``COPY`` in blocks of about this size: a call per row costs as much as formatting it.
_BLOCK_CHARACTERS = 1 << 17
#: Characters with a meaning in ``COPY``'s text form.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def copy_text(values: Iterable[str | int | None]) -> str:
    """Return columns in the text form of ``COPY``, without the newline.

    >>> copy_text((7, None, "a\\tb"))
    '7\\t\\\\N\\ta\\\\tb'
    """
    return "\t".join([r"\N" if value is None else _escape(str(value)) for value in values])


def _escape(text: str) -> str:
    # printable text has no tab or newline; translate() is slow and rarely needed
    return text if "\\" not in text and text.isprintable() else storable(text).translate(_ESCAPES)


def copy_lines(connection: Connection, table: LiteralString, lines: Iterable[str]) -> None:
    """Copy rows in the text form of ``COPY``, each with its newline, into a table with :data:`COLUMNS`."""
    columns: LiteralString = ", ".join(COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        block, characters = list[str](), 0
        for line in lines:
            block.append(line)
            characters += len(line)
            if characters > _BLOCK_CHARACTERS:
                copy.write("".join(block))
                block, characters = [], 0
        if block:
            copy.write("".join(block))


def copy_rows(connection: Connection, table: LiteralString, rows: Iterable[tuple[Any, ...]]) -> None:
    """Copy rows into a table with :data:`COLUMNS`, value by value: for a few lines."""
    columns: LiteralString = ", ".join(COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
