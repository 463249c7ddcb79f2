"""Two nights with something of everything, for tests that ask what survives."""

from __future__ import annotations

import gzip

from include.staging.storage import Stage, Storage
from tests.ingestion.store_days import TUESDAY, Line, StoreDays, gtin, offer, offers

MONDAY = "2026-11-16T04:30:00+11:00"


def tuesday(storage: Storage) -> None:
    """What stands in the warehouse before the night of the kill."""
    StoreDays(storage)(at=TUESDAY, lines=[*offers(6), offer("20", 2.0, name="Zorbo Tea", brand="Zorbo", size="100 g")])
    StoreDays(storage)("coles", "C1", at=TUESDAY, lines=[offer("c", name="Leaves", barcode=gtin(1))])


def wednesday(storage: Storage) -> None:
    """A night with something of everything: doubles, refusals, unavailable, learnt barcodes, conflicts, an old file, an unreadable one."""
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
    ]
    stage(
        lines=[
            *lines,
            offer("20", 2.0, name="Zorbo Tea", brand="Zorbo", size="100 g", barcode=gtin(4)),
            offer("21", 3.0, name="Zorbo Tea", brand="Zorbo", size="100 g", barcode=gtin(5)),
        ]
    )
    stage(store_id="G2", lines=[offer("1", 9.0), offer("9", 1.0, name="Tea, Zorbo", brand="Zorbo", size="100 g")], complete=None)
    stage(at=MONDAY, lines=[offer("1", 5.0), offer("30", 5.0)])
    damaged = stage(store_id="G3", lines=offers(5))
    storage.write(damaged.data_path(Stage.OUTBOX), gzip.compress(b"x" * 5000)[:-20])
