"""The tasks of ``look_up_barcodes``."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include import clock
from include.model.timetable import LOOK_UP_UNTIL, at
from include.orchestration.partitions import night_of_run
from include.orchestration.resources import resources
from include.orchestration.sessions import session_of

log = logging.getLogger(__name__)


def plan(dag_run: Any, params: Any) -> list[dict[str, Any]]:
    """Queue and rank the SKUs without a barcode; return one item per worker.

    Skips when nothing is due, the budget is spent or 0, or the night's time for look-ups is over (a scheduled run cleared later).
    """
    from include.enrichment.planning import plan_look_ups, retailers_with_sources

    night = date.fromisoformat(night_of_run(dag_run, params))
    until = at(night, LOOK_UP_UNTIL) if dag_run.run_type == "scheduled" else None
    if until is not None and clock.now() >= until:
        raise AirflowSkipException(f"the look-ups of the night ended at {until.isoformat()}; trigger the DAG by hand to ask now")
    chosen = [params["retailer"]] if params.get("retailer") else retailers_with_sources()
    with resources() as (warehouse, _):
        plans = [plan_look_ups(warehouse, retailer, night, params.get("requests")) for retailer in chosen]
    for planned in plans:
        log.info("%s: %s", planned.retailer, planned)
    items = [
        {
            "retailer": planned.retailer,
            "worker": f"{planned.retailer} {number + 1}",
            "night": night.isoformat(),
            "requests_max": planned.requests_max,
            "until": until.isoformat() if until else None,
        }
        for number in range(max((planned.workers for planned in plans), default=0))
        for planned in plans
        if number < planned.workers
    ]
    if not items:
        raise AirflowSkipException("no SKU is due, or the night's budget (AISLEFLOW_LOOK_UP_REQUESTS) is spent or 0")
    return items


def look_up(item: dict[str, Any], dag_run: Any) -> dict[str, Any]:
    """Ask for barcodes as one worker of a retailer; return its counts."""
    from include.enrichment.look_up import LookupRun
    from include.enrichment.look_up import look_up as ask
    from include.retailers.registry import retailer_of
    from include.staging.storage import run_key_of

    scope = run_key_of(dag_run.dag_id, dag_run.run_id)
    with resources() as (warehouse, _):
        return ask(
            warehouse,
            LookupRun(
                retailer=retailer_of(item["retailer"]),
                night=date.fromisoformat(item["night"]),
                worker=f"{scope} {item['worker']}",
                scope=scope,
                requests_max=item["requests_max"],
                until=datetime.fromisoformat(item["until"]) if item["until"] else None,
                session=session_of(item["retailer"]),
            ),
        )


def report(dag_run: Any, params: Any) -> list[dict[str, Any]]:
    """Return what the night has asked and gained so far, by retailer."""
    from include.enrichment.planning import night_figures, retailers_with_sources

    night = date.fromisoformat(night_of_run(dag_run, params))
    with resources() as (warehouse, _):
        found = [night_figures(warehouse, retailer, night) for retailer in retailers_with_sources()]
    for figures in found:
        log.info("%s", figures)
    return found
