"""Fault injection: the kinds of faults, their scope and lifetime, the commands; and the request log."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from include import clock
from include.errors import ConfigurationError, TransientError
from sandbox.faults import KINDS, Fault, FaultRegistry, fault_of, read_scenario
from sandbox.remote import FaultClient
from sandbox.running import RunningSandbox

Ask = Callable[..., requests.Response]
PANTRY = {"servicePoint": "G100", "limit": "30", "categoryKey": "970000000"}


class Site:
    """A client of one site with a session; hides the differences between retailers."""

    def __init__(self, sandbox: RunningSandbox, retailer: str, **cookies: str) -> None:
        self.url, self.retailer, self.http = sandbox.site(retailer), retailer, requests.Session()
        self.http.cookies.update(cookies)
        self.key = self.build = ""

    def home(self) -> requests.Response:
        page = self.http.get(self.url + ("/browse" if self.retailer == "coles" else "/"), timeout=10)
        if self.retailer == "coles" and "BFF_API" in page.text:
            self.key = page.text.partition('"BFF_API_SUBSCRIPTION_KEY": "')[2].partition('"')[0]
            self.build = page.text.partition('"buildId":"')[2].partition('"')[0]
        return page

    def tree(self) -> list[Any]:
        if self.retailer == "coles":
            body = {"query": "query { productCategories { id } }", "variables": {"storeId": "0584"}}
            found = self.http.post(f"{self.url}/api/graphql", json=body, headers={"ocp-apim-subscription-key": self.key}, timeout=10).json()
            return list(found["data"]["productCategories"]["catalogGroupView"])
        sites: dict[str, tuple[str, dict[str, str], str]] = {
            "woolworths": ("/apis/ui/PiesCategoriesWithSpecials", {}, "Categories"),
            "aldi": ("/v2/product-category-tree", {"servicePoint": "G100"}, "data"),
            "iga": ("/api/storefront/stores/32600/categoryHierarchy", {}, "children"),
        }
        path, params, below = sites[self.retailer]
        return list(self.http.get(self.url + path, params=params, timeout=10).json()[below])

    def listing(self, page: int = 1, category: str | None = None) -> requests.Response:
        """A page of the pantry."""
        if self.retailer == "coles":
            path = f"/_next/data/{self.build}/en/browse/{category or 'pantry'}.json"
            return self.http.get(self.url + path, params={"page": page}, timeout=10)
        if self.retailer == "woolworths":
            node = category or next(node["NodeId"] for node in self.tree() if node["UrlFriendlyName"] == "pantry")
            body = {"categoryId": node, "pageNumber": page, "pageSize": 24, "isHideEverydayMarketProducts": True}
            return self.http.post(f"{self.url}/apis/ui/browse/category", json=body, timeout=10)
        if self.retailer == "aldi":
            params: dict[str, str | int] = {
                "servicePoint": "G100",
                "limit": 12,
                "offset": 12 * (page - 1),
                "categoryKey": category or "970000000",
            }
            return self.http.get(f"{self.url}/v3/product-search", params=params, timeout=10)
        node = category or next(child["identifier"] for child in self.tree()[0]["children"] if child["displayName"] == "Pantry")
        path = f"/api/storefront/stores/32600/categories/{node}/search"
        return self.http.get(self.url + path, params={"take": 24, "skip": 24 * (page - 1)}, timeout=10)

    def products(self, page: int = 1) -> list[Any]:
        """The products of a page of the pantry, without advertisements."""
        body = self.listing(page).json()
        if self.retailer == "coles":
            return [row for row in body["pageProps"]["searchResults"]["results"] if row["_type"] == "PRODUCT" and not row["adId"]]
        if self.retailer == "woolworths":
            rows = [row["Products"][0] for row in body["Bundles"]]
            return [row for row in rows if not row["IsSponsoredAd"] and not row["IsMarketProduct"]]
        return list(body["data" if self.retailer == "aldi" else "items"])

    def price(self, product: Any) -> Any:
        if self.retailer == "coles":
            return product["pricing"] and product["pricing"]["now"]
        return {"woolworths": lambda: product["Price"], "aldi": lambda: product["price"]["amount"], "iga": lambda: product["wholePrice"]}[
            self.retailer
        ]()


def sku(product: Any) -> Any:
    return next(product[name] for name in ("Stockcode", "productId", "sku", "id") if name in product)


RETAILERS = ("coles", "woolworths", "aldi", "iga")


# Transport faults


def test_statuses_with_and_without_retry_after(sandbox: RunningSandbox, ask: Ask) -> None:
    for kind, options, status, waits in (
        ("too_many", {}, 429, None),
        ("too_many", {"retry_after": 3}, 429, "3"),
        ("error", {}, 500, None),
        ("error", {"status": 503, "retry_after": 1}, 503, "1"),
    ):
        fault = sandbox.faults.add(kind, retailer="aldi", **options)
        response = ask()
        assert (response.status_code, response.headers.get("retry-after")) == (status, waits)
        sandbox.faults.clear(fault)
    sandbox.faults.add("too_many", retry_after=90, http_date=True)
    assert (parsedate_to_datetime(ask().headers["retry-after"]) - clock.now()).total_seconds() == pytest.approx(90, abs=1)


def test_broken_transport(sandbox: RunningSandbox, ask: Ask) -> None:
    whole = ask().content
    for kind, options, error in (
        ("cut", {}, requests.exceptions.ChunkedEncodingError),
        ("garbage", {}, requests.exceptions.ContentDecodingError),
        ("reset", {}, requests.exceptions.ConnectionError),
    ):
        fault = sandbox.faults.add(kind, **options)
        with pytest.raises(error):
            ask()
        sandbox.faults.clear(fault)
    sandbox.faults.add("content_type", content_type="text/html")
    response = ask()
    assert (response.headers["content-type"], response.content) == ("text/html", whole)
    assert [arrival.status for arrival in sandbox.traffic.arrivals()] == [200, 200, 200, 0, 200]


def test_a_cut_response_ends_after_the_given_part(sandbox: RunningSandbox) -> None:
    sandbox.faults.add("cut", part=0.25)
    with requests.get(f"{sandbox.url}/aldi/v3/product-search", params=PANTRY, stream=True, timeout=10) as response:
        announced, received = int(response.headers["content-length"]), bytearray()
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            read_all(response, received)
    assert len(received) == int(announced * 0.25)


def read_all(response: requests.Response, received: bytearray) -> None:
    for part in response.iter_content(1):
        received += part


def test_slow_responses_are_complete(sandbox: RunningSandbox, ask: Ask) -> None:
    whole = ask().content
    sandbox.faults.add("slow", seconds=0.2)
    sandbox.faults.add("trickle", seconds=0.2)
    sandbox.faults.latency_seconds = 0.3  # includes the time to build the response and the delay of a fault
    try:
        assert ask().content == whole
    finally:
        sandbox.faults.latency_seconds = 0.0
    assert sandbox.traffic.arrivals()[-1].took_seconds >= 0.45


# Content faults


@pytest.mark.parametrize("retailer", RETAILERS)
def test_a_bot_wall_passes_only_a_session(sandbox: RunningSandbox, retailer: str) -> None:
    sandbox.faults.add("wall", retailer=retailer, session="known=yes")
    for page in (Site(sandbox, retailer).home(), Site(sandbox, retailer, known="no").home()):
        assert page.headers["content-type"].startswith("text/html") and page.text.lstrip()[:1] == "<"
        assert page.status_code in ((200, 403) if retailer == "coles" else (403,))
        sign = {
            "coles": "_Incapsula_Resource",
            "woolworths": "errors&#46;edgesuite&#46;net",
            "aldi": "Access Denied",
            "iga": "403 Forbidden",
        }
        assert sign[retailer] in page.text
    visitor = Site(sandbox, retailer, known="yes")
    visitor.home()
    assert visitor.products()
    assert sandbox.traffic.count(retailer, purpose="listing", status=200) == 1


def test_coles_refuses_in_four_ways(sandbox: RunningSandbox) -> None:
    sandbox.faults.add("wall", retailer="coles")
    seen = set()
    for number in range(40):
        page = requests.get(f"{sandbox.site('coles')}/browse", params={"n": number}, timeout=10)
        is_script = "Pardon" not in page.text
        assert not is_script or len(page.content) == 212
        seen.add((page.status_code, is_script))
    assert seen == {(200, True), (200, False), (403, True), (403, False)}
    sandbox.faults.clear()
    sandbox.faults.add("wall", retailer="coles", form="page", status=403)
    page = requests.get(f"{sandbox.site('coles')}/browse", timeout=10)
    assert page.status_code == 403 and "Pardon Our Interruption" in page.text


@pytest.mark.parametrize("retailer", RETAILERS)
def test_faults_of_content(sandbox: RunningSandbox, retailer: str) -> None:
    visitor = Site(sandbox, retailer)
    visitor.home()
    before = {sku(product): visitor.price(product) for product in visitor.products() if visitor.price(product)}
    second = [sku(product) for product in visitor.products(2)]
    assert len(before) > 5 and second

    sandbox.faults.add("price_text", retailer=retailer)
    texts = {sku(product): visitor.price(product) for product in visitor.products()}
    assert all(isinstance(texts[key], str) and float(texts[key]) == price for key, price in before.items())

    sandbox.faults.clear()
    sandbox.faults.add("price_times_100", retailer=retailer, rows=0.4)
    raised = {sku(product): visitor.price(product) for product in visitor.products()}
    factors = [round(raised[key] / price) for key, price in before.items()]
    assert set(factors) == {1, 100}

    sandbox.faults.clear()
    name = {"coles": "pricing", "woolworths": "Price", "aldi": "price", "iga": "wholePrice"}[retailer]
    sandbox.faults.add("renamed_field", retailer=retailer, field=name, to="cost", purpose="listing")
    products = visitor.products()
    assert products and all("cost" in product and name not in product for product in products)

    sandbox.faults.clear()
    sandbox.faults.add("same_page", retailer=retailer, nth=1)  # of those that have a previous page
    assert list(map(sku, visitor.products(1))) != second
    assert [sku(product) for product in visitor.products(2)] == list(map(sku, visitor.products(1)))
    sandbox.faults.clear()
    assert [sku(product) for product in visitor.products(2)] == second

    sandbox.faults.add("no_rows", retailer=retailer)
    assert visitor.products() == []
    total = {"coles": "noOfResults", "woolworths": "TotalRecordCount", "aldi": "totalCount", "iga": "total"}[retailer]
    announced = json.dumps(visitor.listing().json()).partition(f'"{total}": ')[2].partition(",")[0].strip("} ")
    assert int(announced) > 24

    sandbox.faults.clear()
    sandbox.faults.add("empty_tree", retailer=retailer)
    assert visitor.tree() == []


@pytest.mark.parametrize("retailer", RETAILERS)
def test_a_missing_category_is_in_no_tree_and_no_listing(sandbox: RunningSandbox, retailer: str) -> None:
    visitor = Site(sandbox, retailer)
    visitor.home()
    whole = tops(visitor)
    nodes = {node["UrlFriendlyName"]: node["NodeId"] for node in visitor.tree()} if retailer == "woolworths" else {}
    shops = visitor.tree()[0]["children"] if retailer == "iga" else []
    category = nodes.get("pantry") or next((node["identifier"] for node in shops if node["displayName"] == "Pantry"), None)
    sandbox.faults.add("category_gone", retailer=retailer, category="pantry")
    assert tops(visitor) == [name for name in whole if name != "Pantry"] != whole
    gone = visitor.listing(category=category)
    assert gone.status_code == 404 or not Site.products(visitor_of(visitor, gone))


def tops(visitor: Site) -> list[str]:
    """The departments."""
    tree = visitor.tree()[0]["children"] if visitor.retailer == "iga" else visitor.tree()
    return [node.get("name") or node.get("Description") or node["displayName"] for node in tree]


def visitor_of(visitor: Site, response: requests.Response) -> Site:
    """The client, with this response as its listing."""
    visitor.listing = lambda page=1, category=None: response  # type: ignore[method-assign]
    return visitor


@pytest.mark.parametrize("retailer", RETAILERS)
def test_a_tenth_of_the_products_looks_complete(sandbox: RunningSandbox, retailer: str) -> None:
    visitor = Site(sandbox, retailer)
    visitor.home()
    whole = [sku(product) for page in (1, 2) for product in visitor.products(page)]
    sandbox.faults.add("tenth", retailer=retailer, part=0.2)
    few = [sku(product) for product in visitor.products()]
    assert 0 < len(few) < len(whole)
    sandbox.faults.clear()
    sandbox.faults.add("tenth", retailer=retailer, part=0.2, seed=8)
    assert [sku(product) for product in visitor.products()] != few


def test_a_wrong_store_is_echoed_by_coles_and_served_by_all(sandbox: RunningSandbox) -> None:
    visitor = Site(sandbox, "coles", fulfillmentStoreId="0584")
    visitor.home()
    assert visitor.listing().json()["pageProps"]["initStoreId"] == "0584"
    sandbox.faults.add("wrong_store")
    assert visitor.listing().json()["pageProps"]["initStoreId"] == "0587"
    # The log keeps the requested store.
    assert {arrival.store_id for arrival in sandbox.traffic.arrivals(purpose="listing")} == {"COL:584"}
    visitor = Site(sandbox, "iga")
    other = {sku(product) for product in visitor.products()}
    sandbox.faults.clear()
    assert other != {sku(product) for product in visitor.products()}


def test_coles_deploys_during_a_run(sandbox: RunningSandbox) -> None:
    visitor = Site(sandbox, "coles")
    visitor.home()
    sandbox.faults.add("new_build", nth=2)
    assert [visitor.listing(page).status_code for page in (1, 2, 3)] == [200, 404, 404]
    before = visitor.build
    visitor.home()
    assert visitor.build != before and visitor.listing(2).status_code == 200


def test_faults_do_not_change_the_truth(sandbox: RunningSandbox, ask: Ask) -> None:
    def truth() -> str:
        return requests.get(f"{sandbox.url}/_sandbox/truth/aldi/G100", timeout=10).text

    before = truth()
    for kind in ("tenth", "category_gone", "price_times_100", "error"):
        sandbox.faults.add(kind)
    assert ask().status_code == 500 and truth() == before


# Scope of a fault


def test_n_th_since_and_times(sandbox: RunningSandbox, ask: Ask) -> None:
    for options, expected in (
        ({"nth": 3}, [200, 200, 500, 200, 200]),
        ({"since": 3}, [200, 200, 500, 500, 500]),
        ({"since": 2, "times": 2}, [200, 500, 500, 200, 200]),
        ({}, [500] * 5),
    ):
        fault = sandbox.faults.add("error", **options)
        assert [ask().status_code for _ in range(5)] == expected
        assert sandbox.faults.active_faults()[0]["applied"] == expected.count(500)
        sandbox.faults.clear(fault)
    assert ask().status_code == 200


def test_retailer_store_and_purpose_select_requests(sandbox: RunningSandbox, ask: Ask) -> None:
    sandbox.faults.add("error", retailer="aldi", store="G101")
    sandbox.faults.add("too_many", purpose="tree")
    assert [ask(servicePoint=store).status_code for store in ("G100", "G101")] == [200, 500]
    assert requests.get(f"{sandbox.url}/aldi/v2/product-category-tree", params=PANTRY, timeout=10).status_code == 429
    iga = Site(sandbox, "iga")
    assert iga.http.get(f"{iga.url}/api/storefront/stores/32600/categoryHierarchy", timeout=10).status_code == 429
    assert iga.http.get(f"{iga.url}/api/storefront/stores/32600/search", params={"q": "milk"}, timeout=10).status_code == 200


def test_a_share_of_the_requests_regardless_of_their_order() -> None:
    from sandbox.faults import SandboxRequest

    def affected(order: list[int]) -> set[tuple[int, int]]:
        book, seen = FaultRegistry([Fault("error", share=0.3, seed=5)]), dict.fromkeys(order, 0)
        found = set()
        for number in order:
            seen[number] += 1
            if book.matching_faults(SandboxRequest("coles", "data", "listing", "COL:584", f"GET /{number}")):
                found.add((number, seen[number]))
        return found

    pages = list(range(500)) * 2
    forwards = affected(pages)
    assert forwards == affected(pages[::-1]) and 0.25 < len(forwards) / 1000 < 0.35
    # A repeated request is decided anew.
    assert {number for number, repetition in forwards if repetition == 1} != {number for number, repetition in forwards if repetition == 2}


# Commands


def test_faults_over_http(sandbox: RunningSandbox, ask: Ask) -> None:
    remote = FaultClient(sandbox.url)
    key = remote.add("too_many", retailer="aldi", nth=1, retry_after=2)
    other = remote.put([Fault("slow", seconds=0.0), {"kind": "reset", "retailer": "iga"}])
    assert ask().headers["retry-after"] == "2"
    assert remote.active_faults()[0] == {
        "key": key, "kind": "too_many", "retailer": "aldi", "nth": 1, "retry_after": 2, "matched": 1, "applied": 1
    }  # fmt: skip
    assert remote.clear(key) == 1 and remote.clear() == len(other) == 2 and remote.active_faults() == []
    remote.latency_seconds = 0.05
    assert remote.latency_seconds == sandbox.faults.latency_seconds == 0.05
    remote.latency_seconds = 0
    assert remote.report()["total"] == 1 and [arrival.purpose for arrival in remote.arrivals("aldi")] == ["listing"]
    remote.reset()
    assert remote.arrivals() == []
    for wrong, advice in (
        ({"kind": "meteor"}, "known: too_many"),
        ({"kind": "slow", "status": 500}, "has no option status"),
        ({"kind": "slow", "sekonds": 1}, "sekonds"),
        ({"kind": "slow", "retailer": "spar"}, "known: coles"),
        ({"kind": "error", "share": 1.5}, "between 0 and 1"),
        ({"kind": "error", "nth": 0}, "count from 1"),
        ({"kind": "renamed_field"}, "field="),
        ({"kind": "wall", "session": "nothing"}, "name=value"),
    ):
        with pytest.raises(ConfigurationError, match=advice):
            remote.put([wrong])
    with pytest.raises(ConfigurationError, match="no fault f99 is active"):
        remote.clear("f99")
    with pytest.raises(TransientError, match="no sandbox responds"):
        FaultClient("http://127.0.0.1:9").active_faults()


def test_only_this_machine_can_set_faults(world: Any, client_of: Any) -> None:
    import asyncio

    import httpx

    app = client_of(world).app

    async def from_(host: str, method: str = "POST", path: str = "/faults") -> int:
        transport = httpx.ASGITransport(app=app, client=(host, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return (await client.request(method, f"/_sandbox{path}", json={"kind": "slow"})).status_code

    assert asyncio.run(from_("192.0.2.7")) == 403 and asyncio.run(from_("192.0.2.7", "DELETE")) == 403
    assert asyncio.run(from_("192.0.2.7", "GET", "/requests/log")) == asyncio.run(from_("192.0.2.7", "POST", "/requests")) == 403
    assert asyncio.run(from_("::1")) == asyncio.run(from_("127.0.0.1")) == 201


def test_scenario_files(tmp_path: Path) -> None:
    toml = tmp_path / "evening.toml"
    toml.write_text(
        'latency_seconds = 0.1\n[[fault]]\nkind = "too_many"\nretailer = "coles"\nsince = 20\ntimes = 5\n[[fault]]\nkind = "reset"\nshare = 0.01\n'
    )
    book = read_scenario(toml)
    assert book.latency_seconds == 0.1 and [fault["kind"] for fault in book.active_faults()] == ["too_many", "reset"]
    as_json = tmp_path / "evening.json"
    as_json.write_text('{"fault": [{"kind": "slow", "seconds": 1}]}')
    assert read_scenario(as_json).active_faults()[0]["seconds"] == 1
    for text, advice in (
        ("fault = 3", "not a valid fault scenario"),
        ("[[fault]]\nkind = 'slow'\nstatus = 3", "no option status"),
        ("[[", "not a valid fault scenario"),
    ):
        toml.write_text(text)
        with pytest.raises(ConfigurationError, match=advice):
            read_scenario(toml)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_scenario(tmp_path / "absent.toml")


def test_every_kind_is_tried_here_and_described() -> None:
    text = Path(__file__).read_text()
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []
    assert fault_of({"kind": "slow", "seconds": 1}).seconds == 1
