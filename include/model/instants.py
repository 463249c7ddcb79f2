"""The instant of a line, read from every date and time format of staged files."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from include.clock import zone_of
from include.model.offer import Line, LineMetadata


@lru_cache(maxsize=65_536)
def read_instant(text: str, state: str | None) -> datetime | None:
    """Read an instant: a naive time is local to the store, a bare date is 12:00 local.

    Args:
        text: ISO 8601 date (``2026-11-18``, ``20261118``, ``2026-W47-3``) or date and time.
        state: the store's state (any case), which decides its time zone.

    Returns:
        The instant in UTC, or ``None`` for any other text.

    >>> read_instant("2025-09-23T10:51:16", "sa").isoformat()
    '2025-09-23T01:21:16+00:00'
    >>> read_instant("2025-09-09", "qld").isoformat()
    '2025-09-09T02:00:00+00:00'
    """
    try:
        try:
            instant = datetime.combine(date.fromisoformat(text), time(12))
        except ValueError:
            instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=zone_of(state))
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def line_instant(line: Line) -> datetime | None:
    """Return the instant of one line: ``metadata.scraped_at``, else its ``scraped_date``, else the product's."""
    return metadata_instant(line.metadata, line.product.scraped_date)


def metadata_instant(metadata: LineMetadata, product_time: Any) -> datetime | None:
    """Return the instant of a line with this metadata and the product's ``product_time``."""
    raw_time: Any = metadata.scraped_at or metadata.scraped_date or product_time
    if not isinstance(raw_time, str):
        return None
    return read_instant(raw_time, metadata.state if isinstance(metadata.state, str) else None)
