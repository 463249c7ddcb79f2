"""The night's timetable: the only place that states when look-ups and crawls begin and stop, when bargains are published and when the watch looks.

All times are Melbourne's. One of them is a setting, ``AISLEFLOW_CRAWL_UNTIL``; the others are fixed or derived from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from include.clock import MELBOURNE
from include.retailer_names import RETAILERS

#: The first crawl: after midnight in every state, so that it is Wednesday in Perth too.
CRAWL_FROM = time(4)
#: Between the starts of two retailers, in the order in which they are registered.
CRAWL_STEP = timedelta(minutes=10)
#: Barcode look-ups run before the first crawl: they never compete with it for a site's requests, and what they find is filled into this night's files.
LOOK_UP_FROM, LOOK_UP_UNTIL = time(0, 30), time(3, 30)
#: Maximum duration of one worker's look-ups.
LOOK_UP_TIME = timedelta(hours=3, minutes=15)
#: A retailer has its plan within this time of its start.
PLANNING_TIME = timedelta(minutes=30)
#: Maximum duration of one store's crawl.
STORE_TIME = timedelta(hours=3)
_BARGAINS_AFTER, _WATCH_AFTER = timedelta(minutes=15), timedelta(minutes=30)
_ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Timetable:
    """The times of a night. ``crawl_until``: no store's crawl begins after it; one that runs may take :data:`STORE_TIME`.

    >>> table = Timetable(time(6, 30))
    >>> [f"{at:%H:%M}" for at in (table.crawl_from("aldi"), table.crawl_from("coles"), table.crawl_until, table.bargains_at, table.watch_at)]
    ['04:00', '04:10', '06:30', '06:45', '07:00']
    """

    crawl_until: time

    def __post_init__(self) -> None:
        """Check the order of the times.

        Raises:
            ValueError: a retailer would begin after the end, or the watch would look on the next day.
        """
        latest = (datetime.combine(_ANY_DAY, time.max) - _WATCH_AFTER).time()
        if not max(map(self.crawl_from, RETAILERS)) < self.crawl_until < latest:
            raise ValueError(f"{self.crawl_until:%H:%M} is not between the last retailer's start and {latest:%H:%M}")

    def crawl_from(self, retailer: str) -> time:
        """Return when a retailer's crawl begins."""
        return _later(CRAWL_FROM, list(RETAILERS).index(retailer) * CRAWL_STEP)

    @property
    def bargains_at(self) -> time:
        """When bargains are published whatever is missing."""
        return _later(self.crawl_until, _BARGAINS_AFTER)

    @property
    def watch_at(self) -> time:
        """When the watch looks for missing data."""
        return _later(self.crawl_until, _WATCH_AFTER)


def at(night: date, when: time) -> datetime:
    """Return the instant of a time of the night.

    >>> at(date(2026, 11, 18), time(6, 30)).isoformat()
    '2026-11-18T06:30:00+11:00'
    """
    return datetime.combine(night, when, MELBOURNE)


def _later(when: time, by: timedelta) -> time:
    return (datetime.combine(_ANY_DAY, when) + by).time()
