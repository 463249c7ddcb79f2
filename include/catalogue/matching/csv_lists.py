"""Lists as CSV files: read with every mistake named, and pairs written for programs and spreadsheets alike."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path

from include.catalogue.matching.listing import Listing
from include.catalogue.matching.match import Match
from include.errors import TerminalError
from include.files import replace_text
from include.retailer_names import RETAILERS
from include.wording.barcode import read_barcodes
from include.wording.foreign import Medium, render
from include.wording.text import storable

ROWS_MAX = 100_000
_BYTES_MAX = 200_000_000
_FIELD_CHARACTERS_MAX = 2_000
#: Prices beyond this are damage, and their arithmetic is not worth a core.
_PRICE_MAX = Decimal(1_000_000)
_REQUIRED = ("id", "name")
_COLUMNS = frozenset({*_REQUIRED, "brand", "size", "price", "unit_price", "barcode", "retailer"})
#: Of the first line the most frequent one, a comma in doubt.
_DELIMITERS = ",;\t"
_DOLLARS = re.compile(r"\$?\s*(\d+|\d{1,3}(?:,\d{3})+)?(\.\d+)?")
OUT_COLUMNS = ("left_id", "right_id", "score", "tier", "method", "reason")


def read_list(path: Path) -> list[Listing]:
    """Read a list: columns id and name, optionally brand, size, price (dollars), unit_price (as printed: "$1.20 per 100g"), barcode and retailer.

    Other columns are ignored; the order of columns and rows does not matter. Fields are separated by commas, semicolons or tabs.

    Raises:
        TerminalError: the file is missing, is no CSV in UTF-8, lacks a column, is too large, or has a row without id or name, an id twice or a price that is
            no number; the message names the line.
    """
    try:
        if path.exists() and not path.is_file():
            raise TerminalError(f"{path} is no file: give the path of a CSV file.")
        if path.stat().st_size > _BYTES_MAX:
            raise TerminalError(f"{path} is larger than {_BYTES_MAX:,} bytes: split the list, e.g. by department.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = max(_DELIMITERS, key=file.readline().count)
            file.seek(0)
            rows = csv.DictReader(file, delimiter=delimiter, strict=True)
            try:
                return list(_listings(path, rows))
            except csv.Error as error:
                raise TerminalError(
                    f"{path}, after line {rows.line_num}: this is no CSV ({error}): quote a field that has a delimiter, a quote or a line end, and double a quote in it."
                ) from error
    except OSError as error:
        raise TerminalError(f"{path} cannot be read ({error.strerror}): give the path of a CSV file.") from error
    except UnicodeDecodeError as error:
        raise TerminalError(f"{path} is no UTF-8 text (byte {error.start:,}): save the list as CSV in UTF-8.") from error


def _listings(path: Path, rows: csv.DictReader[str]) -> Iterator[Listing]:
    columns: dict[str, str] = {}
    for column in rows.fieldnames or ():
        if (name := column.strip().lower().replace(" ", "_")) in columns and name in _COLUMNS:
            raise TerminalError(f"{path} has the column {name} twice in its first line: keep one.")
        columns[name] = column
    if missing := [name for name in _REQUIRED if name not in columns]:
        raise TerminalError(
            f"{path} has no column {' and no column '.join(missing)} in its first line: name the columns id, brand, name, size."
        )
    first_line: dict[str, int] = {}
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        if None in row:
            raise TerminalError(f"{where}: more fields than columns: quote a field that has a delimiter.")
        fields = {name: storable(row[column] or "").strip() for name, column in columns.items() if name in _COLUMNS}
        if longest := next((name for name, text in fields.items() if len(text) > _FIELD_CHARACTERS_MAX), None):
            raise TerminalError(f"{where}: {longest} has more than {_FIELD_CHARACTERS_MAX:,} characters: is a quote missing?")
        if empty := next((name for name in _REQUIRED if not fields[name]), None):
            raise TerminalError(f"{where}: {empty} is empty: every product needs an id and a name.")
        if fields["id"] in first_line:
            raise TerminalError(
                f"{where}: the id {fields['id']!r} is also on line {first_line[fields['id']]}: give each product an id of its own."
            )
        if len(first_line) == ROWS_MAX:
            raise TerminalError(f"{path} has more than {ROWS_MAX:,} products: split the list, e.g. by department.")
        first_line[fields["id"]] = rows.line_num
        yield Listing(
            fields["id"], fields["name"], fields.get("brand") or None, fields.get("size") or None, _price_cents(where, fields.get("price")),
            fields.get("unit_price") or None, _retailer(where, fields.get("retailer")), read_barcodes(fields.get("barcode") or None).gtins,
        )  # fmt: skip


def _price_cents(where: str, text: str | None) -> int | None:
    if not text:
        return None
    found = _DOLLARS.fullmatch(text)
    price = Decimal(f"{found[1] or 0}{found[2] or ''}".replace(",", "")) if found and found[0].strip("$ ") else None
    if price is None or price > _PRICE_MAX:
        raise TerminalError(f"{where}: {text!r} is no price: write dollars, e.g. 12.50, or leave it empty.")
    return int((price * 100).to_integral_value())


def _retailer(where: str, text: str | None) -> str | None:
    if text and text.lower() not in RETAILERS:
        raise TerminalError(f"{where}: unknown retailer {text!r}: write {', '.join(RETAILERS)}, or leave it empty.")
    return text.lower() if text else None


def write_matches(path: Path, matches: Iterable[Match]) -> None:
    """Write pairs, the most certain first. The file is replaced when it is complete; a text that would be a formula gets an apostrophe.

    Raises:
        TerminalError: the file cannot be written.
    """
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(OUT_COLUMNS)
    for match in matches:
        ids = (render(found, Medium.SPREADSHEET) for found in (match.left_id, match.right_id))
        writer.writerow([*ids, f"{match.score:.4f}", match.tier, match.method, render(match.reason, Medium.SPREADSHEET)])
    try:
        replace_text(path, text.getvalue())
    except OSError as error:
        raise TerminalError(f"{path} cannot be written ({error.strerror}): give a file in a folder that is there.") from error
