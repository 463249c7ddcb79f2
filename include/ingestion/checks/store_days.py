"""Store-level rules: one function per rule, comparing a store-day with its store's last ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from include.config import Settings
from include.ingestion.checks.measuring import StoreDay
from include.model.rules import STORE_DAY_RULES

#: With fewer lines a share is not significant.
LINES_MIN = 50
#: With fewer known prices the scale is not evaluated.
KNOWN_MIN = 20
#: Fewer damaged names are typing errors of the retailer.
DAMAGED_MIN = 5


@dataclass(frozen=True, slots=True)
class RuleResult:
    """Result of one rule; ``failed`` is 0 within its limit."""

    rule_id: str
    checked: int
    failed: int
    detail: str


def evaluate(day: StoreDay, settings: Settings) -> list[RuleResult]:
    """Evaluate every store-level rule of the catalogue on one store-day."""
    return [RuleResult(rule.rule_id, *_RULES[rule.rule_id](day, settings)) for rule in STORE_DAY_RULES]


_RuleOutcome = tuple[int, int, str]


def _row_count(day: StoreDay, settings: Settings) -> _RuleOutcome:
    if not day.is_complete:
        return 0, 0, "not evaluated: the store-day is incomplete"
    if day.past_goods is None:
        return 0, 0, "not evaluated: the store's first complete store-day"
    is_short = day.goods < settings.hold_row_count_share * day.past_goods
    detail = f"{day.goods} SKUs, the median of its last {day.past_files} complete store-days is {day.past_goods:g}"
    return day.goods, round(day.past_goods - day.goods) if is_short else 0, detail


def _quarantined_share(day: StoreDay, settings: Settings) -> _RuleOutcome:
    exceeds_limit = day.refused > settings.hold_quarantined_share * day.rows
    return day.rows, day.refused if exceeds_limit else 0, f"{day.refused} of {day.rows} lines refused"


def _category_lost(day: StoreDay, settings: Settings) -> _RuleOutcome:
    if not day.is_complete:
        return 0, 0, "not evaluated: the store-day is incomplete"
    if not day.lost_lines:
        return day.rows, 0, f"every category of at least {settings.hold_category_share:.0%} of the last complete store-day is present"
    return day.rows, day.lost_lines, f"lost since {day.lost_since}: {day.lost_categories}"


def _field_fill(day: StoreDay, settings: Settings) -> _RuleOutcome:
    return _fill(day, ("brand", "size", "unit_price", "category"), settings)


def _barcode_fill(day: StoreDay, settings: Settings) -> _RuleOutcome:
    return _fill(day, ("barcode",), settings)


def _fill(day: StoreDay, fields: tuple[str, ...], settings: Settings) -> _RuleOutcome:
    # shares of the lines with a name: unreadable lines are the row rules' concern
    if not day.is_complete:
        return 0, 0, "not evaluated: the store-day is incomplete"
    if not day.past_files or day.named < LINES_MIN:
        return 0, 0, "not evaluated: nothing to compare with" if not day.past_files else f"not evaluated: fewer than {LINES_MIN} lines"
    below_usual, failed = [], 0
    for name in fields:
        past = day.past_filled.get(name)
        if past is None:
            continue
        share = day.filled[name] / day.named
        if past - share > settings.hold_fill_drop_share:
            failed += round((past - share) * day.named)
            below_usual.append(f"{name} {share:.1%}, usually {past:.1%}")
    return day.named, failed, "; ".join(below_usual) or "filled as usual"


def _unavailable_share(day: StoreDay, settings: Settings) -> _RuleOutcome:
    if day.goods < LINES_MIN:
        return 0, 0, f"not evaluated: fewer than {LINES_MIN} SKUs"
    if day.past_unavailable is None:
        limit, usual = settings.hold_unavailable_share, "no complete store-day to compare with"
    else:
        limit, usual = day.past_unavailable + settings.hold_unavailable_rise_share, f"usually {day.past_unavailable:.1%}"
    share = day.unavailable / day.goods
    return (
        day.goods,
        day.unavailable if share > limit else 0,
        f"{day.unavailable} of {day.goods} offers without a price ({share:.1%}), {usual}",
    )


def _encoding(day: StoreDay, settings: Settings) -> _RuleOutcome:
    usual = day.past_damaged or 0.0
    exceeds_limit = day.damaged >= DAMAGED_MIN and day.damaged - usual * day.rows > settings.hold_damaged_share * day.rows
    return day.rows, day.damaged if exceeds_limit else 0, f"{day.damaged} of {day.rows} names or brands damaged, usually {usual:.2%}"


def _price_scale(day: StoreDay, settings: Settings) -> _RuleOutcome:
    is_moved = day.known >= KNOWN_MIN and day.scaled > settings.hold_scale_share * day.known
    return day.known, day.scaled if is_moved else 0, f"{day.scaled} of {day.known} known prices changed by a factor of 100"


def _time_span(day: StoreDay, settings: Settings) -> _RuleOutcome:
    hours = day.span / timedelta(hours=1)
    return day.rows, 1 if hours > settings.hold_span_hours else 0, f"{hours:,.1f} hours between its earliest and its latest line"


def _outdated(day: StoreDay, settings: Settings) -> _RuleOutcome:
    if not day.is_complete:
        return 0, 0, "not evaluated: the store-day is incomplete"
    if day.newer_published_at is None:
        return day.rows, 0, "no store-day of an earlier night was observed later"
    return day.rows, day.rows, f"the store-day published for an earlier night was observed at {day.newer_published_at:%Y-%m-%d %H:%M} UTC"


_RULES: dict[str, Callable[[StoreDay, Settings], _RuleOutcome]] = {
    "row_count": _row_count,
    "quarantined_share": _quarantined_share,
    "category_lost": _category_lost,
    "field_fill": _field_fill,
    "barcode_fill": _barcode_fill,
    "unavailable_share": _unavailable_share,
    "encoding": _encoding,
    "price_scale": _price_scale,
    "time_span": _time_span,
    "outdated": _outdated,
}
