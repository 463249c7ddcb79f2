"""The queue of barcode look-ups: queued, ranked, claimed by two workers, answered, returned; what was found is learned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from include import clock
from include.catalogue.resolve import FoundBarcode
from include.crawling.limiter import InProcessRequestLimiter
from include.enrichment.lookup_budget import BudgetedLimiter, BudgetSpent
from include.enrichment.lookup_queue import Answer, LookupQueue
from include.enrichment.prefill import prefill_waiting
from include.ingestion import pipeline
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, gtin, offer

NIGHT = date(2026, 11, 18)
AT = datetime(2026, 11, 17, 18, tzinfo=UTC)


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Run the look-ups of a night."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "system_now", lambda: AT)
        _look_up(warehouse, storage)


def _look_up(warehouse: Warehouse, storage: Storage) -> None:
    stage = StoreDays(storage)
    stage(
        "iga", "2101", lines=[offer("i", name="Tea", size="100 g", barcode=gtin(1)), offer("k", name="Gum", size="14 g", barcode=gtin(2))]
    )
    pipeline.ingest(warehouse, storage, "iga")
    texts = {"1": ("Tea", "100 g"), "2": ("Gum", "150 g"), **{str(number): (f"Good {number}", None) for number in range(3, 9)}}
    for store_id in ("COL:1", "COL:2"):
        skus = list(texts) if store_id == "COL:2" else ["1", "2"]
        stage("coles", store_id, lines=[offer(sku, name=texts[sku][0], size=texts[sku][1]) for sku in skus], stage=Stage.BARCODE_INBOX)
    prefill_waiting(warehouse, storage, "coles")
    pipeline.ingest(warehouse, storage, "coles")
    queue = LookupQueue(warehouse, "coles", NIGHT)
    queue.rank()
    limiter = BudgetedLimiter(InProcessRequestLimiter(), warehouse, "coles", NIGHT, 2)
    for _ in range(2):
        with limiter.acquire(0):
            pass
    with pytest.raises(BudgetSpent), limiter.acquire(0):
        pass
    first, second = queue.claim("a#1", 3), queue.claim("b#1", 3)
    assert first and second and not first.texts.keys() & second.texts.keys()
    answers = {
        "1": Answer("1", "found", "coles_details", found=FoundBarcode("1", ("0" + gtin(1),), ("Tea", None, "100 g"), AT, "coles_details")),
        "2": Answer("2", "found", "coles_details", found=FoundBarcode("2", ("0" + gtin(2),), ("Gum", None, "150 g"), AT, "coles_details")),
    }
    queue.record(first, "COL:2", AT, [answers.get(sku) or Answer(sku, "none", "coles_details") for sku in first.texts])
    queue.record(second, "COL:2", AT, [Answer(sku, "unknown_id", "coles_product") for sku in second.texts])
    third = queue.claim("a#2", 3)
    assert third and len(third.texts) == 2
    queue.release("a")
    queue.rank()
    stage("coles", "COL:2", lines=[offer(sku, name=texts[sku][0], size=texts[sku][1]) for sku in texts], stage=Stage.BARCODE_INBOX)
    prefill_waiting(warehouse, storage, "coles")
    assert queue.night().asked == 6
    assert AT + timedelta(hours=1) > AT
