"""Builds the ``scrape_<retailer>`` DAGs.

canary → plan → crawl (one mapped task per store) → emit. If the site refused stores, an operator's approval is requested, then the
refused stores are crawled and emitted under the same key. Watcher tasks turn a run red if a store failed or no decision was made.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, TriggerRule, get_current_context, task

from include.config import settings
from include.model.timetable import STORE_TIME
from include.orchestration.assets import ASSET_OF_STAGE
from include.orchestration.bot_wall import BotWallApprovalOperator
from include.orchestration.defaults import DEFAULT_ARGS, Tag
from include.orchestration.links import store_task
from include.orchestration.pools import crawl_pool
from include.orchestration.scrape_page import scrape_page
from include.orchestration.timetable import nightly
from include.retailer_names import RETAILERS

_PARAMS = {
    "night": Param(None, type=["null", "string"], format="date", description="Night of the store-days; empty = the night of the run."),
    "stores": Param(
        [], type="array", items={"type": "string"}, description="Only these store ids, regardless of the budget; empty = by plan."
    ),
    "categories": Param(
        [], type="array", items={"type": "string"}, description="Only these categories, by name or key: the store-days are incomplete."
    ),
    "pages": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        description="At most this number of pages of each category: the store-days are incomplete.",
    ),
    "reread": Param(
        False, type="boolean", description="Send no request: parse the landed pages of the night again with the present adapter."
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
        doc_md=scrape_page(retailer, peculiar),
        params=_PARAMS,
    ) as dag:

        @task(queue="crawl", pool=crawl_pool(retailer), retries=2, execution_timeout=timedelta(minutes=20))
        def canary(dag_run: Any = None, params: Any = None) -> dict[str, Any]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.canary(retailer, dag_run, params)

        @task(trigger_rule=TriggerRule.NONE_FAILED)  # a canary without a store to check is skipped
        def plan(dag_run: Any = None, params: Any = None, ti: Any = None) -> list[dict[str, Any]]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.plan(retailer, dag_run, params, ti)

        @store_task(map_index_template="{{ store }}", pool=crawl_pool(retailer), queue="crawl", execution_timeout=STORE_TIME)
        def crawl(item: dict[str, Any], dag_run: Any = None, ti: Any = None) -> dict[str, Any]:
            from include.orchestration import scrape_tasks

            get_current_context()["store"] = item["label"]  # type: ignore[typeddict-unknown-key]
            return scrape_tasks.crawl(item, dag_run, ti)

        @task(outlets=[emits], trigger_rule=TriggerRule.ALL_DONE)
        def emit(dag_run: Any = None, params: Any = None, ti: Any = None, outlet_events: Any = None) -> dict[str, int]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.emit(retailer, dag_run, params, ti, outlet_events[emits])

        @task(trigger_rule=TriggerRule.ALL_DONE)
        def refused(ti: Any = None) -> list[dict[str, Any]]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.refused(ti)

        ask_continue = BotWallApprovalOperator(task_id="ask_continue", retailer=retailer, retry_task_id="crawl_rest")

        @store_task(map_index_template="{{ store }}", pool=crawl_pool(retailer), queue="crawl", execution_timeout=STORE_TIME)
        def crawl_rest(item: dict[str, Any], dag_run: Any = None, ti: Any = None) -> dict[str, Any]:
            from include.orchestration import scrape_tasks

            get_current_context()["store"] = item["label"]  # type: ignore[typeddict-unknown-key]
            return scrape_tasks.crawl_rest(item, dag_run, ti)

        @task(outlets=[emits], trigger_rule=TriggerRule.ALL_DONE)
        def emit_rest(dag_run: Any = None, params: Any = None, ti: Any = None, outlet_events: Any = None) -> dict[str, int]:
            from include.orchestration import scrape_tasks

            return scrape_tasks.emit_rest(retailer, dag_run, params, ti, outlet_events[emits])

        @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
        def needs_a_person(ti: Any = None) -> None:
            from include.orchestration import scrape_tasks

            scrape_tasks.raise_if_unanswered(retailer, ti)

        @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
        def some_store_failed() -> None:
            from include.orchestration import scrape_tasks

            scrape_tasks.raise_store_failure()

        @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, retries=0)
        def every_store_crawled(ti: Any = None) -> None:
            from include.orchestration import scrape_tasks

            scrape_tasks.skip_if_incomplete(ti)

        planned = plan()
        canary() >> planned
        crawled, found_refused = crawl.expand(item=planned), refused()
        rest = crawl_rest.expand(item=found_refused)
        emitted_rest = emit_rest()
        crawled >> [emit(), found_refused]
        found_refused >> ask_continue >> rest >> emitted_rest
        crawled >> emitted_rest
        [ask_continue, rest] >> needs_a_person()
        [crawled, rest] >> some_store_failed()
        [crawled, rest] >> every_store_crawled()
    return dag
