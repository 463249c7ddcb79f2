"""Every page is landed before it is read: retries continue from landed pages, rereads send no request."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.model.store import StoreRef
from include.retailers.base import OfferRow, Page, Row
from include.retailers.errors import EmptyCrawl
from include.staging.storage import Stage
from tests.crawling.fake_site import NIGHT, Crawl, Hillview, HillviewSite, ReceivedRequest, Reply, html_reply, json_reply


def test_a_cleared_crawl_reads_landed_pages_and_publishes_the_same_file(crawl: Crawl) -> None:
    HillviewSite(crawl.site, {"milk": ["1", "2", "3"]})
    first = crawl.run()
    crawl.site.asked.clear()

    again = crawl.run()

    assert not crawl.site.asked
    assert again.manifest == first.manifest
    assert len(crawl.published()) == 1


def test_another_run_requests_the_pages_again(crawl: Crawl) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})
    crawl.run()
    crawl.site.asked.clear()

    crawl.run("another-run")

    assert len(crawl.site.asked) == 2


@pytest.mark.parametrize(
    ("second_at", "asks_again"),
    [
        ("2026-11-16T21:59:00+00:00", False),  # Tuesday 08:59 in Melbourne, just under six hours
        ("2026-11-16T22:01:00+00:00", True),
    ],
)
def test_landed_pages_are_reused_by_a_retry_for_six_hours(
    crawl: Crawl, monkeypatch: pytest.MonkeyPatch, second_at: str, asks_again: bool
) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})
    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-16T16:00:00+00:00")
    crawl.run()
    crawl.site.asked.clear()
    monkeypatch.setenv("AISLEFLOW_NOW", second_at)

    outcome = crawl.run()

    assert bool(crawl.site.asked) == asks_again
    expected = second_at if asks_again else "2026-11-16T16:00:00+00:00"
    assert crawl.manifest(outcome).observed_at == datetime.fromisoformat(expected)


def test_a_retry_in_a_new_price_week_starts_over(crawl: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})
    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-17T12:30:00+00:00")  # Tuesday 23:30 in Melbourne
    crawl.run()
    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-17T13:30:00+00:00")  # Wednesday 00:30

    outcome = crawl.run()

    assert crawl.manifest(outcome).observed_at == datetime(2026, 11, 17, 13, 30, tzinfo=UTC)


def test_a_reread_sends_no_request_and_uses_the_present_adapter(crawl: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    HillviewSite(crawl.site, {"milk": ["1", "2"]})
    first = crawl.run()
    crawl.site.close()
    old_rows = Hillview.rows

    def without_two(self: Hillview, body: Any, store: StoreRef, observed_at: datetime) -> Iterator[Row]:
        return (row for row in old_rows(self, body, store, observed_at) if isinstance(row, OfferRow) and row.offer.sku != "2")

    monkeypatch.setattr(Hillview, "version", "2")
    monkeypatch.setattr(Hillview, "rows", without_two)

    outcome = crawl.reread()

    assert outcome.requests == 0
    assert crawl.products(outcome).keys() == {"1"}
    assert crawl.manifest(outcome).adapter_version == "2"
    assert crawl.manifest(outcome).observed_at == crawl.manifest(first).observed_at


def test_a_reread_names_pages_that_were_never_landed(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "wine": ["8"]})
    shop.reply = lambda asked: json_reply({}, 401) if asked.query.get("category") == "wine" else None
    crawl.run()

    outcome = crawl.reread()

    assert (outcome.rows, outcome.complete) == (1, False)
    assert "status 401" in (outcome.incomplete_reason or "")


def test_every_response_is_landed_unchanged_before_it_is_read(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"]})
    shop.reply = lambda asked: Reply(b'{"unread": true}') if asked.path == "/list" else None

    with pytest.raises(EmptyCrawl):
        crawl.run()

    folder = crawl.storage.full(f"landing/hillview/H%201/{NIGHT}--run")
    assert gzip.decompress(Path(folder, "milk--1.gz").read_bytes()).split(b"\n", 1)[1] == b'{"unread": true}'


def test_the_instant_of_a_line_is_that_of_its_page(crawl: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2", "3"]})

    def clock_moves(asked: ReceivedRequest) -> Reply | None:
        if asked.query.get("page") == "2":
            monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-18T18:05:00+00:00")
        return None

    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-18T18:00:00+00:00")
    shop.reply = clock_moves

    manifest = crawl.manifest(crawl.run())

    assert manifest.observed_at == datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
    assert manifest.last_observed_at == datetime(2026, 11, 18, 18, 5, tzinfo=UTC)


def test_a_store_day_is_written_to_the_stage_of_its_retailer(crawl: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})
    monkeypatch.setattr(Hillview, "stage", Stage.BARCODE_INBOX)

    assert str(crawl.run().manifest).startswith("barcode_inbox/hillview/H%201/")


def test_an_outdated_build_id_is_renewed_and_the_page_requested_again(crawl: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2", "3"]})
    deployed = {"build": "b1"}
    monkeypatch.setattr(Hillview, "session_page", Page(path="/", accept="text"))
    monkeypatch.setattr(Hillview, "renew_session_on_404", True)
    monkeypatch.setattr(Hillview, "session", lambda self, html, url: {"build": html})
    first_page = Hillview.first_page
    monkeypatch.setattr(
        Hillview, "first_page", lambda self, store, category: Page(path="/{build}/list", params=first_page(self, store, category).params)
    )

    def reply(asked: ReceivedRequest) -> Reply | None:
        if asked.path == "/":
            return html_reply(deployed["build"])
        if asked.path.endswith("/list"):
            if asked.query["page"] == "2":
                deployed["build"] = "b2"
            if asked.path != f"/{deployed['build']}/list":
                return html_reply("<html>404</html>", 404)
        return None

    shop.reply = reply

    outcome = crawl.run()

    assert (outcome.complete, outcome.rows) == (True, 3)
    assert crawl.site.paths() == ["/", "/tree", "/b1/list", "/b1/list", "/", "/b2/list"]
