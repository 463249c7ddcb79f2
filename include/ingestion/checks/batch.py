"""Retailer-level rules: one function per rule, evaluated on all store-days of a check; a broken rule holds all of them.

A released store-day is not measured and never held again. One held by a store-level rule is left out of all measures but ``stores_held``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Literal

from include.config import Settings
from include.ingestion.checks.comparing import PriceChanges
from include.ingestion.checks.measuring import StoreDay
from include.ingestion.checks.store_days import RuleResult
from include.model.rules import RETAILER_RULES

RULE_IDS = frozenset(rule.rule_id for rule in RETAILER_RULES)
#: With fewer lines the share is not significant.
TYPICAL_LINES_MIN = 200
#: A single held store does not hold its retailer.
STORES_MIN = 2


def evaluate(days: Sequence[StoreDay], held: Collection[int], settings: Settings) -> list[RuleResult]:
    """Evaluate every retailer-level rule of the catalogue on a batch.

    Args:
        held: ids of the store-days held by store-level rules.
    """
    waiting = [day for day in days if not day.is_released]
    unheld = [day for day in waiting if day.file_id not in held]
    return [RuleResult(rule.rule_id, *_RULES[rule.rule_id](waiting, unheld, settings)) for rule in RETAILER_RULES]


_RuleOutcome = tuple[int, int, str]
_PERIODS = {"within_week": "inside one price week", "across_weeks": "across a Wednesday"}


def _changes(
    period: Literal["within_week", "across_weeks"], waiting: Sequence[StoreDay], unheld: Sequence[StoreDay], settings: Settings
) -> _RuleOutcome:
    is_within, where = period == "within_week", _PERIODS[period]
    changes = sum((day.within_week if is_within else day.across_weeks for day in unheld), PriceChanges())
    limit = settings.hold_changed_within_week_share if is_within else settings.hold_changed_across_weeks_share
    if changes.compared < settings.hold_changed_prices_min:
        return (
            changes.compared,
            0,
            f"not evaluated: {changes.compared} prices compared {where}, {settings.hold_changed_prices_min} are needed",
        )
    share = changes.changed / changes.compared
    detail = f"{changes.changed:,} of {changes.compared:,} prices compared {where} changed: {share:.1%}, at most {limit:.0%} is allowed"
    return changes.compared, changes.changed if share > limit else 0, detail


def _line_share(waiting: Sequence[StoreDay], unheld: Sequence[StoreDay], settings: Settings) -> _RuleOutcome:
    known = [(day, day.typical_goods) for day in unheld if day.typical_goods is not None and not day.is_partial_on_request]
    usual, goods = round(sum(typical for _, typical in known)), sum(day.goods for day, _ in known)
    if usual < TYPICAL_LINES_MIN:
        return goods, 0, f"not evaluated: these stores had {usual} SKUs before, {TYPICAL_LINES_MIN} are needed"
    detail = f"{goods:,} SKUs where {len(known)} store-days of these stores usually have {usual:,}: {goods / usual:.0%}"
    return goods, usual - goods if goods < settings.hold_line_share * usual else 0, detail


def _stores_held(waiting: Sequence[StoreDay], unheld: Sequence[StoreDay], settings: Settings) -> _RuleOutcome:
    held = len(waiting) - len(unheld)
    exceeds_limit = held >= STORES_MIN and held > settings.hold_stores_held_share * len(waiting)
    return len(waiting), held if exceeds_limit else 0, f"{held} of {len(waiting)} store-days are held by store-level rules"


_RULES: dict[str, Callable[[Sequence[StoreDay], Sequence[StoreDay], Settings], _RuleOutcome]] = {
    "changes_within_week": partial(_changes, "within_week"),
    "changes_across_weeks": partial(_changes, "across_weeks"),
    "line_share": _line_share,
    "stores_held": _stores_held,
}
