"""The tasks of the ``scrape_<retailer>`` DAGs; ``scrape.py`` defines their order."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from include import clock
from include.orchestration.alerting import end_failure_alert
from include.orchestration.partitions import night_of_run
from include.orchestration.resources import resources
from include.orchestration.sessions import session_of

if TYPE_CHECKING:
    from include.crawling.crawl_run import CrawlRun
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)


def canary(retailer: str, dag_run: Any, params: Any) -> dict[str, Any]:
    """Request one category of one store and compare its shape with the one on record; return the findings.

    A refusal does not fail this task: the crawl keeps the progress of every refused store.
    """
    from include.crawling.canary import choose_store, crawl_canary

    if params.get("reread"):
        raise AirflowSkipException("no request is sent: landed pages are parsed again")
    with resources() as (warehouse, storage):
        store = choose_store(warehouse, retailer, params.get("stores") or None)
        if store is None:
            raise AirflowSkipException(f"no store of {retailer} is known; see the message of `plan`")
        item = {"store": asdict(store), "night": night_of_run(dag_run, params)}
        report = crawl_canary(_crawl_run(warehouse, storage, item, dag_run))
    if report.refused:
        log.warning("%s", report.refused)
    return asdict(report)


def plan(retailer: str, dag_run: Any, params: Any, ti: Any) -> list[dict[str, Any]]:
    """Return one item per store to crawl; the full plan with its reasons is stored in ``ops.crawl_plan``, its counts in the XCom ``decisions``.

    With the param ``reread``: one item per landed store-day of the night, without a new plan.
    """
    from include.crawling import crawl_plan

    night_iso = night_of_run(dag_run, params)
    subset = {"categories": list(params.get("categories") or []), "pages": params.get("pages")}
    with resources() as (warehouse, storage):
        if params.get("reread"):
            return _landed_items(warehouse, storage, retailer, night_iso, params.get("stores") or None)
        planned = crawl_plan.plan(warehouse, retailer, date.fromisoformat(night_iso), params.get("stores") or None)
        with warehouse.transaction() as connection:
            rows = crawl_plan.plan_rows(connection, retailer, date.fromisoformat(night_iso))
    decisions = {"stores": crawl_plan.count_decisions(rows), "reasons": crawl_plan.count_reasons(rows)}
    log.info("the plan of %s for %s: %s", retailer, night_iso, decisions)
    ti.xcom_push(key="decisions", value=decisions)
    return [
        {
            "store": asdict(item.store),
            "label": f"{item.store.store_id} {item.store.name or ''}".strip(),
            "reason": item.reason,
            "night": night_iso,
            **({"until": item.start_before.isoformat()} if item.start_before else {}),
            **{name: value for name, value in subset.items() if value},
        }
        for item in planned
    ]


def _landed_items(
    warehouse: Warehouse, storage: Storage, retailer: str, night_iso: str, store_ids: list[str] | None
) -> list[dict[str, Any]]:
    from include.crawling.discovery import known_store
    from include.errors import TerminalError
    from include.model.store import StoreRef
    from include.staging.landing import landed_runs

    runs = {
        run.store_id: run
        for run in landed_runs(storage, retailer, None, date.fromisoformat(night_iso))
        if not store_ids or run.store_id in store_ids
    }
    if not runs:
        raise TerminalError(
            f"{retailer}: no pages are landed for the night of {night_iso}. Landed pages are kept for AISLEFLOW_LANDING_DAYS."
        )
    stores = {store_id: known_store(warehouse, retailer, store_id) or StoreRef(retailer, store_id) for store_id in runs}
    return [
        {
            "store": asdict(stores[store_id]),
            "label": f"{store_id} {stores[store_id].name or ''}".strip(),
            "reason": f"reread of {run.run_key}",
            "night": night_iso,
            "reread": run.run_key,
        }
        for store_id, run in runs.items()
    ]


def crawl(item: dict[str, Any], dag_run: Any, ti: Any) -> dict[str, Any]:
    """Crawl one store; return the path of its store-day and its counts.

    A refused store keeps its progress and ends skipped. A partly crawled one is retried while the task has retries left, requesting only
    the missing pages; each try stages the offers read so far.
    """
    from include.retailers.errors import Blocked

    with resources() as (warehouse, storage), _alone(warehouse, storage, item, dag_run, ti):
        _defer_after_cutoff(warehouse, item, ti)
        try:
            return _crawl(warehouse, storage, item, dag_run, ti)
        except Blocked as error:
            log.warning("%s", error)
            ti.xcom_push(key="refused", value=item)
            raise AirflowSkipException(f"refused by the site, its progress is kept: {error}") from error


@contextmanager
def _alone(warehouse: Warehouse, storage: Storage, item: dict[str, Any], dag_run: Any, ti: Any) -> Iterator[None]:
    """Leave the store to another run that crawls it now, or has crawled it since this run was triggered; a cleared task crawls it again."""
    from include.crawling.alone import alone, crawled_by_other

    if item.get("reread"):
        yield
        return
    run = _crawl_run(warehouse, storage, item, dag_run)
    with alone(warehouse, run) as is_alone:
        other = crawled_by_other(warehouse, run, dag_run.run_after) if is_alone and ti.try_number == 1 else None
        if not is_alone or other:
            by = f"run {other} crawled it" if other else "another run crawls it now"
            reason = f"left to another run: {by} for this night; no request was sent"
            ti.xcom_push(key="left_out", value={"store_id": item["store"]["store_id"], "reason": reason, "is_crawled": True})
            raise AirflowSkipException(f"{reason}. Clear this task to crawl the store again.")
        yield


def _defer_after_cutoff(warehouse: Warehouse, item: dict[str, Any], ti: Any) -> None:
    """Begin no further store once the night has ended; a retry or a cleared task continues regardless."""
    from include.crawling import crawl_plan

    if ti.try_number > 1 or not item.get("until") or clock.now() < datetime.fromisoformat(item["until"]):
        return
    reason = "the night ended before it was reached (AISLEFLOW_CRAWL_UNTIL)"
    crawl_plan.defer(warehouse, item["store"]["retailer"], date.fromisoformat(item["night"]), item["store"]["store_id"], reason)
    ti.xcom_push(key="left_out", value={"store_id": item["store"]["store_id"], "reason": reason})
    raise AirflowSkipException(f"deferred: {reason}; clear this task to crawl the store anyway")


def crawl_rest(item: dict[str, Any], dag_run: Any, ti: Any) -> dict[str, Any]:
    """Crawl a refused store again after an operator's approval. A second refusal fails the task."""
    with resources() as (warehouse, storage):
        return _crawl(warehouse, storage, item | {"round": "_rest"}, dag_run, ti)


def _crawl(warehouse: Warehouse, storage: Storage, item: dict[str, Any], dag_run: Any, ti: Any) -> dict[str, Any]:
    from include.crawling import runs
    from include.retailers.errors import RetryableIncompleteCrawl

    run = _crawl_run(warehouse, storage, item, dag_run)
    if landed_by := item.get("reread"):
        outcome = runs.reread(warehouse, run, landed_by)
    else:
        outcome = runs.crawl(warehouse, run)
        if outcome["is_retryable"] and not outcome["complete"] and ti.try_number <= ti.max_tries:
            raise RetryableIncompleteCrawl(
                f"{run.label}: {outcome['incomplete_reason']}. {outcome['rows']} offers are staged; the retry requests the missing pages."
            )
    return {name: outcome[name] for name in ("store_id", "manifest", "rows", "pages", "requests", "complete", "incomplete_reason")}


def _crawl_run(warehouse: Warehouse, storage: Storage, item: dict[str, Any], dag_run: Any) -> CrawlRun:
    """Return the crawl of an item of the plan, with the operator's stored session."""
    from include.crawling.crawl_run import CrawlRun, CrawlSubset
    from include.crawling.postgres_limiter import PostgresRequestLimiter
    from include.model.store import StoreRef
    from include.retailers.registry import retailer_of

    store, run_key = StoreRef(**item["store"]), _run_key(dag_run)
    scope = run_key + item.get("round", "")
    return CrawlRun(
        retailer=retailer_of(store.retailer),
        store=store,
        night=date.fromisoformat(item["night"]),
        run_key=run_key,
        scope=scope,
        limiter=PostgresRequestLimiter(warehouse, store.retailer, scope),
        storage=storage,
        settings=warehouse.settings,
        session=None if item.get("reread") else session_of(store.retailer),
        subset=CrawlSubset(item.get("pages"), tuple(item.get("categories") or ())),
    )


def refused(ti: Any) -> list[dict[str, Any]]:
    """Return the stores the site refused; skip when there is none."""
    items = _pull_xcoms(ti, ["crawl"], "refused")
    if not items:
        raise AirflowSkipException("the site refused no store")
    return items


def emit(retailer: str, dag_run: Any, params: Any, event: Any) -> dict[str, int]:
    """Announce the files staged so far; skip without any (`every_store_crawled` says why there are none)."""
    staged = _staged(retailer, dag_run)
    if not staged:
        raise AirflowSkipException("no file is staged yet")
    event.add_partitions(f"{retailer}|{night_of_run(dag_run, params)}")
    event.extra = {"files": [row["manifest"] for row in staged]}
    return {"stores": len(staged), "rows": sum(row["rows"] for row in staged)}


def emit_rest(retailer: str, dag_run: Any, params: Any, ti: Any, event: Any) -> dict[str, int]:
    """Announce all files again after refused stores were crawled; skip when there is no further file."""
    if not any(outcome["manifest"] for outcome in _pull_xcoms(ti, ["crawl_rest"])):
        raise AirflowSkipException("no further file to announce")
    return emit(retailer, dag_run, params, event)


def _staged(retailer: str, dag_run: Any) -> list[dict[str, Any]]:
    from include.crawling import outcomes

    with resources() as (warehouse, _):
        return outcomes.staged(warehouse, retailer, _run_key(dag_run))


def report(retailer: str, dag_run: Any, ti: Any) -> dict[str, int]:
    """Fail with the stores that failed, per cause, or because no decision about refused ones was made in time; return counts.

    Skips when the crawl did not begin (the cause stands in `canary` or `plan`), and, with the reasons, when stores were crawled in part or left out.
    """
    from include.crawling import outcomes, run_report

    items = ti.xcom_pull(task_ids="plan") or []
    if not items:
        raise AirflowSkipException("the crawl did not begin: see `canary` and `plan`")
    labels = {item["store"]["store_id"]: item["label"] for item in items}
    left_out = {left["store_id"]: left["reason"] for left in _pull_xcoms(ti, ["crawl"], "left_out")}
    with resources() as (warehouse, _):
        rows = outcomes.of_run(warehouse, retailer, _run_key(dag_run))
        answer = ti.xcom_pull(task_ids="ask_continue", key="answer") or {}
        is_approved = answer.get("chosen_options") == ["Approve"]
        if rows or not all(left.get("is_crawled") for left in _pull_xcoms(ti, ["crawl"], "left_out")):
            run_report.raise_if_failed(retailer, labels, rows, left_out, is_refusal_failure=is_approved)
        if answer and not answer.get("responded_by_user"):
            run_report.raise_if_lapsed(retailer, labels, rows)
    partial = {row["store_id"]: row["reason"] for row in rows if row["state"] == "crawled" and not row["is_complete"]}
    waiting = {row["store_id"]: "refused by the site, waits for another night" for row in rows if row["state"] == "blocked"}
    if noted := partial | waiting | left_out:
        end_failure_alert(get_current_context())
        raise AirflowSkipException("crawled in part, or left out: " + "; ".join(f"{store_id}: {why}" for store_id, why in noted.items()))
    return {"planned": len(items), "crawled": sum(row["state"] == "crawled" for row in rows)}


def _pull_xcoms(ti: Any, task_ids: list[str], key: str = "return_value") -> list[Any]:
    """Return the XComs of mapped tasks. A list of ids without map_indexes: any other form reads from an unmapped task and returns nothing."""
    return [value for value in ti.xcom_pull(task_ids=task_ids, key=key) or [] if value]


def _run_key(dag_run: Any) -> str:
    from include.staging.storage import run_key_of

    return run_key_of(dag_run.dag_id, dag_run.run_id)
