"""Reads refused lines again, from the archived file if it still exists, else from the text in quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from unicodedata import normalize

from include.ingestion.copying import COLUMNS
from include.ingestion.lines import LineReader
from include.ledger.files import LedgerEntry
from include.model.rules import PRICE_MAX_DOLLARS
from include.staging.staged_file import RawLine, UnreadableFile, open_staged
from include.staging.storage import Stage, Storage

#: Maximum characters of a line kept in quarantine; a text of this length may be cut.
TEXT_CHARACTERS_MAX = 20_000
_INDEXED_BYTES_MAX = 2_000
_COLUMN_INDEX = {name: index for index, name in enumerate(COLUMNS)}
_UNPUBLISHABLE_DEFECTS = {
    "not_json": "it cannot be read as JSON",
    "line_too_long": "it is longer than AISLEFLOW_LINE_BYTES_MAX",
    "foreign_store": "it names another retailer or store: its price would be published in the wrong one",
    "price_key_missing": "the key `price_current` is missing, so there is no price to publish",
    "price_not_a_number": "its price is not a number, and a price is never guessed",
}

Row = tuple[Any, ...]


def column_value(row: Row, column: str) -> Any:
    """Return one value of a row of ``staging.offer`` as the reader made it (PostgreSQL's text form)."""
    return row[_COLUMN_INDEX[column]]


def reread_lines(
    storage: Storage, file: LedgerEntry, lines: Sequence[Mapping[str, Any]], line_bytes_max: int, *, with_twins: bool = False
) -> dict[int, Row]:
    """Return line number → row for every refused line that is still completely readable; the others are omitted.

    Args:
        lines: rows of ``ops.quarantined_offer``. A line is read as of its refusal: a time in the future then stays one.
        with_twins: also return the file's other lines of the same SKUs, if the file is still in the archive.
    """
    wanted = {int(line["line_number"]) for line in lines}
    reader = LineReader(file.file_id, file.manifest, min(line["quarantined_at"] for line in lines))
    try:
        rows = {}
        for line in open_staged(storage, file.manifest, Stage.ARCHIVE, line_bytes_max):
            if with_twins or line.number in wanted:
                rows[line.number] = reader(line)
    except UnreadableFile:  # pruned, or damaged since: use the text in quarantine
        return {
            int(line["line_number"]): reader(RawLine(int(line["line_number"]), line["raw_text"].encode()))
            for line in lines
            if is_intact(line)
        }
    skus = {column_value(row, "sku") for number, row in rows.items() if number in wanted} - {None}
    return {number: row for number, row in rows.items() if number in wanted or column_value(row, "sku") in skus}


def is_intact(line: Mapping[str, Any]) -> bool:
    """Return whether quarantine holds the unchanged line: not cut, and without replaced bytes that were not UTF-8."""
    text = line["raw_text"]
    return text is not None and len(text) < TEXT_CHARACTERS_MAX and "\ufffd" not in text and "line_too_long" not in line["reasons"]


def make_publishable(row: Row, file: LedgerEntry) -> Row | str:
    """Return a refused line in publishable form, or the reason why it cannot be published.

    An invalid was-price is removed. A time in the future, or far from its crawl, is replaced by the store-day's.
    """
    defects = set((column_value(row, "defects") or "{}").strip("{}").split(",")) - {""}
    for defect, why in _UNPUBLISHABLE_DEFECTS.items():
        if defect in defects:
            return why
    if column_value(row, "sku") is None:
        return "it has no SKU, so its price belongs to no product"
    if column_value(row, "name") is None:
        return "it has no name"
    texts = "".join(column_value(row, name) or "" for name in ("name", "brand", "size"))
    if max(len(normalize("NFKD", text).encode()) for text in (texts, str(column_value(row, "sku")))) > _INDEXED_BYTES_MAX:
        return f"its SKU, or its name, brand and size, are longer than {_INDEXED_BYTES_MAX:,} bytes: they do not fit the catalogue"
    price = column_value(row, "price")
    if price is not None:
        if Decimal(price) <= 0:
            return "its price is not above zero"
        if not _is_cents(Decimal(price)):
            return f"its price is no amount in whole cents up to ${PRICE_MAX_DOLLARS:,}.00: it does not fit the price table"
    changed: dict[str, Any] = {"defects": None}
    was = column_value(row, "was_price")
    if was is not None and not _is_cents(Decimal(was)):
        changed["was_price"] = None
    if defects & {"time_in_future", "time_outside_crawl"}:
        changed["observed_at"] = file.observed_at.isoformat()
    return tuple(changed.get(name, row[index]) for name, index in _COLUMN_INDEX.items())


def _is_cents(dollars: Decimal) -> bool:
    return 0 < dollars <= PRICE_MAX_DOLLARS and dollars == round(dollars, 2)
