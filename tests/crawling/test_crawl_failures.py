"""A failing category does not fail the others and has a reason; an error that may affect all pages stops the store."""

from __future__ import annotations

import pytest

from include.retailers.errors import Blocked, EmptyCrawl, RetryableEmptyCrawl, ShapeChanged, WrongStore
from tests.crawling.fake_site import Crawl, Hillview, HillviewSite, Reply, html_reply, json_reply


def test_a_category_below_its_total_is_unfinished_and_retryable(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"], "bread": ["4"]})
    shop.reply = lambda asked: (
        json_reply({"products": [shop.row("1")], "total": 40, "hasMore": False}) if asked.query.get("category") == "milk" else None
    )

    outcome = crawl.run()

    assert (outcome.complete, outcome.is_retryable, outcome.rows) == (False, True, 2)
    manifest = crawl.manifest(outcome)
    assert manifest.complete is False
    assert manifest.categories.finished == ["Food > Bread"]
    assert "40 products announced, 1 read" in (manifest.incomplete_reason or "")

    shop.reply = lambda asked: None
    shop.goods["milk"] = ["1", "2"]
    again = crawl.run()
    assert (again.complete, again.rows) == (True, 3), "a retry requests the short category again"


def test_a_category_that_needs_a_login_does_not_fail_the_others(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"wine": ["8"], "milk": ["1"]})
    shop.reply = lambda asked: json_reply({"message": "log in"}, 401) if asked.query.get("category") == "wine" else None

    outcome = crawl.run()

    assert (outcome.complete, outcome.rows, outcome.is_retryable) == (False, 1, False)
    assert "status 401" in (outcome.incomplete_reason or "")
    assert crawl.manifest(outcome).categories.finished == ["Food > Milk"]


def test_a_renamed_field_fails_with_one_clear_message(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"]})
    shop.reply = lambda asked: (
        json_reply({"products": [{"id": 1, "title": "Milk", "pricing": 4}], "total": 1, "hasMore": False})
        if asked.path == "/list"
        else None
    )

    with pytest.raises(EmptyCrawl) as raised:
        crawl.run()

    assert f"hillview: field 'price' is missing (found: id, pricing, title) at {crawl.site.url}/list" in str(raised.value)
    assert "Add a page of the new shape under tests/payloads/hillview/ and adapt include/retailers/hillview.py" in str(raised.value)
    assert isinstance(raised.value.__cause__, ExceptionGroup)
    assert isinstance(raised.value.__cause__.exceptions[0], ShapeChanged)
    assert not crawl.published()


def test_a_price_as_text_is_a_changed_shape(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "bread": ["2"]})
    shop.reply = lambda asked: (
        json_reply({"products": [shop.row("1", price="4.10")], "total": 1, "hasMore": False})
        if asked.query.get("category") == "milk"
        else None
    )

    outcome = crawl.run()

    assert outcome.rows == 1
    assert "field 'price' is str '4.10', a number was expected" in (outcome.incomplete_reason or "")


def test_a_crawl_without_an_offer_fails(crawl: Crawl) -> None:
    HillviewSite(crawl.site, {"milk": []})

    with pytest.raises(EmptyCrawl, match=r"hillview H 1: the crawl found no offer\. Every category is empty"):
        crawl.run()

    assert not crawl.published()


def test_an_empty_crawl_is_allowed_for_stores_that_may_be_empty(crawl: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    HillviewSite(crawl.site, {"milk": []})
    monkeypatch.setattr(Hillview, "may_be_empty", lambda self, store: True)

    outcome = crawl.run()

    assert (outcome.rows, outcome.manifest) == (0, None)


def test_a_site_that_is_down_is_retryable(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "bread": ["2"], "eggs": ["3"], "ham": ["4"], "figs": ["5"]})
    shop.reply = lambda asked: Reply(b"", 503) if asked.path == "/list" else None

    with pytest.raises(RetryableEmptyCrawl, match="3 requests in a row failed"):
        crawl.run()

    assert len(crawl.site.asked) == 1 + 3 * 3, "no further request after three failures in a row"


def test_offers_read_before_an_outage_are_published_incomplete_and_a_retry_completes_them(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "bread": ["2"], "eggs": ["3"], "ham": ["4"], "figs": ["5"]})
    shop.reply = lambda asked: Reply(b"", 500) if asked.query.get("category") not in (None, "milk") else None

    outcome = crawl.run()
    assert (outcome.rows, outcome.complete, outcome.is_retryable) == (1, False, True)

    shop.reply = lambda asked: None
    crawl.site.asked.clear()
    again = crawl.run()
    assert (again.rows, again.complete) == (5, True)
    assert [asked.query.get("category") for asked in crawl.site.asked] == ["bread", "eggs", "ham", "figs"]


def test_a_refusal_stops_the_store_and_keeps_its_progress(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "bread": ["2"], "eggs": ["3"]})
    shop.reply = lambda asked: (
        html_reply("<html><script src='/_Incapsula_Resource?x=1'></script></html>") if asked.query.get("category") == "bread" else None
    )

    with pytest.raises(Blocked, match=r"hillview: the site refuses automatic requests") as raised:
        crawl.run()
    assert "Incapsula page, status 200" in str(raised.value)
    assert not crawl.published()
    assert [asked.query.get("category") for asked in crawl.site.asked] == [None, "milk", "bread"], "requested once, no further"

    shop.reply = lambda asked: None
    crawl.site.asked.clear()
    outcome = crawl.run()
    assert (outcome.complete, outcome.rows) == (True, 3)
    assert [asked.query.get("category") for asked in crawl.site.asked] == ["bread", "eggs"]


def test_a_page_of_another_store_is_never_written(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "bread": ["2"]})
    shop.reply = lambda asked: (
        json_reply({"products": [shop.row("2")], "total": 1, "hasMore": False, "store": "584"})
        if asked.query.get("category") == "bread"
        else None
    )

    with pytest.raises(WrongStore, match="hillview H 1: requested store 1, the page is for 584"):
        crawl.run()

    assert not crawl.published()
