"""Alerts are sent through Apprise, once each; a failed delivery is logged and fails nothing else."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowFailException

from include.alerts import inbox
from include.alerts.alerts import Alert
from include.config import settings
from include.errors import NeedsPersonError, TerminalError
from include.ingestion import pipeline
from include.ledger.open_questions import HeldStoreDays, raise_if_undecided
from include.orchestration import alerting
from include.orchestration.airflow_errors import airflow_errors
from include.orchestration.defaults import DEFAULT_ARGS, notify_failure
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
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


def context(
    error: BaseException | None, *, task_id: str = "load", map_index: int = -1, run_id: str = "r1", task: Any = None
) -> dict[str, Any]:
    ti = SimpleNamespace(
        dag_id="ingest_prices", task_id=task_id, run_id=run_id, map_index=map_index, try_number=1, log_url="http://localhost/log", rendered_map_index="G1",
    )  # fmt: skip
    return {"ti": ti, "dag_run": SimpleNamespace(partition_key="aldi|2026-11-18"), "exception": error, "task": task}


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
    assert received["message"] == "Put it out.\n\nThe task: http://localhost/dags/x"


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


@pytest.mark.parametrize(("watcher_rule", "expected"), [("one_failed", 0), ("all_done", 1)])
def test_a_watched_task_raises_no_alert(local_inbox: None, watcher_rule: str, expected: int) -> None:
    with DAG("crawling", schedule=None):

        @task
        def crawl(store: int) -> None: ...

        @task(trigger_rule=watcher_rule)
        def some_store_failed() -> None: ...

        crawled = crawl.expand(store=[1, 2])
        crawled >> some_store_failed()
    notify_failure(context(TerminalError("odd"), task_id="crawl", map_index=0, task=crawled.operator))  # type: ignore[attr-defined]
    assert len(sent_titles()) == expected


def test_every_task_has_a_failure_callback(local_inbox: None) -> None:
    assert DEFAULT_ARGS["on_failure_callback"] is notify_failure


def test_an_alert_error_does_not_hide_the_task_failure(
    local_inbox: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("include.alerts.failed.failed_alert", lambda **_: 1 / 0)
    notify_failure(context(TerminalError("one")))
    assert "the alert about this failure could not be sent" in caplog.text


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
    assert alerting.send_held_alerts(held, storage, ["aldi"], context(None)) == [3, 4]
    assert alerting.send_held_alerts(held, storage, ["aldi"], context(None)) == [] == alerting.send_held_alerts(held, storage, ["iga"])
    [alert] = inbox.read(settings().home)
    assert (
        alert["title"].startswith("critical: 2 store-days held, aldi of 2026-11-18") and "The task: http://localhost/log" in alert["body"]
    )


def test_the_failed_report_does_not_repeat_an_alert(local_inbox: None, held: Warehouse, storage: Storage) -> None:
    with pytest.raises(HeldStoreDays) as caught:
        raise_if_undecided(held, ["aldi"], "2026-11-18")
    notify_failure(context(run_task(caught.value), task_id="report"))
    assert len(sent_titles()) == 1, "no alert was sent before"
    alerting.send_held_alerts(held, storage, ["aldi"])
    notify_failure(context(run_task(caught.value), task_id="report", run_id="r2"))
    assert len(sent_titles()) == 2


def test_held_store_days_raise_an_alert_once_a_connection_exists(held: Warehouse, storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    monkeypatch.delenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", raising=False)
    with caplog.at_level(logging.WARNING):
        assert alerting.send_held_alerts(held, storage, ["aldi"]) == []
    monkeypatch.setenv("AIRFLOW_CONN_AISLEFLOW_ALERTS", INBOX)
    assert alerting.send_held_alerts(held, storage, ["aldi"]) == [3, 4]
