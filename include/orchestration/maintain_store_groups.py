"""The tasks of ``maintain_store_groups``: each calls a step of ``include/groups/maintenance.py`` and hands ids and counts to the next one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration.assets import PRICES, STORE_GROUPS
from include.orchestration.partitions import retailer_and_night, retailers_of
from include.orchestration.resources import resources


def health(dag_run: Any, params: Any) -> dict[str, Any]:
    """Check the groups of the run's retailers; return counts per retailer."""
    from include.groups import maintenance

    with resources() as (warehouse, _):
        return {retailer: asdict(maintenance.check_health(warehouse, retailer)) for retailer in retailers_of(dag_run, params)}


def compare(checked: dict[str, Any]) -> dict[str, Any]:
    """Compare the anchors of the retailers that :func:`health` checked; return counts and the ids of the comparisons that match."""
    from include.groups import maintenance

    with resources() as (warehouse, storage):
        return {retailer: asdict(maintenance.compare(warehouse, storage, retailer)) for retailer in checked}


def merge(compared: dict[str, Any], dag_run: Any, params: Any, outlet_events: Any) -> dict[str, Any]:
    """Merge the groups whose comparisons matched in :func:`compare`; emit ``store_groups`` for the run's night; return counts per retailer."""
    from include.groups import maintenance

    with resources() as (warehouse, _):
        counts = {retailer: asdict(maintenance.merge(warehouse, retailer, found["matches"])) for retailer, found in compared.items()}
    _, night = retailer_and_night(dag_run, params)
    outlet_events[STORE_GROUPS].add_partitions([f"{retailer}|{night}" for retailer in counts])
    outlet_events[STORE_GROUPS].extra = {"merged": counts}
    return counts


def announce_published(outlet_events: Any) -> list[str]:
    """Emit ``prices`` for retailers with published store-days that no maintenance has looked at: their event was lost, or there was none."""
    from include.groups import maintenance

    with resources() as (warehouse, _):
        unseen = maintenance.list_unseen(warehouse, timedelta(minutes=warehouse.settings.sweep_after_minutes))
    if not unseen:
        raise AirflowSkipException("every published store-day was looked at")
    keys = [f"{retailer}|{night.isoformat()}" for retailer, night in sorted(unseen.items())]
    outlet_events[PRICES].add_partitions(keys)
    return keys
