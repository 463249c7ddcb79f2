"""Generated prices over weeks and zones (shares as measured on real stores, 2020-2026).

A price week starts on Wednesday 00:00 local: specials change, about a third of Coles', Woolworths' and IGA's
prices with them and about 4 percent of Aldi's. On any other day 0.3 percent move. The Northern Territory
pays 5 percent more for about half of the products; other states differ from NSW for 1.5 to 4 percent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sandbox import seeded_random
from sandbox.world import MultiBuy

#: Share of products on a special of one week.
WEEKLY_SPECIAL = {"coles": 0.175, "woolworths": 0.175, "aldi": 0.012, "iga": 0.175}
#: Share of all products on a reduction of ten weeks.
LONG_SPECIAL = {"coles": 0.065, "woolworths": 0.065, "aldi": 0.005, "iga": 0.03}
#: Share of products whose price differs from NSW, per state.
ZONE_SHARE = {"NSW": 0.0, "ACT": 0.0, "VIC": 0.035, "QLD": 0.014, "SA": 0.025, "WA": 0.025, "TAS": 0.03, "NT": 0.46}
#: Share of products with a price of one IGA shop only.
SHOP_SHARE = 0.35
MULTI_BUY_SHARE = 0.04
MOVED_A_DAY = 0.0027

LONG_WEEKS = 10
LEVEL_WEEKS = 60
_DEPTHS = (10, 15, 20, 20, 25, 30, 33, 40, 50, 50, 50)
_ZONE_STEPS = (0.95, 0.97, 0.98, 1.02, 1.03, 1.04, 1.06)


@dataclass(frozen=True, slots=True)
class Price:
    """A price in cents; ``regular_cents`` is larger while the product is on special."""

    now_cents: int
    regular_cents: int
    multi_buy: MultiBuy | None

    @property
    def was_cents(self) -> int | None:
        """The price before the reduction, if there is one."""
        return self.regular_cents if self.regular_cents > self.now_cents else None


def week_and_day(on: date) -> tuple[int, int]:
    """Return the price week of a local date, and the days since its Wednesday.

    >>> week_and_day(date(2026, 11, 18))[1], week_and_day(date(2026, 11, 24))[1]
    (0, 6)
    """
    return divmod(on.toordinal() - 3, 7)


def tidy(cents: float) -> int:
    """Round to a realistic price: steps of 1, 5, 10 or 50 cents.

    >>> tidy(43.4), tidy(317.0), tidy(1284.0), tidy(4621.0)
    (43, 315, 1280, 4600)
    """
    for limit, step in ((100, 1), (500, 5), (2000, 10)):
        if cents < limit:
            return max(1, round(cents / step) * step)
    return round(cents / 50) * 50


def price_of(seed: int, retailer: str, zone: str, sku: str, base_cents: int, on: date) -> Price:
    """Return the price of a SKU in a price zone on a local date.

    Args:
        zone: a state, or for IGA ``shop <store id>``.
        base_cents: the retailer's usual price in NSW.
    """
    week, day = week_and_day(on)
    phase = seeded_random.random_int(seed, "phase", retailer, sku)
    level = (week + phase) // LEVEL_WEEKS
    regular = tidy(base_cents * (0.94 + 0.14 * seeded_random.random_share(seed, "level", retailer, sku, level)))
    regular = _in_zone(seed, retailer, zone, sku, regular)

    chance = seeded_random.random_share(seed, "week", retailer, sku, week)
    weekly = WEEKLY_SPECIAL[retailer]
    if chance < weekly:
        depth = _DEPTHS[int(chance / weekly * len(_DEPTHS))]
    elif seeded_random.random_share(seed, "long", retailer, sku, (week + phase // 97) // LONG_WEEKS) < LONG_SPECIAL[retailer] / (
        1 - weekly
    ):
        depth = (15, 20, 25)[phase % 3]
    else:
        depth = 0
    now = regular * (100 - depth) // 100
    # The other end of the same random number decides about a change within the week: such products are not on a weekly special.
    moved = (1 - chance) / (6 * MOVED_A_DAY)
    if depth == 0 and moved < 1 and day > int(moved * 6):
        regular = now = max(1, regular + (1 if phase % 2 else -1) * max(1, regular // 20))

    multi_buy = None
    if (
        depth == 0
        and retailer in ("coles", "woolworths")
        and seeded_random.random_share(seed, "multi", retailer, sku, week) < MULTI_BUY_SHARE / (1 - weekly)
    ):
        quantity = 2 + phase % 4 // 2
        total = quantity * now * 4 // 500 * 100  # a fifth off, in whole dollars
        multi_buy = MultiBuy(quantity, total) if total else None
    return Price(now, regular, multi_buy)


def _in_zone(seed: int, retailer: str, zone: str, sku: str, regular: int) -> int:
    if retailer == "iga":
        if seeded_random.random_share(seed, "shop", zone, sku) < SHOP_SHARE:
            return tidy(regular * seeded_random.pick(_ZONE_STEPS, seed, "shop step", zone, sku))
        return regular
    if seeded_random.random_share(seed, "zone", retailer, zone, sku) >= ZONE_SHARE[zone]:
        return regular
    step = 1.05 if zone == "NT" else seeded_random.pick(_ZONE_STEPS, seed, "zone step", retailer, zone, sku)
    return max(1, round(regular * step))
