"""Well-formed pages with wrong values: an adapter reads them, or says which field it cannot read; a crawl ends."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from include.crawling.unit_check import with_unit_price_notes
from include.errors import AisleflowError
from include.model.offer import encode
from include.retailers.base import Category, OfferRow
from include.retailers.bounds import bounded_categories, parse
from include.retailers.errors import ShapeChanged
from include.retailers.fields import reading
from include.retailers.registry import RETAILERS
from tests.crawling.fake_site import Crawl, HillviewSite, ReceivedRequest, Reply, Site, json_reply
from tests.hostile.measuring import measured
from tests.retailers.test_payloads import CASES, OBSERVED_AT, STORE, Case

#: Texts of JSON that stand in for any value of a page.
VALUES = [
    "null", "true", "-1", "0", "1e400000", "-1e400000", "1e-400000", "9" * 5_000, "NaN", "Infinity", '""', '"x"', '"1e400000"', '"\\u0000"', '"\\ud800"',
    '"{build_id:>99999999999}"', "[]", "{}", "[[]]", '[{"a":1}]', '{"0":[]}', "[null]", '"' + "x" * 100_000 + '"', "[" * 300 + "]" * 300, "1.5", "99999999",
]  # fmt: skip
JSON_CASES = [case for case in CASES if not case.path.name.endswith(".html")]


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a document."""
    yield above
    for key, below in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(below, (*above, key))


def with_value(document: Any, place: tuple[Any, ...], value: str) -> bytes:
    """Return a document's JSON with another value at one place."""
    changed, mark = copy.deepcopy(document), "\u2400mark\u2400"
    if not place:
        return value.encode()
    parent = changed
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = mark
    return json.dumps(changed, ensure_ascii=False).replace(f'"{mark}"', value).encode("utf-8", "surrogatepass")


def read_page(case: Case, body: bytes) -> str:
    """Read a page as the crawl does; return what came of it."""
    retailer = RETAILERS[case.retailer]
    category = Category(key="k", path=("Top", "Leaf"), address={"slugs": "top/leaf", "slug": "leaf", "level": "2", "name": "Leaf"})
    page = retailer.first_page(STORE, category)
    try:
        with reading(case.retailer, "http://x/"):
            document = parse(body)
            retailer.check_store(document, STORE)
            retailer.total(document)
            rows = [with_unit_price_notes(row) for row in retailer.rows(document, STORE, OBSERVED_AT)]
            retailer.next_page(page, document)
    except AisleflowError as error:
        return type(error).__name__ if len(str(error)) < 5_000 else "a message without an end"
    for row in rows:
        if isinstance(row, OfferRow):
            parse(encode(row.offer, STORE))
    return "read"


def mutants(case: Case, rng: random.Random, count: int | None) -> Iterator[tuple[tuple[Any, ...], str, bytes]]:
    document = json.loads(case.path.read_bytes())
    document = document if case.path.stem == "page" else document["page"]
    pairs = [(place, value) for place in places(document) for value in VALUES]
    for place, value in pairs if count is None else rng.sample(pairs, min(count, len(pairs))):
        yield place, value, with_value(document, place, value)


def run(case: Case, count: int | None) -> dict[str, int]:
    outcomes: dict[str, int] = {}
    for place, value, body in mutants(case, random.Random(case.name), count):
        try:
            outcome = read_page(case, body)
        except Exception as error:
            raise AssertionError(f"{case.name}: {value[:40]} at {place} ends with {error!r:.300}") from error
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return outcomes


@pytest.mark.parametrize("case", JSON_CASES, ids=lambda case: case.name)
def test_wrong_values_anywhere(case: Case) -> None:
    outcomes = run(case, 150)

    assert outcomes.get("read") or "error" in case.part("expect")
    assert outcomes.keys() - {"read"}
    assert "a message without an end" not in outcomes


@pytest.mark.campaign
@pytest.mark.parametrize("case", JSON_CASES, ids=lambda case: case.name)
def test_every_wrong_value_everywhere(case: Case, record_property: Callable[[str, object], None]) -> None:
    outcomes = run(case, None)
    assert "a message without an end" not in outcomes
    for outcome, count in outcomes.items():
        record_property(outcome, count)


@pytest.mark.parametrize("total", ["1e400000", "-5", "1e17", '"many"', "12.5", "null", "[]", "true", "9" * 4_000])
@pytest.mark.parametrize("retailer", ["aldi", "coles", "iga", "woolworths"])
def test_an_impossible_total_is_named(retailer: str, total: str) -> None:
    bodies = {
        "aldi": '{"data": [], "meta": {"pagination": {"totalCount": %s, "limit": 12, "offset": 0}}}',
        "coles": '{"pageProps": {"searchResults": {"noOfResults": %s, "pageSize": 48, "results": []}}}',
        "iga": '{"items": [], "total": %s}',
        "woolworths": '{"Bundles": [], "TotalRecordCount": %s, "Success": true}',
    }
    body = parse((bodies[retailer] % total).encode())

    with pytest.raises(ShapeChanged, match=r"TotalRecordCount|totalCount|noOfResults|'total'"), reading(retailer, "http://x/"):
        RETAILERS[retailer].total(body)


@pytest.mark.parametrize(
    "node",
    [
        {"id": 7, "path": ["a"]},
        {"id": "", "path": []},
        {"id": "x" * 300, "path": []},
        {"id": "é" * 60, "path": []},
        {"id": "a", "path": [[1]]},
    ],
)
def test_a_category_that_cannot_be_named_is_a_changed_page(crawl: Crawl, site: Site, node: Mapping[str, Any]) -> None:
    shop = HillviewSite(site, {"fruit": ["1"]})
    shop.nodes.append(dict(node))

    with pytest.raises(ShapeChanged, match=r"category|key"):
        crawl.run()


def test_more_categories_than_any_site() -> None:
    with pytest.raises(ValueError, match="more than 10,000 categories"):
        bounded_categories(Category(key=str(number), path=()) for number in range(10**9))


def endless(asked: ReceivedRequest) -> Reply:
    if asked.path == "/tree":
        return json_reply({"categories": [{"id": "fruit", "path": ["Fruit"]}]})
    page = int(asked.query["page"])
    rows = [HillviewSite.row(f"{page}-{number}") for number in range(2)]
    return json_reply({"products": rows, "total": None if ENDLESS_TOTAL is None else ENDLESS_TOTAL, "hasMore": True, "store": "1"})


ENDLESS_TOTAL: int | None = None


@pytest.mark.parametrize("total", [None, 499_999])
def test_pages_without_an_end_end_with_the_stores_requests(
    crawl: Crawl, site: Site, total: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ENDLESS_TOTAL", total)
    site.answer = endless
    crawl.settings = crawl.settings.model_copy(update={"store_requests_max": 40, "request_attempts": 1})
    outcome = crawl.run()

    assert outcome.requests == 40 == len(site.asked)
    assert not outcome.complete
    assert outcome.is_retryable
    assert "AISLEFLOW_STORE_REQUESTS_MAX" in (outcome.incomplete_reason or "")
    assert outcome.rows > 60, "what was read is staged"


def test_a_total_that_asks_for_a_million_pages_costs_no_memory(crawl: Crawl, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ENDLESS_TOTAL", 500_000)
    site.answer = endless
    crawl.settings = crawl.settings.model_copy(update={"store_requests_max": 20, "request_attempts": 1})

    done = measured(lambda: crawl.run().requests)

    assert (done.value, done.error) == (20, None)
    assert done.grown_bytes < 30_000_000
