"""Two nights with something of everything, for tests that ask what survives."""

from __future__ import annotations

import gzip

from include.ingestion import pipeline, release_lines, retract
from include.ledger.decisions import decide_files, discard_lines
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.conftest import RELAXED
from tests.ingestion.store_days import TUESDAY, Line, StoreDays, gtin, offer, offers

#: Only a store-day of almost only refused lines is held.
LIMITS = RELAXED | {"hold_quarantined_share": 0.7}
MONDAY = "2026-11-16T04:30:00+11:00"


def tuesday(storage: Storage) -> None:
    """Fill the warehouse before the night of the kill."""
    StoreDays(storage)(at=TUESDAY, lines=[*offers(6), offer("20", 2.0, name="Zorbo Tea", brand="Zorbo", size="100 g")])
    StoreDays(storage)("coles", "COL:1", at=TUESDAY, lines=[offer("c", name="Leaves", barcode=gtin(1))])


def wednesday(storage: Storage) -> None:
    """A night with all kinds of data: duplicates, refusals, unavailable, learned barcodes, conflicts, an old file, an unreadable one."""
    stage = StoreDays(storage)
    lines: list[Line] = [
        offer("1"),
        offer("2", 2.0),
        offer("2", 2.0),
        offer("3", None),
        offer("4", -1),
        b"{",
        offer("5", barcode=gtin(1)),
        offer("7", barcode=f"{gtin(2)},{gtin(3)}"),
        offer("8", barcode=gtin(3)),
        offer("40", 3.0, price_was=2.0, is_on_special=True),
    ]
    stage(
        lines=[
            *lines,
            offer("20", 2.0, name="Zorbo Tea", brand="Zorbo", size="100 g", barcode=gtin(4)),
            offer("21", 3.0, name="Zorbo Tea", brand="Zorbo", size="100 g", barcode=gtin(5)),
            offer("22", 9.0, name="Zorbo Tea", brand="Zorbo", size="500 g", barcode=gtin(4)),  # of another size: refused
        ]
    )
    stage(store_id="G2", lines=[offer("1", 9.0), offer("9", 1.0, name="Tea, Zorbo", brand="Zorbo", size="100 g")], complete=None)
    stage(at=MONDAY, lines=[offer("1", 5.0), offer("30", 5.0)])
    damaged = stage(store_id="G3", lines=offers(5))
    storage.write(damaged.data_path(Stage.OUTBOX), gzip.compress(b"x" * 5000)[:-20])
    stage(store_id="G4", lines=[offer("50", 5.0), *[offer(str(sku), -1) for sku in range(51, 55)]])


def decide(warehouse: Warehouse, storage: Storage, retailer: str = "aldi") -> None:
    """Make the decisions of the morning after; repeatable, made decisions are skipped."""
    with warehouse.transaction() as connection:
        found = connection.execute(
            "SELECT file_id, store_id, state FROM ops.staged_file WHERE retailer = %s AND night = '2026-11-18' ORDER BY store_id",
            (retailer,),
        ).fetchall()
    files = {row["store_id"]: row for row in found}
    if files["G4"]["state"] == "held":
        decide_files(warehouse, storage, [files["G4"]["file_id"]], "release", "Ada", "the shop sells little", "command line")
    pipeline.ingest(warehouse, storage, retailer)
    release_lines.release_lines(warehouse, storage, files["G1"]["file_id"], "Ada", "seen in the shop", rule_id="was_price_not_above")
    discard_lines(warehouse, files["G1"]["file_id"], "Ada", "a gift", rule_id="price_not_positive")
    if files["G3"]["state"] == "refused":
        decide_files(warehouse, storage, [files["G3"]["file_id"]], "discard", "Ada", "the disk was full", "command line")
    retract.retract(warehouse, storage, retailer, "G2", files["G2"]["file_id"], "Ada", "the prices of another shop")
