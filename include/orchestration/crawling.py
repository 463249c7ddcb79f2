"""The tasks of the crawl, of barcode enrichment and of store discovery."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include.clock import night_of
from include.orchestration.assets import OUTBOX
from include.orchestration.resources import resources


def night(dag_run: Any, params: Any) -> str:
    """Return the night of a crawl run: its partition key, else its param, else the Melbourne date of ``run_after``; never "now"."""
    return str(dag_run.partition_key or params.get("night") or night_of(dag_run.run_after).isoformat())


def plan(retailer: str, dag_run: Any, params: Any) -> list[dict[str, Any]]:
    """Return one item per store to crawl; the whole plan with its reasons stands in ``ops.crawl_plan``."""
    from include.stores import crawl_plan

    with resources() as (warehouse, _):
        planned = crawl_plan.plan(warehouse, retailer, date.fromisoformat(night(dag_run, params)), params.get("stores") or None)
    return [
        {
            "store": asdict(item.store),
            "label": f"{item.store.store_id} {item.store.name or ''}".strip(),
            "reason": item.reason,
            "night": night(dag_run, params),
        }
        for item in planned
    ]


def crawl(retailer: str, item: dict[str, Any], dag_run: Any) -> dict[str, Any]:
    """Crawl one store; return where its store-day is and its counts."""
    from include import flows
    from include.staging.offer import StoreRef
    from include.staging.storage import run_key_of

    with resources() as (warehouse, storage):
        outcome = flows.crawl(
            warehouse,
            storage,
            retailer,
            StoreRef(**item["store"]),
            date.fromisoformat(item["night"]),
            run_key_of(dag_run.dag_id, dag_run.run_id),
        )
    return {name: outcome[name] for name in ("store_id", "manifest", "rows", "pages", "requests", "complete", "incomplete_reason")}


def prefill(outlet_events: Any) -> dict[str, Any]:
    """Fill known barcodes into the files of the barcode inbox and pass them on; skip when none waits."""
    from include.enrichment import prefill as enrichment

    with resources() as (warehouse, storage):
        done = enrichment.prefill_waiting(warehouse, storage, "coles")
    if not done.files:
        raise AirflowSkipException("no file waits in the barcode inbox")
    outlet_events[OUTBOX].add_partitions(list(done.keys))
    outlet_events[OUTBOX].extra = {"prefilled": asdict(done)}
    return asdict(done)


def discover(retailer: str) -> dict[str, Any]:
    """Ask a retailer's store finder and take over what it says; return counts."""
    from include import flows

    with resources() as (warehouse, _):
        return asdict(flows.discover(warehouse, retailer))


def watch(dag_run: Any, params: Any) -> None:
    """Fail, naming what is missing, if a night is not as it should be."""
    from include.diagnostics.night import raise_if_missing

    with resources() as (warehouse, _):
        raise_if_missing(warehouse, date.fromisoformat(night(dag_run, params)))
