"""A store as the groups see it: its group, its newest complete store-day, and whether that may be compared now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from include.clock import price_week_start, zone_of


@dataclass(frozen=True, slots=True)
class GroupedStore:
    """A confirmed store in its group.

    ``is_open``: a trading supermarket. ``complete_at``, ``complete_file_id``: its newest complete store-day, ``None`` without one.
    ``verified_file_id``: the store-day whose prices were last compared with the anchor's. ``week``: the Wednesday of the price week
    in which that store-day may be compared now, ``None`` if it may not.
    """

    store_key: int
    store_id: str
    state: str | None
    group_id: int
    is_anchor: bool
    is_pinned: bool
    is_open: bool
    complete_at: datetime | None
    complete_file_id: int | None
    verified_file_id: int | None
    week: date | None

    @property
    def week_start_at(self) -> datetime | None:
        """When the price week of its newest complete store-day began."""
        return self.complete_at and price_week_start(self.complete_at, self.state)


def comparable_week(
    first_at: datetime | None, last_at: datetime | None, state: str | None, now: datetime, current_hours: float
) -> date | None:
    """Return the Wednesday of the price week in which a store-day may be compared, in the store's time zone.

    ``None``: it is older than a price is current, of an earlier price week, or crosses a Wednesday 00:00.

    >>> from datetime import UTC
    >>> thursday = datetime(2026, 11, 18, 18, tzinfo=UTC)
    >>> comparable_week(thursday, thursday, "VIC", thursday + timedelta(hours=20), 72)
    datetime.date(2026, 11, 18)
    >>> comparable_week(thursday, thursday, "VIC", thursday + timedelta(hours=73), 72) is None
    True
    """
    if first_at is None or last_at is None or now - first_at >= timedelta(hours=current_hours):
        return None
    start = price_week_start(now, state)
    if price_week_start(first_at, state) != start or price_week_start(last_at, state) != start:
        return None
    return start.astimezone(zone_of(state)).date()


def by_group(stores: Iterable[GroupedStore]) -> dict[int, list[GroupedStore]]:
    """Return the stores of each group, the anchor first, the others by key."""
    found: dict[int, list[GroupedStore]] = {}
    for store in sorted(stores, key=lambda store: (not store.is_anchor, store.store_key)):
        found.setdefault(store.group_id, []).append(store)
    return found
