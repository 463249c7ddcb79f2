"""The request limits hold for threads, processes and workers: pauses, connections, robots.txt; a killed worker's connection becomes free."""

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
from include.crawling.limiter import InProcessRequestLimiter
from include.crawling.postgres_limiter import PostgresRequestLimiter, delete_old_runs
from include.crawling.robots import RobotsFile, RobotsRules
from include.errors import TransientError
from include.retailers.base import Page
from include.retailers.errors import RobotsDisallowed, SiteError
from include.warehouse.engine import Warehouse
from tests.crawling.fake_site import Hillview, ReceivedRequest, Reply, Site, html_reply, json_reply
from tests.warehouse.looking import one, rows

START = datetime(2026, 11, 18, tzinfo=UTC)
PAGE = Page(path="/list")


class Time:
    """Advances only by sleeping."""

    def __init__(self) -> None:
        self.now, self.slept = START, list[float]()

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


Workers = Callable[..., PostgresRequestLimiter]


@pytest.fixture
def worker(warehouse: Warehouse) -> Iterator[Workers]:
    opened: list[PostgresRequestLimiter] = []

    def one(time: Time | None = None, retailer: str = "aldi", scope: str = "run", **more: Any) -> PostgresRequestLimiter:
        values: dict[str, Any] = {"sleep": time.sleep, "now": time} if time else {}
        opened.append(PostgresRequestLimiter(warehouse, retailer, scope, **values | more))
        return opened[-1]

    yield one
    for limiter in opened:
        limiter.close()


def test_the_pause_holds_across_all_workers(worker: Workers) -> None:
    time = Time()
    granted = []
    for limiter in [worker(time), worker(time), worker(time)] * 3:
        with limiter.acquire(2.0):
            granted.append(time.now)

    assert granted == [START + timedelta(seconds=2 * number) for number in range(9)]


def test_one_retailer_does_not_wait_for_another(worker: Workers) -> None:
    time = Time()
    for retailer in ("aldi", "iga", "coles"):
        with worker(time, retailer).acquire(60):
            pass

    assert time.now == START


def test_without_a_pause_the_limiter_does_not_write_or_sleep(worker: Workers, warehouse: Warehouse) -> None:
    time = Time()
    with worker(time).acquire(0):
        pass

    assert not time.slept
    assert not rows(warehouse, "SELECT * FROM ops.request_limit")


def test_retry_after_pauses_all_workers(worker: Workers, warehouse: Warehouse) -> None:
    time = Time()
    first, second = worker(time), worker(time)
    first.pause(30)
    first.pause(10)  # never shortens it

    with second.acquire(1):
        pass

    assert time.now == START + timedelta(seconds=31)
    assert one(warehouse, "SELECT next_request_at FROM ops.request_limit") == time.now


def test_requests_in_flight_are_limited_across_all_workers(make_warehouse: Callable[..., Warehouse]) -> None:
    warehouse = make_warehouse(requests_in_flight=2)
    under_way, most, lock = 0, 0, threading.Lock()
    gate = threading.Event()

    def ask(limiter: PostgresRequestLimiter) -> None:
        nonlocal under_way, most
        for _ in range(5):
            with limiter.acquire(0):
                with lock:
                    under_way += 1
                    most = max(most, under_way)
                    if under_way == 2:
                        gate.set()
                gate.wait(20)
                with lock:
                    under_way -= 1

    workers = [PostgresRequestLimiter(warehouse, "aldi", "run") for _ in range(3)]
    threads = [threading.Thread(target=ask, args=(limiter,)) for limiter in workers for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for limiter in workers:
        limiter.close()

    assert not any(thread.is_alive() for thread in threads)
    assert most == 2


_HOLDS_A_CONNECTION = """
import sys, time
from include.config import settings
from include.crawling.postgres_limiter import PostgresRequestLimiter
from include.warehouse.engine import Warehouse
with PostgresRequestLimiter(Warehouse(sys.argv[1], settings().model_copy(update={"requests_in_flight": 1})), "aldi", "run").acquire(0):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_connection_of_a_killed_worker_is_released(make_warehouse: Callable[..., Warehouse]) -> None:
    warehouse = make_warehouse(requests_in_flight=1)
    looked = 0

    def kill_worker_when_polling(seconds: float) -> None:
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
        limiter = PostgresRequestLimiter(warehouse, "aldi", "run", sleep=kill_worker_when_polling)
        with limiter.acquire(0):
            assert looked >= 1, "it was held until the worker died"
        limiter.close()


def test_the_in_process_limiter_bounds_concurrency_and_rate() -> None:
    slept: list[float] = []
    limiter = InProcessRequestLimiter(1, slept.append)
    with limiter.acquire(5):
        assert not limiter._slots.acquire(blocking=False)
    with limiter.acquire(5):
        pass

    assert slept[0] == 0
    assert slept[1] == pytest.approx(5, abs=0.5)


RULES = "User-agent: *\nDisallow: /private\nCrawl-delay: 7\n\nUser-agent: badbot\nDisallow: /\n"


def robots_of(body: str, status: int = 200) -> RobotsRules:
    return RobotsRules("hillview", RobotsFile("http://x/robots.txt", status, body), "Aisleflow/0.1 (someone)")


def test_urls_forbidden_by_robots_txt_are_not_requested() -> None:
    rule = robots_of(RULES)

    rule.check("http://x/list?page=2")
    with pytest.raises(
        RobotsDisallowed, match=r"hillview: http://x/robots\.txt forbids /private/a to this crawler .*AISLEFLOW_ROBOTS=never"
    ):
        rule.check("http://x/private/a")
    assert rule.delay_seconds == 7


@pytest.mark.parametrize(
    ("body", "status", "is_allowed"),
    [("Not found", 404, True), ("<html>home</html>", 200, True), ("", 200, True), ("no", 403, False), ("no", 401, False)],
)
def test_a_missing_robots_txt_allows_everything_and_a_forbidden_one_nothing(body: str, status: int, is_allowed: bool) -> None:
    rule = robots_of(body, status)
    if is_allowed:
        rule.check("http://x/list")
    else:
        with pytest.raises(RobotsDisallowed):
            rule.check("http://x/list")


WILDCARDS = """User-agent: *
Disallow: /*?sort=
Disallow: /*/print$
Disallow: /shop
Allow: /shop/browse
Disallow: /shop/browse/*/private

User-agent: aisleflow
User-agent: another
Disallow: /tonight
"""


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [
        ("/goods?page=2", True),
        ("/goods?sort=asc", False),
        ("/goods?page=2&sort=asc", True),
        ("/goods/7/print", False),
        ("/goods/7/print/all", True),
        ("/print", True),
        ("/shop/cart", False),
        ("/shop/browse/dairy?page=1", True),
        ("/shop/browse/dairy/private/2", False),
        ("/tonight", True),
    ],
)
def test_wildcards_end_anchors_and_the_longest_rule_are_applied(path: str, is_allowed: bool) -> None:
    rules = RobotsRules("hillview", RobotsFile("http://x/robots.txt", 200, WILDCARDS), "ExampleBot/1.0")
    if is_allowed:
        rules.check(f"http://x{path}")
    else:
        with pytest.raises(RobotsDisallowed, match="forbids"):
            rules.check(f"http://x{path}")


def test_a_group_for_this_crawler_replaces_the_general_one() -> None:
    rules = robots_of(WILDCARDS)

    rules.check("http://x/shop/cart")
    with pytest.raises(RobotsDisallowed):
        rules.check("http://x/tonight")


def test_rules_apply_to_the_query(hillview: Hillview, settings: Settings, site: Site) -> None:
    site.answer = lambda asked: (
        Reply(WILDCARDS.encode(), headers={"Content-Type": "text/plain"}) if asked.path == "/robots.txt" else json_reply({})
    )
    always = settings.model_copy(update={"robots": "always", "user_agent": "ExampleBot/1.0"})
    with PoliteClient(hillview, always, sleep=lambda _: None) as client:
        client.fetch(Page(path="/list", params={"page": 1}))
        with pytest.raises(RobotsDisallowed, match=r"forbids /list\?sort=asc to this crawler"):
            client.fetch(Page(path="/list", params={"sort": "asc"}))

    assert site.paths() == ["/robots.txt", "/list"]


def test_a_site_with_an_unavailable_robots_txt_is_not_crawled() -> None:
    with pytest.raises(SiteError, match=r"status 503 at http://x/robots\.txt"):
        robots_of("", 503)


def test_robots_txt_is_requested_once_per_run_by_all_workers(
    worker: Workers, warehouse: Warehouse, hillview: Hillview, settings: Settings, site: Site
) -> None:
    site.answer = lambda asked: (
        Reply(RULES.encode(), headers={"Content-Type": "text/plain"}) if asked.path == "/robots.txt" else json_reply({})
    )
    always = settings.model_copy(update={"robots": "always"})
    time = Time()
    for scope in ("run", "run", "another"):
        with PoliteClient(hillview, always, limiter=worker(time, "aldi", scope), sleep=time.sleep) as client:
            client.fetch(PAGE)
            client.fetch(PAGE)
            with pytest.raises(RobotsDisallowed):
                client.fetch(Page(path="/private/x"))

    assert site.paths() == ["/robots.txt", "/list", "/list", "/list", "/list", "/robots.txt", "/list", "/list"]
    assert rows(warehouse, "SELECT scope, status FROM ops.robots_txt ORDER BY 1") == [
        {"scope": "another", "status": 200},
        {"scope": "run", "status": 200},
    ]
    pauses = [slept for slept in time.slept if slept]
    assert pauses and all(pause == 7 for pause in pauses), "its Crawl-delay is kept"


def test_an_unavailable_robots_txt_is_requested_again(hillview: Hillview, settings: Settings, site: Site, worker: Workers) -> None:
    answers = [Reply(b"", 500), html_reply("<html>404</html>", 404)]

    def answer(asked: ReceivedRequest) -> Reply:
        return answers.pop(0) if asked.path == "/robots.txt" else json_reply({})

    site.answer = answer
    with PoliteClient(hillview, settings.model_copy(update={"robots": "always"}), limiter=worker(), sleep=lambda _: None) as client:
        client.fetch(PAGE)

    assert site.paths() == ["/robots.txt", "/robots.txt", "/list"]


def test_the_sandboxs_robots_txt_is_not_requested(hillview: Hillview, settings: Settings, site: Site) -> None:
    for choice in ("live", "never"):
        with PoliteClient(hillview, settings.model_copy(update={"robots": choice})) as client:
            client.fetch(PAGE)

    assert site.paths() == ["/list", "/list"]


def test_an_unavailable_warehouse_is_transient(settings: Settings) -> None:
    limiter = PostgresRequestLimiter(Warehouse("postgresql://unknown@/x?host=/nonexistent", settings), "aldi", "run")

    with (
        pytest.raises(TransientError, match="aldi: the warehouse, which stores the limits of all crawlers, does not respond"),
        limiter.acquire(0),
    ):
        pass


def test_the_state_of_old_runs_is_deleted(worker: Workers, warehouse: Warehouse) -> None:
    worker(Time()).robots(lambda: RobotsFile("http://x/robots.txt", 200, RULES))
    delete_old_runs(warehouse, 3650)
    assert len(rows(warehouse, "SELECT * FROM ops.robots_txt")) == 1
    with warehouse.transaction() as connection:
        connection.execute("UPDATE ops.robots_txt SET fetched_at = '2001-01-01'")

    delete_old_runs(warehouse, 3650)

    assert not rows(warehouse, "SELECT * FROM ops.robots_txt")
