"""The REST client against a server that responds like Airflow."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from include.embedded.airflow_api import AirflowApi
from include.embedded.deadline import Deadline
from include.errors import TerminalError, TransientError


@dataclass
class FakeAirflow:
    """Responds by (method, path) and records the requests. A list of responses is used one by one."""

    url: str = ""
    responses: dict[tuple[str, str], Any] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, list[str]], Any]] = field(default_factory=list)
    tokens: int = 0
    valid_tokens: set[str] = field(default_factory=set)

    def respond(self, method: str, path: str, query: dict[str, list[str]], body: Any, token: str | None) -> tuple[int, Any]:
        if path == "/auth/token":
            if body["password"] != "right":
                return 401, {"detail": "Invalid credentials"}
            self.tokens += 1
            self.valid_tokens = {f"Bearer t{self.tokens}"}
            return 201, {"access_token": f"t{self.tokens}"}
        if token not in self.valid_tokens and not path.endswith("/health"):
            return 401, {"detail": "expired"}
        self.asked.append((method, path, query, body))
        found = self.responses[method, path]
        if isinstance(found, list):
            found = found.pop(0)
        if callable(found):
            found = found(query)
        return found if isinstance(found, tuple) else (200, found)


@pytest.fixture
def airflow() -> Iterator[FakeAirflow]:
    fake = FakeAirflow()

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            address = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, value = fake.respond(
                self.command, address.path, parse_qs(address.query), json.loads(sent or "null"), self.headers.get("Authorization")
            )
            text = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = respond

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(airflow: FakeAirflow) -> AirflowApi:
    return AirflowApi(airflow.url + "/", "admin", "right")


def test_all_pages_of_a_list_are_read(airflow: FakeAirflow, api: AirflowApi) -> None:
    tasks = [{"task_id": "crawl", "map_index": number} for number in range(250)]

    def page(query: dict[str, list[str]]) -> dict[str, Any]:
        offset, limit = int(query["offset"][0]), int(query["limit"][0])
        return {"task_instances": tasks[offset : offset + limit], "total_entries": len(tasks)}

    airflow.responses["GET", "/api/v2/dags/d/dagRuns/r%2B1/taskInstances"] = page
    assert api.task_instances("d", "r+1") == tasks
    assert len(airflow.asked) == 3


def test_a_limit_is_passed_to_the_api(airflow: FakeAirflow, api: AirflowApi) -> None:
    airflow.responses["GET", "/api/v2/dags/~/dagRuns"] = lambda query: {"dag_runs": [{}] * int(query["limit"][0])}
    assert len(api.list_runs(limit=7, state="failed")) == 7
    assert airflow.asked[0][2] == {"order_by": ["-run_after"], "state": ["failed"], "limit": ["7"], "offset": ["0"]}


def test_an_expired_token_is_renewed_once(airflow: FakeAirflow, api: AirflowApi) -> None:
    airflow.responses["GET", "/api/v2/dags/d/dagRuns/r"] = {"state": "running"}
    api.run("d", "r")
    airflow.valid_tokens = set()
    assert api.run("d", "r") == {"state": "running"}
    assert airflow.tokens == 2


def test_a_wrong_password_is_terminal_and_names_its_file(airflow: FakeAirflow) -> None:
    with pytest.raises(TerminalError, match=r"password of 'op'.*passwords\.json"):
        AirflowApi(airflow.url, "op", "wrong").list_dags()


@pytest.mark.parametrize(
    ("code", "error"), [(400, TerminalError), (404, TerminalError), (409, TerminalError), (429, TransientError), (500, TransientError)]
)
def test_a_refusal_is_terminal_and_an_overload_is_transient(
    airflow: FakeAirflow, api: AirflowApi, code: int, error: type[Exception]
) -> None:
    airflow.responses["POST", "/api/v2/dags/d/dagRuns"] = (code, {"detail": "bad key."})
    with pytest.raises(error, match=rf"POST .*/dags/d/dagRuns: {code} bad key\. "):
        api.trigger("d")


def test_an_unreachable_api_is_transient_and_names_the_next_step() -> None:
    with pytest.raises(TransientError, match="aisleflow status"):
        AirflowApi("http://127.0.0.1:1", "admin", "x").health()


def test_proxies_are_bypassed(airflow: FakeAirflow, api: AirflowApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    airflow.responses["GET", "/api/v2/monitor/health"] = {"scheduler": {"status": "healthy"}}
    assert api.health()["scheduler"]["status"] == "healthy"
    assert airflow.tokens == 0  # health needs no login


def test_a_trigger_sends_only_what_is_given(airflow: FakeAirflow, api: AirflowApi) -> None:
    airflow.responses["POST", "/api/v2/dags/d/dagRuns"] = {"dag_run_id": "r"}
    api.trigger("d")
    api.trigger("d", partition_key="coles|2026-11-18", conf={"a": 1}, run_id="r", note="n")
    assert [asked[3] for asked in airflow.asked] == [
        {"logical_date": None, "conf": {}},
        {"logical_date": None, "conf": {"a": 1}, "partition_key": "coles|2026-11-18", "dag_run_id": "r", "note": "n"},
    ]


def test_waiting_for_a_run_reports_progress(airflow: FakeAirflow, api: AirflowApi) -> None:
    airflow.responses["GET", "/api/v2/dags/d/dagRuns/r"] = [{"state": "queued"}, {"state": "running"}, {"state": "failed"}]
    airflow.responses["GET", "/api/v2/dags/d/dagRuns/r/taskInstances"] = {"task_instances": [{"state": "success"}, {"state": None}]}
    messages: list[tuple[str, dict[str, int]]] = []
    run = api.wait_for_run("d", "r", quiet_seconds=60, progress=lambda state, tasks: messages.append((state, tasks)), every_seconds=0)
    assert run["state"] == "failed"
    assert messages == [(state, {"success": 1, "not started": 1}) for state in ("queued", "running", "failed")]


def test_waiting_ends_when_nothing_moves_with_the_runs_page(airflow: FakeAirflow, api: AirflowApi) -> None:
    counts = [*range(5), 4, 4, 4, 4]
    airflow.responses["GET", "/api/v2/dags/d/dagRuns/r"] = {"state": "running"}
    airflow.responses["GET", "/api/v2/dags/d/dagRuns/r/taskInstances"] = lambda _: {
        "task_instances": [{"state": "success"}] * counts.pop(0)
    }
    with pytest.raises(TransientError, match=r"nothing has moved for 0 seconds.*/dags/d/runs/r"):
        api.wait_for_run("d", "r", quiet_seconds=0, every_seconds=0)
    assert len(counts) == 3, "as long as tasks end, it waits"


def test_clearing_names_tasks_and_map_indexes(airflow: FakeAirflow, api: AirflowApi) -> None:
    airflow.responses["POST", "/api/v2/dags/d/clearTaskInstances"] = {"task_instances": [{"task_id": "crawl"}]}
    assert api.clear("d", "r", ["emit", ("crawl", 3)]) == [{"task_id": "crawl"}]
    body = airflow.asked[0][3]
    assert body["task_ids"] == ["emit", ["crawl", 3]]
    assert (body["dry_run"], body["include_downstream"], body["only_failed"]) == (False, True, False)


def test_an_event_is_posted_to_the_asset_with_that_name_or_uri(airflow: FakeAirflow, api: AirflowApi) -> None:
    airflow.responses["GET", "/api/v2/assets"] = {
        "assets": [{"id": 4, "name": "inbox", "uri": "x://inbox"}, {"id": 9, "name": "outbox", "uri": "x://outbox"}]
    }
    airflow.responses["POST", "/api/v2/assets/events"] = {"id": 1}
    api.post_asset_event("outbox", partition_key="k", extra={"files": 2})
    api.post_asset_event("x://inbox")
    assert [asked[3] for asked in airflow.asked if asked[0] == "POST"] == [
        {"asset_id": 9, "partition_key": "k", "extra": {"files": 2}},
        {"asset_id": 4, "partition_key": None, "extra": {}},
    ]
    with pytest.raises(TerminalError, match="no asset 'x'"):
        api.post_asset_event("x")


def test_a_pool_is_created_changed_or_unchanged(airflow: FakeAirflow, api: AirflowApi) -> None:
    airflow.responses["GET", "/api/v2/pools"] = {"pools": [{"name": "crawl_iga", "slots": 1}]}
    airflow.responses["POST", "/api/v2/pools"] = airflow.responses["PATCH", "/api/v2/pools/crawl_iga"] = {}
    for name, slots in (("crawl_iga", 1), ("crawl_iga", 2), ("crawl_aldi", 1)):
        api.put_pool(name, slots)
    assert [asked[:2] for asked in airflow.asked if asked[0] != "GET"] == [("PATCH", "/api/v2/pools/crawl_iga"), ("POST", "/api/v2/pools")]


def test_a_deadline_is_over_when_nothing_has_moved_for_its_time() -> None:
    seconds = [0.0]
    deadline = Deadline(60, lambda: seconds[0])
    over = []
    for at, seen in ((0, 1), (50, 1), (55, 2), (110, 2), (116, 2), (117, 3)):
        seconds[0] = at
        over.append(deadline.is_over(seen))
    assert over == [False, False, False, False, True, False]
