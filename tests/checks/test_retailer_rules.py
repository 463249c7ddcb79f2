"""The rules about a retailer at their limits, and what takes no part in their measures. Whole nights are drilled in ``test_drills.py``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.config import settings
from include.ingestion.checks import batch
from include.ingestion.checks.comparing import PriceChanges, _week_start
from include.ingestion.checks.measuring import StoreDay
from include.ingestion.checks.store_days import RuleResult


def rule_result(rule_id: str, days: list[StoreDay], held: set[int] | None = None) -> RuleResult:
    return next(found for found in batch.evaluate(days, held or set(), settings()) if found.rule_id == rule_id)


def day(file_id: int = 1, **values: Any) -> StoreDay:
    return StoreDay(**{"file_id": file_id, "rows": 1000, "goods": 1000, "typical_goods": 1000.0} | values)


@pytest.mark.parametrize(
    ("rule_id", "where", "limit"), [("changes_within_week", "within_week", 0.01), ("changes_across_weeks", "across_weeks", 0.50)]
)
def test_the_share_that_changed_is_measured_over_all_store_days(rule_id: str, where: str, limit: float) -> None:
    def changes(number: int, compared: int, changed: int) -> StoreDay:
        values: dict[str, Any] = {where: PriceChanges(compared, changed)}
        return day(number, **values)

    at_limit = [changes(number, 500, round(500 * limit)) for number in (1, 2)]
    assert rule_result(rule_id, at_limit).failed == 0
    beyond = [at_limit[0], changes(2, 500, round(500 * limit) + 1)]
    assert rule_result(rule_id, beyond).failed == round(1000 * limit) + 1
    assert rule_result(rule_id, beyond, held={2}).failed == 0, "a store-day held by a store-level rule does not count"
    assert rule_result(rule_id, [beyond[0], replace(beyond[1], is_released=True)]).failed == 0, "nor does a released one"
    few = [changes(1, 299, 299)]
    assert (rule_result(rule_id, few).failed, rule_result(rule_id, few).detail[:13]) == (0, "not evaluated")
    assert rule_result(rule_id, [changes(1, 300, 300)]).failed == 300


def test_lines_are_compared_with_the_usual_number() -> None:
    assert rule_result("line_share", [day(1, goods=300), day(2, goods=300)]).failed == 0
    assert rule_result("line_share", [day(1, goods=300), day(2, goods=299)]).failed == 1401
    assert rule_result("line_share", [day(1, goods=10), day(2, goods=1000)]).failed == 0, "one store of two is no retailer's night"
    assert rule_result("line_share", [day(goods=10, is_partial_on_request=True)]).failed == 0
    assert rule_result("line_share", [day(goods=10, typical_goods=None)]).failed == 0, (
        "a store's first store-day has nothing to be short of"
    )
    assert rule_result("line_share", [day(goods=10, typical_goods=199.0)]).failed == 0
    assert rule_result("line_share", [day(goods=10, is_complete=False)]).failed == 990, "an incomplete one is short all the same"


def test_many_held_stores_hold_the_batch_and_one_does_not() -> None:
    days = [day(number) for number in range(8)]
    assert rule_result("stores_held", days, held={1, 2}).failed == 0, "a quarter"
    assert rule_result("stores_held", days, held={1, 2, 3}).failed == 3
    assert rule_result("stores_held", days[:2], held={1}).failed == 0, "half of two"
    assert rule_result("stores_held", [replace(days[0], is_released=True), *days[1:8]], held={0, 1}).failed == 0


def test_the_price_week_is_that_of_the_store() -> None:
    # Wednesday 18 November 2026, 00:00: 13:00 UTC the day before in Melbourne, 16:00 in Perth
    def start(hour: int, state: str, *, lasts: int = 1) -> object:
        observed_at = datetime(2026, 11, 17, hour, tzinfo=UTC)
        return _week_start({"observed_at": observed_at, "last_observed_at": observed_at + timedelta(hours=lasts), "state": state})

    assert (start(18, "VIC"), start(18, "WA")) == ("2026-11-17T13:00:00+00:00", "2026-11-17T16:00:00+00:00")
    assert start(14, "WA") == "2026-11-10T16:00:00+00:00"
    assert start(11, "VIC", lasts=3) == "infinity", "it crosses the Wednesday itself: no price is compared inside a week"
