"""Alerts are sent through Apprise, once each; a failed delivery is logged and fails nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include import clock
from include.alerts import inbox
from include.alerts.alerts import Alert
from include.alerts.troubles import question_key
from include.alerts.wall_question import wall_alert, wall_question
from include.config import settings
from include.errors import NeedsPersonError, TerminalError
from include.ingestion import pipeline
from include.ledger.decisions import decide_files
from include.ledger.open_questions import HeldStoreDays, NightIncomplete, raise_if_undecided
from include.orchestration import alerting
from include.orchestration import resources as resources_module
from include.orchestration.airflow_errors import airflow_errors
from include.orchestration.defaults import DEFAULT_ARGS, notify_failure, notify_success
from include.retailers.errors import SiteError
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse, WarehouseUnavailable
from tests.ingestion.store_days import TUESDAY, StoreDays, offers
from tests.project.files import ROOT

pytestmark = pytest.mark.slow

ALERT = Alert("failed", "critical", "critical: it burns", "Put it out.", "key", link="http://localhost/dags/x")


#: The connection of an installation without a home of its own.
INBOX = json.dumps({"conn_type": "apprise", "extra": {"config": {"path": "inbox://home", "tag": "all"}}})


class Sink:
    """An HTTP server that records the requests posted to it."""

    def __init__(self, status: int) -> None:
        self.received: list[dict[str, Any]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def connection(self) -> str:
        return json.dumps(
            {"conn_type": "apprise", "extra": {"config": {"path": f"json://127.0.0.1:{self.server.server_port}", "tag": "all"}}}
        )

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(autouse=True)
def plugins_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in Airflow's processes: the notifier is found by its name."""
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    server = Sink(200)
    monkeypatch.setenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", server.connection())
    yield server
    server.close()


@pytest.fixture
def local_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", INBOX)


@pytest.fixture(autouse=True)
def resources(request: pytest.FixtureRequest, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """As in a task: the warehouse and the storage root."""
    warehouse: Warehouse = request.getfixturevalue("strict_warehouse")

    @contextmanager
    def opened() -> Iterator[tuple[Warehouse, Storage]]:
        with airflow_errors():
            yield warehouse, storage

    monkeypatch.setattr("include.orchestration.resources.resources", opened)
    monkeypatch.setenv("AISLEFLOW_STORAGE_ROOT", storage.url)
    return warehouse


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The warehouse does not respond, until the returned function is called."""

    @contextmanager
    def opened() -> Iterator[Any]:
        raise WarehouseUnavailable("the warehouse does not respond")
        yield

    before = resources_module.resources
    monkeypatch.setattr(resources_module, "resources", opened)
    return lambda: monkeypatch.setattr(resources_module, "resources", before)


def context(
    error: BaseException | None,
    *,
    task_id: str = "load",
    map_index: int = -1,
    run_id: str = "r1",
    dag_id: str = "ingest_prices",
    key: str | None = "aldi|2026-11-18",
) -> dict[str, Any]:
    ti = SimpleNamespace(
        dag_id=dag_id, task_id=task_id, run_id=run_id, map_index=map_index, try_number=1, log_url="http://localhost/log", rendered_map_index="G1",
    )  # fmt: skip
    return {"ti": ti, "dag_run": SimpleNamespace(partition_key=key), "exception": error}


def sent_titles() -> list[str]:
    return [alert["title"] for alert in inbox.read(settings().home)]


def run_task(error: Exception) -> AirflowFailException:
    """The error as converted for Airflow."""
    with pytest.raises(AirflowFailException) as caught, airflow_errors():
        raise error
    return caught.value


def test_an_alert_arrives_at_a_service(sink: Sink) -> None:
    assert alerting.send(ALERT)
    [received] = sink.received
    assert received["title"] == "critical: it burns" and received["type"] == "failure"
    assert received["message"] == "Put it out.\n\nIn the UI: http://localhost/dags/x"


def test_an_alert_is_delivered_to_the_local_inbox(local_inbox: None) -> None:
    assert alerting.send(ALERT) and alerting.send(ALERT)
    assert [(alert["severity"], alert["title"]) for alert in inbox.read(settings().home)] == [("critical", "critical: it burns")] * 2


@pytest.mark.parametrize("path", ["json://127.0.0.1:9", "nonsense://x", ""])
def test_a_failed_delivery_is_logged_and_not_raised(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_AISLEFLOW_ALERTS", json.dumps({"conn_type": "apprise", "extra": {"config": {"path": path}, "token": "s3cret"}})
    )
    assert not alerting.send(ALERT)
    assert "critical: it burns" in caplog.text and "delivered" in caplog.text and "s3cret" not in caplog.text


def test_a_refusal_by_the_service_is_a_failed_delivery(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    server = Sink(500)
    monkeypatch.setenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", server.connection())
    try:
        assert not alerting.send(ALERT)
    finally:
        server.close()
    assert "was not delivered" in caplog.text and server.received


def test_a_missing_connection_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", raising=False)
    notify_failure(context(TerminalError("it is odd")))
    lines = [record.message for record in caplog.records if record.name == alerting.__name__]
    assert len(lines) == 1 and "there is no Airflow connection aisleflow_alerts" in lines[0]


def test_equal_failures_raise_one_alert_and_new_ones_another(local_inbox: None, fixed_clock: Any) -> None:
    for error in (run_task(TerminalError("one")), run_task(TerminalError("one")), run_task(NeedsPersonError("two")), RuntimeError("three")):
        notify_failure(context(error))
    assert sorted(sent_titles()) == [
        "critical: ingest_prices.load failed: RuntimeError: three",
        "critical: ingest_prices.load failed: one",
        "warning: ingest_prices.load failed: two",
    ]
    fixed_clock("2026-11-18T22:00:00+00:00")
    notify_failure(context(run_task(TerminalError("one")), run_id="r2"))
    assert len(sent_titles()) == 4, "half a day later the alert is repeated"


def test_an_undelivered_alert_is_sent_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_AISLEFLOW_ALERTS", json.dumps({"conn_type": "apprise", "extra": {"config": {"path": "json://127.0.0.1:9"}}})
    )
    notify_failure(context(TerminalError("one")))
    monkeypatch.setenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", INBOX)
    notify_failure(context(TerminalError("one")))
    assert len(sent_titles()) == 1


def test_many_failed_stores_raise_one_alert(local_inbox: None) -> None:
    for store in range(300):
        notify_failure(context(TerminalError(f"store {store} is odd"), task_id="crawl", map_index=store))
    assert sent_titles() == ["warning: ingest_prices.crawl [G1] failed: store 0 is odd"]


def test_every_task_has_its_callbacks() -> None:
    assert DEFAULT_ARGS["on_failure_callback"] is notify_failure
    assert DEFAULT_ARGS["on_success_callback"] is DEFAULT_ARGS["on_skipped_callback"] is notify_success


# held data ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def held(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    monkeypatch.setenv("AISLEFLOW_STORAGE_ROOT", storage.url)
    for store in ("G1", "G2"):
        store_day(store_id=store, at=TUESDAY, lines=offers(200))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    for store in ("G1", "G2"):
        store_day(store_id=store, lines=offers(200, price=100.0))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    return strict_warehouse


def test_held_store_days_raise_one_alert_despite_retries(local_inbox: None, held: Warehouse, storage: Storage) -> None:
    assert alerting.send_held_alerts(held, storage, ["aldi"], "http://localhost/log") == [3, 4]
    assert (
        alerting.send_held_alerts(held, storage, ["aldi"], "http://localhost/log")
        == []
        == alerting.send_held_alerts(held, storage, ["iga"])
    )
    [alert] = inbox.read(settings().home)
    assert (
        alert["title"].startswith("critical: 2 store-days held, aldi of 2026-11-18") and "In the UI: http://localhost/log" in alert["body"]
    )
    assert "lapses at Sat 21 Nov 20:00 AEDT (09:00 UTC)" in alert["body"]


def test_the_failed_report_does_not_repeat_an_alert(local_inbox: None, held: Warehouse, storage: Storage) -> None:
    with pytest.raises(HeldStoreDays) as caught:
        raise_if_undecided(held, ["aldi"], "2026-11-18")
    alerting.send_held_alerts(held, storage, ["aldi"])
    notify_failure(context(run_task(caught.value), task_id="report", run_id="r2"))
    assert len(sent_titles()) == 1


def test_held_store_days_raise_an_alert_once_a_connection_exists(
    held: Warehouse, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", raising=False)
    assert alerting.send_held_alerts(held, storage, ["aldi"]) == [3, 4]
    monkeypatch.setenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", INBOX)
    assert alerting.send_due_alerts(held, storage) == 1 == len(sent_titles())


# troubles from begin to end -----------------------------------------------------------------------------------------------


def test_a_trouble_is_told_once_and_its_end_once(local_inbox: None, resources: Warehouse, storage: Storage, fixed_clock: Any) -> None:
    notify_failure(context(TerminalError("one. Mend it.")))
    notify_success(context(None, run_id="r2"))
    assert alerting.send_due_alerts(resources, storage) == 0, "it may come back"
    fixed_clock("2026-11-18T10:00:00+00:00")
    assert [alerting.send_due_alerts(resources, storage) for _ in range(2)] == [1, 0]
    assert sent_titles()[0] == "over: critical: ingest_prices.load failed: one. Mend it."
    assert "the task succeeded in run r2" in inbox.read(settings().home)[0]["body"]
    notify_failure(context(TerminalError("one. Mend it.")))
    assert len(sent_titles()) == 3, "the same cause afterwards is a new trouble"


def test_a_cause_that_comes_back_within_the_hour_raises_nothing(
    local_inbox: None, resources: Warehouse, storage: Storage, fixed_clock: Any
) -> None:
    for minute in (0, 15, 30, 45):
        fixed_clock(f"2026-11-18T09:{minute:02}:00+00:00")
        notify_failure(context(TerminalError("one")))
        notify_success(context(None))
        alerting.send_due_alerts(resources, storage)
    assert len(sent_titles()) == 1
    fixed_clock("2026-11-18T10:45:00+00:00")
    alerting.send_due_alerts(resources, storage)
    assert len(sent_titles()) == 2


def test_another_retailers_success_ends_nothing(local_inbox: None, resources: Warehouse, storage: Storage, fixed_clock: Any) -> None:
    notify_failure(context(TerminalError("one")))
    notify_success(context(None, key="iga|2026-11-18"))
    notify_success(context(None, task_id="check"))
    fixed_clock("2026-11-18T20:00:00+00:00")
    assert alerting.send_due_alerts(resources, storage) == 0


def test_tasks_that_fail_together_for_one_cause_raise_one_alert(local_inbox: None, storage: Storage, away: Callable[[], None]) -> None:
    failures = [
        context(WarehouseUnavailable("the warehouse does not respond"), dag_id="sweep_outbox", task_id=task, key=None) for task in "abcd"
    ]
    with ThreadPoolExecutor(4) as several:
        list(several.map(notify_failure, failures))
    assert len(sent_titles()) == 1
    away()
    with ThreadPoolExecutor(4) as several:
        list(several.map(notify_failure, [context(SiteError("status 500"), dag_id="scrape_aldi", task_id=task) for task in "abcd"]))
    assert len(sent_titles()) == 2


def test_an_outage_of_the_warehouse_is_told_once_and_its_end_once(
    local_inbox: None, resources: Warehouse, storage: Storage, away: Callable[[], None], fixed_clock: Any
) -> None:
    for minute in (0, 15, 30):
        fixed_clock(f"2026-11-18T09:{minute:02}:00+00:00")
        notify_failure(context(WarehouseUnavailable("the warehouse does not respond"), dag_id="sweep_outbox", task_id="sweep", key=None))
        notify_success(context(None, dag_id="sweep_outbox", key=None))
    away()
    for instant in ("09:45", "10:00", "10:15", "10:30", "10:45"):
        fixed_clock(f"2026-11-18T{instant}:00+00:00")
        alerting.send_due_alerts(resources, storage)
    assert sent_titles() == [
        "over: critical: sweep_outbox.sweep failed: the warehouse does not respond",
        "critical: sweep_outbox.sweep failed: the warehouse does not respond",
    ]


def test_an_outage_while_the_address_fails_is_told_afterwards(
    monkeypatch: pytest.MonkeyPatch, resources: Warehouse, storage: Storage, fixed_clock: Any
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", raising=False)
    notify_failure(context(TerminalError("one. Mend it.")))
    notify_success(context(None))
    fixed_clock("2026-11-18T20:00:00+00:00")
    assert alerting.send_due_alerts(resources, storage) == 0
    monkeypatch.setenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", INBOX)
    assert alerting.send_due_alerts(resources, storage) == 1
    [alert] = inbox.read(settings().home)
    assert alert["title"].startswith("over: ") and "It could not be sent before" in alert["body"] and alert["severity"] == "info"


def test_the_question_of_a_bot_wall_names_stores_and_deadline() -> None:
    until = clock.parse_instant("2026-11-18T17:00:00+00:00", "test")
    question = wall_question("iga", ["*G100* Corner", *(f"{number} Shop" for number in range(2, 30))], until)
    assert question.subject == "iga: the site refuses 29 store(s). Crawl again?"
    assert "- \\*G100\\* Corner\n- 2 Shop\n" in question.body and "… and 9 more" in question.body
    assert "Answer by Thu 19 Nov 04:00 AEDT (17:00 UTC)" in question.body and "aisleflow session set iga" in question.body


def test_a_question_is_told_reminded_of_and_ended(local_inbox: None, resources: Warehouse, storage: Storage, fixed_clock: Any) -> None:
    until = clock.parse_instant("2026-11-18T17:00:00+00:00", "test")
    alerting.raise_alert(wall_alert("aldi", ["G100 Aldi Preston"], until, question_key("scrape_aldi", "r1"), "http://localhost/ask"))
    for instant in ("12:59", "13:00", "13:15", "15:59", "16:00", "16:15"):
        fixed_clock(f"2026-11-18T{instant}:00+00:00")
        alerting.send_due_alerts(resources, storage)
    alerting.end_alert(question_key("scrape_aldi", "r1"), "ann answered Approve")
    alerting.end_alert(question_key("scrape_aldi", "r1"), "ann answered Approve")
    told = "warning: aldi refuses G100 Aldi Preston: approve or reject by Thu 19 Nov 04:00 AEDT (17:00 UTC)"
    assert sent_titles() == [f"over: {told}", f"reminder, 1 hour left: {told}", f"reminder, 4 hours left: {told}", told]
    assert (
        "ann answered Approve" in inbox.read(settings().home)[0]["body"]
        and "http://localhost/ask" in inbox.read(settings().home)[0]["body"]
    )


def test_a_decision_ends_the_alert_about_held_data(local_inbox: None, held: Warehouse, storage: Storage, fixed_clock: Any) -> None:
    alerting.send_held_alerts(held, storage, ["aldi"])
    decide_files(held, storage, [3], "leave", "ann", "not now", "Airflow")
    assert alerting.send_due_alerts(held, storage) == 0, "one still waits for a decision"
    decide_files(held, storage, [4], "discard", "ann", "wrong", "Airflow")
    assert [alerting.send_due_alerts(held, storage) for _ in range(2)] == [1, 0]
    assert "decided: discard by ann; left held by ann" in inbox.read(settings().home)[0]["body"]
    assert alerting.send_held_alerts(held, storage, ["aldi"]) == [], "what a person left held is not announced again"


def test_the_watch_repeats_nothing_that_was_told(local_inbox: None, resources: Warehouse) -> None:
    items = [{"retailer": "aldi", "state": "not_planned", "file_id": None}, {"retailer": "iga", "state": "failed", "file_id": None}]
    notify_failure(context(SiteError("status 500"), dag_id="scrape_aldi", task_id="canary", key="2026-11-18"))
    watch = context(
        run_task(NightIncomplete("the night is incomplete", items[:1])), dag_id="watch_night", task_id="watch", key="2026-11-18"
    )
    notify_failure(watch)
    assert len(sent_titles()) == 1
    notify_failure(watch | {"exception": run_task(NightIncomplete("the night is incomplete", items))})
    assert len(sent_titles()) == 2, "of iga nobody was told"
