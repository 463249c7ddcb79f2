"""A redirect is one more request: paced, counted, checked against robots.txt; nothing of it crosses a host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from include.config import Settings
from include.crawling.client import PoliteClient
from include.retailers.base import Page
from include.retailers.errors import RedirectRefused, RobotsDisallowed, SiteUnavailable
from tests.crawling.fake_site import Hillview, Reply, Site, html_reply, json_reply
from tests.hostile.server import HostileServer, whole

PAGE = Page(path="/list", params={"page": 1}, headers={"x-api-key": "secret"}, cookies={"store": "1"})
Connect = Callable[..., PoliteClient]


@pytest.fixture
def sleeps() -> list[float]:
    return []


@pytest.fixture
def connect(hillview: Hillview, tmp_path: Path, sleeps: list[float]) -> Iterator[Connect]:
    opened: list[PoliteClient] = []

    def client(session_headers: dict[str, str] | None = None, requests_max: int | None = None, **changed: Any) -> PoliteClient:
        settings = Settings(home=tmp_path, request_attempts=1, **changed)
        opened.append(PoliteClient(hillview, settings, requests_max=requests_max, sleep=sleeps.append))
        opened[-1].use_session(session_headers or {})
        return opened[-1]

    yield client
    for one in opened:
        one.close()


def moved(to: str, status: int = 302) -> Callable[[Any], Reply]:
    return lambda asked: json_reply({"at": asked.path}) if asked.path == "/new" else json_reply({}, status, Location=to)


def test_a_redirect_is_followed_with_the_headers_of_its_page(connect: Connect, site: Site) -> None:
    site.answer = moved("/new?a=b#c")
    response, body = connect().fetch(PAGE)

    assert body == {"at": "/new"}
    assert response.url == f"{site.url}/new?a=b"
    assert [(asked.path, asked.query) for asked in site.asked] == [("/list", {"page": "1"}), ("/new", {"a": "b"})]
    assert [asked.headers["x-api-key"] for asked in site.asked] == ["secret", "secret"]
    assert site.asked[1].headers["cookie"] == "store=1"


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_a_redirected_post(connect: Connect, site: Site, status: int, method: str) -> None:
    site.answer = moved("/new", status)
    connect().fetch(Page(path="/list", method="POST", json={"q": 1}))

    assert site.asked[1].method == method
    assert site.asked[1].json == ({"q": 1} if method == "POST" else None)


def test_each_redirect_is_paced_and_counted(connect: Connect, site: Site, sleeps: list[float]) -> None:
    hops = {"/list": "/a", "/a": "/b", "/b": "/new"}
    site.answer = lambda asked: json_reply({}, 302, Location=hops[asked.path]) if asked.path in hops else json_reply({})
    client = connect(local_delay_seconds=50.0)
    client.fetch(PAGE)

    assert site.paths() == ["/list", "/a", "/b", "/new"]
    assert client.requests == 4
    assert [round(pause, -1) for pause in sleeps] == [0, 50, 100, 150]


def test_redirects_count_towards_the_budget(connect: Connect, site: Site) -> None:
    site.answer = moved("/new")

    with pytest.raises(SiteUnavailable, match="1 requests were sent, as many as AISLEFLOW_STORE_REQUESTS_MAX"):
        connect(requests_max=1).fetch(PAGE)

    assert site.paths() == ["/list"]


def test_the_target_of_a_redirect_obeys_robots_txt(connect: Connect, site: Site) -> None:
    site.answer = lambda asked: (
        Reply(b"User-agent: *\nDisallow: /private\n") if asked.path == "/robots.txt" else json_reply({}, 302, Location="/private/x")
    )

    with pytest.raises(RobotsDisallowed, match="forbids /private/x"):
        connect(robots="always").fetch(PAGE)

    assert site.paths() == ["/robots.txt", "/list"]


def test_a_redirected_robots_txt_is_read_where_it_went_on_the_same_site(connect: Connect, site: Site) -> None:
    site.answer = lambda asked: {
        "/robots.txt": json_reply({}, 301, Location="/en/robots.txt"),
        "/en/robots.txt": Reply(b"User-agent: *\nDisallow: /list\n"),
    }.get(asked.path, json_reply({}))

    with pytest.raises(RobotsDisallowed, match="forbids /list"):
        connect(robots="always").fetch(PAGE)


def test_nothing_crosses_to_another_host(connect: Connect, site: Site) -> None:
    with HostileServer(lambda connection, asked: connection.sendall(whole(b"{}")), host="127.0.0.2") as other:
        site.answer = lambda asked: json_reply({}, 302, Location=other.url, Set_Cookie="visit=7; Domain=127.0.0.2")
        client = connect({"Cookie": "session=1"})
        with pytest.raises(RedirectRefused, match=r"redirects to 'http://127\.0\.0\.2:\d+', which is not on the same site"):
            client.fetch(PAGE)
        site.answer = lambda asked: json_reply({}, 302, Location=f"//localhost:{site.url.rpartition(':')[2]}/new")
        with pytest.raises(RedirectRefused):
            client.fetch(PAGE)

        assert other.connections == 0
    assert "visit" not in site.asked[-1].headers["cookie"]


def test_the_opening_page_and_the_store_finder_follow_the_same_rules(connect: Connect, site: Site) -> None:
    site.answer = lambda asked: html_reply("<p>", 302, Location="http://127.0.0.1:9/")

    for page in (Page(path="/", accept="text"), Page(path="/finder", method="POST", json={})):
        with pytest.raises(RedirectRefused):
            connect().fetch(page)


@pytest.mark.parametrize("delay", ["1e12", "31536000", "301"])
def test_a_pause_of_robots_txt_that_no_crawl_can_keep(connect: Connect, site: Site, sleeps: list[float], delay: str) -> None:
    site.answer = lambda asked: Reply(f"User-agent: *\nCrawl-delay: {delay}\nDisallow: /x\n".encode())

    with pytest.raises(RobotsDisallowed, match="s between two requests"):
        connect(robots="always").fetch(PAGE)

    assert site.paths() == ["/robots.txt"]
    assert sum(sleeps) == 0


def test_a_site_cannot_fill_the_requests_with_cookies(connect: Connect, site: Site) -> None:
    client = connect()
    for number in range(5):
        site.answer = lambda asked, number=number: json_reply({}, Set_Cookie=f"c{number}={'x' * 30_000}")  # type: ignore[misc]
        client.fetch(PAGE)

    assert max(len(asked.headers["cookie"]) for asked in site.asked) < 65_536
    assert all("store=1" in asked.headers["cookie"] for asked in site.asked)


def test_text_of_a_site_is_not_a_format(connect: Connect, site: Site) -> None:
    connect().fetch(Page(path="/list/{key:>99999999999}/{0}/{other.__class__}/{key}"), {"key": "k"})

    assert site.asked[0].path.endswith("/k")
