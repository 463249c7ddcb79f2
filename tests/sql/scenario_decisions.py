"""Decisions: questions about held store-days, refused lines released, checked again and pruned, a retraction."""

from __future__ import annotations

from datetime import timedelta

from include import clock
from include.alerts.held_question import held_question
from include.ingestion import deciding, pipeline
from include.ingestion.bring_back import bring_back
from include.ingestion.release_lines import recheck_lines, release_lines
from include.ingestion.retract import retract
from include.ledger import held, quarantine
from include.ledger.decisions import discard_lines
from include.staging import staged_file
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, offer, offers, overlapping


def newest(warehouse: Warehouse) -> int:
    """Return the file registered last: run twice, registering leaves gaps in the numbers."""
    with warehouse.transaction() as connection:
        row = connection.execute("SELECT max(file_id) AS file_id FROM ops.staged_file").fetchone()
    assert row is not None
    return int(row["file_id"])


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Run the decisions."""
    stage = StoreDays(storage)
    warehouse.settings = warehouse.settings.model_copy(update={"hold_scale_share": 0.3, "change_log": True})
    stage(at=TUESDAY, lines=[*offers(40, price=2.5), offer("90", 3.0, name="Tin")])
    pipeline.ingest(warehouse, storage, "aldi")
    stage(
        at=WEDNESDAY, lines=[*offers(40, price=2.5), *(offer(str(90 + n), 4.0 + n, name="Donation Tin") for n in range(3)), offer("99", -1)]
    )
    pipeline.ingest(warehouse, storage, "aldi")
    second = newest(warehouse)
    release_lines(warehouse, storage, second, "ann", "it is a tin", lines=[41])
    discard_lines(warehouse, second, "ann", "no price", rule_id="price_not_positive")
    with warehouse.transaction() as connection:
        connection.execute("UPDATE ops.quarantined_offer SET reasons = '{not_json}' WHERE line_number = 43")
    deciding.recheck(warehouse, storage, "ann")

    def all_pass(connection: object, file_ids: object) -> None:
        """A catalogue without rules."""

    recheck_lines(warehouse, storage, second, all_pass, "0", "ann")
    quarantine.list_refused_lines(warehouse)

    stage(at="2026-11-18T06:00:00+11:00", lines=offers(40, price=250))
    pipeline.ingest(warehouse, storage, "aldi")
    third = newest(warehouse)
    held.claim(warehouse, ["aldi"], "run-1")
    held_question(warehouse, [third])
    quarantine.batch_of(warehouse, third)
    held.decide_question(warehouse, storage, [third], "release", "ann", "it is right", "Airflow")
    deciding.publish_released(warehouse, storage, "aldi")

    take_back(warehouse, storage)
    bring_back(warehouse, storage, newest(warehouse), "ann", "the whole store after all")
    pipeline.ingest(warehouse, storage, "aldi")
    take_back_overlapping(warehouse, storage)
    with warehouse.transaction() as connection:
        connection.run("ledger/prune_decided", {"decided_before": clock.now() + timedelta(days=1)})


def take_back_overlapping(warehouse: Warehouse, storage: Storage) -> None:
    """Take back a store-day that overlaps others in time, and kept lines of one out."""
    for number, (at, lines, complete) in enumerate(overlapping(6)):
        StoreDays(storage)(store_id="G6", at=at, lines=lines, complete=complete)
        pipeline.ingest(warehouse, storage, "aldi")
        if number == 1:
            second = newest(warehouse)
    retract(warehouse, storage, "aldi", "G6", second, "ann", "test system")


def take_back(warehouse: Warehouse, storage: Storage) -> None:
    """Take store-days back: with their predecessors in the archive, and without."""
    stage = StoreDays(storage)
    stage(store_id="G5", at=TUESDAY, lines=[*offers(6), offer("7", 7.0), offer("8", 8.0)])
    pipeline.ingest(warehouse, storage, "aldi")
    stage(store_id="G5", at=WEDNESDAY, lines=[*offers(5), offer("6", 60.0), offer("7", -1), offer("100", 1.0)])
    pipeline.ingest(warehouse, storage, "aldi")
    retract(warehouse, storage, "aldi", "G5", newest(warehouse), "ann", "test system")

    stage(store_id="G5", at="2026-11-18T06:00:00+11:00", lines=offers(4))
    pipeline.ingest(warehouse, storage, "aldi")
    last = newest(warehouse)
    for path in list(storage.manifests(Stage.ARCHIVE, "aldi")):
        manifest = staged_file.load_manifest(storage, path)
        if manifest.store_id == "G5" and manifest.observed_at.hour == 17 and manifest.night.day == 17:
            staged_file.remove(storage, manifest, Stage.ARCHIVE)
    retract(warehouse, storage, "aldi", "G5", last, "ann", "half a store")
