"""The rules about a retailer: all store-days of one check together. One function a rule; what breaks one holds them all.

A store-day that a person released is not measured and never held again. One that is held for a reason of its own is left
out of all measures but ``stores_held``: the rest is judged by the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from include.config import Settings
from include.ingestion.checks.measuring import Moved, StoreDay
from include.ingestion.checks.store_days import Verdict
from include.model.rules import RETAILER_RULES

RULE_IDS = frozenset(rule.rule_id for rule in RETAILER_RULES)
#: Of fewer goods, a day's share says nothing about a retailer: the smallest has about 1,700 in one store.
GOODS_MIN = 500
#: One broken store is that store's own affair.
STORES_MIN = 2


def judge(days: Sequence[StoreDay], held: Collection[int], settings: Settings) -> list[Verdict]:
    """Judge a batch by every rule of the catalogue about a retailer.

    Args:
        held: ids of those that rules about store-days hold.
    """
    waiting = [day for day in days if not day.is_released]
    rest = [day for day in waiting if day.file_id not in held]
    return [Verdict(rule.rule_id, *_RULES[rule.rule_id](waiting, rest, settings)) for rule in RETAILER_RULES]


_Found = tuple[int, int, str]


def _changes(where: str, waiting: Sequence[StoreDay], rest: Sequence[StoreDay], settings: Settings) -> _Found:
    is_within = where == "inside one price week"
    moved = sum((day.within_week if is_within else day.across_weeks for day in rest), Moved())
    limit = settings.hold_changed_within_week_share if is_within else settings.hold_changed_across_weeks_share
    if moved.compared < settings.hold_changed_prices_min:
        return moved.compared, 0, f"not judged: {moved.compared} prices compared {where}, {settings.hold_changed_prices_min} are needed"
    share = moved.changed / moved.compared
    detail = f"{moved.changed:,} of {moved.compared:,} prices compared {where} changed: {share:.1%}, at most {limit:.0%} is believed"
    return moved.compared, moved.changed if share > limit else 0, detail


def _goods_share(waiting: Sequence[StoreDay], rest: Sequence[StoreDay], settings: Settings) -> _Found:
    known = [(day, day.usual_rows) for day in rest if day.usual_rows is not None and not day.is_part_on_purpose]
    usual, rows = round(sum(rows for _, rows in known)), sum(day.rows for day, _ in known)
    if usual < GOODS_MIN:
        return rows, 0, f"not judged: these stores had {usual} lines before, {GOODS_MIN} are needed"
    detail = f"{rows:,} lines where {len(known)} store-days of these stores usually have {usual:,}: {rows / usual:.0%}"
    return rows, usual - rows if rows < settings.hold_goods_share * usual else 0, detail


def _stores_held(waiting: Sequence[StoreDay], rest: Sequence[StoreDay], settings: Settings) -> _Found:
    held = len(waiting) - len(rest)
    is_much = held >= STORES_MIN and held > settings.hold_stores_held_share * len(waiting)
    return len(waiting), held if is_much else 0, f"{held} of {len(waiting)} store-days are held for reasons of their own"


_RULES: dict[str, Callable[[Sequence[StoreDay], Sequence[StoreDay], Settings], _Found]] = {
    "changes_within_week": partial(_changes, "inside one price week"),
    "changes_across_weeks": partial(_changes, "across a Wednesday"),
    "goods_share": _goods_share,
    "stores_held": _stores_held,
}
