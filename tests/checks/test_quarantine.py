"""Held store-days and refused files are released or discarded, and the ledger keeps the user and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import NeedsPersonError, TerminalError
from include.ingestion import pipeline
from include.ingestion.importing import import_file
from include.ledger import quarantine
from include.ledger.decisions import decide_files
from include.ledger.open_questions import raise_if_undecided
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, offers
from tests.warehouse.looking import one, rows

NIGHT = "2026-11-18"


@pytest.fixture
def held(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> int:
    """File id of a store-day whose prices all changed by a factor of 100."""
    store_day(at=TUESDAY, lines=offers(40, price=2.5))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(at=WEDNESDAY, lines=offers(40, price=250))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    return int(one(strict_warehouse, "SELECT file_id FROM ops.staged_file WHERE state = 'held'"))


def test_a_held_store_day_publishes_nothing_and_is_listed_with_its_reason(strict_warehouse: Warehouse, held: int) -> None:
    (listed,) = quarantine.list_undecided(strict_warehouse)
    assert listed["file_id"] == held and "price_scale" in listed["state_reason"] and "40 of 40 known prices" in listed["state_reason"]
    assert one(strict_warehouse, "SELECT DISTINCT price_cents FROM core.price") == 250
    with pytest.raises(NeedsPersonError, match=f"file {held}, aldi G1, 40 lines, held: price_scale"):
        raise_if_undecided(strict_warehouse, ["aldi"], NIGHT)


def test_a_released_store_day_is_published_with_who_and_why(strict_warehouse: Warehouse, storage: Storage, held: int) -> None:
    assert decide_files(strict_warehouse, storage, [held], "release", "ann", "the currency was reformed", "command line").retailers == [
        "aldi"
    ]
    pipeline.ingest(strict_warehouse, storage, "aldi")

    file = quarantine.show(strict_warehouse, held)["file"]
    assert (file["state"], file["updated"], file["decided_by"], file["decision_reason"]) == (
        "published",
        40,
        "ann",
        "the currency was reformed",
    )
    assert one(strict_warehouse, "SELECT DISTINCT price_cents FROM core.price") == 25_000
    raise_if_undecided(strict_warehouse, ["aldi"], NIGHT)


def test_a_release_survives_a_crash_of_the_server(strict_warehouse: Warehouse, storage: Storage, held: int) -> None:
    decide_files(strict_warehouse, storage, [held], "release", "ann", "it is right", "command line")
    with strict_warehouse.transaction() as connection:
        connection.execute("TRUNCATE staging.offer, staging.loaded_file")
    pipeline.ingest(strict_warehouse, storage, "aldi")
    assert one(strict_warehouse, "SELECT state FROM ops.staged_file WHERE file_id = %s", held) == "published"


def test_a_discarded_store_day_is_never_published_and_never_lost(strict_warehouse: Warehouse, storage: Storage, held: int) -> None:
    decide_files(strict_warehouse, storage, [held], "discard", "bob", "cents read as dollars", "command line")
    pipeline.ingest(strict_warehouse, storage, "aldi")

    assert quarantine.list_undecided(strict_warehouse) == []
    assert one(strict_warehouse, "SELECT state FROM ops.staged_file WHERE file_id = %s", held) == "discarded"
    assert len(list(storage.manifests(Stage.REFUSED))) == 1 and list(storage.manifests(Stage.OUTBOX)) == []
    assert one(strict_warehouse, "SELECT DISTINCT price_cents FROM core.price") == 250
    raise_if_undecided(strict_warehouse, ["aldi"], NIGHT)


def test_a_refused_file_is_listed_until_it_is_acknowledged(warehouse: Warehouse, storage: Storage, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(b"\x1f\x8bno gzip")
    import_file(warehouse, storage, broken)
    (listed,) = quarantine.list_undecided(warehouse)
    assert listed["state"] == "refused"

    decide_files(warehouse, storage, [listed["file_id"]], "discard", "bob", "sent again", "command line")

    assert quarantine.list_undecided(warehouse) == []
    assert rows(warehouse, "SELECT state, decision_reason FROM ops.staged_file") == [
        {"state": "discarded", "decision_reason": "sent again"}
    ]


def test_a_decision_needs_a_reason_and_something_to_decide(strict_warehouse: Warehouse, storage: Storage, held: int) -> None:
    with pytest.raises(TerminalError, match="a decision needs a reason"):
        decide_files(strict_warehouse, storage, [held], "release", "ann", "  ", "command line")
    with pytest.raises(TerminalError, match="no file 999 in the ledger"):
        decide_files(strict_warehouse, storage, [999], "release", "ann", "why not", "command line")
    decide_files(strict_warehouse, storage, [held], "discard", "ann", "no", "command line")
    with pytest.raises(TerminalError, match="is discarded, not held: there is nothing to decide"):
        decide_files(strict_warehouse, storage, [held], "release", "ann", "yes after all", "command line")
