"""The request log of the sites: arrivals, requests in flight, repeated requests."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import requests

from sandbox.running import RunningSandbox

Ask = Callable[..., requests.Response]


def test_requests_in_flight_and_repeated_ones_are_counted(sandbox: RunningSandbox, ask: Ask) -> None:
    sandbox.faults.latency_seconds = 1.0
    try:
        threads = [threading.Thread(target=ask, kwargs={"offset": 30 * (number % 3)}) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sandbox.faults.latency_seconds = 0.0
    assert sandbox.traffic.in_flight_max["aldi"] == 4
    assert [arrival.faults for arrival in sandbox.traffic.arrivals()] == [()] * 4
    again = sandbox.traffic.repeated_requests("aldi")
    assert list(again.values()) == [2] and "offset=0" in next(iter(again))
    gaps = sandbox.traffic.gaps_seconds("aldi")
    assert len(gaps) == 3 and min(gaps) >= 0
    ask()
    assert sandbox.traffic.arrivals()[-1].in_flight == 1 and sandbox.traffic.count("aldi", purpose="listing", store_id="G100") == 5


def test_a_request_repeated_after_a_fault_is_not_counted(sandbox: RunningSandbox, ask: Ask) -> None:
    sandbox.faults.add("cut", times=1)
    with pytest.raises(requests.RequestException):
        ask()
    assert ask().ok
    assert [arrival.faults for arrival in sandbox.traffic.arrivals()] == [("cut",), ()]
    assert sandbox.traffic.repeated_requests("aldi") == {}
    ask()
    assert list(sandbox.traffic.repeated_requests("aldi").values()) == [2]


def test_the_log_is_bounded_and_the_counts_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox import request_log

    monkeypatch.setattr(request_log, "LOG_LENGTH", 10)
    traffic = request_log.Traffic()
    for _ in range(25):
        number, arrived, under_way = traffic.begin_request("iga")
        at = traffic.seconds_since_start(arrived)
        traffic.end_request(request_log.RequestRecord(number, at, 0.0, "iga", "search", "search", None, "GET /", 200, under_way))
    assert traffic.count("iga") == 25 and [arrival.number for arrival in traffic.arrivals()] == list(range(16, 26))
