"""The tasks of ``ingest_prices`` and ``sweep_outbox``: each calls a step of ``include/flows.py`` and hands on ids and counts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration.assets import OUTBOX, PRICES
from include.orchestration.resources import resources, run_key
from include.retailer_names import RETAILERS


def retailers_of(dag_run: Any, params: Any) -> list[str]:
    """Return the retailers a run works on: its partition's, its param's, else all."""
    retailer, _ = run_key(dag_run, params)
    return [retailer] if retailer else list(RETAILERS)


def load(dag_run: Any, params: Any) -> list[int]:
    """Register and load every waiting file; return the ledger ids now loaded."""
    from include import flows

    with resources() as (warehouse, storage):
        return [file_id for retailer in retailers_of(dag_run, params) for file_id in flows.load(warehouse, storage, retailer)]


def check(dag_run: Any, params: Any) -> dict[str, Any]:
    """Check the loaded files; return lines per broken rule and the reasons of held store-days, per retailer."""
    from include import flows

    with resources() as (warehouse, storage):
        return {retailer: asdict(flows.check(warehouse, storage, retailer)) for retailer in retailers_of(dag_run, params)}


def resolve(dag_run: Any, params: Any) -> dict[str, Any]:
    """Give every SKU its product; return counts per retailer."""
    from include import flows

    with resources() as (warehouse, storage):
        return {retailer: asdict(flows.resolve(warehouse, storage, retailer)) for retailer in retailers_of(dag_run, params)}


def publish(dag_run: Any, params: Any, outlet_events: Any) -> dict[str, Any]:
    """Publish what is checked, emit ``prices`` for the run's partition; return counts per retailer.

    Skips, and so emits nothing, when another run has published everything already.
    """
    from include import flows

    with resources() as (warehouse, storage):
        counts = {retailer: asdict(flows.publish(warehouse, storage, retailer)) for retailer in retailers_of(dag_run, params)}
    _, night = run_key(dag_run, params)
    if not any(count["store_days"] for count in counts.values()):
        raise AirflowSkipException("nothing was left to publish")
    outlet_events[PRICES].add_partitions([f"{name}|{night}" for name, count in counts.items() if count["store_days"]])
    outlet_events[PRICES].extra = {"published": counts}
    return counts


def report(dag_run: Any, params: Any) -> None:
    """Fail, with what to do, if store-days of this night wait for a person or were refused."""
    from include.ingestion.open_questions import raise_if_any

    with resources() as (warehouse, _):
        _, night = run_key(dag_run, params)
        raise_if_any(warehouse, retailers_of(dag_run, params), night)


def sweep(outlet_events: Any) -> list[str]:
    """Repair what a kill left behind and emit ``outbox`` for every (retailer, night) with files that wait too long.

    Skips when idle: a task that succeeds emits its asset even with nothing to say.
    """
    from include.ingestion import sweeping

    with resources() as (warehouse, storage):
        waiting = sweeping.sweep(warehouse, storage)
    if not waiting:
        raise AirflowSkipException("no file waits")
    outlet_events[OUTBOX].add_partitions(sorted(waiting))
    outlet_events[OUTBOX].extra = {"files": waiting}
    return sorted(waiting)


def prune() -> int:
    """Remove archived files past their time; return how many."""
    from include.ingestion import sweeping

    with resources() as (warehouse, storage):
        return sweeping.prune_archive(warehouse, storage)
