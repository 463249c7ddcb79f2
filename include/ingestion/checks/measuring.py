"""Input of the store-level rules: counts of a store-day and of its store's past ones, and how its prices compare with the known ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from include.config import Settings
from include.ingestion.checks.comparing import Comparison, PriceChanges, PriceLevel
from include.warehouse.engine import Connection

#: Drifts are measured against store-days of this age and younger.
DRIFT_DAYS = 28


@dataclass(frozen=True, slots=True)
class Turnover:
    """A store-day with many new SKUs: prices ``listed`` before, those ``gone``, and ``pairs`` of a vanished and a new SKU that look alike."""

    listed: int = 0
    gone: int = 0
    pairs: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreDay:
    """One store-day of a round. ``past_…`` are medians of shares over its store's last five complete ones; ``None``: there are none.

    ``rows`` are lines, ``goods`` distinct SKUs accepted. ``filled`` and ``past_filled`` have brand, size, unit_price, category and barcode.
    ``typical_goods`` is the median of the last five complete ones, without any of the last five; ``oldest_goods`` that of the oldest complete one
    of the last 28 days. ``newer_published_at`` is the instant of the store's newest complete
    store-day, if it is of an earlier night and was observed later. ``within_week``, ``across_weeks``: prices compared with those known since the same price
    week's Wednesday, and with older ones; ``week_changed``: prices that changed on earlier nights of the price week. ``level`` and ``sisters``: how much dearer
    than the known prices, and than other stores where the store knows none; ``off`` of ``known``: prices too far from the known ones; ``drift``: category → the sum over the last 28 days, this one included.
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
    oldest_goods: int | None = None
    within_week: PriceChanges = field(default_factory=PriceChanges)
    across_weeks: PriceChanges = field(default_factory=PriceChanges)
    week_changed: int = 0
    level: PriceLevel = field(default_factory=PriceLevel)
    sisters: PriceLevel = field(default_factory=PriceLevel)
    drift: Mapping[str, PriceLevel] = field(default_factory=dict)
    new: int = 0
    known: int = 0
    off: int = 0
    turnover: Turnover = field(default_factory=Turnover)


FIELDS = ("brand", "size", "unit_price", "category", "barcode")


def measure(
    connection: Connection, retailer: str, file_ids: Sequence[int], comparisons: Mapping[int, Comparison], settings: Settings
) -> list[StoreDay]:
    """Measure the store-days of a round whose lines are marked (needs the temporary table ``broken_line``)."""
    rows = connection.run(
        "quality/measure_store_days",
        {
            "file_ids": list(file_ids), "week_starts": [comparisons[file_id].week_start for file_id in file_ids], "drift_days": DRIFT_DAYS,
            "category_share": settings.hold_category_share, "category_left_share": settings.hold_category_left_share,
        },
    ).fetchall()  # fmt: skip
    renewed = [
        row["file_id"]
        for row in rows
        if row["is_complete"] and comparisons[row["file_id"]].new > settings.hold_renumbered_share * row["goods"]
    ]
    turnovers = {}
    if renewed:
        for row in connection.run("quality/find_renumbered", {"retailer": retailer, "file_ids": renewed}).fetchall():
            turnovers[row["file_id"]] = Turnover(row["listed"], row["gone"], row["pairs"], tuple(row["examples"] or ()))
    return [_store_day(row, comparisons[row["file_id"]], turnovers.get(row["file_id"], Turnover())) for row in rows]


def _store_day(row: dict[str, Any], comparison: Comparison, turnover: Turnover) -> StoreDay:
    filled = row["filled"] or {}
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
        oldest_goods=row["oldest_goods"],
        lost_lines=row["lost_lines"],
        lost_categories=row["lost_categories"],
        newer_published_at=row["newer_published_at"],
        lost_since=row["lost_since"],
        within_week=comparison.within_week,
        across_weeks=comparison.across_weeks,
        week_changed=row["week_changed"],
        level=comparison.level,
        sisters=comparison.sisters,
        drift=_drift(row["drift"], comparison),
        new=comparison.new,
        known=comparison.known,
        off=comparison.off,
        turnover=turnover,
    )


def _drift(earlier: Mapping[str, Sequence[float]], comparison: Comparison) -> dict[str, PriceLevel]:
    levels = dict(comparison.levels)
    for category, (compared, log_sum) in earlier.items():
        known = levels.get(category, PriceLevel())
        levels[category] = PriceLevel(max(known.compared, int(compared)), known.log_sum + log_sum, known.log_squares)
    return levels
