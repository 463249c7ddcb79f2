"""What the adversary does to one store's lines of a night: each attack damages a share of them that grows from night to night."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Lines = list[dict[str, Any]]
#: Damages lines in place or returns other ones: lines, share to damage (0 to 1), number of the poisoned night (from 0), random numbers.
Attack = Callable[[Lines, float, int, random.Random], Lines]


def _some(lines: Lines, share: float, rng: random.Random) -> list[dict[str, Any]]:
    """Return the products of a random share of the lines that have a price."""
    priced = [line["product"] for line in lines if line["product"]["price_current"]]
    return rng.sample(priced, min(len(priced), max(1, round(share * len(priced)))))


def _scale(product: dict[str, Any], factor: float) -> None:
    price = max(0.01, round(product["price_current"] * factor, 2))
    product |= {"price_current": price, "price_was": None, "is_on_special": False}


def _times(factor: Callable[[random.Random], float]) -> Attack:
    def attack(lines: Lines, share: float, night: int, rng: random.Random) -> Lines:
        for product in _some(lines, share, rng):
            _scale(product, factor(rng))
        return lines

    return attack


def _scrambled(lines: Lines, share: float, night: int, rng: random.Random) -> Lines:
    chosen = _some(lines, max(share, 0.01), rng)
    prices = [product["price_current"] for product in chosen]
    rng.shuffle(prices)
    for product, price in zip(chosen, prices, strict=True):
        product |= {"price_current": price, "price_was": None, "is_on_special": False}
    return lines


def _category(lines: Lines, share: float, night: int, rng: random.Random) -> Lines:
    names = sorted({line["product"]["category_path"][0] for line in lines})
    return (
        _times(lambda _: 1.2)([line for line in lines if line["product"]["category_path"][0] == names[0]], 10 * share, night, rng) and lines
    )


def _stray_time(lines: Lines, share: float, night: int, rng: random.Random) -> Lines:
    """All dearer, and one line from before the last Wednesday, which would switch comparison off."""
    lines = _times(lambda _: 1.1)(lines, 20 * share, night, rng)
    lines[0]["metadata"] = {"scraped_at": "2026-11-10T12:50:00+00:00"}
    return lines


def _few_lines(lines: Lines, share: float, night: int, rng: random.Random) -> Lines:
    return _times(lambda _: 1.1)(lines[:250], 20 * share, night, rng)


def _renumbered(lines: Lines, share: float, night: int, rng: random.Random) -> Lines:
    """New numbers for some goods, with the prices of others."""
    chosen = _some(lines, 20 * share, rng)
    for product in chosen:
        product["sku"] = f"{night}n{product['sku']}"
        _scale(product, 1.3)
    return lines


def _shrinking(lines: Lines, share: float, night: int, rng: random.Random) -> Lines:
    """A complete store-day with fewer lines every night, a few of them dearer."""
    return _times(lambda _: 1.15)(rng.sample(lines, round(len(lines) * 0.9 ** (night + 1))), share, night, rng)


#: Each is played on a store of its own. A ``new …`` one has its first store-day on the first poisoned night.
ATTACKS: dict[str, Attack] = {
    "price x 100": _times(lambda _: 100.0),
    "price / 100": _times(lambda _: 0.01),
    "x 100 on a third": lambda lines, share, night, rng: _times(lambda _: 100.0)(lines, 0.29, night, rng),
    "factor 1.05 to 3.5": _times(lambda rng: rng.uniform(1.05, 3.5)),
    "up and down by a third": _times(lambda rng: rng.choice((0.67, 1.5))),
    "a tenth dearer": _times(lambda _: 1.1),
    "a cent dearer everywhere": lambda lines, share, night, rng: _times(lambda _: 1.01)(lines, 1.0, night, rng),
    "prices of other goods": _scrambled,
    "scrambled at once": lambda lines, share, night, rng: _scrambled(lines, 1.0, night, rng),
    "a category dearer": _category,
    "a stray time": _stray_time,
    "few lines": _few_lines,
    "new numbers": _renumbered,
    "shrinking": _shrinking,
    "new store x 100": lambda lines, share, night, rng: _times(lambda _: 100.0)(lines, 1.0, night, rng),
    "new store half as dear again": lambda lines, share, night, rng: _times(lambda _: 1.5)(lines, 1.0, night, rng),
    "new store scrambled": lambda lines, share, night, rng: _scrambled(lines, 1.0, night, rng),
}
