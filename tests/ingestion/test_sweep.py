"""The sweep: files that wait too long in outbox and barcode inbox, damaged ones among them, and the archive's retention."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.enrichment.prefill import prefill_waiting
from include.ingestion import pipeline
from include.ingestion.sweep import overdue_in_inbox, prune_archive, sweep
from include.ledger.registering import list_unregistered
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, offers
from tests.warehouse.looking import cents, one, rows

NIGHT = "coles|2026-11-18"


@pytest.fixture
def impatient(warehouse: Warehouse) -> Warehouse:
    """A warehouse whose files are overdue at once."""
    warehouse.settings = warehouse.settings.model_copy(update={"sweep_after_minutes": 0})
    return warehouse


def test_the_barcode_inbox_is_swept(impatient: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day("coles", lines=offers(3), stage=Stage.BARCODE_INBOX)  # its event was lost, or enrich_barcodes is paused
    assert len(overdue_in_inbox(impatient, storage)) == 1
    assert list(sweep(impatient, storage)) == [NIGHT] and not overdue_in_inbox(impatient, storage)
    pipeline.ingest(impatient, storage, "coles")
    assert len(cents(impatient, "COL:1", "coles")) == 3
    assert sweep(impatient, storage) == {}


def test_a_file_that_has_just_come_waits_for_its_event(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day("coles", lines=offers(3), stage=Stage.BARCODE_INBOX)
    assert sweep(warehouse, storage) == {} and storage.exists(manifest.path(Stage.BARCODE_INBOX))


@pytest.mark.parametrize("damage", ["manifest", "data", "no data"])
def test_a_damaged_file_in_the_inbox_stops_no_other(impatient: Warehouse, storage: Storage, store_day: StoreDays, damage: str) -> None:
    bad = store_day("coles", "COL:1", lines=offers(200), stage=Stage.BARCODE_INBOX)
    store_day("coles", "COL:2", lines=offers(3), stage=Stage.BARCODE_INBOX)
    if damage == "manifest":
        storage.write(bad.path(Stage.BARCODE_INBOX), b"{")
    elif damage == "data":
        storage.write(bad.data_path(Stage.BARCODE_INBOX), storage.read(bad.data_path(Stage.BARCODE_INBOX))[:-20])
    else:
        storage.remove(bad.data_path(Stage.BARCODE_INBOX))
    prefill_waiting(impatient, storage, "coles")
    pipeline.ingest(impatient, storage, "coles")
    assert len(cents(impatient, "COL:2", "coles")) == 3 and not list(storage.manifests(Stage.BARCODE_INBOX))
    states = {row["store_id"]: row["state"] for row in rows(impatient, "SELECT store_id, state FROM ops.staged_file")}
    assert states == {"COL:1": "refused", "COL:2": "published"}


def test_what_the_ledger_does_not_know_is_counted(impatient: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    known = store_day(lines=offers(3))
    assert list_unregistered(impatient, storage) == [known.path(Stage.OUTBOX)]
    pipeline.load(impatient, storage, "aldi")
    assert list_unregistered(impatient, storage) == []
    strange = ["outbox/tesco/1/2026-11-18--r--0.manifest.json", "outbox/x.manifest.json"]
    for path in strange:
        storage.write(path, b"{}")
    assert list_unregistered(impatient, storage) == strange
    other = store_day("iga", lines=offers(3)).path(Stage.OUTBOX)
    assert list_unregistered(impatient, storage, ["aldi"]) == strange, "another retailer's backlog is not this one's"
    assert list_unregistered(impatient, storage) == sorted([other, *strange])


def test_a_damaged_manifest_does_not_stop_pruning(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = store_day(store_id="G1", lines=offers(3)), store_day(store_id="G2", lines=offers(3))
    pipeline.ingest(warehouse, storage, "aldi")
    storage.write(first.path(Stage.ARCHIVE), b"{")
    monkeypatch.setenv("AISLEFLOW_NOW", "2027-01-18T09:00:00+00:00")
    assert prune_archive(warehouse, storage) == 2
    assert not [path for path in Path(storage.full("archive")).rglob("*") if path.is_file()]
    assert one(warehouse, "SELECT count(*) FROM ops.staged_file") == 2 and second.store_id == "G2"
