"""The yardstick: the minimum processing of staged files with standard libraries.

Each process takes file after file: ``gzip`` unpacks, ``msgspec`` decodes each line to the staged fields, and psycopg's ``COPY`` writes
them to an unlogged table without an index, one transaction per file. There is no cleaning, checking or hashing. The number of processes,
each with its own connection, is the maximum of the product: one per core and per file, at most four. They are started and connected before
the measurement. It uses no code of the product, so a faster product never changes its own yardstick.
"""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal

import msgspec
import psycopg

from benchmarks.watching import cpu_seconds

PROCESSES_MAX = 4
_START_SECONDS = 120
_LINES_MIN = 20_000
_TABLE = """CREATE UNLOGGED TABLE offer (
    file text, line_number integer, retailer text, store_id text, sku text, name text, brand text, size text, url text, image_url text, category text,
    price numeric, was_price numeric, unit_price text, is_on_special boolean, barcode text, observed_at timestamptz)"""


class _Product(msgspec.Struct, gc=False):
    sku: str | int
    name: str
    price_current: float | None
    brand: str | None = None
    size: str | None = None
    url: str | None = None
    image_url: str | None = None
    category_path: list[str] | None = None
    price_was: float | None = None
    per_unit_price_string: str | None = None
    is_on_special: bool | None = None
    barcode: str | None = None


class _Metadata(msgspec.Struct, gc=False):
    company: str
    store_id: str | int
    scraped_at: str | None = None
    scraped_date: str | None = None


class _Line(msgspec.Struct, gc=False):
    product: _Product
    metadata: _Metadata


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The yardstick's time for some files."""

    lines: int
    processes: int
    seconds: float
    cpu_seconds: float

    @property
    def cores_used(self) -> float:
        """Processor seconds per second, including the server."""
        return self.cpu_seconds / self.seconds


def measure(files: Sequence[Path], url: str, server_pid: int, processes: int | None = None) -> Yardstick:
    """Read ``files`` (``*.jsonl.gz`` of any layout) into a table of the database at ``url``, and drop it again.

    Small files are read several times for a measurable duration; the result is the time of one reading.
    """
    processes = processes or min(os.cpu_count() or 1, PROCESSES_MAX, len(files))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS offer")
        connection.execute(_TABLE)
    spawn = get_context("spawn")
    ready = spawn.Barrier(processes + 1)
    with spawn.Pool(processes, _connect, (url, ready)) as pool:
        ready.wait(_START_SECONDS)
        took = worked = 0.0
        lines = read = readings = 0
        while read < _LINES_MIN:
            begun, work_begun = time.perf_counter(), cpu_seconds(os.getpid(), server_pid)
            lines = sum(pool.map(_copy, files, chunksize=1))
            took, worked = took + time.perf_counter() - begun, worked + cpu_seconds(os.getpid(), server_pid) - work_begun
            read, readings = read + lines, readings + 1
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE offer")
    return Yardstick(lines, processes, took / readings, worked / readings)


#: The connection of a process of the pool.
_connections: list[psycopg.Connection] = []


def _connect(url: str, ready: Barrier) -> None:
    signal(SIGINT, SIG_IGN)  # Ctrl-C reaches the whole group: the process that started this one ends it
    _connections.append(psycopg.connect(url))
    ready.wait(_START_SECONDS)


def _copy(path: Path) -> int:
    lines, connection = 0, _connections[0]
    with connection.transaction(), connection.cursor() as cursor, cursor.copy("COPY offer FROM STDIN") as copy:
        for row in _rows(path):
            copy.write_row(row)
            lines += 1
    return lines


def _rows(path: Path) -> Iterator[tuple[object, ...]]:
    decode, file = msgspec.json.Decoder(_Line).decode, path.name
    with gzip.open(path) as unpacked:
        for number, raw in enumerate(unpacked, 1):
            line = decode(raw)
            product, metadata = line.product, line.metadata
            yield (
                file, number, metadata.company, str(metadata.store_id), str(product.sku), product.name, product.brand, product.size, product.url,
                product.image_url, " > ".join(product.category_path or ()), product.price_current, product.price_was, product.per_unit_price_string,
                product.is_on_special, product.barcode, metadata.scraped_at or metadata.scraped_date,
            )  # fmt: skip
