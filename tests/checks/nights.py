"""Nights of a whole retailer for drills: the generated world's shelves as lines, staged, loaded and checked."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from include.wording.barcode import read_barcodes
from sandbox.generated import GeneratedWorld, WorldSize
from tests.ingestion.store_days import StoreDays, offer
from tests.warehouse.looking import rows

WORLD = GeneratedWorld(18, WorldSize(stores=4, products=500))
STATES = ("VIC", "NSW", "QLD", "TAS")

#: Store → its lines.
Night = dict[str, list[dict[str, Any]]]


def instant(night: date, state: str = "VIC") -> str:
    """Return half past four in the morning of a night, as a store's own clock shows it."""
    zones = {"QLD": "Australia/Brisbane"}
    return datetime.combine(night, time(4, 30), ZoneInfo(zones.get(state, "Australia/Melbourne"))).isoformat()


def night_of(retailer: str, night: date) -> Night:
    """Return the lines of all stores with a shelf, as a crawl would stage them."""
    shelves: Night = {}
    for store in WORLD.stores(retailer):
        if store.has_shelf:
            shelf = WORLD.shelf(retailer, store.store_id, datetime.fromisoformat(instant(night)))
            shelves[store.store_id] = [line_of(found) for found in shelf.offers()]
    return shelves


def line_of(found: Any) -> dict[str, Any]:
    def dollars(cents: int | None) -> float | None:
        return None if cents is None else cents / 100

    # in-store codes are dropped with a warning on any night; here every broken rule must come from the test
    barcode = found.barcode if found.barcode and read_barcodes(found.barcode).note is None else None
    return offer(
        found.sku, dollars(found.price_cents), name=found.label, brand=found.brand_label, size=found.pack, barcode=barcode,
        price_was=dollars(found.was_price_cents), is_on_special=found.is_on_special, category_path=list(found.category_paths[0]),
        per_unit_price_string="$1.00 per 100g",
    )  # fmt: skip


def stage(storage: Storage, retailer: str, night: date, stores: Night, **manifest: Any) -> None:
    """Stage one night's store-days."""
    store_days = StoreDays(storage)
    for (store_id, lines), state in zip(sorted(stores.items()), STATES, strict=True):
        store_days(retailer, store_id, instant(night, state), deepcopy(lines), state=state, night=night, **manifest)


def failed(warehouse: Warehouse, night: date) -> dict[str, set[str]]:
    """Return the rules that found something in a night's store-days: rule → its stores."""
    found: dict[str, set[str]] = {}
    for row in rows(warehouse, "SELECT rule_id, store_id FROM ops.quality_result WHERE NOT is_passed AND night = %s", night):
        found.setdefault(row["rule_id"], set()).add(row["store_id"])
    return found


def held(warehouse: Warehouse, night: date) -> set[str]:
    """Return the stores whose store-day of a night is held."""
    return {row["store_id"] for row in rows(warehouse, "SELECT store_id FROM ops.staged_file WHERE state = 'held' AND night = %s", night)}


def check(warehouse: Warehouse, storage: Storage, retailer: str) -> None:
    """Load and check what waits, and publish nothing."""
    pipeline.load(warehouse, storage, retailer)
    pipeline.check(warehouse, storage, retailer)


def forget(warehouse: Warehouse, night: date) -> None:
    """Undo a check of a night, so that the next drill starts from the same warehouse."""
    with warehouse.transaction() as connection:
        files = "(SELECT file_id FROM ops.staged_file WHERE night = %s AND published_at IS NULL)"
        for table in ("ops.data_quality_result", "ops.renumbered_sku", "staging.offer", "staging.loaded_file"):
            connection.execute(f"DELETE FROM {table} WHERE file_id IN {files}", (night,))
        connection.execute("DELETE FROM ops.staged_file WHERE night = %s AND published_at IS NULL", (night,))
