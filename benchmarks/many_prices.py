"""A warehouse of millions of prices, made by ingesting one store and multiplying its rows in the database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.measuring import Bench
from benchmarks.scratch import ScratchWarehouse
from benchmarks.store_days import StoreDay

_CONNECTIONS = 2
_STORES_AT_ONCE = 20


def many_prices(bench: Bench, prices: int, lines: int) -> Iterator[dict[str, Any]]:
    """Measure an unchanged night, a Wednesday and a new store's first day over ``prices`` prices in stores of ``lines`` SKUs."""
    stores = max(1, prices // lines)
    with bench.scratch.warehouse() as small:
        bench.progress("prices: the first store")
        bench.prepare(small, [StoreDay("woolworths", 0, lines)])
        bench.vacuum_analyze(small)
        with bench.scratch.warehouse(small) as large:
            _multiply(bench, large, stores)
            for what, store, night in (("an unchanged night", 0, 1), ("a Wednesday", 0, 2), ("a new store", stores + 1, 2)):
                bench.progress(f"prices: {what}")
                days = [StoreDay("woolworths", store, lines, night)]
                plain, measured = bench.night(small, days), bench.night(large, days)
                yield bench.row("prices", f"{what} over {stores * lines:,} prices", measured, plain)


def _multiply(bench: Bench, warehouse: ScratchWarehouse, stores: int) -> None:
    """Give the retailer ``stores`` stores in all, each with the first one's ledger row and prices."""
    with psycopg.connect(warehouse.url) as connection:
        store_id = sql.SQL("{} || number").format(sql.Literal("copy-"))
        for table in ("core.store", "ops.staged_file"):
            columns, values = _columns(connection, table, {"store_id": store_id})
            text = "INSERT INTO {} ({}) SELECT {} FROM {} AS original, generate_series(2, {}) AS number"
            name = sql.Identifier(*table.split("."))
            connection.execute(sql.SQL(text).format(name, columns, values, name, stores))
        keys = [key for (key,) in connection.execute("SELECT store_key FROM core.store ORDER BY store_key")]
        columns, values = _columns(connection, "core.price", {"store_key": sql.SQL("copy.store_key")})
    copy = partial(_copy_prices, bench.scratch.cluster.superuser_url(warehouse.name), keys[0], columns, values)
    chunks = [keys[at : at + _STORES_AT_ONCE] for at in range(1, len(keys), _STORES_AT_ONCE)]
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        done = 0
        for future in as_completed([pool.submit(copy, chunk) for chunk in chunks]):
            done += future.result()
            bench.progress(f"prices: {done:,} rows written")
    bench.progress("prices: VACUUM, ANALYZE, CHECKPOINT")
    bench.vacuum_analyze(warehouse)
    bench.scratch.execute(sql.SQL("CHECKPOINT"))


def _columns(connection: psycopg.Connection, table: str, replaced: dict[str, sql.SQL | sql.Composed]) -> tuple[sql.Composed, sql.Composed]:
    """Return the columns of a table and what to select for each: itself, or its replacement."""
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE format('%%I.%%I', table_schema, table_name) = %s "
        "AND is_identity = 'NO' AND is_generated = 'NEVER' ORDER BY ordinal_position",
        (table,),
    ).fetchall()
    names = [str(name) for (name,) in found]
    values = [replaced.get(name, sql.SQL("original.{}").format(sql.Identifier(name))) for name in names]
    return sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(values)


def _copy_prices(url: str, original: int, columns: sql.Composed, values: sql.Composed, stores: list[int]) -> int:
    text = """INSERT INTO core.price ({})
        SELECT {} FROM unnest({}::integer[]) WITH ORDINALITY AS copy (store_key, position)
         CROSS JOIN LATERAL (SELECT * FROM core.price WHERE store_key = {} ORDER BY sku_key) AS original"""
    with psycopg.connect(url, options="-c session_replication_role=replica") as connection:  # foreign keys are already checked
        return connection.execute(sql.SQL(text).format(columns, values, stores, original)).rowcount
