"""The tasks of ``ingest_prices``: each calls a step of ``include/ingestion/pipeline.py`` and returns ids and counts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration.assets import PRICES
from include.orchestration.partitions import retailer_and_night, retailers_of
from include.orchestration.resources import resources


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
    """Assign a product to every SKU; return counts per retailer."""
    from include.ingestion import pipeline

    with resources() as (warehouse, storage):
        return {retailer: asdict(pipeline.resolve(warehouse, storage, retailer)) for retailer in retailers_of(dag_run, params)}


def publish(dag_run: Any, params: Any, outlet_events: Any) -> dict[str, Any]:
    """Publish the checked store-days, emit ``prices`` for the run's partition; return counts per retailer.

    Skips, and so emits nothing, when another run has already published everything.
    """
    from include.ingestion import pipeline

    with resources() as (warehouse, storage):
        counts = {retailer: asdict(pipeline.publish(warehouse, storage, retailer)) for retailer in retailers_of(dag_run, params)}
        pipeline.publish_data_docs(warehouse, storage)
    _, night = retailer_and_night(dag_run, params)
    if not any(count["store_days"] for count in counts.values()):
        raise AirflowSkipException("nothing was left to publish")
    outlet_events[PRICES].add_partitions([f"{name}|{night}" for name, count in counts.items() if count["store_days"]])
    outlet_events[PRICES].extra = {"published": counts}
    return counts


def report(dag_run: Any, params: Any) -> None:
    """Fail, with the next steps, if the database rejects lines of store-days, or if store-days of this night are held or were refused."""
    from include.errors import NeedsPersonError
    from include.ingestion.isolation import rejected
    from include.ledger import open_questions

    with resources() as (warehouse, storage):
        _, night = retailer_and_night(dag_run, params)
        retailers = retailers_of(dag_run, params)
        try:
            open_questions.raise_if_undecided(warehouse, retailers, night)
        except NeedsPersonError as error:
            if text := rejected.build_report(warehouse, retailers):
                raise rejected.RejectedByDatabase(f"{text}\n\nIn addition: {error}") from error
            raise
        rejected.raise_if_rejected(warehouse, storage, retailers)
