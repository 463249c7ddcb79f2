"""Prefill of one store's range in a large warehouse: the query against a bare join, the rewriting of a file against its plain processing."""

from __future__ import annotations

import gzip
import hashlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import msgspec
import psycopg

from benchmarks.scratch import Scratch, ScratchWarehouse
from benchmarks.store_days import StoreDay
from include.config import settings
from include.enrichment.known_barcodes import KnownBarcode, find_known
from include.enrichment.prefill import move_to_outbox
from include.staging.manifest import Manifest
from include.staging.staged_file import load_manifest
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse

#: Every measurement is the median of as many.
_REPEATED = 9
#: One in so many SKUs: contested, known to have none, unknown. All others are proved.
_CONTESTED, _NONE, _UNKNOWN = 15, 10, 5

_FILL = """
INSERT INTO core.product (name, created_at) SELECT 'Good ' || n, '2026-10-01' FROM generate_series(1, {skus}) AS n;
INSERT INTO core.sku (retailer, sku, product_id, name, texts_at, joined_by, joined_at)
SELECT (ARRAY['aldi', 'iga', 'woolworths', 'coles'])[n % 4 + 1], 'other ' || n, n, 'Good ' || n, '2026-10-01', 'new', '2026-10-01' FROM generate_series({asked} + 1, {skus}) AS n;
INSERT INTO core.sku (retailer, sku, product_id, name, brand, size, texts_at, joined_by, joined_at)
SELECT 'coles', sku, n, name, brand, size, '2026-10-01', 'new', '2026-10-01' FROM range_of_the_store;
INSERT INTO core.sku_barcode (sku_key, gtin, together, first_seen_at, source, learned_at, refused_because, refused_at)
SELECT sku_key, lpad(sku_key::text, 14, '0'), lpad(sku_key::text, 14, '0'), '2026-10-01', 'coles_details', '2026-10-01',
       CASE WHEN sku_key % {contested} = 0 THEN 'size' END, CASE WHEN sku_key % {contested} = 0 THEN timestamptz '2026-10-01' END
  FROM core.sku WHERE sku_key % {none} > 0 AND sku_key % {unknown} > 0;
INSERT INTO ops.barcode_lookup (retailer, sku, queued_at, result, attempts, retry_at)
SELECT retailer, sku, '2026-10-01', 'none', 1, '2027-01-01' FROM core.sku WHERE sku_key % {none} = 0;
DROP TABLE range_of_the_store
"""

#: The bare join may use any plan, decides nothing and only returns the rows. Its SKUs go in as one parameter, as those of prefill.
_BARE_JOIN = """SELECT sku.sku, claim.gtin, sku.name, sku.brand, sku.size
  FROM core.sku AS sku JOIN core.sku_barcode AS claim USING (sku_key)
 WHERE sku.retailer = 'coles' AND sku.sku = ANY (%(skus)s)"""


def measure(scratch: Scratch, skus: int, asked: int, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure in a warehouse of ``skus`` SKUs, of which a store-day has ``asked``.

    Returns:
        Per measurement ``seconds``, those of its ``yardstick``, and their ``ratio``.
    """
    day = StoreDay("coles", 0, asked)
    lines = [msgspec.json.decode(line) for line in day.content().splitlines()]
    for line in lines:
        line["product"]["barcode"] = None
    with scratch.warehouse() as made:
        progress(f"prefilling: a warehouse of {skus:,} SKUs")
        _fill(made, skus, [line["product"] for line in lines])
        scratch.execute(psycopg.sql.SQL("VACUUM (ANALYZE)"), made.name)
        warehouse = Warehouse(made.url, settings())
        try:
            progress(f"prefilling: {asked:,} SKUs asked for")
            wanted = [line["product"]["sku"] for line in lines]
            known: dict[str, KnownBarcode] = {}
            with psycopg.connect(made.url) as connection:  # in turns, so that a machine that slows down slows both
                turns = [(_bare_join(connection, wanted), _query(warehouse, wanted, known)) for _ in range(_REPEATED)]
            bare, query = (statistics.median(seconds) for seconds in zip(*turns, strict=True))
        finally:
            warehouse.close()
        progress("prefilling: the file")
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        packed = gzip.compress(content, 6)
        rewritten, plain = _rewrite(made, day, packed, content, known), _median(lambda: _process(packed))
    return [
        _row(f"query of {asked:,} SKUs among {skus:,}, {len(known):,} known", query, "bare join", bare),
        _row(f"a store-day of {asked:,} lines rewritten", rewritten, "gunzip, parse, serialise, gzip", plain),
    ]


def _row(what: str, seconds: float, yardstick: str, yardstick_seconds: float) -> dict[str, Any]:
    return {
        "what": what,
        "seconds": seconds,
        "yardstick": yardstick,
        "yardstick_seconds": yardstick_seconds,
        "ratio": seconds / yardstick_seconds,
    }


def _fill(made: ScratchWarehouse, skus: int, products: list[dict[str, Any]]) -> None:
    with psycopg.connect(made.url) as connection:
        connection.execute("CREATE TABLE range_of_the_store (n integer, sku text, name text, brand text, size text)")
        with connection.cursor() as cursor, cursor.copy("COPY range_of_the_store FROM STDIN") as copy:
            for number, product in enumerate(products, 1):
                copy.write_row((number, product["sku"], product["name"], product["brand"], product["size"]))
        sizes = {"skus": skus, "asked": len(products), "contested": _CONTESTED, "none": _NONE, "unknown": _UNKNOWN}
        for text in _FILL.format(**sizes).split(";\n"):
            connection.execute(text.encode())


def _bare_join(connection: psycopg.Connection[Any], wanted: list[str]) -> float:
    return _seconds(lambda: connection.execute(_BARE_JOIN, {"skus": wanted}).fetchall())


def _query(warehouse: Warehouse, wanted: list[str], known: dict[str, KnownBarcode]) -> float:
    """Measure prefill's query with all that belongs to it: its transaction, the SKUs sent, and their answers as objects."""

    def once() -> None:
        with warehouse.transaction() as connection:
            known.update(find_known(connection, "coles", wanted))

    return _seconds(once)


def _rewrite(made: ScratchWarehouse, day: StoreDay, packed: bytes, content: bytes, known: dict[str, KnownBarcode]) -> float:
    storage, at = Storage(f"file://{made.root}"), day.at
    sha256 = hashlib.sha256(content).hexdigest()
    manifest = Manifest(
        retailer="coles", store_id=day.store_id, store_name="Store", state="VIC", night=day.on, run_key="bench", observed_at=at, last_observed_at=at,
        rows=day.lines, sha256=sha256, data=f"{day.on}--bench--{sha256[:16]}.jsonl.gz", complete=True,
    )  # fmt: skip

    def once() -> float:
        storage.write(manifest.data_path(Stage.BARCODE_INBOX), packed)
        storage.write(manifest.path(Stage.BARCODE_INBOX), msgspec.json.encode(manifest))
        loaded = load_manifest(storage, manifest.path(Stage.BARCODE_INBOX))
        started = time.perf_counter()
        move_to_outbox(storage, loaded, known)
        return time.perf_counter() - started

    return statistics.median(once() for _ in range(_REPEATED))


def _process(packed: bytes) -> None:
    """The yardstick of a rewritten file: each line parsed and serialised with the fastest library."""
    gzip.compress(b"".join(msgspec.json.encode(msgspec.json.decode(line)) + b"\n" for line in gzip.decompress(packed).splitlines()), 6)


def _median(do: Callable[[], Any]) -> float:
    return statistics.median(_seconds(do) for _ in range(_REPEATED))


def _seconds(do: Callable[[], Any]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
