"""The shared crawl reads a store whole: each article once, each category proved against its total."""

from __future__ import annotations

import json

import pytest

from include.staging.staged_file import open_staged
from include.staging.storage import Stage
from tests.crawling.fake_site import NIGHT, Crawl, Hillview, HillviewSite, ReceivedRequest, Reply, json_reply


def test_a_whole_store_is_complete_and_says_so(crawl: Crawl) -> None:
    HillviewSite(crawl.site, {"milk": ["1", "2", "3"], "bread": ["4"]})
    told: list[str] = []

    outcome = crawl.run(progress=told.append)

    assert (outcome.complete, outcome.incomplete_reason, outcome.rows, outcome.pages, outcome.requests) == (True, None, 4, 4, 4)
    assert crawl.products(outcome).keys() == {"1", "2", "3", "4"}
    manifest = crawl.manifest(outcome)
    assert manifest.complete
    assert manifest.categories.expected == manifest.categories.finished == ["Food > Milk", "Food > Bread"]
    assert (manifest.pages, manifest.adapter_version, manifest.night, manifest.run_key) == (4, "1", NIGHT, "run")
    assert told == ["hillview H 1: Food > Milk (1 of 2 categories)", "hillview H 1: Food > Bread (2 of 2 categories)"]


def test_the_outcome_travels_as_json(crawl: Crawl) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})

    told = json.loads(json.dumps(crawl.run().to_json()))

    assert told["rows"] == 1
    assert told["categories"][0] | {"seconds": 0} == {
        "key": "milk", "name": "Food > Milk", "status": "finished", "reason": None, "pages": 1, "announced": 1, "products": 1, "seconds": 0,
    }  # fmt: skip


def test_the_path_of_the_walked_leaf_stands_in_where_the_product_has_none(crawl: Crawl) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})

    assert crawl.products(crawl.run())["1"]["category_path"] == ["Food", "Milk"]


def test_money_stays_exact(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": []})
    shop.reply = lambda asked: (
        Reply(b'{"products": [{"id": 1, "title": "Milk", "price": 1.10}], "total": 1, "hasMore": false}') if asked.path == "/list" else None
    )

    outcome = crawl.run()

    line = next(open_staged(crawl.storage, crawl.manifest(outcome), Stage.OUTBOX, 10**6)).raw
    assert b'"price_current":1.10,' in line


def test_an_article_in_two_categories_is_written_once_where_it_belongs(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"christmas": ["1", "2"], "milk": ["1"]})
    shop.nodes[0]["promotional"] = True

    outcome = crawl.run()

    assert crawl.products(outcome)["1"]["category_path"] == ["Food", "Milk"], "promotional departments are walked last"
    assert outcome.rows_skipped == {"known": 1}
    assert outcome.complete


def test_skipped_categories_keep_their_reason_and_are_not_asked_for(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "tobacco": ["9"]})
    shop.nodes[1]["skipped"] = "tobacco: age-gated"

    outcome = crawl.run()

    assert crawl.manifest(outcome).categories.skipped == {"Food > Tobacco": "tobacco: age-gated"}
    assert outcome.complete
    assert [asked.query.get("category") for asked in crawl.site.asked] == [None, "milk"]


def test_ads_are_counted_never_as_goods(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2", "3"]})
    shop.extra = {"milk--1": [{"ad": True}, shop.row("1", sponsored=True), shop.row("3", sponsored=True)]}

    outcome = crawl.run()

    assert crawl.products(outcome).keys() == {"1", "2", "3"}
    assert outcome.rows_skipped == {"ad": 1, "sponsored": 2}


def test_a_sponsored_article_that_stands_in_no_list_is_still_an_offer(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "bread": ["4"]})
    shop.extra = {"milk--1": [shop.row("7", sponsored=True), shop.row("4", sponsored=True)]}

    outcome = crawl.run()

    products = crawl.products(outcome)
    assert products.keys() == {"1", "4", "7"}
    assert products["4"]["category_path"] == ["Food", "Bread"], "the list says where an article belongs, not the advertisement"
    assert outcome.rows_skipped == {"sponsored": 1}


def test_sponsored_rows_do_not_make_up_for_missing_goods(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"]})
    shop.reply = lambda asked: (
        json_reply({"products": [shop.row("1"), shop.row("9", sponsored=True)], "total": 2, "hasMore": False})
        if asked.path == "/list"
        else None
    )

    outcome = crawl.run()

    assert not outcome.complete
    assert outcome.incomplete_reason == "1 of 1 categories not finished: Food > Milk: 2 goods announced, 1 read"


def test_goods_of_third_parties_count_among_the_announced_but_are_not_staged(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"]})
    shop.reply = lambda asked: (
        json_reply({"products": [shop.row("1"), shop.row("9", market=True)], "total": 2, "hasMore": False})
        if asked.path == "/list"
        else None
    )

    outcome = crawl.run()

    assert crawl.products(outcome).keys() == {"1"}
    assert outcome.complete


def test_one_of_them_does_not_end_a_list_early(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2", "3"]})
    shop.extra = {"milk--1": [shop.row("9", market=True)]}

    outcome = crawl.run()

    assert crawl.products(outcome).keys() == {"1", "2", "3"}


def test_a_category_short_of_its_total_is_walked_once_more(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2", "3", "4"]})
    second = {"times": 0}

    def first_time_page_two_is_page_one_again(asked: ReceivedRequest) -> Reply | None:
        if asked.query.get("page") == "2":
            second["times"] += 1
            if second["times"] == 1:
                return shop.page(ReceivedRequest("GET", "/list", {"category": "milk", "page": "1"}, {}, None))
        return None

    shop.reply = first_time_page_two_is_page_one_again

    outcome = crawl.run()

    assert outcome.complete
    assert crawl.products(outcome).keys() == {"1", "2", "3", "4"}
    assert outcome.categories[0].pages == 5  # 1, 1 again, a third that the site says it has no more; then 1 and 2


def test_where_totals_are_not_exact_a_page_that_came_twice_shows_the_gap(crawl: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hillview, "min_total_share", 0.5)
    shop = HillviewSite(crawl.site, {"milk": ["1", "2", "3", "4", "5", "6"]})
    is_broken = {"now": True}

    def page_two_is_page_one(asked: ReceivedRequest) -> Reply | None:
        if asked.query.get("page") == "2" and is_broken["now"]:
            return shop.page(ReceivedRequest("GET", "/list", {"category": "milk", "page": "1"}, {}, None))
        return None

    shop.reply = page_two_is_page_one
    outcome = crawl.run()
    assert (outcome.rows, outcome.complete) == (4, False)
    assert "a page came twice in place of another" in (outcome.incomplete_reason or "")

    is_broken["now"] = False
    outcome = crawl.run("another-run")
    assert (outcome.rows, outcome.complete) == (6, True)


@pytest.mark.parametrize("may_end_with_404_or_repeat", [True, False])
def test_a_404_ends_a_list_only_where_the_site_is_known_for_it(
    crawl: Crawl, monkeypatch: pytest.MonkeyPatch, may_end_with_404_or_repeat: bool
) -> None:
    monkeypatch.setattr(Hillview, "may_end_with_404_or_repeat", may_end_with_404_or_repeat)
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"]})

    def without_total(asked: ReceivedRequest) -> Reply | None:
        if asked.path != "/list":
            return None
        return (
            json_reply({}, 404) if asked.query["page"] == "2" else json_reply({"products": [shop.row("1")], "total": None, "hasMore": True})
        )

    shop.reply = without_total

    assert crawl.run().complete == may_end_with_404_or_repeat


def test_a_list_that_repeats_its_last_page_for_ever_ends(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"]})
    shop.reply = lambda asked: (
        json_reply({"products": [shop.row("1"), shop.row("2")], "total": None, "hasMore": True}) if asked.path == "/list" else None
    )

    outcome = crawl.run()

    assert (outcome.rows, outcome.complete) == (2, True)
    assert outcome.requests < 10


def test_an_audit_finds_what_hangs_directly_under_a_department(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"], "cheese": ["3", "4"], "dairy": ["1", "2", "3", "4", "5"]})
    shop.nodes[2]["covers"] = ["milk", "cheese"]

    outcome = crawl.run()

    assert crawl.products(outcome).keys() == {"1", "2", "3", "4", "5"}
    assert outcome.complete


def test_an_audit_costs_one_page_where_nothing_is_missing(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"], "cheese": ["3", "4"], "dairy": ["1", "2", "3", "4"]})
    shop.nodes[2]["covers"] = ["milk", "cheese"]

    outcome = crawl.run()

    assert outcome.requests == 4  # tree, milk, cheese, one page of dairy
    assert outcome.complete
