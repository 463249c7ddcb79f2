"""Coles serves a listing to a certain depth only: deeper products are read by sub-categories, and the total is checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.outcomes import CrawlOutcome
from include.crawling.store_crawl import crawl_store
from include.model.store import StoreRef
from include.retailers import coles
from include.retailers.coles import PAGE_SIZE, Coles
from include.staging.storage import Storage
from tests.crawling.fake_site import NIGHT, ReceivedRequest, Reply, Site, html_reply, json_reply

FIRLE = StoreRef("coles", "COL:401", "Firle", "SA")
#: Pages of one listing that the made-up site serves.
DEPTH = 2
OPENING = (
    '<script>window.__RUNTIME_CONFIG__ = {"BFF_API_SUBSCRIPTION_KEY": "k1"};</script><script id="__NEXT_DATA__">{"buildId": "b1"}</script>'
)


def product(number: int) -> dict[str, Any]:
    unit = {"quantity": 1, "ofMeasureQuantity": 1, "ofMeasureUnits": "kg", "price": 20, "isWeighted": False}
    pricing = {"now": 4, "was": 0, "unit": unit, "comparable": "$20.00 per 1kg" if number % 10 else "$40.00 per 1kg"}
    row = {"_type": "PRODUCT", "id": number, "adId": None, "adSource": None, "name": f"Article {number}", "brand": "Quollbrook"}
    return row | {"size": "200g", "availability": True, "pricing": pricing, "onlineHeirs": []}


def node(key: str, slug: str, goods: range, *children: Any) -> dict[str, Any]:
    found = {"id": key, "level": 1, "name": slug.title(), "seoToken": slug, "productCount": len(goods), "goods": goods}
    return found | ({"catalogGroupView": list(children)} if children else {})


class DeepSite:
    """The data routes over one tree; past the depth a listing answers as past its end."""

    def __init__(self, site: Site, department: dict[str, Any]) -> None:
        self.department = department
        site.answer = self.answer

    def answer(self, asked: ReceivedRequest) -> Reply:
        if asked.path == "/browse":
            return html_reply(OPENING)
        if asked.path == "/api/graphql":
            tree = {"excludedCategoryIds": [], "catalogGroupView": [self.department]}
            return json_reply(json.loads(json.dumps({"data": {"productCategories": tree}}, default=len)))
        found = re.fullmatch(r"/_next/data/b1/en/browse/(.*)\.json", asked.path)
        assert found
        here: Any = {"catalogGroupView": [self.department]}
        for slug in found[1].split("/"):
            here = next(child for child in here["catalogGroupView"] if child["seoToken"] == slug)
        page, goods = int(asked.query["page"]), list(here["goods"])
        listed = goods[(page - 1) * PAGE_SIZE : page * PAGE_SIZE] if page <= DEPTH else []
        listing = {
            "noOfResults": len(goods),
            "start": page - 1,
            "pageSize": PAGE_SIZE if listed else 0,
            "results": list(map(product, listed)),
        }
        return json_reply({"pageProps": {"initStoreId": "0401", "searchResults": listing}})


@pytest.fixture
def crawl(site: Site, storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], CrawlOutcome]:
    monkeypatch.setattr(Coles, "base_url", site.url)
    monkeypatch.setattr(coles, "LISTING_MAX", DEPTH * PAGE_SIZE)

    def run(department: Any) -> CrawlOutcome:
        DeepSite(site, department)
        return crawl_store(
            CrawlRun(retailer=Coles(), store=FIRLE, night=NIGHT, run_key="run", storage=storage, settings=settings, limiter=None)
        )

    return run


def test_a_category_deeper_than_its_listing_is_read_completely_by_its_children(site: Site, crawl: Callable[[Any], CrawlOutcome]) -> None:
    tins, jars, small = node("111", "tins", range(1, 81)), node("112", "jars", range(81, 121)), node("12", "small", range(121, 151))
    department = node("10", "pantry", range(151), node("11", "big", range(1, 121), tins, jars), small)

    outcome = crawl(department)

    assert outcome.complete, outcome.incomplete_reason
    assert outcome.rows == 151, "product 0 is listed only in the department"
    assert [(category.name, category.announced, category.products) for category in outcome.categories] == [
        ("Pantry > Big > Tins", 80, 80),
        ("Pantry > Big > Jars", 40, 40),
        ("Pantry > Small", 30, 30),
        ("Pantry", 151, 151),
    ]
    assert not [path for path in site.paths() if path.endswith("pantry/big.json")]


def test_unreachable_products_make_the_store_day_incomplete(crawl: Callable[[Any], CrawlOutcome]) -> None:
    outcome = crawl(node("10", "pantry", range(120), node("11", "tins", range(10))))

    assert not outcome.complete
    assert outcome.rows == DEPTH * PAGE_SIZE == 96
    assert outcome.incomplete_reason == "1 of 2 categories not finished: Pantry: 120 products announced, 96 read"


def test_inconsistent_unit_prices_are_counted_in_the_outcome(crawl: Callable[[Any], CrawlOutcome]) -> None:
    outcome = crawl(node("10", "pantry", range(30), node("11", "tins", range(30))))

    assert outcome.rows == 30
    assert outcome.notes == {"unit price: number against text": 3, "unit price: text against price and size": 3}
    assert outcome.to_json()["notes"] == outcome.notes
