"""Builds the ``scrape_<retailer>`` DAGs: plan → crawl (one mapped task per store) → emit, and a watcher that turns a run with a failed store red."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronPartitionTimetable, Param, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.orchestration.assets import OUTBOX
from include.orchestration.defaults import DEFAULT_ARGS, Tag
from include.orchestration.pools import crawl_pool


def scrape_dag(retailer: str, *, minute: int, doc_md: str | None, emits: Asset = OUTBOX) -> DAG:
    """Return the DAG ``scrape_<retailer>``.

    Args:
        minute: minutes past 04:00 Melbourne, so that the retailers do not all start at once.
        doc_md: the DAG file's docstring.
        emits: the asset of the stage its store-days go to.
    """
    with DAG(
        dag_id=f"scrape_{retailer}",
        # past midnight in every state, so that Wednesday is Wednesday in Perth too; no start_date: unpausing must not crawl at once
        schedule=CronPartitionTimetable(f"{minute} 4 * * *", timezone="Australia/Melbourne", key_format="%Y-%m-%d"),
        allowed_run_types=["scheduled", "manual"],  # type: ignore[list-item]  # a backfill would label today's prices with an old night
        catchup=False,
        default_args=DEFAULT_ARGS,
        tags=[Tag.CRAWL],
        doc_md=doc_md,
        params={
            "night": Param(
                None, type=["null", "string"], format="date", description="Night the store-days belong to; empty = the run's own."
            ),
            "stores": Param(
                [], type="array", items={"type": "string"}, description="Only these store ids, whatever the budget; empty = by plan."
            ),
        },
    ) as dag:

        @task
        def plan(dag_run: Any = None, params: Any = None) -> list[dict[str, Any]]:
            from include.orchestration import crawling

            return crawling.plan(retailer, dag_run, params)

        @task(map_index_template="{{ store }}", pool=crawl_pool(retailer), queue="crawl", execution_timeout=timedelta(hours=3))
        def crawl(item: dict[str, Any], dag_run: Any = None) -> dict[str, Any]:
            from include.orchestration import crawling

            get_current_context()["store"] = item["label"]  # type: ignore[typeddict-unknown-key]
            return crawling.crawl(retailer, item, dag_run)

        @task(outlets=[emits], trigger_rule=TriggerRule.ALL_DONE)
        def emit(dag_run: Any = None, params: Any = None, ti: Any = None, outlet_events: Any = None) -> dict[str, int]:
            from include.orchestration import crawling

            staged = [outcome for outcome in ti.xcom_pull(task_ids=["crawl"]) if outcome and outcome["manifest"]]
            if not staged:
                raise AirflowFailException(
                    f"no store of {retailer} was crawled; see the messages of the red `crawl` tasks, mend the cause and clear them"
                )
            outlet_events[emits].add_partitions(f"{retailer}|{crawling.night(dag_run, params)}")
            outlet_events[emits].extra = {"files": [outcome["manifest"] for outcome in staged]}
            return {"stores": len(staged), "rows": sum(outcome["rows"] for outcome in staged)}

        @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
        def some_store_failed() -> None:
            raise AirflowFailException("at least one store failed: see the red `crawl` tasks; clear them to crawl those stores again")

        @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, retries=0)
        def every_store_crawled(ti: Any = None) -> None:
            outcomes = [outcome for outcome in ti.xcom_pull(task_ids=["crawl"]) if outcome]
            partial = [f"{o['store_id']}: {o['incomplete_reason']}" for o in outcomes if not o["complete"]]
            if partial:
                raise AirflowSkipException("crawled, but in part: " + "; ".join(partial))

        crawled = crawl.expand(item=plan())
        crawled >> [emit(), some_store_failed(), every_store_crawled()]
    return dag
