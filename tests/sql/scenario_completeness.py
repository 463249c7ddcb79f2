"""Store-days without a manifest that arrive late: one is no longer complete, one is complete now; and renumbered SKUs."""

from __future__ import annotations

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, offer, offers


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Run the imports."""
    stage = StoreDays(storage)
    warehouse.settings = warehouse.settings.model_copy(update={"change_log": True, "hold_renumbered_share": 0.1})

    def arrive(store_id: str, day: int, count: int) -> None:
        lines = [*offers(count), offer("refused", -1)]
        stage(store_id=store_id, at=f"2026-11-{day}T04:30:00+11:00", lines=lines, complete=None)
        pipeline.ingest(warehouse, storage, "aldi")

    arrive("G1", 12, 20)  # no other store-day: incomplete
    arrive("G1", 13, 18)
    arrive("G2", 12, 18)  # complete by the median of the others
    arrive("G2", 11, 17)  # older than that: none of its prices is published
    arrive("G2", 10, 30)  # so G2's 18 are incomplete, and its 17 are published
    with warehouse.transaction() as connection:
        verdicts = connection.execute("SELECT DISTINCT is_complete FROM ops.staged_file").fetchall()
        states = connection.execute("SELECT DISTINCT state FROM ops.staged_file").fetchall()
    assert len(verdicts) == 2 and [row["state"] for row in states] == ["published"]
    stage(store_id="G1", at="2026-11-15T04:30:00+11:00", lines=[offer(f"N{number}", name=f"Thing {number}") for number in range(1, 19)])
    pipeline.ingest(warehouse, storage, "aldi")
