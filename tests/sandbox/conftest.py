"""One small generated world on a fixed Wednesday, and a client that talks to its sites in-process."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox, running
from sandbox.serve import create_app
from sandbox.world import World

PANTRY = {"servicePoint": "G100", "limit": "30", "categoryKey": "970000000"}
Ask = Callable[..., requests.Response]
NOW = "2026-11-18T04:00:00+11:00"
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


class Client:
    """A client with a cookie jar that calls the application in-process, without a socket."""

    def __init__(self, world: World, token: str | None = None) -> None:
        self.app = create_app(world, token=token)
        self.cookies = httpx.Cookies()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", cookies=self.cookies) as client:
                response = await client.request(method, path, **options)
                self.cookies = client.cookies
                return response

        return asyncio.run(ask())

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.request("GET", path, params=params or None)

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.request("POST", path, json=body)

    # Coles

    def coles_session(self) -> tuple[str, str]:
        """Load a page; return build id and subscription key."""
        page = self.get("/coles/browse").text
        key = re.search(r'"BFF_API_SUBSCRIPTION_KEY": "(\w+)"', page)
        assert key
        return str(next_data(page)["buildId"]), key[1]

    def coles_listing(self, store: str, page: int, *slugs: str) -> Any:
        self.cookies.set("fulfillmentStoreId", store)
        build, _ = self.coles_session()
        return self.get(f"/coles/_next/data/{build}/en/browse/{'/'.join(slugs)}.json", slug=list(slugs), page=page).json()

    def coles_rest(self, path: str, **params: Any) -> httpx.Response:
        headers = {"ocp-apim-subscription-key": self.coles_session()[1]}
        return self.request("GET", f"/coles/api/bff{path}", params=params, headers=headers)

    def coles_graphql(self, field: str, **variables: Any) -> Any:
        headers = {"ocp-apim-subscription-key": self.coles_session()[1]}
        body = {"operationName": "Any", "query": f"query Any {{ {field} {{ id }} }}", "variables": variables}
        return self.request("POST", "/coles/api/graphql", json=body, headers=headers).json()

    # Woolworths

    def woolworths_browse(self, category: str, page: int = 1, **body: Any) -> httpx.Response:
        self.get("/woolworths/")
        params = {"categoryId": category, "pageNumber": page, "pageSize": 36, "isHideEverydayMarketProducts": True}
        return self.post("/woolworths/apis/ui/browse/category", params | body)

    def woolworths_tree(self) -> Any:
        self.get("/woolworths/")
        return self.get("/woolworths/apis/ui/PiesCategoriesWithSpecials").json()["Categories"]


def next_data(page: str) -> Any:
    found = re.search(r'<script id="__NEXT_DATA__" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.fixture(scope="session", autouse=True)
def fixed_clock() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AISLEFLOW_NOW", NOW)
        yield


@pytest.fixture(scope="session")
def world() -> GeneratedWorld:
    return GeneratedWorld(seed=7, size=WorldSize(stores=4, products=1500))


@pytest.fixture
def client(world: GeneratedWorld) -> Client:
    return Client(world)


@pytest.fixture(scope="session")
def client_of() -> type[Client]:
    return Client


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"recorded data is missing: {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def started(fixed_clock: None) -> Iterator[RunningSandbox]:
    with running(GeneratedWorld(7, WorldSize(stores=3, products=400))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: RunningSandbox) -> Iterator[RunningSandbox]:
    started.faults.clear()
    started.traffic.reset()
    yield started
    started.faults.clear()


@pytest.fixture
def ask(sandbox: RunningSandbox) -> Ask:
    """Request a page of the pantry from Aldi's site over HTTP."""

    def once(**params: Any) -> requests.Response:
        return requests.get(f"{sandbox.url}/aldi/v3/product-search", params=PANTRY | params, timeout=10)

    return once
