"""Prefill: known barcodes are written into waiting files, everything else of a line is unchanged."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from include.enrichment.prefill import FileCounts, Prefill, prefill_waiting, preview_prefill
from include.ingestion import pipeline
from include.staging.manifest import Manifest
from include.staging.staged_file import load_manifest
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, StoreDays, gtin, offer

COLES: dict[str, Any] = {"retailer": "coles", "store_id": "COL:1"}


def staged(storage: Storage, stage: Stage) -> list[Manifest]:
    return [load_manifest(storage, path) for path in storage.manifests(stage)]


def lines_of(storage: Storage, manifest: Manifest, stage: Stage) -> list[bytes]:
    return gzip.decompress(storage.read(manifest.data_path(stage))).splitlines()


def publish(warehouse: Warehouse, storage: Storage, store_day: StoreDays, *lines: Any) -> None:
    store_day(at=TUESDAY, lines=list(lines), **COLES)
    pipeline.ingest(warehouse, storage, "coles")


def test_a_known_barcode_is_filled_and_the_file_moves_on(warehouse: Warehouse, storage: Storage, store_day: StoreDays):
    publish(warehouse, storage, store_day, offer(sku=7, barcode=gtin(7)))
    before = store_day(lines=[offer(sku=7), offer(sku=8)], stage=Stage.BARCODE_INBOX, **COLES)

    done = prefill_waiting(warehouse, storage, "coles")

    counts = FileCounts(lines=2, asked=2, filled=1, unknown=1)
    assert done == Prefill({f"COL:1|{before.night}": counts}, (f"coles|{before.night}",)) and done.counts == counts
    assert staged(storage, Stage.BARCODE_INBOX) == []
    (onward,) = staged(storage, Stage.OUTBOX)
    barcodes = [json.loads(line)["product"]["barcode"] for line in lines_of(storage, onward, Stage.OUTBOX)]
    assert barcodes == ["0" + gtin(7), None]
    assert (onward.run_key, onward.night, onward.observed_at, onward.complete) == (
        before.run_key,
        before.night,
        before.observed_at,
        before.complete,
    )


def test_the_remaining_line_is_unchanged(warehouse: Warehouse, storage: Storage, store_day: StoreDays):
    publish(warehouse, storage, store_day, offer(sku=7, barcode=gtin(7)))
    raw = b'{"product": {"sku": 7, "name": "N\xc3\xa4me", "price_current": 12.0, "price_was": 1.50e1, "odd": [1.10, {"x": null}]}, "metadata": {"company": "coles", "store_id": "COL:1"}}'
    damaged = b'{"product": '
    store_day(lines=[raw, damaged], stage=Stage.BARCODE_INBOX, **COLES)

    prefill_waiting(warehouse, storage, "coles")

    (onward,) = staged(storage, Stage.OUTBOX)
    filled, untouched = lines_of(storage, onward, Stage.OUTBOX)
    assert untouched == damaged
    assert b'"price_current":12.0' in filled and b'"price_was":1.50e1' in filled and b'"odd":[1.10, {"x": null}]' in filled
    assert json.loads(filled)["product"]["barcode"] == "0" + gtin(7)


def test_a_null_never_beats_a_barcode_and_a_given_one_stays(warehouse: Warehouse, storage: Storage, store_day: StoreDays):
    publish(warehouse, storage, store_day, offer(sku="7", barcode=gtin(7)))
    publish(warehouse, storage, store_day, offer(sku="7", barcode=None))
    store_day(lines=[offer(sku="7", barcode=gtin(9)), offer(sku=7, name="int instead of text")], stage=Stage.BARCODE_INBOX, **COLES)

    done = prefill_waiting(warehouse, storage, "coles")

    (onward,) = staged(storage, Stage.OUTBOX)
    assert [json.loads(line)["product"]["barcode"] for line in lines_of(storage, onward, Stage.OUTBOX)] == [gtin(9), "0" + gtin(7)]
    assert (done.counts.with_barcode, done.counts.asked, done.counts.filled) == (1, 1, 1)


def test_unknown_skus_are_queued_once(warehouse: Warehouse, storage: Storage, store_day: StoreDays):
    for at in (TUESDAY, "2026-11-18T04:30:00+11:00"):
        store_day(at=at, lines=[offer(sku="8"), offer(sku="9")], stage=Stage.BARCODE_INBOX, **COLES)
        prefill_waiting(warehouse, storage, "coles")
    with warehouse.transaction() as connection:
        assert [
            row["sku"] for row in connection.execute("SELECT sku FROM ops.barcode_lookup WHERE result IS NULL ORDER BY sku").fetchall()
        ] == ["8", "9"]


def test_a_kill_between_two_stages_duplicates_nothing(warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch):
    store_day(lines=[offer(sku="8", price=2)], stage=Stage.BARCODE_INBOX, **COLES)
    with monkeypatch.context() as patch:
        patch.setattr("include.enrichment.prefill.staged_file.remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            prefill_waiting(warehouse, storage, "coles")
    prefill_waiting(warehouse, storage, "coles")

    assert len(staged(storage, Stage.OUTBOX)) == 1
    assert staged(storage, Stage.BARCODE_INBOX) == []
    assert pipeline.ingest(warehouse, storage, "coles").published.created == 1


def test_an_empty_inbox_does_nothing(warehouse: Warehouse, storage: Storage):
    assert prefill_waiting(warehouse, storage, "coles") == Prefill()


def test_would_fill_counts_and_writes_nothing(warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path):
    publish(warehouse, storage, store_day, offer(sku="7", barcode=gtin(7)))
    file = store_day.file(tmp_path / "day.jsonl", [offer(sku="7"), offer(sku="8"), offer(sku="9", barcode=gtin(9))], **COLES)

    assert preview_prefill(warehouse, "coles", file) == FileCounts(lines=3, with_barcode=1, asked=2, filled=1, unknown=1)
    with warehouse.transaction() as connection:
        assert connection.execute("SELECT FROM ops.barcode_lookup").fetchall() == []


def prefilled(warehouse: Warehouse, storage: Storage, store_day: StoreDays, *lines: Any) -> tuple[list[Any], list[str]]:
    """Return the barcodes of the lines after a prefill, and the SKUs that wait for look-up."""
    store_day(at="2026-11-18T04:30:00+11:00", lines=list(lines), stage=Stage.BARCODE_INBOX, **COLES)
    prefill_waiting(warehouse, storage, "coles")
    (onward,) = staged(storage, Stage.OUTBOX)
    with warehouse.transaction() as connection:
        queued = [row["sku"] for row in connection.execute("SELECT sku FROM ops.barcode_lookup ORDER BY sku").fetchall()]
    return [json.loads(line)["product"]["barcode"] for line in lines_of(storage, onward, Stage.OUTBOX)], queued


def test_a_barcode_that_only_a_key_join_suggests_is_not_filled(warehouse: Warehouse, storage: Storage, store_day: StoreDays):
    tea: dict[str, Any] = {"name": "Zorbo Tea", "brand": "Zorbo", "size": "100g"}
    store_day(at=TUESDAY, lines=[offer(sku="i", barcode=gtin(7), **tea)], retailer="iga", store_id="2101")
    pipeline.ingest(warehouse, storage, "iga")
    publish(warehouse, storage, store_day, offer(sku="7", **tea))
    with warehouse.transaction() as connection:
        assert len(connection.execute("SELECT DISTINCT product_id FROM core.sku").fetchall()) == 1, "the key joined them"

    assert prefilled(warehouse, storage, store_day, offer(sku="7", **tea)) == ([None], ["7"])


def test_a_refused_barcode_is_not_filled(warehouse: Warehouse, storage: Storage, store_day: StoreDays):
    store_day(
        at="2026-11-16T04:30:00+11:00", lines=[offer(sku="i", name="Gum", size="14g", barcode=gtin(7))], retailer="iga", store_id="2101"
    )
    pipeline.ingest(warehouse, storage, "iga")
    publish(warehouse, storage, store_day, offer(sku="7", name="Gum", size="4x14g", barcode=gtin(7)))

    assert prefilled(warehouse, storage, store_day, offer(sku="7", name="Gum", size="4x14g")) == ([None], ["7"])


def test_a_line_about_another_good_gets_no_barcode_of_the_former(warehouse: Warehouse, storage: Storage, store_day: StoreDays):
    publish(warehouse, storage, store_day, offer(sku="7", name="Black Tea", brand="Zorbo", size="100g", barcode=gtin(7)))

    assert prefilled(warehouse, storage, store_day, offer(sku="7", name="Garden Hose", brand="Quux", size="15m"))[0] == [None]
