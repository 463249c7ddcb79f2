"""Store groups: made, checked, merged, split and pinned by hand."""

from __future__ import annotations

from datetime import timedelta

from include.groups import changes, hand
from include.groups.maintenance import check_health, compare, list_unseen, merge
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.groups.conftest import SMALL, confirm, publish_stores

OTHER = {str(number): 2.0 for number in range(1, 20)}


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Run some passes."""
    warehouse.settings = warehouse.settings.model_copy(update=SMALL)
    confirm(warehouse, ["G1", "G2", "G3", "G4", "G5"])
    publish_stores(warehouse, storage, {"G1": {}, "G2": {"7": 1.5}, "G3": {}, "G4": OTHER, "G5": {}}, at="2026-11-18T04:30:00+11:00")
    run_pass(warehouse, storage)
    publish_stores(warehouse, storage, {"G2": OTHER, "G3": {}}, at="2026-11-18T05:30:00+11:00")
    list_unseen(warehouse, timedelta(0))
    run_pass(warehouse, storage)
    hand.pin_store(warehouse, "aldi", "G3", "ann", "a test")
    hand.split_store(warehouse, "aldi", "G1", "ann", "a market of its own")
    hand.list_groups(warehouse, "aldi", 2)
    hand.list_history(warehouse, "aldi", "G3")
    hand.reset(warehouse, storage, "aldi", "ann", "again")
    changes.prune(warehouse)


def run_pass(warehouse: Warehouse, storage: Storage) -> None:
    """Run one whole pass."""
    check_health(warehouse, "aldi")
    merge(warehouse, "aldi", compare(warehouse, storage, "aldi").matches)
