"""Nights in a warehouse with existing data: neither the data nor the planner's statistics may make a night slow.

Each night is compared with a plain one, usually the same files in an empty warehouse, both in multiples of their own yardstick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.many_nights import many_nights
from benchmarks.many_prices import many_prices
from benchmarks.measuring import Bench
from benchmarks.store_days import StoreDay

#: Neighbouring retailers share two thirds of their products at 15,000 lines.
_FIRST_PRODUCT = {"woolworths": 0, "coles": 5_000, "iga": 10_000, "aldi": 15_000}
_WHEN = {True: "a day", False: "a minute"}
_ORDERS = (("woolworths", "aldi", "iga", "coles"), ("iga", "coles", "aldi", "woolworths"))

Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of the histories."""

    lines: int = 15_000
    share: float = 1.0
    nights: int = 100
    prices: int = 2_000_000

    def of(self, lines: int) -> int:
        """Scale a number of lines that comes from a real crawl."""
        return max(10, round(lines * self.share))


def retailers(bench: Bench, sizes: Sizes) -> Rows:
    """One retailer after the other on one warehouse, a store each: a day apart, and in another order within a minute."""
    for order, is_analyzed in zip(_ORDERS, (True, False), strict=True):
        with bench.scratch.warehouse() as warehouse:
            for number, retailer in enumerate(order):
                what = f"{retailer} {_WHEN[is_analyzed]} after {', '.join(order[:number]) or 'no other'}"
                bench.progress(f"retailers: {what}")
                days = [StoreDay(retailer, 0, sizes.lines, first_product=_FIRST_PRODUCT[retailer])]
                measured = bench.night(warehouse, days)
                if number:
                    yield bench.row("retailers", what, measured, bench.plain(days))
                if is_analyzed:
                    bench.vacuum_analyze(warehouse)


def aldi_iga(bench: Bench, sizes: Sizes) -> Rows:
    """71 store-days of Aldi, then a single one of IGA; and the other way round. The sizes are those of real crawls."""
    aldi = [StoreDay("aldi", store, sizes.of(2_600)) for store in range(max(2, round(71 * sizes.share)))]
    iga = [StoreDay("iga", 0, sizes.of(2_258), first_product=sizes.of(1_500))]
    for first, then in ((aldi, iga), (iga, aldi)):
        with bench.scratch.warehouse() as warehouse:
            bench.progress(f"aldi_iga: {first[0].retailer} first")
            bench.prepare(warehouse, first)
            for is_analyzed in (False, True):
                if is_analyzed:
                    bench.vacuum_analyze(warehouse)
                what = f"{len(then)} of {then[0].retailer} {_WHEN[is_analyzed]} after {len(first)} of {first[0].retailer}"
                bench.progress(f"aldi_iga: {what}")
                with bench.scratch.warehouse(warehouse) as copy:
                    yield bench.row("aldi_iga", what, bench.night(copy, then), bench.plain(then))


def first_day(bench: Bench, sizes: Sizes) -> Rows:
    """A store's first day with known stores of its retailer; one in twenty of its products is new."""
    with bench.scratch.warehouse() as warehouse:
        for night in range(2):
            bench.progress(f"first_day: old stores, night {night + 1}")
            bench.prepare(warehouse, [StoreDay("woolworths", store, sizes.lines, night) for store in range(4)])
        bench.vacuum_analyze(warehouse)
        new = [StoreDay("woolworths", 9, sizes.lines, 1, first_product=sizes.lines // 20)]
        bench.progress("first_day: the new store")
        yield bench.row("first_day", "a new store among 4 old ones", bench.night(warehouse, new), bench.plain(new))


def coles(bench: Bench, sizes: Sizes) -> Rows:
    """A Coles crawl of 30,000 lines; plain is one of half the lines."""
    lines = sizes.of(30_000)
    bench.progress(f"coles: {lines} lines")
    plain = bench.plain([StoreDay("coles", 0, lines // 2)])
    yield bench.row("coles", f"{lines} lines beside {lines // 2}", bench.plain([StoreDay("coles", 0, lines)]), plain)


def doubles(bench: Bench, sizes: Sizes) -> Rows:
    """A Coles crawl with a fifth of duplicate lines, on a ``staging.offer`` that was never analysed; plain is one without duplicates."""
    lines, double = sizes.of(29_139), sizes.of(5_651)
    bench.progress(f"doubles: {double} of {lines} lines")
    plain = bench.plain([StoreDay("coles", 0, lines)])
    yield bench.row("doubles", f"{double} doubles of {lines} lines", bench.plain([StoreDay("coles", 0, lines, doubles=double)]), plain)


def nights(bench: Bench, sizes: Sizes) -> Rows:
    """Many nights in a row: tables and indexes grow, autovacuum runs."""
    return many_nights(bench, sizes.nights, sizes.of(1_000))


def prices(bench: Bench, sizes: Sizes) -> Rows:
    """One store's nights over a warehouse of millions of prices; plain is the same store alone in its warehouse."""
    return many_prices(bench, sizes.prices, sizes.lines)


HISTORIES: dict[str, Callable[[Bench, Sizes], Rows]] = {
    history.__name__: history for history in (retailers, aldi_iga, first_day, coles, doubles, nights, prices)
}
