"""The tasks of ``ingest_prices`` and ``sweep_outbox``: each calls a step of ``include/ingestion/pipeline.py`` and hands on ids and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration.assets import HELD, OUTBOX, PRICES
from include.orchestration.resources import resources, run_key
from include.retailer_names import RETAILERS


def retailers_of(dag_run: Any, params: Any) -> list[str]:
    """Return the retailers a run works on: its partition's, its param's, else all."""
    retailer, _ = run_key(dag_run, params)
    return [retailer] if retailer else list(RETAILERS)


def load(dag_run: Any, params: Any) -> list[int]:
    """Register and load every waiting file; return the ledger ids now loaded."""
    from include.ingestion import pipeline

    with resources() as (warehouse, storage):
        return [file_id for retailer in retailers_of(dag_run, params) for file_id in pipeline.load(warehouse, storage, retailer)]


def check(dag_run: Any, params: Any) -> dict[str, Any]:
    """Check the loaded files; return lines per broken rule and the reasons of held store-days, per retailer."""
    from include.ingestion import pipeline

    with resources() as (warehouse, storage):
        return {retailer: asdict(pipeline.check(warehouse, storage, retailer)) for retailer in retailers_of(dag_run, params)}


def resolve(dag_run: Any, params: Any) -> dict[str, Any]:
    """Give every SKU its product; return counts per retailer."""
    from include.ingestion import pipeline

    with resources() as (warehouse, storage):
        return {retailer: asdict(pipeline.resolve(warehouse, storage, retailer)) for retailer in retailers_of(dag_run, params)}


def publish(dag_run: Any, params: Any, outlet_events: Any) -> dict[str, Any]:
    """Publish what is checked, emit ``prices`` for the run's partition; return counts per retailer.

    Skips, and so emits nothing, when another run has published everything already.
    """
    from include.ingestion import pipeline

    with resources() as (warehouse, storage):
        counts = {retailer: asdict(pipeline.publish(warehouse, storage, retailer)) for retailer in retailers_of(dag_run, params)}
        pipeline.publish_data_docs(warehouse, storage)
    _, night = run_key(dag_run, params)
    if not any(count["store_days"] for count in counts.values()):
        raise AirflowSkipException("nothing was left to publish")
    outlet_events[PRICES].add_partitions([f"{name}|{night}" for name, count in counts.items() if count["store_days"]])
    outlet_events[PRICES].extra = {"published": counts}
    return counts


def announce_held(retailers: Sequence[str], outlet_events: Any) -> list[str]:
    """Emit ``held`` for every (retailer, night) with held store-days nobody was asked about yet; skips when there are none."""
    from include.ledger import held
    from include.orchestration.alerting import send_held_alerts

    with resources() as (warehouse, storage):
        send_held_alerts(warehouse, storage, retailers, get_current_context())
        keys = held.list_unclaimed(warehouse, retailers)
    if not keys:
        raise AirflowSkipException("nothing is held that nobody was asked about")
    outlet_events[HELD].add_partitions(keys)
    return keys


def report(dag_run: Any, params: Any) -> None:
    """Fail, with what to do, if the database rejects lines of store-days, or if store-days of this night wait for a person or were refused."""
    from include.errors import NeedsPersonError
    from include.ingestion.isolation import rejected
    from include.ledger import open_questions

    with resources() as (warehouse, _):
        _, night = run_key(dag_run, params)
        retailers = retailers_of(dag_run, params)
        try:
            open_questions.raise_if_undecided(warehouse, retailers, night)
        except NeedsPersonError as error:
            if text := rejected.build_report(warehouse, retailers):
                raise rejected.RejectedByDatabase(f"{text}\n\nBesides: {error}") from error
            raise
        rejected.raise_if_rejected(warehouse, retailers)


def sweep(outlet_events: Any) -> list[str]:
    """Repair what a kill left behind and emit ``outbox`` for every (retailer, night) with files that wait too long.

    Skips when idle: a task that succeeds emits its asset even with nothing to say.
    """
    from include.ingestion import sweep

    with resources() as (warehouse, storage):
        waiting = sweep.sweep(warehouse, storage)
    if not waiting:
        raise AirflowSkipException("no file waits")
    outlet_events[OUTBOX].add_partitions(sorted(waiting))
    outlet_events[OUTBOX].extra = {"files": waiting}
    return sorted(waiting)


def prune() -> dict[str, int]:
    """Remove archived files, decided refused lines and landed pages past their time; return how many."""
    from include.alerts.memory import SentAlerts
    from include.crawling import runs
    from include.ingestion import sweep
    from include.ledger import quarantine

    with resources() as (warehouse, storage):
        return {
            "archived_files": sweep.prune_archive(warehouse, storage),
            "decided_lines": quarantine.prune_decided(warehouse),
            "alerts": SentAlerts(storage).prune(),
            "landed_store_days": runs.prune_landing(warehouse, storage),
        }
