"""The instant of a line, read from every date and time format of staged files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from include.clock import zone_of
from include.model.offer import Line, LineMetadata

#: A line that is further than this from every other line of its crawl was not observed by it. A crawl takes hours, a resumed one some more.
STRAY_DISTANCE = timedelta(hours=12)
#: The same for bare dates: a crawl around midnight has two of them.
STRAY_DISTANCE_OF_DATES = timedelta(hours=36)


@lru_cache(maxsize=65_536)
def is_bare_date(text: str) -> bool:
    """Return whether a text of :func:`read_instant` has no time of day.

    >>> is_bare_date("2025-09-09"), is_bare_date("20250909"), is_bare_date("2025-09-09T10:00")
    (True, True, False)
    """
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def crawl_window(lines: Mapping[tuple[datetime, bool], int]) -> tuple[datetime, datetime]:
    """Return the first and the last instant of a crawl, without stray lines.

    The crawl is around the middle line; it ends where the next instant is more than :data:`STRAY_DISTANCE` away.

    Args:
        lines: number of lines by instant, and whether it is a bare date; not empty.

    >>> at = datetime(2026, 11, 18, 4, tzinfo=UTC)
    >>> night = {(at, False): 60, (at + timedelta(hours=2), False): 40}
    >>> crawl_window(night | {(at - timedelta(days=1), False): 1}) == (at, at + timedelta(hours=2))
    True
    """
    instants = sorted(lines)
    before, middle = 0, 0
    while before + lines[instants[middle]] <= sum(lines.values()) / 2:
        before, middle = before + lines[instants[middle]], middle + 1
    first = last = middle
    while first > 0 and _belong_together(instants[first - 1], instants[first]):
        first -= 1
    while last + 1 < len(instants) and _belong_together(instants[last], instants[last + 1]):
        last += 1
    return instants[first][0], instants[last][0]


def is_stray(instant: datetime, is_date: bool, window: tuple[datetime, datetime]) -> bool:
    """Return whether a line was observed too long before or after its crawl to be part of it."""
    distance = STRAY_DISTANCE_OF_DATES if is_date else STRAY_DISTANCE
    return instant < window[0] - distance or instant > window[1] + distance


def _belong_together(left: tuple[datetime, bool], right: tuple[datetime, bool]) -> bool:
    return right[0] - left[0] <= (STRAY_DISTANCE_OF_DATES if left[1] or right[1] else STRAY_DISTANCE)


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


def raw_instant(metadata: LineMetadata, product_time: Any) -> str | None:
    """Return the text that states a line's instant, if there is one."""
    raw_time: Any = metadata.scraped_at or metadata.scraped_date or product_time
    return raw_time if isinstance(raw_time, str) else None


def line_instant(line: Line) -> datetime | None:
    """Return the instant of one line: ``metadata.scraped_at``, else its ``scraped_date``, else the product's."""
    return metadata_instant(line.metadata, line.product.scraped_date)


def metadata_instant(metadata: LineMetadata, product_time: Any) -> datetime | None:
    """Return the instant of a line with this metadata and the product's ``product_time``."""
    raw_time = raw_instant(metadata, product_time)
    return None if raw_time is None else read_instant(raw_time, metadata.state if isinstance(metadata.state, str) else None)
