"""Prices for other programs: whole, and what changed since."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from include.catalogue.matching.warehouse import score_changed
from include.diagnostics.coverage import summarise_coverage
from include.diagnostics.duplicates import find_duplicates
from include.diagnostics.inspect_file import inspect_file
from include.diagnostics.inspect_product import inspect_product
from include.diagnostics.inspect_store import inspect_store
from include.errors import TerminalError
from include.ingestion import pipeline
from include.readers.export import export_prices
from include.readers.published import last_complete, stream_prices
from include.readers.search import search_prices
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, offers


def look(warehouse: Warehouse) -> None:
    """Search prices, around a place too, and count what is known."""
    search_prices(warehouse, "milk 1l", state="VIC", near="aldi:G1")
    search_prices(warehouse, "good")
    summarise_coverage(warehouse)
    with warehouse.transaction() as connection:
        score_changed(connection, None)
        known = connection.execute(
            "SELECT price.file_id, sku.product_id, store.retailer, store.store_id FROM core.price JOIN core.sku USING (sku_key) JOIN core.store USING (store_key) "
            "ORDER BY price.changed_at DESC, price.sku_key LIMIT 1"
        ).fetchone()
    assert known is not None
    inspect_product(warehouse, str(known["product_id"]))
    with suppress(TerminalError):
        inspect_product(warehouse, "Good")
    inspect_store(warehouse, known["retailer"], known["store_id"])
    inspect_file(warehouse, str(known["file_id"]))
    find_duplicates(warehouse, 10)


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Publish, and export in both formats."""
    StoreDays(storage)(lines=offers(3))
    pipeline.ingest(warehouse, storage, "aldi")
    look(warehouse)
    with tempfile.TemporaryDirectory() as folder:
        whole = export_prices(warehouse, str(Path(folder) / "prices.csv"))
        last_complete(warehouse)
        list(stream_prices(warehouse))
        with warehouse.transaction() as connection:  # streamed above through a cursor of the server's
            connection.run("export/list_prices")
        export_prices(warehouse, str(Path(folder) / "prices.parquet"), retailer="aldi", since=whole.cursor.isoformat())
