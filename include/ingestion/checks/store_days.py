"""Store-level rules: one function per rule, comparing a store-day with its store's last ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import expm1, sqrt

from include.config import Settings
from include.ingestion.checks.comparing import PriceChanges, PriceLevel
from include.ingestion.checks.measuring import DRIFT_DAYS, StoreDay
from include.model.rules import STORE_DAY_RULES

#: With fewer lines a share is not significant.
LINES_MIN = 50
#: With fewer known prices the scale is not evaluated.
KNOWN_MIN = 20
#: So many changed prices are no finding in a small store: real nights have one or two.
CHANGED_MIN = 6
#: With fewer compared prices a level is not significant.
LEVEL_MIN = 30
#: Standard errors that a level may be off by chance.
ERRORS = 3
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
    if day.typical_goods is None:
        return 0, 0, "not evaluated: the store's first store-day"
    kind = f"last {day.past_files} complete store-days" if day.past_files else "last store-days, all incomplete,"
    goods = day.goods + day.off  # listed, whatever they cost
    detail = f"{goods} SKUs, the median of its {kind} is {day.typical_goods:g}"
    expected = day.typical_goods
    if day.oldest_goods is not None and day.oldest_goods > expected:
        expected, detail = day.oldest_goods, f"{detail}, within {DRIFT_DAYS} days it had {day.oldest_goods}"
    is_short = goods < settings.hold_row_count_share * expected
    return goods, round(expected - goods) if is_short else 0, detail


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
    is_moved = day.known >= KNOWN_MIN and day.off > settings.hold_scale_share * day.known
    return day.known, day.off if is_moved else 0, f"{day.off} of {day.known} known prices are too far from the known ones"


def _changes(day: StoreDay, settings: Settings) -> _RuleOutcome:
    within, across = day.within_week, day.across_weeks
    limits = settings.hold_store_changed_within_week_share, settings.hold_store_changed_across_weeks_share
    detail = f"inside the price week {_share(within, limits[0])}, across a Wednesday {_share(across, limits[1])}"
    exceeds_limit = (
        within.changed > max(limits[0] * within.compared, CHANGED_MIN),
        across.changed > max(limits[1] * across.compared, CHANGED_MIN),
    )
    return within.compared + across.compared, within.changed * exceeds_limit[0] + across.changed * exceeds_limit[1], detail


def _share(changes: PriceChanges, limit: float) -> str:
    return f"{changes.changed:,} of {changes.compared:,} prices changed, at most {limit:.0%} are allowed"


def _changes_in_week(day: StoreDay, settings: Settings) -> _RuleOutcome:
    compared, changed = day.within_week.compared, day.within_week.changed + day.week_changed
    usual = settings.hold_store_changed_in_week_share * compared
    exceeds_limit = day.within_week.changed > 0 and changed > max(usual + ERRORS * sqrt(usual), CHANGED_MIN)
    return compared, changed if exceeds_limit else 0, f"{changed:,} of {compared:,} prices changed since the price week's first night"


def _price_level(day: StoreDay, settings: Settings) -> _RuleOutcome:
    failed, found = 0, []
    for level, limit, against in (
        (day.level, settings.hold_price_level + ERRORS * day.level.error, "the known prices"),
        (day.sisters, settings.hold_sister_price_level, "the retailer's other stores, for SKUs new in the store"),
    ):
        if level.compared < LEVEL_MIN:
            continue
        found.append(f"{expm1(level.mean):+.1%} against {against}, at most {limit:.1%} is allowed")
        failed += level.compared if abs(level.mean) > limit else 0
    return day.level.compared + day.sisters.compared, failed, "; ".join(found) or f"not evaluated: fewer than {LEVEL_MIN} known prices"


def _price_drift(day: StoreDay, settings: Settings) -> _RuleOutcome:
    store = sum(day.drift.values(), PriceLevel())
    drifts = {f"category {name}": (level, settings.hold_category_drift) for name, level in sorted(day.drift.items())}
    far = {
        name: level
        for name, (level, limit) in (drifts | {"the store": (store, settings.hold_store_drift)}).items()
        if level.compared >= LINES_MIN and abs(level.mean) > limit
    }
    detail = "; ".join(f"{name} {expm1(level.mean):+.1%} in {DRIFT_DAYS} days" for name, level in far.items())
    return (
        store.compared,
        max((level.compared for level in far.values()), default=0),
        detail or f"{expm1(store.mean):+.1%} in {DRIFT_DAYS} days",
    )


def _renumbered(day: StoreDay, settings: Settings) -> _RuleOutcome:
    gone, listed = day.turnover.gone, day.turnover.listed
    limit = settings.hold_renumbered_share
    exceeds_limit = day.is_complete and day.new > max(limit * day.goods, CHANGED_MIN) and gone > max(limit * listed, CHANGED_MIN)
    if not exceeds_limit:
        return day.goods, 0, f"{day.new} of {day.goods} SKUs are new in the store"
    pairs, examples = day.turnover.pairs, ", ".join(day.turnover.examples)
    looks = (
        f"it looks like new numbers: {pairs} of them have name, size and price of a vanished one ({examples}); a release joins these to their products"
        if pairs
        else "none looks like a vanished one"
    )
    return day.goods, day.new, f"{day.new} of {day.goods} SKUs are new in the store and {gone} of {listed} are gone; {looks}"


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
    "store_changes": _changes,
    "changes_in_week": _changes_in_week,
    "price_level": _price_level,
    "price_drift": _price_drift,
    "renumbered": _renumbered,
    "time_span": _time_span,
    "outdated": _outdated,
}
