"""The HTTP client: its requests, waits, limits, and the recognition of refusals."""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import requests
import urllib3

from include.config import Settings
from include.crawling.client import PoliteClient
from include.crawling.transport import is_this_machine
from include.errors import NeedsPersonError, TransientError
from include.retailers.base import Page
from include.retailers.errors import Blocked, LiveRequestsDisabled, SiteError, SiteUnavailable, UnexpectedStatus
from include.staging.landing import PageResponse
from tests.crawling.fake_site import Hillview, ReceivedRequest, Reply, Site, html_reply, json_reply

PAGE = Page(path="/list")


class Sleeps(list[float]):
    """Records what would have been slept."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


Connect = Callable[..., PoliteClient]


@pytest.fixture
def connect(hillview: Hillview, settings: Settings, sleeps: Sleeps) -> Iterator[Connect]:
    opened: list[PoliteClient] = []

    def client(session_headers: Mapping[str, str] | None = None, **changed: Any) -> PoliteClient:
        opened.append(PoliteClient(hillview, settings.model_copy(update=changed), sleep=sleeps))
        opened[-1].use_session(session_headers or {})
        return opened[-1]

    yield client
    for one in opened:
        one.__exit__()


def answers(*replies: Reply) -> Callable[[ReceivedRequest], Reply]:
    waiting = list(replies)
    return lambda asked: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def test_user_agent_is_sent(connect: Connect, site: Site) -> None:
    connect(user_agent="Aisleflow/0.1 (someone@example.org)").fetch(PAGE)

    assert site.asked[0].headers["user-agent"] == "Aisleflow/0.1 (someone@example.org)"
    assert Settings().user_agent.startswith("Aisleflow/")


@pytest.mark.parametrize(
    "url", ["https://www.coles.com.au", "http://127.0.0.1.example.org", "http://10.0.0.8", "http://example.org@127.0.0.1.nip.io"]
)
def test_no_request_leaves_this_machine_unless_allowed(
    hillview: Hillview, settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(Hillview, "base_url", url)

    with pytest.raises(LiveRequestsDisabled, match="Set AISLEFLOW_ALLOW_LIVE=true"):
        PoliteClient(hillview, settings)

    assert not is_this_machine(url)


def test_loopback_names_are_this_machine() -> None:
    assert all(map(is_this_machine, ["http://127.0.0.1:1/", "http://localhost/x", "http://[::1]:80/"]))


class _Silent(requests.adapters.BaseAdapter):
    """A live site that costs nothing: answers in memory."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        found = requests.Response()
        raw = urllib3.HTTPResponse(io.BytesIO(b"{}"), preload_content=False)
        found.status_code, found.raw, found.url, found.request = 200, raw, request.url or "", request
        return found

    def close(self) -> None:
        pass


def test_a_live_site_is_never_requested_faster_than_the_delay(
    hillview: Hillview, settings: Settings, sleeps: Sleeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hillview, "base_url", "https://hillview.example")
    client = PoliteClient(
        hillview, settings.model_copy(update={"allow_live": True, "crawl_delay_seconds": 20.0, "crawl_jitter_seconds": 9.0}), sleep=sleeps
    )
    client._http.mount("https://", _Silent())

    for _ in range(7):
        client.fetch(PAGE)

    gaps = [later - sooner for sooner, later in itertools.pairwise(sleeps)]  # nobody really sleeps: each turn is further off
    assert sleeps[0] == 0
    assert all(19 < gap <= 29 for gap in gaps)
    assert len({round(gap, 1) for gap in gaps}) > 1, "jitter"
    assert Settings().crawl_delay_seconds >= 1


def test_retry_after_is_respected(connect: Connect, site: Site, sleeps: Sleeps) -> None:
    site.answer = answers(json_reply({}, 429, Retry_After="17"), json_reply({"ok": 1}))

    assert connect().fetch(PAGE)[1] == {"ok": 1}
    assert sleeps == [0, pytest.approx(17, abs=1)]


def test_retry_after_may_be_a_date(connect: Connect, site: Site, sleeps: Sleeps, fixed_clock: Callable[[str], None]) -> None:
    fixed_clock("2026-11-18T09:00:00+00:00")
    site.answer = answers(json_reply({}, 503, Retry_After="Wed, 18 Nov 2026 09:00:42 GMT"), json_reply({}))

    connect().fetch(PAGE)

    assert sleeps == [0, pytest.approx(42, abs=1)]


def test_a_long_retry_after_ends_the_store(connect: Connect, site: Site, sleeps: Sleeps) -> None:
    site.answer = lambda asked: json_reply({}, 429, Retry_After="3600")

    with pytest.raises(SiteUnavailable, match="It requires a wait of 3600 s, longer than AISLEFLOW_RETRY_AFTER_SECONDS_MAX=300"):
        connect().fetch(PAGE)

    assert len(site.asked) == 1
    assert not sleeps


def test_backoff_is_random_and_grows_to_its_bound(connect: Connect, site: Site, sleeps: Sleeps) -> None:
    site.answer = lambda asked: Reply(b"", 500)

    with pytest.raises(SiteError, match="status 500"):
        connect(request_attempts=9, backoff_seconds_max=8.0).fetch(PAGE)

    assert len(sleeps) == 8
    assert all(0 <= pause <= bound for pause, bound in zip(sleeps, (1, 2, 4, 8, 8, 8, 8, 8), strict=True))
    assert len(set(sleeps)) == 8


def test_repeated_failures_end_the_store(connect: Connect, site: Site) -> None:
    site.answer = lambda asked: Reply(b"", 502)
    client = connect(max_failed_requests_in_a_row=2)

    with pytest.raises(SiteError) as first:
        client.fetch(PAGE)
    with pytest.raises(SiteUnavailable, match="2 requests in a row failed"):
        client.fetch(PAGE)

    assert not isinstance(first.value, SiteUnavailable)
    assert len(site.asked) == 2 * 3


def test_a_success_resets_the_count_of_failures(connect: Connect, site: Site) -> None:
    client = connect(max_failed_requests_in_a_row=2, request_attempts=1)
    site.answer = answers(Reply(b"", 502), json_reply({}), Reply(b"", 502))

    with pytest.raises(SiteError):
        client.fetch(PAGE)
    client.fetch(PAGE)
    with pytest.raises(SiteError) as raised:
        client.fetch(PAGE)

    assert not isinstance(raised.value, SiteUnavailable)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(b'{"products": [1, 2, 3', cut=10), "no complete response"),
        (Reply(b"\x1f\x8b\x08garbage", headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}), "no complete response"),
        (Reply(b'{"products": '), "are not JSON"),
        (Reply(b""), "0 bytes at .* are not JSON"),
        (Reply(b"x" * 5000), "larger than AISLEFLOW_RESPONSE_BYTES_MAX=4000"),
        (Reply(gzip.compress(b"x" * 500_000), headers={"Content-Encoding": "gzip"}), "larger than"),
    ],
    ids=["cut", "gzip garbage", "half a JSON", "empty", "too large", "too large unpacked"],
)
def test_truncated_responses_are_retried_then_transient(connect: Connect, site: Site, reply: Reply, said: str) -> None:
    site.answer = lambda asked: reply

    with pytest.raises(SiteError, match=said) as raised:
        connect(response_bytes_max=4000).fetch(PAGE)

    assert isinstance(raised.value, TransientError)
    assert len(site.asked) == 3


def test_an_unavailable_site_is_transient(connect: Connect, site: Site) -> None:
    client = connect(read_timeout_seconds=0.05, request_attempts=1)

    def slowly(asked: ReceivedRequest) -> Reply:
        time.sleep(0.3)
        return json_reply({})

    site.answer = slowly

    with pytest.raises(SiteError, match="ReadTimeout"):
        client.fetch(PAGE)


DENIED = "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>Reference&#32;&#35;18&#46;1\nhttps&#58;&#47;&#47;errors&#46;edgesuite&#46;net</BODY></HTML>"
SCRIPT = '<html><head><script src="/_Incapsula_Resource?SWJIYLWA=1"></script></head><body></body></html>'


@pytest.mark.parametrize(
    ("reply", "sign"),
    [
        (html_reply(DENIED, 403), "Access Denied page, status 403"),
        (html_reply(SCRIPT), "Incapsula page, status 200"),
        (html_reply(SCRIPT, 503), "Incapsula page, status 503"),
        (html_reply("<!DOCTYPE html><html>One moment …</html>"), "HTML where JSON was requested, status 200"),
        (html_reply("\n <html>No</html>", 403), "HTML where JSON was requested, status 403"),
        (Reply(b"<html>No</html>", 200, {"Content-Type": "application/json"}), "HTML where JSON was requested, status 200"),
    ],
)
def test_a_refusal_is_recognised_by_content_and_not_repeated(connect: Connect, site: Site, sleeps: Sleeps, reply: Reply, sign: str) -> None:
    site.answer = lambda asked: reply

    with pytest.raises(Blocked, match=re.escape(f"hillview: the site refuses automatic requests ({sign}) at {site.url}/list.")) as raised:
        connect().fetch(PAGE)

    assert isinstance(raised.value, NeedsPersonError)
    assert len(site.asked) == 1
    assert not sleeps


def test_a_refusal_in_place_of_a_web_page_is_recognised(connect: Connect, site: Site) -> None:
    site.answer = lambda asked: html_reply(SCRIPT)

    with pytest.raises(Blocked):
        connect().fetch(Page(path="/", accept="text"))


def test_json_under_a_wrong_content_type_is_read(connect: Connect, site: Site) -> None:
    site.answer = lambda asked: Reply(b'{"ok": 1}', headers={"Content-Type": "text/html"})

    assert connect().fetch(PAGE)[1] == {"ok": 1}


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_other_client_errors_are_terminal(connect: Connect, site: Site, status: int) -> None:
    site.answer = lambda asked: json_reply({"message": "no"}, status)

    with pytest.raises(UnexpectedStatus, match=f"status {status} at .*/list: .*no.*adapt include/retailers/hillview.py") as raised:
        connect().fetch(PAGE)

    assert raised.value.status == status
    assert len(site.asked) == 1


def test_cookies_of_the_site_are_returned_except_the_choice_of_store(connect: Connect, site: Site) -> None:
    site.answer = lambda asked: (
        json_reply({}, Set_Cookie="store=0584; Path=/") if asked.path == "/" else json_reply({}, Set_Cookie="visit=7")
    )
    client = connect()
    client.fetch(PAGE)
    client.fetch(Page(path="/"))
    client.fetch(Page(path="/list", cookies={"store": "0401"}))

    assert sorted(site.asked[-1].headers["cookie"].split("; ")) == ["store=0401", "visit=7"]


def test_an_operators_session_is_sent_with_the_choice_of_store_and_never_landed(connect: Connect, site: Site) -> None:
    landed: list[PageResponse] = []
    client = connect(session_headers={"Cookie": "secret=abc; other=1", "User-Agent": "Mozilla/5.0"})
    client.fetch(Page(path="/list", cookies={"store": "1"}, headers={"x-key": "{key}"}), {"key": "hidden"}, landed.append)

    assert set(site.asked[0].headers["cookie"].split("; ")) == {"secret=abc", "other=1", "store=1"}
    assert site.asked[0].headers["user-agent"] == "Mozilla/5.0"
    assert site.asked[0].headers["x-key"] == "hidden"
    assert not {"abc", "hidden"} & set(re.findall(r"\w+", repr(landed[0])))


def test_each_complete_response_is_landed_before_it_is_checked(connect: Connect, site: Site) -> None:
    landed: list[PageResponse] = []
    site.answer = answers(Reply(b"busy", 503), html_reply(SCRIPT))

    with pytest.raises(Blocked):
        connect().fetch(PAGE, on_response=landed.append)

    assert [(answer.status, answer.body[:6]) for answer in landed] == [(503, b"busy"), (200, b"<html>")]


def test_a_slow_body_is_abandoned_in_time(connect: Connect, settings: Settings) -> None:
    served = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
            with contextlib.suppress(OSError):
                while not served.wait(0.02):
                    connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,), daemon=True)
        thread.start()
        client = connect(response_seconds_max=0.2, request_attempts=1)
        client.base_url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(SiteError, match=r"took longer than AISLEFLOW_RESPONSE_SECONDS_MAX=0\.2"):
            client.fetch(PAGE)
        served.set()
        thread.join()


def test_the_retries_of_a_store_are_bounded(connect: Connect, site: Site) -> None:
    client = connect(retry_budget=3, request_attempts=3, max_failed_requests_in_a_row=99)
    site.answer = lambda asked: Reply(b"", 500)

    with pytest.raises(SiteError) as first:
        client.fetch(PAGE)
    with pytest.raises(SiteUnavailable, match="The store's AISLEFLOW_RETRY_BUDGET=3 repeated requests are used up"):
        client.fetch(PAGE)

    assert not isinstance(first.value, SiteUnavailable)
    assert len(site.asked) == 3 + 2


def test_no_request_is_sent_after_a_refusal(connect: Connect, site: Site) -> None:
    site.answer = lambda asked: html_reply(SCRIPT)
    client = connect()
    for _ in range(3):
        with pytest.raises(Blocked):
            client.fetch(PAGE)

    assert len(site.asked) == 1
