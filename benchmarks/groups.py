"""One maintenance pass over many anchors, against only reading their prices out of PostgreSQL; the same pass with every pair in cooldown."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psutil
import psycopg

from benchmarks.measuring import quotient
from benchmarks.scratch import Scratch, ScratchWarehouse
from benchmarks.watching import PeakMemory, cpu_seconds
from include.config import settings
from include.groups import maintenance
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

#: The goals: a pass against the reading, a pass in cooldown against a pass, peak memory of the pass.
PASS_RATIO_MAX, COOLDOWN_SHARE_MAX, PEAK_MIB_MAX = 3.0, 0.05, 2_048
_RETAILER = "iga"
_AT, _NOW = "2026-11-17T17:30:00+00:00", "2026-11-18T09:00:00+00:00"

#: Every store is an anchor with prices of its own: a store differs from another one in the share ``own`` of its prices, in percent.
_FILL = """
INSERT INTO core.product (name, created_at) VALUES ('Good', '{at}');
INSERT INTO core.sku (retailer, sku, product_id, name, texts_at, joined_by, joined_at)
SELECT '{retailer}', n::text, 1, 'Good', '{at}', 'new', '{at}' FROM generate_series(1, {products}) AS n;
INSERT INTO ops.staged_file (retailer, store_id, night, run_key, content_hash, state, stage, observed_at, last_observed_at, rows, is_complete, manifest, registered_at, published_at)
SELECT '{retailer}', n::text, '2026-11-18', 'bench', 'bench', 'published', 'archive', '{at}', '{at}', {products}, true, '{{}}', '{at}', '{at}' FROM generate_series(1, {stores}) AS n;
INSERT INTO core.store (retailer, store_id, state, is_confirmed, is_supermarket, is_trading, first_seen_at, complete_at, complete_file_id)
SELECT retailer, store_id, 'VIC', true, true, true, '{at}', observed_at, file_id FROM ops.staged_file ORDER BY file_id;
ALTER TABLE core.price DISABLE TRIGGER ALL;
ALTER TABLE core.price DROP CONSTRAINT price_pkey;
DROP INDEX core.price_changed, core.price_sku;
INSERT INTO core.price (store_key, sku_key, price_cents, price_basis, is_on_special, is_available, is_listed, uses_store_watermark, observed_at, changed_at, file_id, price_file_id)
SELECT store.store_key, sku.sku_key, 100 + sku.sku_key % 900 + CASE WHEN hashint4(store.store_key * 20011 + sku.sku_key) & 8191 < 8192 * {own} / 100 THEN 1 + (hashint4(store.store_key + sku.sku_key * 977) & 63) ELSE 0 END,
       'each', false, true, true, true, '{at}', '{at}', store.complete_file_id, store.complete_file_id
  FROM core.store AS store CROSS JOIN core.sku AS sku
 WHERE hashint4(store.store_key * 31 + sku.sku_key * 7) & 31 > 0;
ALTER TABLE core.price ADD CONSTRAINT price_pkey PRIMARY KEY (store_key, sku_key);
ALTER TABLE core.price ENABLE TRIGGER ALL
"""


def measure(
    scratch: Scratch, stores: Sequence[int], products: int, own_percent: float, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Measure with growing numbers of stores.

    Returns:
        Per number of stores: seconds and processor seconds of the reading, the pass and the pass in cooldown, their ratios, peak memory in MiB, and
        ``exponent``: by which power of the number of stores the processor time of the pass has grown since the row before.
    """
    rows: list[dict[str, Any]] = []
    for count in stores:
        progress(f"groups: {count:,} stores of {products:,} products")
        with scratch.warehouse() as made, patch.dict("os.environ", AISLEFLOW_NOW=_NOW):
            _fill(scratch, made, count, products, own_percent)
            rows.append({"stores": count, "products": products} | _measure(scratch, made))
        if len(rows) > 1:
            before, last = rows[-2:]
            grown = quotient(last["cpu_pass"], before["cpu_pass"])
            last["exponent"] = math.log(grown) / math.log(last["stores"] / before["stores"]) if grown else None
    return rows


def _fill(scratch: Scratch, made: ScratchWarehouse, stores: int, products: int, own_percent: float) -> None:
    with psycopg.connect(scratch.cluster.superuser_url(made.name), autocommit=True) as connection:
        for text in _FILL.format(retailer=_RETAILER, at=_AT, stores=stores, products=products, own=own_percent).split(";\n"):
            connection.execute(text.encode())
        connection.execute("VACUUM (ANALYZE) core.price")


def _measure(scratch: Scratch, made: ScratchWarehouse) -> dict[str, Any]:
    storage = Storage(f"file://{made.root}")
    warehouse = Warehouse(made.url, settings())
    us = psutil.Process().pid
    try:
        with _timed(scratch) as reading:
            prices = _read_only(made)
        with PeakMemory(us, scratch.cluster.pid) as peak, _timed(scratch) as whole:
            compared = _pass(warehouse, storage)
        with _timed(scratch) as cooled:
            again = _pass(warehouse, storage)
    finally:
        warehouse.close()
    row: dict[str, Any] = {
        "prices": prices, "pairs": compared, "pairs_again": again, "reading": reading["seconds"], "seconds": whole["seconds"], "cooldown": cooled["seconds"],
        "cpu_reading": reading["cpu"], "cpu_pass": whole["cpu"], "ratio": whole["seconds"] / reading["seconds"], "cpu_ratio": quotient(whole["cpu"], reading["cpu"]),
        "cooldown_share": cooled["seconds"] / whole["seconds"], "peak_mib": peak.ours_mib,
    }  # fmt: skip
    is_met = row["ratio"] <= PASS_RATIO_MAX and row["cooldown_share"] <= COOLDOWN_SHARE_MAX and row["peak_mib"] <= PEAK_MIB_MAX
    return row | {"goal": "pass" if is_met else "over"}


def _pass(warehouse: Warehouse, storage: Storage) -> int:
    maintenance.check_health(warehouse, _RETAILER)
    found = maintenance.compare(warehouse, storage, _RETAILER)
    maintenance.merge(warehouse, _RETAILER, found.matches)
    return found.compared


def _read_only(made: ScratchWarehouse) -> int:
    """The yardstick: store, SKU, price and basis of every price as rows of a ``COPY``, thrown away as they come."""
    with psycopg.connect(made.url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY (SELECT store_key, sku_key, price_cents, price_basis FROM core.price) TO STDOUT (FORMAT binary)") as copy:
            for _ in copy:
                pass
        return cursor.rowcount


@contextmanager
def _timed(scratch: Scratch) -> Iterator[dict[str, float]]:
    """Take seconds, and processor seconds of this process and the server's."""
    roots = (psutil.Process().pid, scratch.cluster.pid)
    taken: dict[str, float] = {}
    started, cpu = time.perf_counter(), cpu_seconds(*roots)
    yield taken
    taken |= {"seconds": time.perf_counter() - started, "cpu": cpu_seconds(*roots) - cpu}
