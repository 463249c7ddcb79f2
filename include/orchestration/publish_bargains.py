"""The tasks of ``publish_bargains``, and what announces that bargains are due."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration.assets import BARGAINS, BARGAINS_DUE
from include.orchestration.partitions import night_of_run, retailer_and_night
from include.orchestration.resources import resources


def publish(dag_run: Any, params: Any) -> dict[str, Any]:
    """Replace ``core.bargain``; return the counts and the retailers that were missing."""
    from include.bargains.publish import publish_bargains

    with resources() as (warehouse, _):
        return asdict(publish_bargains(warehouse, date.fromisoformat(night_of_run(dag_run, params))))


def export(published: dict[str, Any], outlet_events: Any) -> dict[str, Any]:
    """Write the files of the publication in force and emit ``bargains`` for the night of :func:`publish`; return the files with their rows."""
    from include.bargains.exporting import export_bargains

    with resources() as (warehouse, storage):
        manifest = export_bargains(warehouse, storage)
    files = {file.path: file.rows for file in manifest.files}
    outlet_events[BARGAINS].add_partitions(published["night"])
    outlet_events[BARGAINS].extra = {"bargains": published["bargains"], "missing": published["missing"], "files": files}
    return files


def announce_when_all_are_in(dag_run: Any, params: Any, outlet_events: Any) -> str:
    """Emit ``bargains_due`` for the night of a run of ``maintain_store_groups`` if every retailer is in or the time has come; else skip."""
    from include.bargains.arrivals import is_due

    _, night = retailer_and_night(dag_run, params)
    with resources() as (warehouse, _):
        if not is_due(warehouse, date.fromisoformat(night)):
            raise AirflowSkipException("other retailers are not in yet; the last one, or the timetable, publishes the bargains")
    outlet_events[BARGAINS_DUE].add_partitions(night)
    return night


def announce_overdue(outlet_events: Any) -> str:
    """Emit ``bargains_due`` for the present night if its time has passed and nothing was published for it; else skip."""
    from include.bargains.arrivals import overdue_night

    with resources() as (warehouse, _):
        night = overdue_night(warehouse)
    if night is None:
        raise AirflowSkipException("the bargains of this night are published, or not due yet")
    outlet_events[BARGAINS_DUE].add_partitions(night.isoformat())
    return night.isoformat()
