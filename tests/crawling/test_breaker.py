"""The breaker: after several stores in a row no further one is asked for; one tries later; tasks on other workers see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from include.config import Settings
from include.crawling.breaker import Breaker, Kept, KeptHere, KeptInWarehouse
from include.errors import NeedsPersonError, TransientError
from include.retailers.errors import Blocked, BreakerOpen, RefusedBefore, SiteGaveOut
from include.warehouse.engine import Warehouse
from tests.warehouse.looking import rows

GONE = SiteGaveOut("3 requests in a row failed at http://x/list")
WALL = Blocked("aldi", "Access Denied page, status 403", "http://x/")


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 18, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["here", "in the warehouse"])
def breaker(request: pytest.FixtureRequest, time: Time) -> Callable[[], Breaker]:
    settings = Settings(breaker_stores=2, breaker_rest_seconds=60)
    here = KeptHere()

    def another_worker() -> Breaker:
        kept: Kept = here if request.param == "here" else KeptInWarehouse(request.getfixturevalue("warehouse"), "aldi", "run")
        return Breaker("aldi", kept, settings, time)

    return another_worker


def opened(breaker: Callable[[], Breaker], error: Exception = GONE) -> None:
    for store in ("A", "B"):
        breaker().admit(store)
        breaker().failed(store, error)


def test_one_failure_or_some_apart_open_nothing(breaker: Callable[[], Breaker]) -> None:
    for store in "ABC":
        breaker().admit(store)
        breaker().failed(store, GONE)
        breaker().admit("next")
        breaker().answered("next")

    breaker().admit("D")


def test_after_stores_in_a_row_no_other_is_asked_for_on_any_worker(breaker: Callable[[], Breaker]) -> None:
    opened(breaker)

    with pytest.raises(
        BreakerOpen, match=r"aldi C: not asked for\. The site gave out at 2 stores of this run in a row, the last time: 3 requests"
    ) as raised:
        breaker().admit("C")
    assert isinstance(raised.value, TransientError), "the task's retries take it"


def test_a_refusal_is_for_a_person(breaker: Callable[[], Breaker]) -> None:
    opened(breaker, WALL)

    with pytest.raises(RefusedBefore, match=r"aldi C: not asked for\. The site refused at 2 stores .*A person is needed") as raised:
        breaker().admit("C")
    assert isinstance(raised.value, Blocked) and isinstance(raised.value, NeedsPersonError)


@pytest.mark.parametrize("error", [GONE, WALL])
def test_after_a_rest_one_store_tries_and_its_answer_closes(breaker: Callable[[], Breaker], time: Time, error: Exception) -> None:
    opened(breaker, error)
    time.pass_by(60)

    breaker().admit("C")
    breaker().admit("C")  # its own retry
    with pytest.raises(BreakerOpen, match="Store C tries whether the site is back"):
        breaker().admit("D")
    breaker().answered("C")

    breaker().admit("D")


def test_a_try_that_fails_opens_again(breaker: Callable[[], Breaker], time: Time) -> None:
    opened(breaker)
    time.pass_by(60)
    breaker().admit("C")
    breaker().failed("C", GONE)

    with pytest.raises(BreakerOpen, match="at 3 stores"):
        breaker().admit("D")


def test_the_first_answer_of_a_try_lets_the_others_go_on_but_one_more_failure_opens_it(breaker: Callable[[], Breaker], time: Time) -> None:
    opened(breaker)
    time.pass_by(60)
    breaker().admit("C")
    breaker().first_answer("C")
    breaker().admit("D")
    breaker().failed("C", GONE)

    with pytest.raises(BreakerOpen):
        breaker().admit("E")


def test_a_first_answer_of_an_ordinary_store_changes_nothing(breaker: Callable[[], Breaker]) -> None:
    breaker().admit("A")
    breaker().failed("A", GONE)
    breaker().admit("B")
    breaker().first_answer("B")  # the category tree came, the lists do not
    breaker().failed("B", GONE)

    with pytest.raises(BreakerOpen):
        breaker().admit("C")


def test_a_try_whose_worker_died_passes_to_another_store(breaker: Callable[[], Breaker], time: Time) -> None:
    opened(breaker)
    time.pass_by(60)
    breaker().admit("C")
    time.pass_by(60)

    breaker().admit("D")


def test_a_store_begun_before_does_not_close_it(breaker: Callable[[], Breaker]) -> None:
    breaker().admit("old")
    opened(breaker)

    breaker().answered("old")

    with pytest.raises(BreakerOpen):
        breaker().admit("C")


def test_each_run_has_its_own(warehouse: Warehouse, time: Time) -> None:
    settings = Settings(breaker_stores=1)
    Breaker("aldi", KeptInWarehouse(warehouse, "aldi", "run"), settings, time).failed("A", GONE)

    Breaker("aldi", KeptInWarehouse(warehouse, "aldi", "run_rest"), settings, time).admit("B")
    Breaker("iga", KeptInWarehouse(warehouse, "iga", "run"), settings, time).admit("B")

    found = rows(warehouse, "SELECT state, failures, kind, reason FROM ops.crawl_breaker WHERE scope = 'run' AND retailer = 'aldi'")
    assert found == [{"state": "open", "failures": 1, "kind": "gave_out", "reason": str(GONE)}]
