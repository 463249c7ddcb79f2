"""The shared crawl reads a store completely: each product once, each category compared with its total."""

from __future__ import annotations

import json

import pytest

from include.staging.staged_file import open_staged
from include.staging.storage import Stage
from tests.crawling.fake_site import NIGHT, Crawl, Hillview, HillviewSite, ReceivedRequest, Reply, json_reply


def test_a_completely_read_store_is_marked_complete(crawl: Crawl) -> None:
    HillviewSite(crawl.site, {"milk": ["1", "2", "3"], "bread": ["4"]})
    messages: list[str] = []

    outcome = crawl.run(progress=messages.append)

    assert (outcome.complete, outcome.incomplete_reason, outcome.rows, outcome.pages, outcome.requests) == (True, None, 4, 4, 4)
    assert crawl.products(outcome).keys() == {"1", "2", "3", "4"}
    manifest = crawl.manifest(outcome)
    assert manifest.complete
    assert manifest.categories.expected == manifest.categories.finished == ["Food > Milk", "Food > Bread"]
    assert (manifest.pages, manifest.adapter_version, manifest.night, manifest.run_key) == (4, "1", NIGHT, "run")
    assert messages == ["hillview H 1: Food > Milk (1 of 2 categories)", "hillview H 1: Food > Bread (2 of 2 categories)"]


def test_the_outcome_converts_to_json(crawl: Crawl) -> None:
    HillviewSite(crawl.site, {"milk": ["1"]})

    outcome = json.loads(json.dumps(crawl.run().to_json()))

    assert outcome["rows"] == 1
    assert outcome["categories"][0] | {"seconds": 0} == {
        "key": "milk", "name": "Food > Milk", "status": "finished", "reason": None, "pages": 1, "announced": 1, "products": 1, "seconds": 0,
    }  # fmt: skip


def test_a_product_without_a_category_gets_the_path_of_the_walked_leaf(crawl: Crawl) -> None:
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


def test_a_product_in_two_categories_is_written_once(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"christmas": ["1", "2"], "milk": ["1"]})
    shop.nodes[0]["promotional"] = True

    outcome = crawl.run()

    assert crawl.products(outcome)["1"]["category_path"] == ["Food", "Milk"], "promotional departments are walked last"
    assert outcome.rows_skipped == {"known": 1}
    assert outcome.complete


def test_skipped_categories_have_a_reason_and_are_not_requested(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "tobacco": ["9"]})
    shop.nodes[1]["skipped"] = "tobacco: age-gated"

    outcome = crawl.run()

    assert crawl.manifest(outcome).categories.skipped == {"Food > Tobacco": "tobacco: age-gated"}
    assert outcome.complete
    assert [asked.query.get("category") for asked in crawl.site.asked] == [None, "milk"]


def test_ads_do_not_count_as_products(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2", "3"]})
    shop.extra = {"milk--1": [{"ad": True}, shop.row("1", sponsored=True), shop.row("3", sponsored=True)]}

    outcome = crawl.run()

    assert crawl.products(outcome).keys() == {"1", "2", "3"}
    assert outcome.rows_skipped == {"ad": 1, "sponsored": 2}


def test_a_sponsored_product_outside_all_lists_is_an_offer(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1"], "bread": ["4"]})
    shop.extra = {"milk--1": [shop.row("7", sponsored=True), shop.row("4", sponsored=True)]}

    outcome = crawl.run()

    products = crawl.products(outcome)
    assert products.keys() == {"1", "4", "7"}
    assert products["4"]["category_path"] == ["Food", "Bread"], "the category comes from the list, not from the advertisement"
    assert outcome.rows_skipped == {"sponsored": 1}


def test_sponsored_rows_do_not_replace_missing_products(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"]})
    shop.reply = lambda asked: (
        json_reply({"products": [shop.row("1"), shop.row("9", sponsored=True)], "total": 2, "hasMore": False})
        if asked.path == "/list"
        else None
    )

    outcome = crawl.run()

    assert not outcome.complete
    assert outcome.incomplete_reason == "1 of 1 categories not finished: Food > Milk: 2 products announced, 1 read"


def test_third_party_products_count_towards_the_total_but_are_not_staged(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"]})
    shop.reply = lambda asked: (
        json_reply({"products": [shop.row("1"), shop.row("9", market=True)], "total": 2, "hasMore": False})
        if asked.path == "/list"
        else None
    )

    outcome = crawl.run()

    assert crawl.products(outcome).keys() == {"1"}
    assert outcome.complete


def test_a_third_party_product_does_not_end_a_list_early(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2", "3"]})
    shop.extra = {"milk--1": [shop.row("9", market=True)]}

    outcome = crawl.run()

    assert crawl.products(outcome).keys() == {"1", "2", "3"}


def test_a_category_below_its_total_is_walked_again(crawl: Crawl) -> None:
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
    assert outcome.categories[0].pages == 5  # 1, 1 again, a third that the site reports as past the end; then 1 and 2


def test_with_inexact_totals_a_repeated_page_reveals_the_gap(crawl: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert "the site returned a page twice in place of another" in (outcome.incomplete_reason or "")

    is_broken["now"] = False
    outcome = crawl.run("another-run")
    assert (outcome.rows, outcome.complete) == (6, True)


@pytest.mark.parametrize("may_end_with_404_or_repeat", [True, False])
def test_a_404_ends_a_list_only_at_sites_that_use_it(
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


def test_a_list_that_repeats_its_last_page_ends(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"]})
    shop.reply = lambda asked: (
        json_reply({"products": [shop.row("1"), shop.row("2")], "total": None, "hasMore": True}) if asked.path == "/list" else None
    )

    outcome = crawl.run()

    assert (outcome.rows, outcome.complete) == (2, True)
    assert outcome.requests < 10


def test_an_audit_finds_the_direct_products_of_a_department(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"], "cheese": ["3", "4"], "dairy": ["1", "2", "3", "4", "5"]})
    shop.nodes[2]["covers"] = ["milk", "cheese"]

    outcome = crawl.run()

    assert crawl.products(outcome).keys() == {"1", "2", "3", "4", "5"}
    assert outcome.complete


def test_an_audit_without_missing_products_needs_one_page(crawl: Crawl) -> None:
    shop = HillviewSite(crawl.site, {"milk": ["1", "2"], "cheese": ["3", "4"], "dairy": ["1", "2", "3", "4"]})
    shop.nodes[2]["covers"] = ["milk", "cheese"]

    outcome = crawl.run()

    assert outcome.requests == 4  # tree, milk, cheese, one page of dairy
    assert outcome.complete
