"""The tasks of ``reconcile_catalogue``: join and propose products, write the translation tables; and the event that starts it without prices."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include import clock
from include.orchestration.assets import CATALOGUE
from include.orchestration.resources import resources


def announce_changed(outlet_events: Any) -> str:
    """Emit ``catalogue`` for the present night when SKUs changed and no published prices announced it; skips when there are none."""
    from include.catalogue.reconcile import is_due

    with resources() as (warehouse, _):
        if not is_due(warehouse, timedelta(minutes=warehouse.settings.sweep_after_minutes)):
            raise AirflowSkipException("no SKU has changed since the last reconciliation, or one did just now")
    night = clock.night_of(clock.now()).isoformat()
    outlet_events[CATALOGUE].add_partitions([night])
    return night


def reconcile() -> dict[str, Any]:
    """Reconcile what changed since the last time; return the counts."""
    from include.catalogue.reconcile import reconcile as reconcile_

    with resources() as (warehouse, _):
        return asdict(reconcile_(warehouse))


def write_tables() -> list[str]:
    """Write the translation tables that have changed; return their names."""
    from include.catalogue import tables

    with resources() as (warehouse, storage):
        return [str(table.name) for table in tables.write_tables(warehouse, storage) if table.is_changed]
