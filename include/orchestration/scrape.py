"""Builds the ``scrape_<retailer>`` DAGs.

canary → plan → crawl (one mapped task per store) → emit → report. If the site refused stores, the task group ``bot_wall`` requests an
operator's approval; then the refused stores are crawled and emitted under the same key. One task reports every failed store, per cause.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param, TaskGroup, TriggerRule, get_current_context, task

from include.config import settings
from include.model.timetable import STORE_TIME
from include.orchestration.assets import ASSET_OF_STAGE
from include.orchestration.bot_wall import BotWallApprovalOperator
from include.orchestration.defaults import DEFAULT_ARGS, REPORTED_ELSEWHERE, Tag, summary_of
from include.orchestration.links import store_task
from include.orchestration.pools import crawl_pool
from include.orchestration.scrape_page import scrape_page
from include.orchestration.timetable import nightly
from include.retailer_names import RETAILERS

_PARAMS = {
    "night": Param(None, type=["null", "string"], format="date", description="Night of the store-days; empty = the night of the run."),
    "stores": Param(
        [], type=["null", "array"], items={"type": "string"}, description="Only these store ids, regardless of the budget; empty = by plan."
    ),
    "categories": Param(
        [],
        type=["null", "array"],
        items={"type": "string"},
        description="Only these categories, by name or key: the store-days are incomplete.",
    ),
    "pages": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        description="At most this number of pages of each category: the store-days are incomplete.",
    ),
    "reread": Param(
        False, type=["null", "boolean"], description="Send no request: parse the landed pages of the night again with the present adapter."
    ),
}


def scrape_dag(retailer: str, *, peculiar: str) -> DAG:
    """Return the DAG ``scrape_<retailer>``.

    Args:
        peculiar: the DAG file's docstring, specific to the retailer; ``scrape_page.py`` adds the common part.
    """
    emits = ASSET_OF_STAGE[RETAILERS[retailer].stage]
    with DAG(
        dag_id=f"scrape_{retailer}",
        schedule=nightly(settings().timetable.crawl_from(retailer)),
        allowed_run_types=["scheduled", "manual"],  # type: ignore[list-item]  # a backfill would label today's prices with an old night
        catchup=False,
        default_args=DEFAULT_ARGS,
        tags=[Tag.CRAWL],
        description=summary_of(peculiar),
        doc_md=scrape_page(retailer, peculiar),
        params=_PARAMS,
    ) as dag:
        # skipped, it has seen nothing, so it ends no alert; `every_store_crawled` does it itself
        @task(queue="crawl", pool=crawl_pool(retailer), retries=2, execution_timeout=timedelta(minutes=20), on_skipped_callback=None)
        def canary(dag_run: Any = None, params: Any = None) -> dict[str, Any]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.canary(retailer, dag_run, params)

        @task(trigger_rule=TriggerRule.NONE_FAILED)  # a canary without a store to check is skipped
        def plan(dag_run: Any = None, params: Any = None, ti: Any = None) -> list[dict[str, Any]]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.plan(retailer, dag_run, params, ti)

        one_store: dict[str, Any] = {
            "map_index_template": "{{ store }}", "pool": crawl_pool(retailer), "queue": "crawl", "execution_timeout": STORE_TIME,
        } | REPORTED_ELSEWHERE  # fmt: skip

        @store_task(**one_store)
        def crawl(item: dict[str, Any], dag_run: Any = None, ti: Any = None) -> dict[str, Any]:
            from include.orchestration import scrape_tasks

            get_current_context()["store"] = item["label"]  # type: ignore[typeddict-unknown-key]
            return scrape_tasks.crawl(item, dag_run, ti)

        @task(outlets=[emits], trigger_rule=TriggerRule.ALL_DONE)
        def emit(dag_run: Any = None, params: Any = None, outlet_events: Any = None) -> dict[str, int]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.emit(retailer, dag_run, params, outlet_events[emits])

        @task(trigger_rule=TriggerRule.ALL_DONE)
        def refused(ti: Any = None) -> list[dict[str, Any]]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.refused(ti)

        @store_task(**one_store)
        def crawl_rest(item: dict[str, Any], dag_run: Any = None, ti: Any = None) -> dict[str, Any]:
            from include.orchestration import scrape_tasks

            get_current_context()["store"] = item["label"]  # type: ignore[typeddict-unknown-key]
            return scrape_tasks.crawl_rest(item, dag_run, ti)

        @task(outlets=[emits], trigger_rule=TriggerRule.ALL_DONE)
        def emit_rest(dag_run: Any = None, params: Any = None, ti: Any = None, outlet_events: Any = None) -> dict[str, int]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.emit_rest(retailer, dag_run, params, ti, outlet_events[emits])

        @task(trigger_rule=TriggerRule.ALL_DONE, retries=0, on_skipped_callback=None)
        def every_store_crawled(dag_run: Any = None, ti: Any = None) -> dict[str, int]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.report(retailer, dag_run, ti)

        checked, planned = canary(), plan()
        crawled = crawl.expand(item=planned)
        with TaskGroup(
            "bot_wall", prefix_group_id=False, tooltip="Only after the site refused stores: a person is asked, then they are crawled."
        ):
            found_refused = refused()
            ask_continue = BotWallApprovalOperator(task_id="ask_continue", retailer=retailer, retry_task_id="crawl_rest")
            rest = crawl_rest.expand(item=found_refused)
            emitted_rest = emit_rest()
            found_refused >> ask_continue >> rest >> emitted_rest
        reported = every_store_crawled()
        checked >> planned >> crawled >> [emit(), found_refused]
        [crawled, ask_continue, rest, emitted_rest] >> reported
        # the report runs after any failure and skips when the crawl did not begin: without this leaf such a run would be green
        [planned, reported] >> EmptyOperator(task_id="run_succeeded", trigger_rule=TriggerRule.NONE_FAILED, **REPORTED_ELSEWHERE)
    return dag
