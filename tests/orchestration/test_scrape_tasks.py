"""The tasks of a scrape run: retries, skipped tasks that keep their progress, announced files, and requests for a decision."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped

from include import clock
from include.crawling import crawl_plan, discovery, sessions
from include.crawling.alone import alone
from include.crawling.run_report import QuestionLapsed, StoresFailed
from include.ingestion import pipeline
from include.model.store import StoreRecord
from include.orchestration import scrape_tasks
from include.orchestration.airflow_errors import airflow_errors
from include.orchestration.bot_wall import BotWallApprovalOperator
from include.orchestration.sessions import session_of
from include.retailer_names import RETAILERS
from include.retailers.errors import RetryableEmptyCrawl, RetryableIncompleteCrawl, SiteError
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox
from tests.warehouse.looking import rows

NO_PARAMS: dict[str, Any] = {"night": None, "stores": [], "categories": [], "pages": None, "reread": False}
WORLD = GeneratedWorld(3, WorldSize(stores=3, products=50, silent_stores=0))


@dataclass
class Task:
    """The part of a task instance that the crawl uses, and the XComs of the run."""

    try_number: int = 1
    max_tries: int = 3
    pushed: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    answer: dict[str, Any] | None = None
    items: list[dict[str, Any]] | None = None

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed.setdefault(("crawl", key), []).append(value)

    def xcom_pull(self, task_ids: Any, key: str = "return_value") -> Any:
        if (task_ids, key) == ("ask_continue", "answer"):
            return self.answer
        if task_ids == "plan":
            return self.items
        return [value for task_id in task_ids for value in self.pushed.get((task_id, key), [None])]


@dataclass
class Event:
    """An outlet event."""

    keys: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def add_partitions(self, key: str) -> None:
        self.keys.append(key)


@pytest.fixture
def warehouse(make_warehouse: Callable[..., Warehouse], sandbox: RunningSandbox) -> Warehouse:
    sites = {f"{name}_url": sandbox.site(name) for name in RETAILERS}
    found = make_warehouse(backoff_seconds_max=0.001, request_attempts=2, breaker_open_seconds=3600, **sites)
    for retailer in ("aldi", "iga"):
        shops = [
            StoreRecord(retailer=retailer, store_id=one.store_id, online_store_id=one.online_store_id, name=one.name, state=one.state)
            for one in WORLD.stores(retailer)
            if one.has_shelf
        ]
        discovery.merge_found_stores(found, retailer, shops)
    return found


@pytest.fixture(autouse=True)
def resources(warehouse: Warehouse, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened() -> Iterator[tuple[Warehouse, Storage]]:
        with airflow_errors():
            yield warehouse, storage

    monkeypatch.setattr(scrape_tasks, "resources", opened)
    monkeypatch.setattr(scrape_tasks, "get_current_context", dict)
    monkeypatch.setattr(scrape_tasks, "end_failure_alert", lambda context: None)


@pytest.fixture
def run() -> Any:
    return SimpleNamespace(
        dag_id="scrape_aldi", run_id="scheduled__2026-11-18", partition_key="2026-11-18", run_after=datetime(2026, 11, 17, 17, tzinfo=UTC)
    )


def crawl_all(run: Any, task: Task, retailer: str = "aldi", **params: Any) -> list[dict[str, Any]]:
    """Run the mapped task for each planned store; return the items planned."""
    items = task.items = scrape_tasks.plan(retailer, run, NO_PARAMS | params, task)
    for item in items:
        try:
            task.pushed.setdefault(("crawl", "return_value"), []).append(scrape_tasks.crawl(item, run, task))
        except AirflowSkipException:
            task.pushed.setdefault(("crawl", "return_value"), []).append(None)
    return items


def test_an_undisturbed_run_announces_its_files_under_the_night(run: Any, storage: Storage) -> None:
    task, event = Task(), Event()
    assert scrape_tasks.canary("aldi", run, NO_PARAMS)["offers"] > 0

    items = crawl_all(run, task)
    counts = scrape_tasks.emit("aldi", run, NO_PARAMS, event)

    assert counts["stores"] == len(items) == 3
    assert event.keys == ["aldi|2026-11-18"]
    assert all(storage.exists(path) for path in event.extra["files"])
    with pytest.raises(AirflowSkipException):
        scrape_tasks.refused(task)
    with pytest.raises(AirflowSkipException, match="no further file"):
        scrape_tasks.emit_rest("aldi", run, NO_PARAMS, task, Event())
    assert scrape_tasks.report("aldi", run, task) == {"planned": 3, "crawled": 3}


def test_no_store_is_started_after_the_end_of_the_night_unless_its_task_is_cleared(
    run: Any, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-17T17:00:00+00:00")  # 04:00 in Melbourne
    task = Task()
    item, *_ = scrape_tasks.plan("aldi", run, NO_PARAMS, task)
    assert task.pushed["crawl", "decisions"][0]["stores"] == {"crawl": 3, "deferred": 0, "excluded": 0}
    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-17T19:31:00+00:00")

    late = Task(items=[item])
    with pytest.raises(AirflowSkipException, match="the night ended before it was reached"):
        scrape_tasks.crawl(item, run, late)
    with pytest.raises(AirflowFailException, match="none of 1 planned stores was begun: the night ended before it was reached"):
        scrape_tasks.report("aldi", run, late)
    with warehouse.transaction() as connection:
        planned = crawl_plan.plan_rows(connection, "aldi", date(2026, 11, 18))
    assert [row["store_id"] for row in planned if row["decision"] == "deferred"] == [item["store"]["store_id"]]
    assert scrape_tasks.crawl(item, run, Task(try_number=2))["complete"]


def test_a_partly_crawled_store_is_retried_and_accepted_at_the_last_attempt(
    run: Any, sandbox: RunningSandbox, warehouse: Warehouse
) -> None:
    sandbox.faults.add("error", retailer="aldi", purpose="listing", since=10)
    [item] = scrape_tasks.plan("aldi", run, NO_PARAMS | {"stores": [WORLD.stores("aldi")[0].store_id]}, Task())

    with pytest.raises(RetryableIncompleteCrawl, match="offers are staged; the retry requests the missing pages"):
        scrape_tasks.crawl(item, run, Task(try_number=1, max_tries=1))
    last = Task(try_number=2, max_tries=1)
    outcome = scrape_tasks.crawl(item, run, last)

    assert not outcome["complete"] and outcome["rows"] > 0
    last.items = [item]
    with pytest.raises(AirflowSkipException, match="crawled in part, or left out: "):
        scrape_tasks.report("aldi", run, last)
    assert scrape_tasks.emit("aldi", run, NO_PARAMS, Event())["stores"] == 1


def test_a_retry_requests_only_the_missing_pages(run: Any, sandbox: RunningSandbox) -> None:
    fault = sandbox.faults.add("error", retailer="aldi", purpose="listing", nth=9, times=1)
    sandbox.faults.add("error", retailer="aldi", purpose="listing", nth=10, times=1)
    [item] = scrape_tasks.plan("aldi", run, NO_PARAMS | {"stores": [WORLD.stores("aldi")[0].store_id]}, Task())
    with pytest.raises(RetryableIncompleteCrawl):
        scrape_tasks.crawl(item, run, Task())
    sandbox.faults.clear(fault)
    before = sandbox.traffic.count("aldi")

    outcome = scrape_tasks.crawl(item, run, Task(try_number=2))

    assert outcome["complete"]
    assert sandbox.traffic.count("aldi") - before == outcome["requests"] == 1


def test_staged_files_are_announced_although_the_last_attempt_was_refused(run: Any, sandbox: RunningSandbox) -> None:
    sandbox.faults.add("error", retailer="aldi", purpose="listing", since=10)
    [item] = scrape_tasks.plan("aldi", run, NO_PARAMS | {"stores": [WORLD.stores("aldi")[0].store_id]}, Task())
    task, event = Task(), Event()
    with pytest.raises(RetryableIncompleteCrawl):
        scrape_tasks.crawl(item, run, task)
    sandbox.faults.clear()
    sandbox.faults.add("wall", retailer="aldi")
    with pytest.raises(AirflowSkipException, match="refused by the site, its progress is kept"):
        scrape_tasks.crawl(item, run, task)

    assert scrape_tasks.emit("aldi", run, NO_PARAMS, event)["stores"] == 1


@pytest.mark.parametrize("in_airflow", [True, False])
def test_refused_stores_are_crawled_with_an_operators_session(
    run: Any,
    sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    in_airflow: bool,
    warehouse: Warehouse,
) -> None:
    caplog.set_level(logging.INFO)
    sandbox.faults.add("wall", retailer="aldi", since=30, session="visitor=7f3a9c51")
    task, event = Task(), Event()
    items = crawl_all(run, task)
    blocked = scrape_tasks.refused(task)
    assert blocked
    assert "visitor" not in str(task.pushed)

    session = sessions.Session("visitor=7f3a9c51", "Mozilla/5.0", clock.system_now() + timedelta(hours=1))
    if in_airflow:
        connection = json.dumps({"conn_type": "http", "password": session.to_json()})
        monkeypatch.setenv("AIRFLOW_CONN_AISLEFLOW_SESSION_ALDI", connection)
        assert session_of("aldi") == session
    else:
        sessions.put(warehouse.settings.home, "aldi", session)
    task.pushed["crawl_rest", "return_value"] = [scrape_tasks.crawl_rest(item, run, task) for item in blocked]

    assert scrape_tasks.emit_rest("aldi", run, NO_PARAMS, task, event)["stores"] == len(items)
    assert event.keys == ["aldi|2026-11-18"]
    assert "7f3a9c51" not in caplog.text + str(task.pushed)
    states = rows(warehouse, "SELECT DISTINCT state FROM ops.crawl_outcome")
    assert states == [{"state": "crawled"}]


def test_all_refused_announces_nothing_yet_and_a_second_refusal_fails(run: Any, sandbox: RunningSandbox) -> None:
    sandbox.faults.add("wall", retailer="aldi")
    assert scrape_tasks.canary("aldi", run, NO_PARAMS)["refused"]
    task = Task()
    items = crawl_all(run, task)

    with pytest.raises(AirflowSkipException, match="no file is staged yet"):
        scrape_tasks.emit("aldi", run, NO_PARAMS, Event())
    assert scrape_tasks.refused(task) == items
    with pytest.raises(AirflowFailException, match="the site refuses automatic requests"):
        scrape_tasks.crawl_rest(items[0], run, task)
    with pytest.raises(AirflowSkipException, match="no further file"):
        scrape_tasks.emit_rest("aldi", run, NO_PARAMS, task, Event())
    task.answer = {"chosen_options": ["Approve"], "responded_by_user": {"id": "7", "name": "ann"}}
    with pytest.raises(AirflowFailException, match=r"aldi: 3 of 3 stores failed \(blocked\): .*session set aldi") as caught:
        scrape_tasks.report("aldi", run, task)
    [cause] = cast(StoresFailed, caught.value.__cause__).causes
    assert cause.error_kind == "blocked" and len(cause.labels) == 3


def test_a_missing_decision_fails_and_a_reject_is_a_decision(run: Any, sandbox: RunningSandbox) -> None:
    sandbox.faults.add("wall", retailer="aldi")
    task = Task(answer={"chosen_options": ["Reject"], "responded_by_user": None})
    crawl_all(run, task)
    with pytest.raises(
        AirflowFailException,
        match=r"needs an operator: aldi refuses G100.*, and no decision was made in time\. .*session set aldi",
    ) as caught:
        scrape_tasks.report("aldi", run, task)
    assert isinstance(caught.value.__cause__, QuestionLapsed)

    task.answer = {"chosen_options": ["Reject"], "responded_by_user": {"id": "7", "name": "ann"}}
    with pytest.raises(AirflowSkipException, match="refused by the site, waits for another night"):
        scrape_tasks.report("aldi", run, task)


def test_failed_stores_are_reported_per_cause(run: Any, sandbox: RunningSandbox, warehouse: Warehouse) -> None:
    task = Task()
    items = task.items = scrape_tasks.plan("aldi", run, NO_PARAMS, task)
    sandbox.faults.add("error", retailer="aldi")
    for item in items[:2]:
        with pytest.raises((SiteError, RetryableEmptyCrawl)):
            scrape_tasks.crawl(item, run, task)
    sandbox.faults.clear()
    with pytest.raises(AirflowFailException) as caught:
        scrape_tasks.report("aldi", run, task)
    causes = cast(StoresFailed, caught.value.__cause__).causes
    assert [(cause.error_kind, len(cause.labels), cause.planned) for cause in causes] == [("site_unavailable", 2, 3), ("interrupted", 1, 3)]
    assert str(caught.value).startswith(
        f"aldi: 2 of 3 stores failed (site unavailable): {items[0]['label']}, {items[1]['label']}. Open the site"
    )


@pytest.mark.parametrize(
    ("choice", "user", "skipped"), [("Approve", "ann", []), ("Reject", "ann", ["crawl_rest"]), ("Reject", None, ["crawl_rest"])]
)
def test_the_response_is_pushed_and_a_reject_skips_only_the_second_crawl(
    choice: str, user: str | None, skipped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = {}
    with DAG("scrape_x", schedule=None) as dag:
        ask = BotWallApprovalOperator(task_id="ask_continue", retailer="aldi", retry_task_id="crawl_rest")
        for follower in ("crawl_rest", "needs_a_person"):
            ask >> EmptyOperator(task_id=follower)
    ended: list[tuple[str, str]] = []
    monkeypatch.setattr("include.orchestration.alerting.end_alert", lambda key, why: ended.append((key, why)))
    ti = SimpleNamespace(xcom_push=lambda key, value: pushed.update({key: value}), dag_id="scrape_x", run_id="r", map_index=-1)
    who = {"id": "7", "name": user} if user else None
    event = {"chosen_options": [choice], "params_input": {}, "responded_at": datetime(2026, 11, 18, tzinfo=UTC), "responded_by_user": who}
    excluded: list[str] = []
    try:
        ask.execute_complete({"ti": ti, "task": dag.get_task("ask_continue")}, event)
    except DownstreamTasksSkipped as skipping:
        excluded = list(skipping.tasks)

    assert excluded == skipped
    assert ended == [
        ("question|scrape_x|r", f"ann answered {choice}" if user else "no answer came in time, the stores wait for another night")
    ]
    assert pushed["answer"] == {"chosen_options": [choice], "responded_by_user": who}


def test_a_crawl_that_did_not_begin_is_reported_where_its_cause_stands(run: Any, sandbox: RunningSandbox) -> None:
    with pytest.raises(AirflowSkipException, match="see `canary` and `plan`"):
        scrape_tasks.report("aldi", run, Task())


def test_a_changed_page_fails_the_run_before_any_store_is_crawled(run: Any, sandbox: RunningSandbox) -> None:
    sandbox.faults.add("renamed_field", retailer="aldi", field="price")

    with pytest.raises(AirflowFailException, match=r"product rows have lost price.*expected: .*found: .*price_v2"):
        scrape_tasks.canary("aldi", run, NO_PARAMS)

    assert sandbox.traffic.count("aldi") <= 3


def test_params_restrict_a_run(run: Any) -> None:
    task = Task()
    items = crawl_all(run, task, stores=[WORLD.stores("aldi")[0].store_id], categories=["Bakery"], pages=1)

    [outcome] = task.pushed["crawl", "return_value"]
    assert len(items) == 1
    assert not outcome["complete"]
    assert outcome["rows"] > 0


def test_a_reread_run_sends_no_request_and_stages_under_its_own_key(
    run: Any, sandbox: RunningSandbox, warehouse: Warehouse, storage: Storage
) -> None:
    crawl_all(run, Task())
    pipeline.ingest(warehouse, storage, "aldi")
    asked = sandbox.traffic.count()
    by_hand = SimpleNamespace(dag_id="scrape_aldi", run_id="manual__2", partition_key=None, run_after=datetime(2026, 11, 20, tzinfo=UTC))
    task, event = Task(), Event()
    params: dict[str, Any] = {"reread": True, "night": "2026-11-18"}

    with pytest.raises(AirflowSkipException):
        scrape_tasks.canary("aldi", by_hand, NO_PARAMS | params)
    items = crawl_all(by_hand, task, **params)

    assert len(items) == 3 and all(outcome["complete"] and outcome["requests"] == 0 for outcome in task.pushed["crawl", "return_value"])
    assert sandbox.traffic.count() == asked
    assert scrape_tasks.emit("aldi", by_hand, NO_PARAMS | params, event)["stores"] == 3
    assert event.keys == ["aldi|2026-11-18"]
    with pytest.raises(AirflowFailException, match="no pages are landed for the night of 2026-11-01"):
        scrape_tasks.plan("aldi", by_hand, NO_PARAMS | {"reread": True, "night": "2026-11-01"}, Task())


def test_two_runs_triggered_at_once_ask_the_site_once(run: Any, sandbox: RunningSandbox, warehouse: Warehouse, storage: Storage) -> None:
    second = SimpleNamespace(dag_id="scrape_aldi", run_id="manual__2", partition_key="2026-11-18", run_after=run.run_after)
    first_task, second_task = Task(), Task()
    crawl_all(run, first_task)
    asked = sandbox.traffic.count("aldi")
    items = crawl_all(second, second_task)

    assert sandbox.traffic.count("aldi") == asked, "what the first crawled, the second leaves"
    with pytest.raises(AirflowSkipException, match="left to another run: run scrape_aldi_scheduled_2026-11-18 crawled it for this night"):
        scrape_tasks.report("aldi", second, second_task)
    assert scrape_tasks.crawl(items[0], second, Task(try_number=2))["complete"], "a cleared task crawls the store again"
    assert sandbox.traffic.count("aldi") > asked


def test_a_store_that_another_run_crawls_now_is_left_to_it(
    run: Any, sandbox: RunningSandbox, warehouse: Warehouse, storage: Storage
) -> None:
    task = Task()
    item, *_ = scrape_tasks.plan("aldi", run, NO_PARAMS, task)
    with alone(warehouse, scrape_tasks._crawl_run(warehouse, storage, item, run)) as is_alone:
        assert is_alone
        with pytest.raises(AirflowSkipException, match="another run crawls it now"):
            scrape_tasks.crawl(item, run, task)
    assert sandbox.traffic.count("aldi") == 0
    assert scrape_tasks.crawl(item, run, task)["complete"]
