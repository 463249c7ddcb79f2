"""The ledger: waiting and rejected files, and the queries of commands."""

from __future__ import annotations

import contextlib

from include.cli.through_airflow import _count_undecided
from include.errors import NeedsPersonError
from include.ingestion import pipeline
from include.ingestion.isolation.rejected import RejectedByDatabase
from include.ingestion.sweep import waiting_files
from include.ledger import files, held, quarantine
from include.ledger.open_questions import raise_if_undecided
from include.ledger.registering import list_unregistered
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, offer, offers


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Ingest while manually added constraints reject lines, hold a store-day, and query the ledger."""
    stage = StoreDays(storage)
    stage(store_id="G1", at=TUESDAY, lines=[*offers(3), offer("9", -1)])
    stage(store_id="G2", at=TUESDAY, lines=[*offers(3), offer("7", 7.0, name="Rejected Tin")])
    for constraint in (
        "core.product ADD CONSTRAINT by_hand CHECK (name <> 'Rejected Tin')",
        "core.price ADD CONSTRAINT by_hand CHECK (price_cents <> 700)",
    ):
        with warehouse.transaction() as connection:
            connection.execute(f"ALTER TABLE {constraint}")
        with contextlib.suppress(RejectedByDatabase):
            pipeline.ingest(warehouse, storage, "aldi")
        with warehouse.transaction() as connection:
            connection.execute(f"ALTER TABLE {constraint.split(' ADD ')[0]} DROP CONSTRAINT by_hand")
    pipeline.ingest(warehouse, storage, "aldi")

    warehouse.settings = warehouse.settings.model_copy(update={"hold_row_count_share": 0.9})
    stage(store_id="G1", at=WEDNESDAY, lines=offers(1))
    pipeline.ingest(warehouse, storage, "aldi")
    waiting = quarantine.list_undecided(warehouse)
    for file in waiting:
        quarantine.show(warehouse, file["file_id"])
        _count_undecided(warehouse, [file["file_id"]])
    with contextlib.suppress(NeedsPersonError):
        raise_if_undecided(warehouse, ["aldi"], "2026-11-18")
    held.list_unclaimed(warehouse, ["aldi"])
    held.still_held(warehouse, [file["file_id"] for file in waiting])
    held.list_released_unpublished(warehouse, [file["file_id"] for file in waiting])
    files.list_store(warehouse, "aldi", "G1")
    waiting_files(warehouse, storage)
    list_unregistered(warehouse, storage)
    with warehouse.transaction() as connection:
        connection.run("ledger/list_nights", {"file_ids": [file["file_id"] for file in waiting]})
