"""The blockers of an unblocked session. For a blocked one see ``tests/warehouse/test_slow_statements.py``."""

from __future__ import annotations

from include.staging.storage import Storage
from include.warehouse.engine import Warehouse


def run_scenario(warehouse: Warehouse, storage: Storage) -> None:
    """Ask."""
    with warehouse.transaction() as connection:
        connection.run("diagnostics/list_blockers", {"pid": connection.info.backend_pid})
