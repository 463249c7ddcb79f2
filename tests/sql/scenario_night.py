"""The flows around ingestion: discovery, plan, outcomes, prefill, the questions of a night."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime

from include.cli import night as night_command
from include.cli import night_run
from include.crawling import crawl_plan, discovery
from include.diagnostics import barcodes, ingest_summary, night
from include.enrichment.prefill import prefill_waiting
from include.errors import NeedsPersonError
from include.ingestion import pipeline
from include.ledger import quarantine
from include.model.store import StoreRecord, StoreRef
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.crawling.recorded_crawl import record_crawl
from tests.ingestion.store_days import StoreDays, gtin, offer

NIGHT = date(2026, 11, 18)


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Run the night."""
    stores = [
        StoreRecord(retailer="coles", store_id=f"COL:{number}", online_store_id=None, name=f"Coles {number}", state="VIC")
        for number in range(4)
    ]
    discovery.merge_found_stores(warehouse, "coles", stores)
    discovery.merge_found_stores(warehouse, "coles", stores[:3])
    discovery.list_stores(warehouse, "coles", "vic")
    crawl_plan.plan(warehouse, "coles", NIGHT)
    record_crawl(warehouse, StoreRef("coles", "COL:1"), NIGHT, datetime(2026, 11, 17, 17, tzinfo=UTC), rows=2, manifest=None)
    stage = StoreDays(storage)
    stage("coles", "COL:1", lines=[offer("1", barcode=gtin(1)), offer("2", -1)])
    pipeline.ingest(warehouse, storage, "coles")
    stage("coles", "COL:2", lines=[offer("1"), offer("3")], stage=Stage.BARCODE_INBOX)
    prefill_waiting(warehouse, storage, "coles")
    pipeline.ingest(warehouse, storage, "coles")
    night.summary(warehouse, NIGHT)
    barcodes.report_barcodes(warehouse)
    night.missing(warehouse, NIGHT)
    ingest_summary.summarise(warehouse, night=NIGHT)
    ingest_summary.list_files(warehouse, [1, 2])
    quarantine.list_refused_lines(warehouse)
    with contextlib.suppress(NeedsPersonError):
        night.raise_if_missing(warehouse, NIGHT)
    night_command._next_night(warehouse)
    assert night_run.undiscovered(warehouse, ["coles", "iga"]) == ["iga"]
    assert "coles" in night_run.count_stores(warehouse, NIGHT)
    night_run.waiting_retailers(warehouse, NIGHT)
