"""Compares the prices of store-days with the known ones: changes per price week, price levels, lines too far from their known price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from include import clock
from include.config import Settings
from include.warehouse.engine import Connection

#: Known prices older than this are not compared: over months the price level changes.
KNOWN_PRICE_MAX_DAYS = 28
#: An SKU that a store does not know is compared with this many stores of its retailer.
SISTERS = 5
#: A store-day that crosses a Wednesday: none of its prices is compared inside a price week.
_NEVER = "infinity"


@dataclass(frozen=True, slots=True)
class PriceChanges:
    """Number of prices compared with known ones, and of those that differ."""

    compared: int = 0
    changed: int = 0

    def __add__(self, other: PriceChanges) -> PriceChanges:
        return PriceChanges(self.compared + other.compared, self.changed + other.changed)


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """Prices compared, and the sums of the natural logarithms of price / known price and of their squares."""

    compared: int = 0
    log_sum: float = 0.0
    log_squares: float = 0.0

    def __add__(self, other: PriceLevel) -> PriceLevel:
        return PriceLevel(self.compared + other.compared, self.log_sum + other.log_sum, self.log_squares + other.log_squares)

    @property
    def mean(self) -> float:
        """Mean logarithm: 0.1 is about 10 percent dearer."""
        return self.log_sum / self.compared if self.compared else 0.0

    @property
    def error(self) -> float:
        """Standard error of the mean, as if changes were independent of one another."""
        return self.log_squares**0.5 / self.compared if self.compared else 0.0


@dataclass(slots=True)
class Comparison:
    """One store-day against the known prices. ``sisters``: SKUs that only other stores of the retailer know; ``new``: SKUs the store did not list.

    ``off``: lines too far from their known price, among all with a ``known`` one, sisters' included.
    """

    week_start: str
    within_week: PriceChanges = field(default_factory=PriceChanges)
    across_weeks: PriceChanges = field(default_factory=PriceChanges)
    levels: dict[str, PriceLevel] = field(default_factory=dict)
    sisters: PriceLevel = field(default_factory=PriceLevel)
    new: int = 0
    known: int = 0
    off: int = 0

    @property
    def level(self) -> PriceLevel:
        """The whole store-day."""
        return sum(self.levels.values(), PriceLevel())

    def movement(self) -> dict[str, Any]:
        """Return what later nights measure drifts with: the column ``movement`` of ``ops.staged_file``."""
        levels = {category: [level.compared, round(level.log_sum, 6)] for category, level in self.levels.items() if level.compared}
        return {"changed": self.within_week.changed, "levels": levels}


def compare(connection: Connection, retailer: str, store_days: Sequence[dict[str, Any]], settings: Settings) -> dict[int, Comparison]:
    """Compare loaded store-days with the published prices, and mark the lines too far from theirs in ``staging.offer``.

    Args:
        store_days: file_id, observed_at, last_observed_at, state of each.
    """
    found = {int(day["file_id"]): Comparison(_week_start(day)) for day in store_days}
    rows = connection.run(
        "quality/compare_prices",
        {
            "retailer": retailer, "file_ids": list(found), "week_starts": [one.week_start for one in found.values()],
            "factor_max": settings.refuse_price_factor, "known_days": KNOWN_PRICE_MAX_DAYS, "sisters": SISTERS,
        },
    ).fetchall()  # fmt: skip
    for row in rows:
        one = found[row["file_id"]]
        one.within_week += PriceChanges(row["within_compared"], row["within_changed"])
        one.across_weeks += PriceChanges(row["across_compared"], row["across_changed"])
        one.levels[row["category"]] = PriceLevel(row["within_compared"] + row["across_compared"], row["log_sum"], row["log_squares"])
        one.sisters += PriceLevel(row["sisters_compared"], row["sisters_log_sum"])
        one.new += row["new"]
        one.known += row["known"]
        one.off += row["off"]
    return found


def _week_start(day: dict[str, Any]) -> str:
    start = clock.price_week_start(day["observed_at"], day["state"])
    return start.isoformat() if start == clock.price_week_start(day["last_observed_at"], day["state"]) else _NEVER
