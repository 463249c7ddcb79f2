"""Several connections inside one store: the same store-day regardless of the order of the responses, and no unneeded request."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

import pytest

from include.retailers.errors import Blocked
from tests.crawling.fake_site import Crawl, Hillview, HillviewSite, ReceivedRequest, Reply, html_reply

pytestmark = pytest.mark.slow


def goods() -> dict[str, list[str]]:
    """Many short lists, a long one, an empty one, and articles listed in two."""
    lists = {f"c{number}": [f"{number}-{item}" for item in range(number % 5)] for number in range(24)}
    lists["long"] = [f"long-{item}" for item in range(41)]
    lists["again"] = lists["long"][:7] + lists["c3"]
    return lists


def staged(crawl: Crawl, run_key: str = "run") -> dict[str, bytes]:
    """Return the data file and the manifest of the store-day, as bytes."""
    paths = [path for path in crawl.storage.filesystem.find(crawl.storage.full("outbox")) if f"--{run_key}--" in path]
    return {path.rsplit("/", 1)[1]: crawl.storage.read(path.split("/storage/", 1)[1]) for path in paths}


def with_connections(crawl: Crawl, connections: int) -> Crawl:
    crawl.settings = crawl.settings.model_copy(update={"connections_per_store": connections, "requests_in_flight": connections})
    return crawl


@pytest.mark.parametrize("seed", range(4))
def test_the_store_day_is_byte_identical_for_any_timing(crawl: Crawl, seed: int) -> None:
    shop = HillviewSite(crawl.site, goods())
    shop.nodes.append({"id": "all", "path": ["Food"], "covers": [name for name in shop.goods if name != "again"]})
    shop.goods["all"] = [sku for name, skus in shop.goods.items() if name != "again" for sku in skus]
    one_by_one = crawl.run()
    expected, asked = staged(crawl), Counter((a.path, *sorted(a.query.items())) for a in crawl.site.asked)
    rng = random.Random(seed)

    def late(asked: ReceivedRequest) -> None:
        time.sleep(rng.random() * 0.01)

    shop.reply = late
    crawl.site.asked.clear()
    for path in list(crawl.storage.filesystem.find(crawl.storage.full("outbox"))) + crawl.storage.filesystem.find(
        crawl.storage.full("landing")
    ):
        crawl.storage.filesystem.rm_file(path)

    outcome = with_connections(crawl, 4).run()

    assert staged(crawl) == expected
    assert (outcome.pages, outcome.requests) == (one_by_one.pages, one_by_one.requests)
    assert Counter((a.path, *sorted(a.query.items())) for a in crawl.site.asked) == asked, "no further request"


def test_connections_are_used_in_parallel_up_to_the_limit(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, goods())
    lock, together = threading.Lock(), threading.Barrier(3)
    under_way, most, met = 0, 0, 0

    def count(asked: ReceivedRequest) -> Reply | None:
        nonlocal under_way, most, met
        if asked.path != "/list":
            return None
        with lock:
            under_way += 1
            most = max(most, under_way)
            met += 1
            waits = met <= 3
        if waits:
            together.wait(20)  # three must really be in flight in parallel
        reply = shop.page(asked)
        with lock:
            under_way -= 1
        return reply

    shop.reply = count

    assert with_connections(crawl, 3).run().complete
    assert most == 3


def test_a_refusal_on_one_connection_stops_all(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, goods())
    shop.reply = lambda asked: (
        html_reply("<html><script src='/_Incapsula_Resource?x=1'></script></html>") if asked.path == "/list" else None
    )

    with pytest.raises(Blocked):
        with_connections(crawl, 4).run()

    assert len(crawl.site.asked) <= 1 + 4, "only the requests in flight"
    assert not crawl.published()


def test_an_unavailable_site_ends_requests_on_all_connections(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, goods())
    shop.reply = lambda asked: Reply(b"", 503) if asked.query.get("category", "c1") != "c1" else None

    outcome = with_connections(crawl, 4).run()

    assert (outcome.rows, outcome.complete, outcome.is_retryable, outcome.site_unavailable) == (1, False, True, True)
    attempts = crawl.settings.request_attempts
    assert len(crawl.site.asked) <= 2 + attempts * (crawl.settings.max_failed_requests_in_a_row + 4)


def test_a_build_id_is_renewed_once_for_all_connections(crawl: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.retailers.base import Page

    shop = HillviewSite(crawl.site, goods())
    monkeypatch.setattr(Hillview, "session_page", Page(path="/", accept="text"))
    monkeypatch.setattr(Hillview, "renew_session_on_404", True)
    monkeypatch.setattr(Hillview, "session", lambda self, html, url: {"build": html})
    first_page = Hillview.first_page
    monkeypatch.setattr(
        Hillview, "first_page", lambda self, store, category: Page(path="/{build}/list", params=first_page(self, store, category).params)
    )
    asked_for = 0

    def reply(asked: ReceivedRequest) -> Reply | None:
        nonlocal asked_for
        build = "b2" if asked_for >= 12 else "b1"
        if asked.path == "/":
            return html_reply(build)
        if asked.path.endswith("/list"):
            asked_for += 1
            if asked.path != f"/{build}/list":
                return html_reply("<html>404</html>", 404)
        return None

    shop.reply = reply

    outcome = with_connections(crawl, 4).run()

    assert outcome.complete, outcome.incomplete_reason
    assert crawl.site.paths().count("/") == 2


def test_a_retry_requests_only_the_missing_pages(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, goods())
    shop.reply = lambda asked: Reply(b"", 500) if asked.query.get("category") == "long" and asked.query["page"] == "3" else None
    first = with_connections(crawl, 4).run()
    assert not first.complete
    crawl.site.asked.clear()
    shop.reply = lambda asked: None

    again = crawl.run()

    assert again.complete
    assert {asked.query.get("category") for asked in crawl.site.asked} == {"long"}
