"""Plays every fault of ``alert_matrix.py`` with the tasks' real code, and compares what a person was told: one alert per cause, one for its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include import clock
from include.alerts import inbox
from include.alerts.address import AlertAddress, save_address
from include.alerts.troubles import question_key
from include.alerts.wall_question import wall_alert
from include.catalogue import conflicts, proposals
from include.config import settings
from include.crawling import discovery
from include.errors import AisleflowError, TerminalError
from include.ingestion import pipeline
from include.ledger.decisions import decide_files
from include.ledger.open_questions import NightIncomplete, raise_if_undecided
from include.model.store import StoreRecord
from include.orchestration import alerting, choices, scrape_tasks
from include.orchestration import resources as resources_module
from include.orchestration.airflow_errors import airflow_errors
from include.orchestration.defaults import notify_failure, notify_success
from include.retailer_names import RETAILERS
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse, WarehouseUnavailable
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, gtin, offer, offers
from tests.orchestration.alert_matrix import STATED
from tests.project.files import ROOT

pytestmark = pytest.mark.slow

WORLD = GeneratedWorld(3, WorldSize(stores=3, products=50, silent_stores=0))


class Installation:
    """Runs of DAGs as Airflow plays them: a task behind a failed one does not run, callbacks follow."""

    def __init__(self, warehouse: Warehouse, storage: Storage, sandbox: RunningSandbox, set_clock: Callable[[str], None]) -> None:
        self.warehouse, self.storage, self.sandbox, self.set_clock = warehouse, storage, sandbox, set_clock
        self.is_away = False
        self.answer: dict[str, Any] | None = None
        self.pushed: dict[tuple[str, str], list[Any]] = {}
        self.planned: list[dict[str, Any]] | None = None
        self.night, self.try_number = "2026-11-18", 1

    # what the tasks see of Airflow
    @contextmanager
    def resources(self) -> Iterator[tuple[Warehouse, Storage]]:
        if self.is_away:
            raise WarehouseUnavailable("the warehouse does not respond. Is it up? `aisleflow status`, then clear the task.")
        with airflow_errors():
            yield self.warehouse, self.storage

    max_tries = 0

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed.setdefault(("crawl", key), []).append(value)

    def xcom_pull(self, task_ids: Any, key: str = "return_value") -> Any:
        if task_ids in ("plan", "ask_continue"):
            return self.planned if task_ids == "plan" else self.answer
        return [value for task_id in task_ids for value in self.pushed.get((task_id, key), [])]

    # what a person does
    def run_task(self, dag_id: str, task_id: str, call: Callable[[], Any], key: str | None = None) -> bool:
        """Play a task and its callback; return whether the tasks behind it run."""
        ti = SimpleNamespace(
            dag_id=dag_id, task_id=task_id, run_id=f"run of {self.night}", map_index=-1, try_number=1, log_url="http://localhost/log"
        )
        context = {"ti": ti, "dag_run": SimpleNamespace(partition_key=key or self.night)}
        try:
            call()
        except AirflowSkipException:
            return True
        except (AirflowFailException, AisleflowError) as error:
            notify_failure(context | {"exception": error})
            return False
        notify_success(context)
        return True

    def crawl(self, **params: Any) -> None:
        """Play a run of ``scrape_aldi`` up to the question about a bot wall."""
        run = self.dag_run()
        asked = {"night": None, "stores": [], "categories": [], "pages": None, "reread": False} | params
        self.pushed, self.planned, self.answer = {}, None, None

        def plan() -> None:
            self.planned = scrape_tasks.plan("aldi", run, asked, self)

        if self.run_task("scrape_aldi", "canary", lambda: scrape_tasks.canary("aldi", run, asked)) and self.run_task(
            "scrape_aldi", "plan", plan
        ):
            items: list[dict[str, Any]] = self.planned or []
            for item in items:
                try:
                    scrape_tasks.crawl(item, run, self)
                except (AirflowSkipException, AirflowFailException, AisleflowError):
                    continue  # `every_store_crawled` reports it
        if not self.pushed.get(("crawl", "refused")):
            self.report()

    def report(self) -> None:
        self.run_task("scrape_aldi", "every_store_crawled", lambda: scrape_tasks.report("aldi", self.dag_run(), self))

    def dag_run(self) -> Any:
        return SimpleNamespace(
            dag_id="scrape_aldi", run_id=f"run {self.night}", partition_key=self.night, run_after=datetime(2026, 11, 17, tzinfo=UTC)
        )

    def ask(self) -> None:
        labels = [item["label"] for item in self.pushed["crawl", "refused"]]
        until = clock.parse_instant("2026-11-18T17:00:00+00:00", "test")
        alerting.raise_alert(wall_alert("aldi", labels, until, question_key("scrape_aldi", "r"), "http://localhost/ask"))

    def sweep(self, *instants: str) -> None:
        for instant in instants:
            self.set_clock(f"2026-11-{instant}:00+00:00")
            if self.is_away:
                for task in ("sweep", "announce_held", "send_alerts", "send_heartbeat"):
                    self.run_task("sweep_outbox", task, lambda: self.resources().__enter__(), key="none")
            else:
                alerting.send_due_alerts(self.warehouse, self.storage)


@pytest.fixture
def played(
    sandbox: RunningSandbox,
    make_warehouse: Callable[..., Warehouse],
    storage: Storage,
    fixed_clock: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Installation:
    sites = {f"{name}_url": sandbox.site(name) for name in RETAILERS}
    warehouse = make_warehouse("default", backoff_seconds_max=0.001, request_attempts=2, breaker_open_seconds=3600, **sites)
    shops = [
        StoreRecord(retailer="aldi", store_id=one.store_id, online_store_id=one.online_store_id, name=one.name, state=one.state)
        for one in WORLD.stores("aldi")
    ]
    discovery.merge_found_stores(warehouse, "aldi", shops)
    made = Installation(warehouse, storage, sandbox, fixed_clock)
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))
    monkeypatch.setenv("AISLEFLOW_STORAGE_ROOT", storage.url)
    storage.write("outbox/here", b"")
    monkeypatch.setattr(resources_module, "resources", made.resources)
    for module in (scrape_tasks, choices):
        monkeypatch.setattr(module, "resources", made.resources)
    monkeypatch.setattr(
        scrape_tasks,
        "get_current_context",
        lambda: {"ti": SimpleNamespace(dag_id="scrape_aldi", task_id="every_store_crawled", run_id="r", map_index=-1)},
    )
    save_address(settings().home, AlertAddress())
    return made


def site_down(at: Installation) -> None:
    at.sandbox.faults.add("error", retailer="aldi")
    at.crawl()
    at.sandbox.faults.clear()
    at.crawl()


def site_down_two_nights(at: Installation) -> None:
    at.sandbox.faults.add("error", retailer="aldi")
    for at.night in ("2026-11-18", "2026-11-19"):
        at.crawl()
        missing = NightIncomplete("the night is incomplete", [{"retailer": "aldi", "state": "not_planned"}])
        at.run_task("watch_night", "watch", lambda error=missing: raise_it(error))  # type: ignore[misc]
    at.sandbox.faults.clear()
    at.crawl()


def unknown_store(at: Installation) -> None:
    at.crawl(stores=["G999"])
    at.crawl(stores=[WORLD.stores("aldi")[0].store_id])


def changed_page(at: Installation) -> None:
    at.sandbox.faults.add("renamed_field", retailer="aldi", field="price")
    at.crawl()
    at.sandbox.faults.clear()
    at.crawl()


def two_stores(at: Installation) -> None:
    fails = {item.store_id for item in WORLD.stores("aldi")[:2]}
    crawl = scrape_tasks.crawl

    def crawl_with_faults(item: dict[str, Any], run: Any, ti: Any) -> Any:
        at.sandbox.faults.clear()
        if item["store"]["store_id"] in fails:
            at.sandbox.faults.add("error", retailer="aldi")
        return crawl(item, run, ti)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scrape_tasks, "crawl", crawl_with_faults)
        at.crawl()
    at.sandbox.faults.clear()
    at.night = "2026-11-19"
    at.crawl()


def wall_answered(at: Installation) -> None:
    at.sandbox.faults.add("wall", retailer="aldi")
    at.crawl()
    at.ask()
    at.sweep("18T12:45", "18T13:00", "18T15:45", "18T16:00", "18T16:15")
    at.answer = {"chosen_options": ["Reject"], "responded_by_user": {"name": "ann"}}
    alerting.end_alert(question_key("scrape_aldi", "r"), "ann answered Reject")
    at.report()


def wall_unanswered(at: Installation) -> None:
    at.sandbox.faults.add("wall", retailer="aldi")
    at.crawl()
    at.ask()
    at.sweep("18T13:00", "18T16:00", "18T16:45")
    at.answer = {"chosen_options": ["Reject"], "responded_by_user": None}
    alerting.end_alert(question_key("scrape_aldi", "r"), "no answer came in time")
    at.report()
    missing = NightIncomplete("the night is incomplete", [{"retailer": "aldi", "state": "blocked"}])
    at.run_task("watch_night", "watch", lambda: raise_it(missing))


def held(at: Installation) -> None:
    stage = StoreDays(at.storage)
    for day, price in ((TUESDAY, 1.0), (WEDNESDAY, 100.0)):
        for store in ("G1", "G2"):
            stage(store_id=store, lines=offers(200, price=price), at=day)
        pipeline.ingest(at.warehouse, at.storage, "aldi")
    for _ in range(2):
        alerting.send_held_alerts(at.warehouse, at.storage, ["aldi"])

        def report() -> None:
            with at.resources():
                raise_if_undecided(at.warehouse, ["aldi"], "2026-11-18")

        at.run_task("ingest_prices", "report", report, key="aldi|2026-11-18")
    decide_files(at.warehouse, at.storage, [3, 4], "discard", "ann", "wrong", "Airflow")


def conflicts_decided(at: Installation) -> None:
    """Decided on the command line; the sweep finds it."""
    numbers = _ask_about_conflicts(at)
    at.sweep("19T20:45", "19T21:00")
    conflicts.decide_conflicts(at.warehouse, dict.fromkeys(numbers, "reject"), "ann", "a typing error", "command line")


def conflicts_unanswered(at: Installation) -> None:
    numbers = _ask_about_conflicts(at)
    at.sweep("19T21:00", "21T00:00", "21T09:00")
    assert choices.close(_run_of("decide_conflicts")) == len(numbers)


def proposals_decided(at: Installation) -> None:
    """One is answered in Airflow, the other on the command line; the task that closes the questions runs days later."""
    left, right = _ask_about_proposals(at)
    at.sweep("19T20:45", "19T21:00")
    answer = {
        "chosen_options": ["Record"],
        "params_input": {f"proposal_{left}": "approve", f"proposal_{right}": "leave", "why": "one good"},
        "responded_by_user": {"name": "ann"},
    }
    assert list(choices.apply("decide_proposals", [left, right], answer)["applied"]) == [left]
    at.sweep("19T21:15")
    proposals.decide_proposals(at.warehouse, {right: "apart"}, "ann", "two goods", "command line")


def proposals_unanswered(at: Installation) -> None:
    numbers = _ask_about_proposals(at)
    at.sweep("19T21:00", "21T00:00", "21T09:00")
    assert choices.close(_run_of("decide_proposals")) == len(numbers)


def _run_of(dag_id: str) -> Any:
    return SimpleNamespace(dag_id=dag_id, run_id="scheduled", partition_key="2026-11-18", run_after=datetime(2026, 11, 17, tzinfo=UTC))


def _ask_about_proposals(at: Installation) -> list[int]:
    """Two goods with one key and another barcode at each retailer."""
    stage = StoreDays(at.storage)
    for retailer, store, code in (("coles", "COL:1", 1), ("aldi", "G100", 2)):
        stage(retailer, store, lines=[offer(f"{n}", name=f"Good {n}", size="1kg", barcode=gtin(10 * n + code)) for n in range(2)])
        pipeline.ingest(at.warehouse, at.storage, retailer)
    at.set_clock("2026-11-18T09:00:00+00:00")
    (asked,) = choices.list_questions(_run_of("decide_proposals"), {})
    return list(asked["item_ids"])


def _ask_about_conflicts(at: Installation) -> list[int]:
    stage = StoreDays(at.storage)
    for day, code in ((TUESDAY, 1), (WEDNESDAY, 2)):
        stage(
            "coles",
            "COL:1",
            lines=[offer(f"{number}", name=f"Good {number}", barcode=gtin(10 * number + code)) for number in range(2)],
            at=day,
        )
        pipeline.ingest(at.warehouse, at.storage, "coles")
    at.set_clock("2026-11-18T09:00:00+00:00")
    (asked,) = choices.list_questions(_run_of("decide_conflicts"), {})
    assert len(asked["item_ids"]) == 2
    return list(asked["item_ids"])


def warehouse_away(at: Installation) -> None:
    at.is_away = True
    at.sweep("18T09:00", "18T09:15", "18T09:30")
    at.run_task("ingest_prices", "load", lambda: at.resources().__enter__(), key="aldi|2026-11-18")
    at.is_away = False


def address_fails(at: Installation) -> None:
    save_address(settings().home, AlertAddress(("json://127.0.0.1:9",)))
    for _ in range(2):
        at.run_task("ingest_prices", "load", lambda: raise_it(TerminalError("file 7 is damaged. Stage it again.")), key="aldi|2026-11-18")
    at.sweep("18T11:00")
    save_address(settings().home, AlertAddress())
    at.sweep("18T11:15")
    at.run_task("ingest_prices", "load", lambda: None, key="aldi|2026-11-18")


def raise_it(error: Exception) -> None:
    raise error


FAULTS = (
    site_down, site_down_two_nights, unknown_store, changed_page, two_stores, wall_answered, wall_unanswered, held, conflicts_decided, conflicts_unanswered, proposals_decided, proposals_unanswered, warehouse_away, address_fails,
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_told_once_and_its_end_once(fault: Callable[[Installation], None], played: Installation) -> None:
    fault(played)
    played.sweep("20T00:00", "20T00:15", "20T09:00")
    alerts = reversed(inbox.read(settings().home))
    found = [f"{alert['severity']}: {alert['title'].removeprefix(alert['severity'] + ': ')}" for alert in alerts]
    stated = STATED[fault.__name__].told
    assert len(found) == len(stated), found
    for title, expected in zip(found, stated, strict=True):
        assert re.fullmatch(".*".join(re.escape(part) for part in expected.split("…")), title), (title, expected)


def test_every_stated_fault_is_played() -> None:
    assert [fault.__name__ for fault in FAULTS] == list(STATED)
