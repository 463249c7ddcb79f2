"""Converts one raw line to one row of ``staging.offer``, without checking rules.

Defects that SQL cannot detect in the row (not JSON, a price that is text) are listed in ``defects``; the rule catalogue
turns them into reasons. Of a repeated JSON key the last value counts, as in most JSON readers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from include.ingestion.copying import copy_text
from include.ingestion.products import ProductPart, read_product, read_text
from include.model.instants import is_bare_date, is_stray, read_instant
from include.model.offer import decode_metadata, split
from include.model.rules import OLDEST_LINE
from include.model.store import read_store_id
from include.staging.manifest import Manifest
from include.staging.staged_file import RawLine

#: Accepted clock skew; a line later than this is in the future.
FUTURE_TOLERANCE = timedelta(minutes=10)
_OLDEST = datetime.fromisoformat(OLDEST_LINE)
_NULL = r"\N"
#: Metadata texts cached per file; a crawl writes one per page.
_KEPT_METADATA = 4_096


class _MetadataPart(NamedTuple):
    columns: tuple[str | None, str | None]
    text: str
    is_foreign: bool
    state: Any
    #: The line's instant and its defect; ``None`` if the metadata has no time.
    instant: tuple[str, str | None] | None


class LineReader:
    """Turns a raw line into a row of ``staging.offer``, values in PostgreSQL's text form."""

    def __init__(self, file_id: int, manifest: Manifest, now: datetime) -> None:
        self._file_id = file_id
        self._retailer, self._store_id, self._state = manifest.retailer, manifest.store_id, manifest.state
        self._file_instant = manifest.observed_at
        self._window = manifest.observed_at, manifest.last_observed_at
        self._latest = now + FUTURE_TOLERANCE
        self._metadata: dict[bytes, _MetadataPart] = {}

    def __call__(self, line: RawLine) -> tuple[Any, ...]:
        """Return one row in the order of :data:`COLUMNS`. Never raises for the line's content."""
        parts = self._read(line)
        if isinstance(parts, str):
            return self._unreadable(line.number, parts)
        product, metadata, observed_at, defects = parts
        return (self._file_id, line.number, *metadata.columns, *product.columns, observed_at, defects)

    def copy_line(self, line: RawLine) -> str:
        """Return the same row in the text form of ``COPY``, with its newline."""
        parts = self._read(line)
        if isinstance(parts, str):
            return f"{copy_text(self._unreadable(line.number, parts))}\n"
        product, metadata, observed_at, defects = parts
        return f"{self._file_id}\t{line.number}\t{metadata.text}\t{product.text}\t{observed_at}\t{defects or _NULL}\n"

    def _read(self, line: RawLine) -> tuple[ProductPart, _MetadataPart, str, str | None] | str:
        """Return the parts of a row: of product and metadata, the instant, the defects; or the defect that makes it unreadable."""
        if line.problem is not None:
            return line.problem
        try:
            raw_product, raw_metadata = split(line.raw)
            product = read_product(raw_product)
            metadata = self._metadata.get(raw_metadata) or self._read_metadata(raw_metadata)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return "not_json"
        observed_at, time_defect = metadata.instant or self._instant(product.raw_time, metadata.state)
        if not (metadata.is_foreign or product.defects or time_defect):
            return product, metadata, observed_at, None
        defects = [*(("foreign_store",) if metadata.is_foreign else ()), *product.defects, *((time_defect,) if time_defect else ())]
        return product, metadata, observed_at, "{" + ",".join(defects) + "}"

    def _read_metadata(self, raw: bytes) -> _MetadataPart:
        metadata = decode_metadata(raw)
        columns = read_text(metadata.company), read_text(metadata.store_id)
        is_foreign = metadata.company != self._retailer or read_store_id(metadata.store_id) != self._store_id
        raw_time = metadata.scraped_at or metadata.scraped_date
        instant = self._instant(raw_time, metadata.state) if raw_time else None
        part = _MetadataPart(columns, copy_text(columns), is_foreign, metadata.state, instant)
        if len(self._metadata) >= _KEPT_METADATA:
            self._metadata.clear()
        self._metadata[raw] = part
        return part

    def _unreadable(self, number: int, defect: str) -> tuple[Any, ...]:
        return (self._file_id, number, *[None] * 13, "f", *[None] * 6, "{" + defect + "}")

    def _instant(self, raw_time: Any, state: Any) -> tuple[str, str | None]:
        if raw_time is None:
            return _iso(self._file_instant), "time_in_future" if self._file_instant > self._latest else None
        instant = read_instant(raw_time, state if isinstance(state, str) else self._state) if isinstance(raw_time, str) else None
        if instant is None:
            return _iso(self._file_instant), "time_unreadable"
        if instant > self._latest:
            return _iso(instant), "time_in_future"
        is_outside = instant >= _OLDEST and is_stray(instant, is_bare_date(raw_time), self._window)  # an older one breaks a rule of its own
        return _iso(instant), "time_outside_crawl" if is_outside else None


@lru_cache(1_024)
def _iso(instant: datetime) -> str:
    return instant.isoformat()
