"""Input of the store-level rules: counts of a store-day and of its store's last ones, and price changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from include import clock
from include.config import Settings
from include.warehouse.engine import Connection

#: Known prices older than this are not compared: over months the price level changes.
KNOWN_PRICE_MAX_AGE = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class PriceChanges:
    """Number of prices compared with known ones, and of those that differ."""

    compared: int = 0
    changed: int = 0

    def __add__(self, other: PriceChanges) -> PriceChanges:
        return PriceChanges(self.compared + other.compared, self.changed + other.changed)


@dataclass(frozen=True, slots=True)
class StoreDay:
    """One store-day of a batch. ``past_…`` are medians of shares over its store's last five complete ones; ``None``: there are none.

    ``rows`` are lines, ``goods`` distinct SKUs accepted. ``filled`` and ``past_filled`` have brand, size, unit_price, category and barcode. ``typical_goods`` is the median of the
    last five of any kind, without those partial on request. ``newer_published_at`` is the instant of the store's newest complete
    store-day, if it is of an earlier night and was observed later. ``within_week``, ``across_weeks``: prices compared with those
    known since the same price week's Wednesday, and with older ones; ``scaled`` changed by a factor of 100.
    """

    file_id: int
    rows: int
    goods: int
    is_complete: bool = True
    is_released: bool = False
    is_partial_on_request: bool = False
    refused: int = 0
    damaged: int = 0
    unavailable: int = 0
    named: int = 0
    span: timedelta = timedelta()
    filled: Mapping[str, int] = field(default_factory=dict)
    past_files: int = 0
    past_goods: float | None = None
    past_filled: Mapping[str, float | None] = field(default_factory=dict)
    past_unavailable: float | None = None
    past_damaged: float | None = None
    typical_goods: float | None = None
    lost_lines: int = 0
    lost_categories: str | None = None
    lost_since: date | None = None
    newer_published_at: datetime | None = None
    known: int = 0
    scaled: int = 0
    within_week: PriceChanges = PriceChanges()
    across_weeks: PriceChanges = PriceChanges()


FIELDS = ("brand", "size", "unit_price", "category", "barcode")


def measure(connection: Connection, retailer: str, file_ids: Sequence[int], settings: Settings) -> list[StoreDay]:
    """Measure the store-days of a batch whose lines are marked (needs the temporary table ``broken_line``)."""
    rows = connection.run(
        "quality/measure_store_days",
        {
            "file_ids": list(file_ids),
            "category_share": settings.hold_category_share,
            "category_left_share": settings.hold_category_left_share,
        },
    ).fetchall()
    before = {row["file_id"]: row["before_id"] for row in rows}
    movements: dict[int, list[dict[str, Any]]] = {}
    for movement in connection.run(
        "quality/compare_prices", {"retailer": retailer, "file_ids": list(before), "before_ids": list(before.values())}
    ).fetchall():
        movements.setdefault(movement["file_id"], []).append(movement)
    return [_store_day(row, movements.get(row["file_id"], [])) for row in rows]


def _store_day(row: dict[str, Any], movements: Sequence[dict[str, Any]]) -> StoreDay:
    filled = row["filled"] or {}
    within, across = _by_week(row, movements)
    return StoreDay(
        file_id=row["file_id"],
        rows=row["rows"],
        goods=row["goods"],
        is_complete=bool(row["is_complete"]),
        is_released=row["is_released"],
        is_partial_on_request=row["is_partial_on_request"],
        refused=row["refused"],
        damaged=row["damaged"],
        unavailable=row["unavailable"],
        named=int(filled.get("name", 0)),
        span=row["last_observed_at"] - row["observed_at"],
        filled={name: int(filled.get(name, 0)) for name in FIELDS},
        past_files=row["past_files"],
        past_goods=row["past_goods"],
        past_filled={name: row[f"past_{name}"] for name in FIELDS},
        past_unavailable=row["past_unavailable"],
        past_damaged=row["past_damaged"],
        typical_goods=row["typical_goods"],
        lost_lines=row["lost_lines"],
        lost_categories=row["lost_categories"],
        lost_since=row["lost_since"].date() if row["lost_since"] else None,
        newer_published_at=row["newer_published_at"],
        known=sum(movement["compared"] for movement in movements),
        scaled=sum(movement["scaled"] for movement in movements),
        within_week=within,
        across_weeks=across,
    )


def _by_week(row: dict[str, Any], movements: Sequence[dict[str, Any]]) -> tuple[PriceChanges, PriceChanges]:
    """Split the compared prices at the store-day's Wednesday. A store-day that itself crosses a Wednesday is left out."""
    observed_at: datetime = row["observed_at"]
    week = clock.price_week_start(observed_at, row["state"])
    within, across = PriceChanges(), PriceChanges()
    if week != clock.price_week_start(row["last_observed_at"], row["state"]):
        return within, across
    for movement in movements:
        changes, known_at = PriceChanges(movement["compared"], movement["changed"]), movement["known_at"]
        if known_at >= observed_at or known_at < observed_at - KNOWN_PRICE_MAX_AGE:
            continue
        if known_at >= week:
            within += changes
        else:
            across += changes
    return within, across
