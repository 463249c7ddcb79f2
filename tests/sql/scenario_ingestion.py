"""Nights that lead through every statement of loading, checking, resolving, publishing and the ledger."""

from __future__ import annotations

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.rich_nights import tuesday, wednesday
from tests.ingestion.store_days import WEDNESDAY, StoreDays, gtin, offer, offers


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Run the nights."""
    tuesday(storage)
    for retailer in ("coles", "aldi"):
        pipeline.ingest(warehouse, storage, retailer)
    wednesday(storage)
    stage = StoreDays(storage)
    stage(
        "coles",
        "COL:1",
        lines=[
            offer("c", name="Leaves", barcode=gtin(1)),
            offer("d", name="Zorbo Tea", brand="Zorbo", size="100 g", barcode=f"{gtin(4)},{gtin(6)}"),
        ],
    )
    stage(
        "iga",
        "2101",
        lines=[
            *offers(30, price=2.0),
            offer("t", name="Coles Tea", brand="Coles"),
            offer("u", name="Tea", brand="Zorbo"),
            offer("v", name="Tea", brand="Zorbo"),
        ],
    )
    stage("coles", "COL:9", lines=[offer("e")], run_key="same")
    pipeline.load(warehouse, storage, "coles")
    stage("coles", "COL:9", lines=[offer("e", 2.0)], run_key="same")  # a re-run before the first was published
    for retailer in ("coles", "iga", "aldi"):
        pipeline.ingest(warehouse, storage, retailer)
    stage(
        "iga",
        "2101",
        at="2026-11-18T05:00:00+11:00",
        lines=[
            *offers(20, price=2.0),
            *offers(5, price=200.0, start=21),
            offer("u", name="Tea", brand="Zorbo", barcode=gtin(7)),
            offer("v", -1),
        ],
    )
    # C9 keeps quiet about "e" and learns nothing new: an unchanged and a delisting night
    stage("coles", "COL:9", at="2026-11-18T05:00:00+11:00", lines=[offer("x", name="Renamed", barcode=gtin(8))])
    stage(
        "coles",
        "COL:1",
        at="2026-11-18T05:00:00+11:00",
        lines=[offer("c", name="Leaves, renamed", barcode=f"{gtin(1)},{gtin(9)}"), offer("d", None, name="Zorbo Tea")],
    )
    stage(
        "woolworths",
        "1",
        at=WEDNESDAY,
        lines=[offer("w", name="Zorbo Tea", brand="Zorbo", size="100 g"), offer("w2", name="Coles Tea", brand="Coles")],
    )
    for retailer in ("iga", "coles", "woolworths"):
        pipeline.ingest(warehouse, storage, retailer)
    stage("aldi", "G1", at="2026-11-18T06:00:00+11:00", lines=[offer("1"), offer("21", 3.0, name="Zorbo Tea", brand="Zorbo", size="100 g")])
    stage(
        "woolworths",
        "1",
        at="2026-11-18T06:00:00+11:00",
        lines=[offer("w", name="Zorbo Tea", barcode=gtin(5)), offer("w2", name="Coles Tea", brand="Coles", barcode=gtin(7))],
    )
    for retailer in ("aldi", "woolworths"):
        pipeline.ingest(warehouse, storage, retailer)
