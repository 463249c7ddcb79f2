"""``aisleflow night``: slow answers, an aborted night taken up, Ctrl-C, and the summary of an earlier night."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from include.cli import night_records, night_run
from include.cli.main import app
from include.cli.night import print_night
from include.cli.night_records import NightRecord
from include.embedded import airflow_api, components, installation, sandbox
from include.embedded.airflow_api import AirflowApi
from include.embedded.components import Component, ComponentState
from include.embedded.sandbox import SandboxWorld
from include.errors import TerminalError, TransientError
from include.warehouse.engine import Warehouse
from sandbox.verify import PriceComparison

NIGHT = date(2026, 11, 18)


class QuietDisplay:
    """Progress nobody sees; it keeps the bars."""

    def __init__(self) -> None:
        self.bars: list[str] = []

    def __call__(self, message: str) -> None: ...

    def bar(self, name: str, done: int, total: int, text: str) -> None:
        self.bars.append(f"{name} {done}/{total}: {text}")


@dataclass
class FakeApi:
    """Airflow as the night sees it. ``states`` are the states of each run, one per poll; an exception is raised instead."""

    states: list[Any] = field(default_factory=lambda: ["running", "success"])
    triggered: dict[str, str] = field(default_factory=dict)
    waited: list[str] = field(default_factory=list)

    def trigger(self, dag_id: str, *, run_id: str, partition_key: str | None = None) -> dict[str, str]:
        self.triggered[dag_id] = run_id
        return {"dag_run_id": run_id}

    def list_runs(self, dag_id: str, **_: Any) -> list[Any]:
        return []

    def run_url(self, dag_id: str, run_id: str) -> str:
        return f"http://ui/{dag_id}"

    def wait_for_run(self, dag_id: str, run_id: str, *, quiet_seconds: float, progress: Any) -> None:
        self.waited.append(f"{dag_id} {run_id}")
        for state in self.states:
            if isinstance(state, BaseException):
                raise state
            progress(state, {state: 1})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose warehouse knows every retailer's stores and waits for nothing."""
    monkeypatch.setattr(night_run, "count_stores", lambda *_: {"aldi": (4, 3, 2)})
    monkeypatch.setattr(night_run, "waiting_retailers", lambda *_: set())
    monkeypatch.setattr(night_run, "undiscovered", lambda *_: [])
    return tmp_path / "home"


def night_of(home: Path, api: FakeApi, record: NightRecord) -> night_run.NightRun:
    return night_run.NightRun(home, api, None, record, QuietDisplay())  # type: ignore[arg-type]


def test_an_aborted_night_is_taken_up_with_the_runs_it_has(home: Path) -> None:
    record = NightRecord(NIGHT, SandboxWorld(), ["aldi", "coles"])
    with pytest.raises(TransientError):
        night_of(home, FakeApi([TransientError("too slow")]), record).run()

    again = night_records.newest(home)
    assert again == record and list(record.runs) == ["scrape_aldi", "scrape_coles"]
    api = FakeApi()
    night_of(home, api, again).run()
    assert api.triggered == {}, "what runs is not started twice"
    assert api.waited == [f"{dag} {run_id}" for dag, run_id in record.runs.items()]


def test_progress_counts_stores(home: Path) -> None:
    run = night_of(home, FakeApi(), NightRecord(NIGHT, SandboxWorld(), ["aldi"]))
    run.run()
    assert set(run._show.bars) == {"aldi 5/8: 3 of 4 stores crawled, 2 ingested"}  # type: ignore[attr-defined]


def test_a_dead_component_ends_the_wait_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = ComponentState(Component("scheduler", (), ""), "dead", None)
    monkeypatch.setattr(components, "known_components", lambda _: [dead])
    with pytest.raises(TransientError, match=r"scheduler of this installation has died.*goes on with this night"):
        night_of(home, FakeApi(), NightRecord(NIGHT, SandboxWorld(), ["aldi"])).run()


def test_a_night_that_nobody_ran_is_named(home: Path) -> None:
    NightRecord(NIGHT, SandboxWorld()).save(home)
    with pytest.raises(TerminalError, match=r"no night of 2026-01-01 was run here\. The last ones: 2026-11-18"):
        night_records.read(home, date(2026, 1, 1))


# the command


@pytest.fixture
def installed(home: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """An installation that is up, with this API; every price is right."""
    api = FakeApi()
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    found = SimpleNamespace(warehouse_url=warehouse.url, ui_url="http://ui")
    monkeypatch.setattr(installation, "up", lambda *_: found)
    monkeypatch.setattr(installation, "status", lambda *_: found)
    monkeypatch.setattr(sandbox, "start_sandbox", lambda *_: "http://sandbox")
    monkeypatch.setattr(airflow_api, "client", lambda *_, **__: api)
    monkeypatch.setattr("include.cli.night._served", lambda _: ["aldi"])
    monkeypatch.setattr("sandbox.verify.verify", lambda *_: PriceComparison())
    return api


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["night", *arguments])


def test_ctrl_c_says_what_goes_on_and_the_next_call_brings_the_report(installed: FakeApi, home: Path) -> None:
    installed.states = [KeyboardInterrupt()]
    interrupted = call("--date", "2026-11-18")
    assert interrupted.exit_code == 130
    for said in ("The night of 2026-11-18 goes on in Airflow", "aisleflow night (or make run)", "aisleflow down (or make down)"):
        assert said in interrupted.stderr
    assert "it was not made: the night was aborted" in call("--show", "2026-11-18").stdout

    installed.states = ["success"]
    again = call()
    assert "going on with the night of 2026-11-18" in again.stderr
    assert "The night of 2026-11-18: crawl, in stores" in again.stdout and "0 stores: 0 right" in again.stdout
    record = night_records.newest(home)
    assert record is not None and record.comparison is not None and record.comparison["is_right"]

    shown = call("--show", "2026-11-18")
    assert "The night of 2026-11-18" in shown.stdout and "0 stores: 0 right" in shown.stdout
    assert call("--show", "2026-11-01").exit_code == 1
    assert list((home / "nights").iterdir()) == [home / "nights" / "2026-11-18.json"], "showing runs nothing"


def test_another_date_or_world_begins_another_night(installed: FakeApi, home: Path) -> None:
    installed.states = [TransientError("too slow")]
    assert call("--date", "2026-11-18").exit_code == 1
    assert call("--date", "2026-11-19").exit_code == 1
    installed.states = ["success"]
    assert "going on" not in call("--seed", "9").stderr
    assert len(list((home / "nights").iterdir())) == 3


# slow answers


@contextmanager
def answers(monkeypatch: pytest.MonkeyPatch, *given: Any) -> Iterator[list[str]]:
    """Let the API's session give these answers, one by one: an error, or (status, JSON)."""
    import requests

    asked: list[str] = []
    left = list(given)

    def respond(self: Any, method: str, url: str, **_: Any) -> Any:
        asked.append(f"{method} {url}")
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, response._content, response.url = answer[0], answer[1].encode(), url
        return response

    monkeypatch.setattr(requests.Session, "request", respond)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    yield asked


def test_a_slow_answer_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    slow, token = requests.ReadTimeout("30 s"), (201, '{"access_token": "t"}')
    with answers(monkeypatch, slow, token, slow, (503, "{}"), (200, '{"state": "running"}')) as asked:
        assert AirflowApi("http://x", "a", "b", patience_seconds=600).run("d", "r") == {"state": "running"}
    assert len(asked) == 5


def test_nothing_is_repeated_without_patience_or_once_the_process_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    for api in (AirflowApi("http://x", "a", "b"), AirflowApi("http://x", "a", "b", patience_seconds=600, is_running=lambda: False)):
        with answers(monkeypatch, requests.ConnectionError("refused")) as asked, pytest.raises(TransientError, match="aisleflow status"):
            api.health()
        assert len(asked) == 1


def test_a_lost_answer_to_a_trigger_starts_no_second_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    token = (201, '{"access_token": "t"}')
    with answers(
        monkeypatch, token, requests.ReadTimeout("30 s"), (409, '{"detail": "exists"}'), (200, '{"dag_run_id": "night_1"}')
    ) as asked:
        assert AirflowApi("http://x", "a", "b", patience_seconds=600).trigger("d", run_id="night_1")["dag_run_id"] == "night_1"
    assert asked[-1].endswith("/dags/d/dagRuns/night_1")


def test_the_summary_says_what_waits_for_a_look_up_and_how_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    reconciled = {"joined": 12, "ended": 1, "proposed": 3, "brands_joined": 0}
    report: dict[str, Any] = {
        "night": "2026-11-18",
        "retailers": [],
        "reconciled": reconciled,
        "missing": [],
        "unregistered": 0,
        "verify": None,
        "ui_url": None,
    }
    print_night(report | {"look_ups": [{"retailer": "coles", "due": 1200}, {"retailer": "woolworths", "due": 0}]})
    shown = " ".join(capsys.readouterr().out.split())
    assert "wait for a look-up of their barcode: 1,200 of coles." in shown and "aisleflow barcodes look-up" in shown
    print_night(report | {"look_ups": [{"retailer": "coles", "due": 0}]})
    assert "look-up" not in capsys.readouterr().out
