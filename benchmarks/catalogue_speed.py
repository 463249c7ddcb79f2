"""A large catalogue: texts read again by new rules, merges by learned barcodes, translation tables, each against a bare UPDATE of as many rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from benchmarks.scratch import Scratch, ScratchWarehouse
from include import clock
from include.catalogue.resolve import FoundBarcode, learn_barcodes, read_texts_again
from include.catalogue.tables import write_tables
from include.config import settings
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

#: Every product has one SKU of Coles; IGA sells the first ones too, under a longer name. All texts were read by older rules.
_FILL = """
INSERT INTO core.product (name, size, created_at)
SELECT 'Good ' || translate(n::text, '0123456789', 'bcdfghjklm') || CASE WHEN n > {skus} - {merges} THEN ' Vuxo' ELSE '' END, '100g', '2026-10-01' FROM generate_series(1, {skus}) AS n;
INSERT INTO core.sku (retailer, sku, product_id, home_product_id, name, brand, size, texts_at, joined_by, joined_at)
SELECT CASE WHEN product_id > {skus} - {merges} THEN 'iga' ELSE 'coles' END, product_id, product_id, product_id,
       'Good ' || translate((CASE WHEN product_id > {skus} - {merges} THEN product_id - {skus} + {merges} ELSE product_id END)::text, '0123456789', 'bcdfghjklm')
       || CASE WHEN product_id > {skus} - {merges} THEN ' Vuxo' ELSE '' END, 'Zorbo', '100g', '2026-10-01', 'new', '2026-10-01' FROM core.product;
INSERT INTO core.sku_identity (sku_key, name, brand, size, observed_at, rule_version)
SELECT sku_key, name, brand, size, '2026-10-01', 0 FROM core.sku;
INSERT INTO core.product_barcode (gtin, product_id, is_primary, first_seen_at)
SELECT lpad(product_id::text, 14, '0'), product_id, true, '2026-10-01' FROM core.product WHERE product_id <= {merges};
INSERT INTO core.sku_barcode (sku_key, gtin, together, first_seen_at, source, learned_at)
SELECT sku_key, lpad(product_id::text, 14, '0'), lpad(product_id::text, 14, '0'), '2026-10-01', 'coles_details', '2026-10-01' FROM core.sku WHERE product_id <= {merges}
"""


def measure(scratch: Scratch, skus: int, merges: int, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure in a warehouse of ``skus`` products, of which as many as ``merges`` pairs are one.

    Returns:
        Per measurement ``rows``, ``seconds``, ``rows_per_second``, the seconds of a bare UPDATE of as many rows in the same warehouse, and their ``ratio``.
    """
    with scratch.warehouse() as made:
        progress(f"catalogue: a warehouse of {skus:,} products")
        with psycopg.connect(made.url) as connection:
            for text in _FILL.format(skus=skus, merges=merges).split(";\n"):
                connection.execute(text.encode())
        scratch.execute(psycopg.sql.SQL("VACUUM (ANALYZE)"), made.name)
        warehouse, storage = Warehouse(made.url, settings()), Storage(f"file://{made.root}")
        try:
            return [
                *_measured("deciding texts read again, SKUs grouped anew", made, skus, lambda: _read_again(warehouse), progress),
                *_measured("merges by learned barcodes", made, merges, lambda: _merge(warehouse, skus, merges), progress),
                *_measured("translation tables written", made, skus, lambda: write_tables(warehouse, storage), progress),
                *_measured("translation tables unchanged", made, skus, lambda: write_tables(warehouse, storage), progress),
            ]
        finally:
            warehouse.close()


def _measured(
    what: str, made: ScratchWarehouse, rows: int, do: Callable[[], Any], progress: Callable[[str], None]
) -> Sequence[dict[str, Any]]:
    progress(f"catalogue: {what}")
    bare = _bare_update(made, rows)
    started = time.perf_counter()
    do()
    seconds = time.perf_counter() - started
    return [
        {
            "what": what,
            "rows": rows,
            "seconds": seconds,
            "rows_per_second": round(rows / seconds),
            "bare_update_seconds": bare,
            "ratio": seconds / bare,
        }
    ]


def _bare_update(made: ScratchWarehouse, rows: int) -> float:
    """Return the seconds of one UPDATE of as many identities, undone."""
    with psycopg.connect(made.url) as connection:
        started = time.perf_counter()
        done = connection.execute(
            "UPDATE core.sku_identity SET observed_at = observed_at + interval '1 second' WHERE sku_key <= %s", (rows,)
        ).rowcount
        seconds = time.perf_counter() - started
        assert done == rows, f"{done} of {rows} rows"
        connection.rollback()
    return seconds


def _read_again(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        read_texts_again(connection)


def _merge(warehouse: Warehouse, skus: int, merges: int) -> None:
    with warehouse.transaction() as connection:
        rows = connection.execute("SELECT sku, name, brand, size FROM core.sku WHERE retailer = 'iga' ORDER BY sku_key").fetchall()
        found = [
            FoundBarcode(row["sku"], (str(number).zfill(14),), (row["name"], row["brand"], row["size"]), clock.now(), "bench")
            for number, row in enumerate(rows, 1)
        ]
        done = learn_barcodes(connection, "iga", found)
    assert done.moved == merges, f"{done} in place of {merges} merges"
