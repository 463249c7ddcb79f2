"""Prices for other programs: the rows of ``core.store_price`` as one Parquet or CSV file, all or those changed since a cursor.

PostgreSQL's ``COPY`` returns the rows as CSV in one snapshot; for Parquet, Arrow reads them batch by batch. Memory does not grow
with the rows. The file appears under its name once it is complete. In CSV a text that a spreadsheet would take for a formula begins
with an apostrophe; Parquet has the texts unchanged.

**The cursor.** An export returns the instant from which the next one has to read. Rows changed at or after it are exported, so
a row may occur twice, and none is omitted: the export waits for publications that run when it starts
(:mod:`include.warehouse.price_changes`). Merge the rows by their key ``retailer, store_id, sku``; repeated rows then have no effect.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from typing import IO, Any, Literal, get_args

import fsspec
import psycopg

from include import clock
from include.errors import ConfigurationError, TransientError
from include.files import replaced_file
from include.retailer_names import RETAILERS
from include.warehouse.database_errors import raise_unless_data_error
from include.warehouse.engine import Warehouse
from include.warehouse.price_changes import wait_for_price_changes
from include.wording.foreign import Medium, render

Format = Literal["parquet", "csv"]
#: The columns of the public contract in their order, with Arrow's types.
COLUMNS: dict[str, str] = {
    "retailer": "text", "store_id": "text", "sku": "text", "product_id": "bigint", "barcode": "text", "contested_barcode": "text", "name": "text", "brand": "text",
    "size": "text", "price_cents": "integer", "was_price_cents": "integer", "price_basis": "text", "unit_price": "numeric", "unit_of_measure": "text",
    "multi_buy_quantity": "integer", "multi_buy_cents": "integer", "is_on_special": "boolean", "is_available": "boolean", "is_listed": "boolean", "delisted_at": "instant", "is_current": "boolean",
    "observed_at": "instant", "changed_at": "instant", "source": "text", "anchor_store_id": "text", "is_confirmed": "boolean",
}  # fmt: skip

#: Maximum difference of the clocks of several hosts: the cursor is earlier than the export's time by this.
MAX_CLOCK_SKEW = timedelta(minutes=1)
_BATCH_BYTES = 16 << 20
#: One field of a line of CSV that is not empty; and a line that may have a field which a spreadsheet would compute.
_FIELD = re.compile(rb'"(?:[^"]|"")*"|[^,"\r\n]+')
_MAYBE_FORMULA = re.compile(rb'(?:^|,)"?(?:[=+\-@\t\r\n]|\xef\xbc)')
_PROGRESS_EVERY_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class ExportResult:
    """One finished export: its target, its rows, and the cursor for the next one."""

    target: str
    format: Format
    rows: int
    cursor: datetime


def export_prices(
    warehouse: Warehouse,
    target: str,
    file_format: Format | None = None,
    *,
    retailer: str | None = None,
    since: str | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> ExportResult:
    """Write the public contract's rows to a local path or any fsspec URL.

    Args:
        target: an existing file is replaced once the new one is complete.
        file_format: ``None``: CSV for a target that ends in ``.csv``, else Parquet.
        retailer: rows of this one only.
        since: the cursor of an earlier export; only rows changed since are exported.
        progress: called with the number of rows from time to time.

    Raises:
        ConfigurationError: an unknown format or retailer, an invalid cursor; a target that is a folder or cannot be written.
        TransientError: the warehouse does not respond, or a publication does not finish.
    """
    chosen = file_format or ("csv" if target.lower().endswith(".csv") else "parquet")
    if chosen not in get_args(Format):
        raise ConfigurationError(f"--format {chosen} is not known. Write --format parquet or --format csv.")
    if retailer is not None and retailer not in RETAILERS:
        raise ConfigurationError(f"unknown retailer {retailer!r}. Write one of: {', '.join(RETAILERS)}.")
    values = {"retailer": retailer, "since": read_cursor(since) if since is not None else None}
    try:
        with _atomic_writer(target) as file, _rows(warehouse, values) as (cursor, rows):
            counted = _counted(rows, progress)
            count = (_write_csv if chosen == "csv" else _write_parquet)(file, counted)
    except psycopg.Error as error:
        raise_unless_data_error(error, f"export to {target}")
        raise
    return ExportResult(target, chosen, count, cursor)


def read_cursor(text: str) -> datetime:
    """Read a cursor printed by an export.

    Raises:
        ConfigurationError: it is not an instant, or in the future of this installation because its clock was set back.
    """
    instant = clock.parse_instant(text, "--since")
    if instant > clock.now():
        raise ConfigurationError(
            f"--since={text!r} is in the future of this installation ({clock.now().isoformat()}): rows changed by its current clock "
            "would be omitted. Export once without --since, and continue with the cursor it returns."
        )
    return instant


@contextmanager
def _rows(warehouse: Warehouse, values: dict[str, Any]) -> Iterator[tuple[datetime, Iterator[bytes]]]:
    """Yield the next cursor and the rows as lines of CSV, all of one snapshot."""
    with warehouse.transaction() as reading:
        # a slow network must not abort the export; the formats must not depend on the server's settings
        reading.execute("SELECT set_config('statement_timeout', '0', true), set_config('DateStyle', 'ISO', true)")
        with warehouse.transaction() as waiting:
            wait_for_price_changes(waiting)
            cursor = clock.now() - MAX_CLOCK_SKEW
            sending = reading.send("export/copy_store_prices", values)
            copy = sending.__enter__()  # the server has taken its snapshot when it responds
        try:
            yield cursor, (bytes(line) for line in copy)
        except BaseException as error:
            sending.__exit__(type(error), error, error.__traceback__)
            raise
        sending.__exit__(None, None, None)


def _counted(rows: Iterator[bytes], progress: Callable[[int], None]) -> Iterator[bytes]:
    for number, row in enumerate(rows, start=1):
        if number % _PROGRESS_EVERY_ROWS == 0:
            progress(number)
        yield row


def _write_csv(file: IO[bytes], rows: Iterable[bytes]) -> int:
    count = 0
    file.write(",".join(COLUMNS).encode() + b"\n")
    for row in rows:
        file.write(_FIELD.sub(_spreadsheet_field, row) if _MAYBE_FORMULA.search(row) else row)
        count += 1
    return count


def _spreadsheet_field(field: re.Match[bytes]) -> bytes:
    """Return one field of a line of CSV so that a spreadsheet computes nothing."""
    is_quoted = field[0].startswith(b'"')
    text = field[0][1:-1].replace(b'""', b'"').decode() if is_quoted else field[0].decode()
    safe = render(text, Medium.SPREADSHEET)
    return field[0] if safe == text else b'"' + safe.replace('"', '""').encode() + b'"'


def _write_parquet(file: IO[bytes], rows: Iterator[bytes]) -> int:
    import pyarrow
    from pyarrow import csv, parquet

    count = 0
    schema = arrow_schema()
    read = csv.ReadOptions(column_names=list(COLUMNS), use_threads=False)
    parse = csv.ParseOptions(newlines_in_values=True)
    # a null is empty and an empty text is quoted
    convert = csv.ConvertOptions(column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for first in rows:
            batch, size = io.BytesIO(), 0
            for row in chain([first], rows):
                size += batch.write(row)
                if size >= _BATCH_BYTES:
                    break
            table = csv.read_csv(pyarrow.BufferReader(batch.getbuffer()), read, parse, convert)
            writer.write_table(table.cast(schema))
            count += table.num_rows
    return count


@cache
def arrow_schema() -> Any:
    """Return the public contract as an Arrow schema: money in integer cents, unit prices as decimals, instants in UTC."""
    import pyarrow

    types = {
        "text": pyarrow.string(), "integer": pyarrow.int32(), "bigint": pyarrow.int64(), "boolean": pyarrow.bool_(),
        "numeric": pyarrow.decimal128(12, 4), "instant": pyarrow.timestamp("us", tz="UTC"),
    }  # fmt: skip
    return pyarrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])


@contextmanager
def _atomic_writer(target: str) -> Iterator[IO[bytes]]:
    """Yield a file to write; it appears under its name if the block succeeds, and is removed if not."""
    filesystem, path = fsspec.core.url_to_fs(target)
    name = path.rsplit("/", 1)[-1]
    if not name or filesystem.isdir(path):
        raise ConfigurationError(f"{target} is a folder. Name a file, e.g. {target.rstrip('/')}/store_price.parquet.")
    is_local = "file" in ([filesystem.protocol] if isinstance(filesystem.protocol, str) else filesystem.protocol)
    try:
        if is_local:
            if not Path(path).parent.exists():
                raise ConfigurationError(f"there is no folder {Path(path).parent}. Create it, or correct the name.")
            with replaced_file(Path(path)) as file:
                yield file
        else:
            with _atomic_upload(filesystem, path) as file:
                yield file
    except OSError as error:
        raise _write_error(target, error) from error


def _write_error(target: str, error: OSError) -> ConfigurationError | TransientError:
    if isinstance(error, PermissionError | NotADirectoryError | FileNotFoundError | FileExistsError):
        return ConfigurationError(f"{target} cannot be written ({error}). Give a file in a folder you may write to.")
    return TransientError(f"{target} could not be written ({error}). The target is unchanged; free some space or try again.")


@contextmanager
def _atomic_upload(filesystem: Any, path: str) -> Iterator[IO[bytes]]:
    """Write locally, upload under another name, then rename: an interrupted upload never appears under the target's name."""
    with tempfile.TemporaryDirectory(prefix="aisleflow-") as folder:
        local = Path(folder) / "export"
        with local.open("wb") as file:
            yield file
        sending = f"{path}.{os.getpid()}.writing"
        with suppress(NotImplementedError, PermissionError):  # an object store has no folders
            filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        try:
            filesystem.put_file(str(local), sending)
            filesystem.mv(sending, path)
        finally:
            with suppress(FileNotFoundError):
                filesystem.rm_file(sending)
