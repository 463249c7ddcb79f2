"""Manners are kept among threads, processes and workers: turns, connections, robots.txt; a killed worker's connection is free again."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.config import Settings
from include.crawling.client import PoliteClient
from include.crawling.limiter import OwnManners, RobotsFile, RobotsRule
from include.crawling.shared_limiter import SharedManners, forget_runs
from include.errors import TransientError
from include.retailers.base import Page
from include.retailers.errors import RobotsForbid, SiteTrouble
from include.warehouse.engine import Warehouse
from tests.crawling.fake_site import Asked, Hillview, Reply, Site, html_reply, json_reply
from tests.warehouse.looking import one, rows

START = datetime(2026, 11, 18, tzinfo=UTC)
PAGE = Page(path="/list")


class Time:
    """Moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = START, list[float]()

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


Workers = Callable[..., SharedManners]


@pytest.fixture
def worker(warehouse: Warehouse) -> Iterator[Workers]:
    opened: list[SharedManners] = []

    def one(time: Time | None = None, retailer: str = "aldi", scope: str = "run", **more: Any) -> SharedManners:
        values: dict[str, Any] = {"sleep": time.sleep, "now": time} if time else {}
        opened.append(SharedManners(warehouse, retailer, scope, **values | more))
        return opened[-1]

    yield one
    for manners in opened:
        manners.close()


def test_the_pause_is_kept_over_all_workers(worker: Workers) -> None:
    time = Time()
    turns = []
    for manners in [worker(time), worker(time), worker(time)] * 3:
        with manners.turn(2.0):
            turns.append(time.now)

    assert turns == [START + timedelta(seconds=2 * number) for number in range(9)]


def test_one_retailer_does_not_wait_for_another(worker: Workers) -> None:
    time = Time()
    for retailer in ("aldi", "iga", "coles"):
        with worker(time, retailer).turn(60):
            pass

    assert time.now == START


def test_without_a_pause_nothing_is_written_and_nobody_sleeps(worker: Workers, warehouse: Warehouse) -> None:
    time = Time()
    with worker(time).turn(0):
        pass

    assert not time.slept
    assert not rows(warehouse, "SELECT * FROM ops.crawl_turn")


def test_a_rest_the_site_asked_for_is_kept_by_the_others(worker: Workers, warehouse: Warehouse) -> None:
    time = Time()
    first, second = worker(time), worker(time)
    first.rest(30)
    first.rest(10)  # never shortens it

    with second.turn(1):
        pass

    assert time.now == START + timedelta(seconds=31)
    assert one(warehouse, "SELECT turn_at FROM ops.crawl_turn") == time.now


def test_no_more_requests_are_under_way_than_allowed_over_all_workers(make_warehouse: Callable[..., Warehouse]) -> None:
    warehouse = make_warehouse(requests_in_flight=2)
    under_way, most, lock = 0, 0, threading.Lock()
    gate = threading.Event()

    def ask(manners: SharedManners) -> None:
        nonlocal under_way, most
        for _ in range(5):
            with manners.turn(0):
                with lock:
                    under_way += 1
                    most = max(most, under_way)
                    if under_way == 2:
                        gate.set()
                gate.wait(20)
                with lock:
                    under_way -= 1

    workers = [SharedManners(warehouse, "aldi", "run") for _ in range(3)]
    threads = [threading.Thread(target=ask, args=(manners,)) for manners in workers for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for manners in workers:
        manners.close()

    assert not any(thread.is_alive() for thread in threads)
    assert most == 2


_HOLDS_A_CONNECTION = """
import sys, time
from include.config import settings
from include.crawling.shared_limiter import SharedManners
from include.warehouse.engine import Warehouse
with SharedManners(Warehouse(sys.argv[1], settings().model_copy(update={"requests_in_flight": 1})), "aldi", "run").turn(0):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_killed_worker_gives_its_connection_back(make_warehouse: Callable[..., Warehouse]) -> None:
    warehouse = make_warehouse(requests_in_flight=1)
    looked = 0

    def kill_then_look_again(seconds: float) -> None:
        nonlocal looked
        looked += 1
        if looked == 1:
            process.kill()
            process.wait()
        threading.Event().wait(seconds)

    command = [sys.executable, "-c", _HOLDS_A_CONNECTION, warehouse.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        manners = SharedManners(warehouse, "aldi", "run", sleep=kill_then_look_again)
        with manners.turn(0):
            assert looked >= 1, "it was held until the worker died"
        manners.close()


def test_own_manners_bound_what_is_under_way_and_space_the_turns() -> None:
    slept: list[float] = []
    manners = OwnManners(1, slept.append)
    with manners.turn(5):
        assert not manners._slots.acquire(blocking=False)
    with manners.turn(5):
        pass

    assert slept[0] == 0
    assert slept[1] == pytest.approx(5, abs=0.5)


RULES = "User-agent: *\nDisallow: /private\nCrawl-delay: 7\n\nUser-agent: badbot\nDisallow: /\n"


def robots_of(body: str, status: int = 200) -> RobotsRule:
    return RobotsRule("hillview", RobotsFile("http://x/robots.txt", status, body), "Aisleflow/0.1 (someone)")


def test_what_robots_txt_forbids_is_not_asked_for() -> None:
    rule = robots_of(RULES)

    rule.check("http://x/list?page=2")
    with pytest.raises(RobotsForbid, match=r"hillview: http://x/robots\.txt forbids /private/a to us .*AISLEFLOW_ROBOTS=never"):
        rule.check("http://x/private/a")
    assert rule.delay_seconds == 7


@pytest.mark.parametrize(
    ("body", "status", "is_allowed"),
    [("Not found", 404, True), ("<html>home</html>", 200, True), ("", 200, True), ("no", 403, False), ("no", 401, False)],
)
def test_a_site_without_the_file_allows_everything_and_one_that_hides_it_nothing(body: str, status: int, is_allowed: bool) -> None:
    rule = robots_of(body, status)
    if is_allowed:
        rule.check("http://x/list")
    else:
        with pytest.raises(RobotsForbid):
            rule.check("http://x/list")


def test_a_site_that_cannot_say_is_not_crawled_for_now() -> None:
    with pytest.raises(SiteTrouble, match=r"status 503 at http://x/robots\.txt"):
        robots_of("", 503)


def test_robots_txt_is_asked_for_once_a_run_by_all_workers(
    worker: Workers, warehouse: Warehouse, hillview: Hillview, settings: Settings, site: Site
) -> None:
    site.answer = lambda asked: (
        Reply(RULES.encode(), headers={"Content-Type": "text/plain"}) if asked.path == "/robots.txt" else json_reply({})
    )
    always = settings.model_copy(update={"robots": "always"})
    time = Time()
    for scope in ("run", "run", "another"):
        with PoliteClient(hillview, always, manners=worker(time, "aldi", scope), sleep=time.sleep) as client:
            client.fetch(PAGE)
            client.fetch(PAGE)
            with pytest.raises(RobotsForbid):
                client.fetch(Page(path="/private/x"))

    assert site.paths() == ["/robots.txt", "/list", "/list", "/list", "/list", "/robots.txt", "/list", "/list"]
    assert rows(warehouse, "SELECT scope, status FROM ops.robots_txt ORDER BY 1") == [
        {"scope": "another", "status": 200},
        {"scope": "run", "status": 200},
    ]
    pauses = [slept for slept in time.slept if slept]
    assert pauses and all(pause == 7 for pause in pauses), "its Crawl-delay is kept"


def test_a_robots_txt_that_could_not_be_had_is_asked_for_again(hillview: Hillview, settings: Settings, site: Site, worker: Workers) -> None:
    answers = [Reply(b"", 500), html_reply("<html>404</html>", 404)]

    def answer(asked: Asked) -> Reply:
        return answers.pop(0) if asked.path == "/robots.txt" else json_reply({})

    site.answer = answer
    with PoliteClient(hillview, settings.model_copy(update={"robots": "always"}), manners=worker(), sleep=lambda _: None) as client:
        client.fetch(PAGE)

    assert site.paths() == ["/robots.txt", "/robots.txt", "/list"]


def test_the_sandbox_is_ours_and_has_no_robots_txt_to_obey(hillview: Hillview, settings: Settings, site: Site) -> None:
    for choice in ("live", "never"):
        with PoliteClient(hillview, settings.model_copy(update={"robots": choice})) as client:
            client.fetch(PAGE)

    assert site.paths() == ["/list", "/list"]


def test_a_warehouse_that_is_gone_is_transient(settings: Settings) -> None:
    manners = SharedManners(Warehouse("postgresql://nobody@/x?host=/nonexistent", settings), "aldi", "run")

    with pytest.raises(TransientError, match="aldi: the warehouse, which keeps the crawlers' manners, does not answer"), manners.turn(0):
        pass


def test_runs_long_over_are_forgotten(worker: Workers, warehouse: Warehouse) -> None:
    worker(Time()).robots(lambda: RobotsFile("http://x/robots.txt", 200, RULES))
    forget_runs(warehouse, 3650)
    assert len(rows(warehouse, "SELECT * FROM ops.robots_txt")) == 1
    with warehouse.transaction() as connection:
        connection.execute("UPDATE ops.robots_txt SET fetched_at = '2001-01-01'")

    forget_runs(warehouse, 3650)

    assert not rows(warehouse, "SELECT * FROM ops.robots_txt")
