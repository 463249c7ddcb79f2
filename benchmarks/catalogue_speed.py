"""A large catalogue: texts read again by new rules, merges by barcode and by score, translation tables, each against a bare UPDATE of the same rows."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from functools import _lru_cache_wrapper
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from benchmarks.scratch import Scratch, ScratchWarehouse
from include import clock
from include.catalogue.matching.exact import Method
from include.catalogue.matching.match import Tier
from include.catalogue.matching.warehouse import SkuMatch
from include.catalogue.read_again import read_texts_again
from include.catalogue.reconcile import apply_matches
from include.catalogue.resolve import FoundBarcode, learn_barcodes
from include.catalogue.tables import write_tables
from include.config import settings
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse, lock

#: One product in so many is sold by a second retailer under the same text.
_SHARED = 10
#: SKUs have numbers: first those of Coles, each of another product, the first ones with a barcode; then those of Woolworths, one product with the first of Coles by their texts; then
#: those of IGA, which call the first goods of Coles otherwise. All texts were read by older rules, which made other keys.
_FILL = """
INSERT INTO core.product (name, created_at) SELECT 'Good ' || n, '2026-10-01' FROM generate_series(1, {skus}) AS n;
INSERT INTO core.brand (folded, name) SELECT 'brand ' || n, 'Brand ' || n FROM generate_series(0, {skus} / 50) AS n;
CREATE TEMPORARY TABLE listing AS
SELECT n, CASE WHEN n <= {coles} THEN n WHEN n <= {coles} + {shared} THEN n - {coles} ELSE n - {coles} - {shared} END AS good,
       CASE WHEN n <= {coles} THEN 'coles' WHEN n <= {coles} + {shared} THEN 'woolworths' ELSE 'iga' END AS retailer
  FROM generate_series(1, {skus}) AS n;
INSERT INTO core.sku (retailer, sku, product_id, home_product_id, name, brand, size, texts_at, joined_by, match_evidence, joined_at)
SELECT retailer, listing.n, CASE retailer WHEN 'woolworths' THEN good ELSE listing.n END, CASE WHEN retailer <> 'woolworths' THEN listing.n END,
       'Brand ' || good % ({skus} / 50) || ' ' || translate(good::text, '0123456789', 'bcdfghjklm') || ' '
       || (ARRAY['Full Cream Milk', 'Salted Potato Chips', 'Free Range Eggs', 'Tomato Sauce', 'Roasted Vegetable Pizza'])[good % 5 + 1] || CASE retailer WHEN 'iga' THEN ' Vuxo' ELSE '' END,
       'Brand ' || good % ({skus} / 50), (ARRAY['100g', '1.25L', '12 pack', '6 x 375mL'])[good % 4 + 1], '2026-10-01',
       CASE retailer WHEN 'woolworths' THEN 'key' ELSE 'new' END, CASE retailer WHEN 'woolworths' THEN '{{"key": "of older rules"}}' ELSE '{{}}' END::jsonb, '2026-10-01'
  FROM listing ORDER BY listing.n;
INSERT INTO core.sku_identity (sku_key, name, brand, size, observed_at, rule_version, reading_hash)
SELECT sku_key, name, brand, size, '2026-10-01', 0, '' FROM core.sku ORDER BY sku_key;
INSERT INTO core.sku_product_key (sku_key, product_key, position) SELECT sku_key, 'older ' || sku_key, 1 FROM core.sku ORDER BY sku_key;
INSERT INTO core.product_barcode (gtin, product_id, is_primary, first_seen_at)
SELECT lpad(product_id::text, 14, '0'), product_id, true, '2026-10-01' FROM core.product WHERE product_id <= {merges};
INSERT INTO core.sku_barcode (sku_key, gtin, together, first_seen_at, source, learned_at)
SELECT sku_key, lpad(sku, 14, '0'), lpad(sku, 14, '0'), '2026-10-01', 'coles_details', '2026-10-01' FROM core.sku WHERE sku_key <= {merges}
"""
_BARE_IDENTITIES: LiteralString = (
    "UPDATE core.sku_identity SET observed_at = observed_at + interval '1 second' WHERE sku_key BETWEEN %(first)s AND %(last)s"
)
_BARE_SKUS: LiteralString = "UPDATE core.sku SET product_id = product_id - %(distance)s WHERE sku_key BETWEEN %(first)s AND %(last)s"


def measure(scratch: Scratch, skus: int, merges: int, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure in a warehouse of ``skus`` SKUs, of which twice as many as ``merges`` pairs are one product: half of the pairs are joined by barcode, half by score.

    Returns:
        Per measurement ``rows``, ``seconds``, ``rows_per_second``, the seconds of a bare UPDATE of the same rows in the same warehouse, their ``ratio``, and ``peak_mib`` of this process.
    """
    shared = skus // _SHARED
    coles = skus - shared - 2 * merges
    if coles < max(shared, 2 * merges):
        raise ValueError(f"{skus} SKUs are too few for {merges} merges by barcode and as many by score")
    with scratch.warehouse() as made:
        progress(f"catalogue: a warehouse of {skus:,} SKUs")
        with psycopg.connect(made.url) as connection:
            for text in _FILL.format(skus=skus, merges=merges, coles=coles, shared=shared).split(";\n"):
                connection.execute(text.encode())
        _vacuum(scratch, made)
        warehouse, storage = Warehouse(made.url, settings()), Storage(f"file://{made.root}")
        all_skus = {"first": 1, "last": skus}
        pairs = [(coles + shared + number, number) for number in range(1, 2 * merges + 1)]
        try:
            return list(_measurements(scratch, made, warehouse, storage, all_skus, pairs, progress))
        finally:
            warehouse.close()


def _measurements(
    scratch: Scratch,
    made: ScratchWarehouse,
    warehouse: Warehouse,
    storage: Storage,
    all_skus: dict[str, int],
    pairs: list[tuple[int, int]],
    progress: Callable[[str], None],
) -> Iterator[dict[str, Any]]:
    def measured(what: str, bare: LiteralString, values: dict[str, int], do: Callable[[], Any]) -> dict[str, Any]:
        progress(f"catalogue: {what}")
        rows, bare_seconds = _bare_update(made, bare, values)
        started = time.perf_counter()
        do()
        seconds = time.perf_counter() - started
        _vacuum(scratch, made)
        return {
            "what": what,
            "rows": rows,
            "seconds": seconds,
            "rows_per_second": round(rows / seconds),
            "bare_update_seconds": bare_seconds,
            "ratio": seconds / bare_seconds,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }

    yield measured("texts read again, every key another", _BARE_IDENTITIES, all_skus, lambda: _read_again(warehouse))
    with psycopg.connect(made.url) as connection:
        connection.execute("UPDATE core.sku_identity SET rule_version = 0")
    _vacuum(scratch, made)
    yield measured("texts read again, every key the same", _BARE_IDENTITIES, all_skus, lambda: _read_again(warehouse))
    by_barcode, by_score = pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
    for what, some, merge in (("barcode", by_barcode, _merge_by_barcode), ("score", by_score, _merge_by_score)):
        moved = {"first": some[0][0], "last": some[-1][0], "distance": some[0][0] - some[0][1]}
        yield measured(f"merges by {what}", _BARE_SKUS, moved, lambda merge=merge, some=some: merge(warehouse, some))  # type: ignore[misc]
    yield measured("translation tables written", _BARE_IDENTITIES, all_skus, lambda: write_tables(warehouse, storage))
    yield measured("translation tables unchanged", _BARE_IDENTITIES, all_skus, lambda: write_tables(warehouse, storage))


def _vacuum(scratch: Scratch, made: ScratchWarehouse) -> None:
    """Begin each measurement with a checkpoint, and without dead rows."""
    scratch.execute(sql.SQL("VACUUM (ANALYZE)"), made.name)
    scratch.execute(sql.SQL("CHECKPOINT"), made.name)


def _bare_update(made: ScratchWarehouse, text: LiteralString, values: dict[str, int]) -> tuple[int, float]:
    """Return the rows and the seconds of one UPDATE, undone."""
    with psycopg.connect(made.url) as connection:
        started = time.perf_counter()
        rows = connection.execute(text, values).rowcount
        seconds = time.perf_counter() - started
        assert rows == values["last"] - values["first"] + 1, f"{rows} rows"
        connection.rollback()
    return rows, seconds


def _caches_of_texts() -> list[_lru_cache_wrapper[Any]]:
    rules = [module for name, module in sys.modules.items() if name.startswith(("include.wording.", "include.catalogue."))]
    return [value for module in rules for value in vars(module).values() if type(value) is _lru_cache_wrapper]


def _read_again(warehouse: Warehouse) -> None:
    for cache in _caches_of_texts():  # of the measurement before: a process that reads a million texts finds none of them there
        cache.cache_clear()
    with warehouse.transaction() as connection:
        done = read_texts_again(connection)
    assert done.moved == 0, f"equal texts stay one product: {done}"


def _merge_by_barcode(warehouse: Warehouse, pairs: list[tuple[int, int]]) -> None:
    with warehouse.transaction() as connection:
        rows, now = _skus(connection, pairs), clock.now()
        found = [
            FoundBarcode(row["sku"], (str(other).zfill(14),), (row["name"], row["brand"], row["size"]), now, "bench")
            for row, (_, other) in zip(rows, pairs, strict=True)
        ]
        done = learn_barcodes(connection, "iga", found)
    assert done.moved == len(pairs), f"{done} in place of {len(pairs)} merges"


def _merge_by_score(warehouse: Warehouse, pairs: list[tuple[int, int]]) -> None:
    evidence = {"reason": "same brand and size", "features": {"brand_equal": 1.0}, "rule_version": 1}
    matches = [SkuMatch(other, sku_key, 0.99, Tier.AUTOMATIC, Method.SCORE, evidence) for sku_key, other in pairs]
    with warehouse.transaction() as connection:
        lock(connection, "resolve")
        done = apply_matches(connection, matches, clock.now(), 1)
    assert done.joined == done.moved == len(pairs), f"{done} in place of {len(pairs)} merges"


def _skus(connection: Connection, pairs: list[tuple[int, int]]) -> list[dict[str, Any]]:
    values = {"first": pairs[0][0], "last": pairs[-1][0]}
    return connection.execute(
        "SELECT sku, name, brand, size FROM core.sku WHERE sku_key BETWEEN %(first)s AND %(last)s ORDER BY sku_key", values
    ).fetchall()
