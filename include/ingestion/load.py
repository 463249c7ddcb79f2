"""From staged file to ``staging.offer``: one stream, constant memory, every line accounted for.

The reader judges nothing. What SQL could not see any more (not JSON, a price that is text) is noted in
``defects``; the rule catalogue turns it into reasons.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec

from include import clock
from include.catalogue.barcode import read_barcodes
from include.catalogue.text import clean
from include.catalogue.unit_price import unit_price
from include.ingestion import ledger
from include.staging.instants import read_instant
from include.staging.manifest import Manifest
from include.staging.offer import Number, decode
from include.staging.staged_file import RawLine, UnreadableFile, open_staged
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.statements import statement

log = logging.getLogger(__name__)

COLUMNS = (
    "file_id", "line_number", "retailer", "store_id", "sku", "name", "brand", "size", "url", "image_url", "category",
    "price", "was_price", "unit_price", "unit_of_measure", "is_on_special", "gtins", "barcode_note", "observed_at", "defects",
)  # fmt: skip
_COPY = f"COPY staging.offer ({', '.join(COLUMNS)}) FROM STDIN"

#: A clock that runs a little ahead is no news; a line further ahead than this is.
FUTURE_TOLERANCE = timedelta(minutes=10)
_NUMBER_LENGTH_MAX = 24
_CACHE = 200_000


def load_waiting(warehouse: Warehouse, storage: Storage, retailer: str, progress: Callable[[str], None] = log.info) -> list[int]:
    """Register and load every waiting file of a retailer.

    Returns:
        Ids of the files now loaded and not yet checked, oldest store-day first; those of an earlier,
        interrupted run are among them.
    """
    ledger.register_waiting(warehouse, storage, retailer)
    with warehouse.transaction() as connection:
        files = ledger.entries(connection, retailer, ["waiting", "loaded"])
    for position, file in enumerate(files, start=1):
        ensure_loaded(warehouse, storage, file.file_id)
        progress(
            f"loaded {position} of {len(files)}: {retailer} {file.manifest.store_id} of {file.manifest.night}, {file.manifest.rows} lines"
        )
    with warehouse.transaction() as connection:
        if files:
            connection.execute("ANALYZE staging.offer")  # the table was empty a moment ago: the planner would guess wrong
        return [file.file_id for file in ledger.entries(connection, retailer, ["loaded"])]


def ensure_loaded(warehouse: Warehouse, storage: Storage, file_id: int) -> bool:
    """Load one file unless its rows stand in ``staging.offer`` already (a crash of the server empties that table).

    Returns:
        False if the file could not be read: it is refused with its reason.
    """
    try:
        with warehouse.transaction() as connection:
            file = ledger.entry(connection, file_id)
            if file.state not in ("waiting", "loaded", "held") or _is_loaded(connection, file_id):
                return file.state != "refused"
            _load(connection, storage, file_id, file.manifest, warehouse.settings.line_bytes_max)
    except UnreadableFile as error:
        ledger.refuse(warehouse, storage, file_id, str(error))
        return False
    return True


def _is_loaded(connection: Connection, file_id: int) -> bool:
    return connection.execute("SELECT 1 FROM staging.loaded_file WHERE file_id = %s", (file_id,)).fetchone() is not None


def _load(connection: Connection, storage: Storage, file_id: int, manifest: Manifest, line_bytes_max: int) -> None:
    lock(connection, f"file:{file_id}")
    now = clock.now()
    read = LineReader(file_id, manifest, now)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        write = copy.write_row
        for line in open_staged(storage, manifest, Stage.OUTBOX, line_bytes_max):
            write(read(line))
    connection.execute(statement("loading/fold_doubles"), {"file_id": file_id})
    connection.execute("INSERT INTO staging.loaded_file VALUES (%s)", (file_id,))
    connection.execute(statement("loading/finish_load"), {"file_id": file_id, "now": now})


class LineReader:
    """Turns a raw line into a row of ``staging.offer``, values in PostgreSQL's text form."""

    def __init__(self, file_id: int, manifest: Manifest, now: datetime) -> None:
        self._file_id = file_id
        self._retailer, self._store_id, self._state = manifest.retailer, manifest.store_id, manifest.state
        self._file_instant = manifest.observed_at
        self._latest = now + FUTURE_TOLERANCE

    def __call__(self, line: RawLine) -> tuple[Any, ...]:
        """Return one row in the order of :data:`COLUMNS`. Never raises for what stands in the line."""
        if line.problem is not None:
            return self._unreadable(line.number, line.problem)
        try:
            decoded = decode(line.raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._unreadable(line.number, "not_json")
        product, metadata = decoded.product, decoded.metadata
        defects: list[str] = []
        if metadata.company != self._retailer or str(metadata.store_id) != self._store_id:
            defects.append("foreign_store")
        if product.price_current is msgspec.UNSET:
            defects.append("price_key_missing")
            price = None
        else:
            price = _number(product.price_current, "price_not_a_number", defects)
        was_price = _number(product.price_was, "was_price_not_a_number", defects)
        said = metadata.scraped_at or metadata.scraped_date or product.scraped_date
        observed_at = self._instant(said, metadata.state, defects)
        measured, unit = _unit_price(product.per_unit_price_string)
        gtins, barcode_note = _barcodes(product.barcode)
        return (
            self._file_id, line.number, _text(metadata.company), _text(metadata.store_id), _sku(product.sku),
            _text(product.name), _text(product.brand), _text(product.size), _text(product.url), _text(product.image_url),
            _category(product.category_path), price, was_price, measured, unit, "t" if product.is_on_special is True else "f",
            gtins, barcode_note, observed_at, "{" + ",".join(defects) + "}" if defects else None,
        )  # fmt: skip

    def _unreadable(self, number: int, defect: str) -> tuple[Any, ...]:
        return (self._file_id, number, *[None] * 13, "f", None, None, None, "{" + defect + "}")

    def _instant(self, said: Any, state: Any, defects: list[str]) -> str:
        instant = (
            self._file_instant
            if said is None
            else read_instant(said, state if isinstance(state, str) else self._state)
            if isinstance(said, str)
            else None
        )
        if instant is None:
            defects.append("time_unreadable")
            return _iso(self._file_instant)
        if instant > self._latest:
            defects.append("time_in_future")
        return _iso(instant)


@lru_cache(_CACHE)
def _iso(instant: datetime) -> str:
    return instant.isoformat()


def _number(value: Any, defect: str, defects: list[str]) -> str | int | None:
    """Return a JSON number as PostgreSQL reads it, exactly; note a defect for anything else but null."""
    if value is None:
        return None
    kind = type(value)
    if kind is Number and _is_sane(value):
        return str.__str__(value)
    if kind is int and -(10**12) < value < 10**12:
        return int(value)
    defects.append(defect)
    return None


@lru_cache(_CACHE)
def _is_sane(text: str) -> bool:
    # a huge exponent is valid JSON and would overflow the column
    if len(text) > _NUMBER_LENGTH_MAX:
        return False
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and abs(value) < 10**12 and (value == 0 or abs(value) > Decimal("1e-12"))


def _sku(value: Any) -> str | None:
    if type(value) is int:
        return str(value)
    # text is kept as it is, zero padding and all; a fraction is no product number
    return _text(value) if type(value) is str else None


@lru_cache(_CACHE)
def _clean(text: str) -> str | None:
    return clean(text.replace("\x00", " "))


def _text(value: Any) -> str | None:
    if type(value) is str:
        return _clean(value)
    return str(value) if type(value) is int else None


def _category(path: Any) -> str | None:
    if not isinstance(path, list):
        return None
    return _category_text(tuple(part for part in path if type(part) is str))


@lru_cache(_CACHE)
def _category_text(path: tuple[str, ...]) -> str | None:
    return " > ".join(cleaned for part in path if (cleaned := _clean(part))) or None


@lru_cache(_CACHE)
def _unit_price_of(text: str) -> tuple[str | None, str | None]:
    parsed = unit_price(text)
    # numeric(12, 4): what is larger is no unit price of a supermarket
    return (None, None) if parsed is None or parsed.value >= 10**8 else (str(parsed.value), parsed.unit)


def _unit_price(value: Any) -> tuple[str | None, str | None]:
    return _unit_price_of(value) if type(value) is str else (None, None)


@lru_cache(_CACHE)
def _barcodes_of(text: str) -> tuple[str | None, str | None]:
    barcodes = read_barcodes(text)
    return "{" + ",".join(barcodes.gtins) + "}" if barcodes.gtins else None, barcodes.note


def _barcodes(value: Any) -> tuple[str | None, str | None]:
    if type(value) is int:
        value = str(value)
    return _barcodes_of(value) if type(value) is str else (None, None)


def raw_lines(storage: Storage, manifest: Manifest, stage: Stage, numbers: set[int], line_bytes_max: int) -> Iterator[tuple[int, str]]:
    """Yield (line number, raw text) of the wanted lines, for quarantine: read again from the file, cut at 20,000 characters."""
    for line in open_staged(storage, manifest, stage, line_bytes_max):
        if line.number in numbers:
            yield line.number, line.raw[:80_000].decode("utf-8", "replace").replace("\x00", "\ufffd")[:20_000]
