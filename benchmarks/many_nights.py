"""Consecutive nights on one warehouse, each with its own price level and a changing range; reports seconds, sizes and dead rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from benchmarks.measuring import Bench, Measured
from benchmarks.scratch import ScratchWarehouse
from benchmarks.store_days import StoreDay

_STORES = 3
_REPORTED = (1, 2, 3, 10, 50, 100)
#: Nights take seconds here, so autovacuum runs more often than once a minute.
_NAPTIME_SECONDS = 1

_SIZES = """SELECT sum(pg_table_size(relid)) / 2^20 AS tables_mib, sum(pg_indexes_size(relid)) / 2^20 AS indexes_mib,
    sum(n_live_tup)::bigint AS live_rows, sum(n_dead_tup)::bigint AS dead_rows, sum(autovacuum_count)::bigint AS autovacuums
    FROM pg_stat_user_tables"""


def many_nights(bench: Bench, nights: int, lines: int) -> Iterator[dict[str, Any]]:
    """Measure the nights of :data:`_REPORTED` and the last one.

    Plain is the second night, for a Wednesday the third. A hundredth of the range is replaced every week.
    """
    with bench.scratch.warehouse() as warehouse, _busy_autovacuum(bench):
        plain: dict[bool, Measured] = {}
        for night in range(nights):
            bench.progress(f"nights: {night + 1} of {nights}")
            first = night // 7 * max(1, lines // 100)
            days = [StoreDay("woolworths", store, lines, night, first_product=first) for store in range(_STORES)]
            if night + 1 not in _REPORTED and night + 1 != nights:
                bench.prepare(warehouse, days)
                continue
            measured, is_wednesday = bench.night(warehouse, days), night % 7 == 2
            if night:
                plain.setdefault(is_wednesday, measured)
            what = f"night {night + 1} of {nights}{', a Wednesday' if is_wednesday else ''}"
            yield bench.row("nights", what, measured, plain.get(is_wednesday, measured)) | _sizes(warehouse)


@contextmanager
def _busy_autovacuum(bench: Bench) -> Iterator[None]:
    bench.scratch.configure("autovacuum_naptime", str(_NAPTIME_SECONDS))
    bench.scratch.configure("autovacuum", "on")
    try:
        yield
    finally:
        bench.scratch.configure("autovacuum", "off")


def _sizes(warehouse: ScratchWarehouse) -> dict[str, Any]:
    with psycopg.connect(warehouse.url) as connection:
        cursor = connection.execute(_SIZES)
        assert cursor.description is not None
        return dict(zip([column.name for column in cursor.description], cursor.fetchone() or (), strict=True))
