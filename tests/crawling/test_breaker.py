"""The breaker: after several failed stores in a row no further one is crawled; one probes later; the state is shared by all workers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from include.config import Settings
from include.crawling.breaker import Breaker, PostgresBreakerStore
from include.errors import NeedsPersonError, TransientError
from include.retailers.errors import Blocked, BreakerOpen, RunAlreadyBlocked, SiteUnavailable
from include.warehouse.engine import Warehouse
from tests.warehouse.looking import rows

GONE = SiteUnavailable("3 requests in a row failed at http://x/list")
WALL = Blocked("aldi", "Access Denied page, status 403", "http://x/")


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 18, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(warehouse: Warehouse, time: Time) -> Callable[[], Breaker]:
    settings = Settings(breaker_stores=2, breaker_open_seconds=60)

    def another_worker() -> Breaker:
        return Breaker("aldi", PostgresBreakerStore(warehouse, "aldi", "run"), settings, time)

    return another_worker


def opened(breaker: Callable[[], Breaker], error: Exception = GONE) -> None:
    for store in ("A", "B"):
        breaker().admit(store)
        breaker().record_failure(store, error)


def test_single_failures_do_not_open_the_breaker(breaker: Callable[[], Breaker]) -> None:
    for store in "ABC":
        breaker().admit(store)
        breaker().record_failure(store, GONE)
        breaker().admit("next")
        breaker().record_success("next")

    breaker().admit("D")


def test_failures_in_a_row_open_the_breaker_for_all_workers(breaker: Callable[[], Breaker]) -> None:
    opened(breaker)

    with pytest.raises(
        BreakerOpen, match=r"aldi C: not crawled\. The site was unavailable at 2 stores of this run in a row, the last time: 3 requests"
    ) as raised:
        breaker().admit("C")
    assert isinstance(raised.value, TransientError), "the task's retries handle it"


def test_a_refusal_needs_an_operator(breaker: Callable[[], Breaker]) -> None:
    opened(breaker, WALL)

    with pytest.raises(RunAlreadyBlocked, match=r"aldi C: not crawled\. The site refused at 2 stores .*An operator has to act") as raised:
        breaker().admit("C")
    assert isinstance(raised.value, Blocked) and isinstance(raised.value, NeedsPersonError)


@pytest.mark.parametrize("error", [GONE, WALL])
def test_after_the_pause_a_probe_closes_the_breaker(breaker: Callable[[], Breaker], time: Time, error: Exception) -> None:
    opened(breaker, error)
    time.advance(60)

    breaker().admit("C")
    breaker().admit("C")  # its own retry
    with pytest.raises(BreakerOpen, match="Store C checks whether the site is available"):
        breaker().admit("D")
    breaker().record_success("C")

    breaker().admit("D")


def test_a_failed_probe_opens_the_breaker_again(breaker: Callable[[], Breaker], time: Time) -> None:
    opened(breaker)
    time.advance(60)
    breaker().admit("C")
    breaker().record_failure("C", GONE)

    with pytest.raises(BreakerOpen, match="at 3 stores"):
        breaker().admit("D")


def test_the_first_response_of_a_probe_closes_the_breaker_and_one_more_failure_opens_it(breaker: Callable[[], Breaker], time: Time) -> None:
    opened(breaker)
    time.advance(60)
    breaker().admit("C")
    breaker().record_first_response("C")
    breaker().admit("D")
    breaker().record_failure("C", GONE)

    with pytest.raises(BreakerOpen):
        breaker().admit("E")


def test_a_first_response_of_another_store_changes_nothing(breaker: Callable[[], Breaker]) -> None:
    breaker().admit("A")
    breaker().record_failure("A", GONE)
    breaker().admit("B")
    breaker().record_first_response("B")  # the category tree came, the lists do not
    breaker().record_failure("B", GONE)

    with pytest.raises(BreakerOpen):
        breaker().admit("C")


def test_a_dead_workers_probe_passes_to_another_store(breaker: Callable[[], Breaker], time: Time) -> None:
    opened(breaker)
    time.advance(60)
    breaker().admit("C")
    time.advance(60)

    breaker().admit("D")


def test_a_store_started_earlier_does_not_close_the_breaker(breaker: Callable[[], Breaker]) -> None:
    breaker().admit("old")
    opened(breaker)

    breaker().record_success("old")

    with pytest.raises(BreakerOpen):
        breaker().admit("C")


def test_each_run_has_its_own(warehouse: Warehouse, time: Time) -> None:
    settings = Settings(breaker_stores=1)
    Breaker("aldi", PostgresBreakerStore(warehouse, "aldi", "run"), settings, time).record_failure("A", GONE)

    Breaker("aldi", PostgresBreakerStore(warehouse, "aldi", "run_rest"), settings, time).admit("B")
    Breaker("iga", PostgresBreakerStore(warehouse, "iga", "run"), settings, time).admit("B")

    found = rows(warehouse, "SELECT state, failures, kind, reason FROM ops.crawl_breaker WHERE scope = 'run' AND retailer = 'aldi'")
    assert found == [{"state": "open", "failures": 1, "kind": "site_unavailable", "reason": str(GONE)}]
