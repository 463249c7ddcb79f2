"""The server: the truth routes, counters, limits, the clock, and the process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.middleware import Middleware

from include.clock import set_sandbox_clock
from include.errors import ConfigurationError
from sandbox.generated import GeneratedWorld
from sandbox.serve import create_app, open_world
from sandbox.token import HEADER, known_token, make_token
from sandbox.verify import HttpTruth

ROOT = Path(__file__).parents[2]
NOW = datetime.fromisoformat("2026-11-18T04:00:00+11:00")


def test_world_stores_and_health(client: Any) -> None:
    assert client.get("/_sandbox/health").json() == {"status": "ok"}
    about = client.get("/_sandbox/world").json()
    assert (about["kind"], about["seed"], about["stores"], about["products"]) == ("generated", 7, 4, 1500)
    assert datetime.fromisoformat(about["now"]) == NOW
    stores = client.get("/_sandbox/stores/coles").json()
    assert (
        stores[0]["store_id"] == "COL:584"
        and stores[0]["zone"] == "VIC"
        and {"state", "postcode", "latitude", "online_store_id"} <= stores[0].keys()
    )


def test_robots_txt_allows_browsing(client: Any) -> None:
    for path in ("/robots.txt", "/coles/robots.txt"):
        assert "Disallow: /checkout" in client.get(path).text


def test_truth_has_one_line_per_offer_at_any_instant(client: Any, world: Any) -> None:
    def lines(**params: str) -> list[Any]:
        return [json.loads(line) for line in client.get("/_sandbox/truth/coles/COL:584", **params).text.splitlines()]

    found = lines()
    truth = list(world.truth("coles", "COL:584", NOW))
    assert [(line["sku"], line["price_cents"]) for line in found] == [(offer.sku, offer.price_cents) for offer in truth]
    assert set(found[0]) == {
        "identity",
        "sku",
        "name",
        "brand",
        "size",
        "barcode",
        "price_cents",
        "was_price_cents",
        "is_on_special",
        "category_paths",
        "price_basis",
        "multi_buy",
    }
    assert lines(at="2026-11-18T04:00:00+11:00") == found != lines(at="2026-11-25T04:00:00+11:00")
    zipped = client.request("GET", "/_sandbox/truth/coles/COL:584", headers={"accept-encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("path", "status", "advice"),
    [
        ("/_sandbox/truth/coles/COL:1", 404, "/_sandbox/stores/coles"),
        ("/_sandbox/truth/spar/1", 404, "known: coles"),
        ("/_sandbox/truth/coles/COL:584?at=yesterday", 400, "ISO 8601"),
        ("/_sandbox/truth/coles/COL:584?at=2026-11-18T04:00:00", 400, "no UTC offset"),
    ],
)
def test_invalid_requests_get_an_error_with_advice(client: Any, path: str, status: int, advice: str) -> None:
    response = client.request("GET", path)
    assert response.status_code == status and advice in response.json()["error"]


def test_requests_are_counted_by_route_and_store(client: Any) -> None:
    client.get("/aldi/v3/product-search", servicePoint="G101", limit=30)
    client.get("/aldi/v3/product-search", servicePoint="G101", limit=31)
    client.get("/woolworths/apis/ui/PiesCategoriesWithSpecials")
    client.get("/aldi/no/such/route")
    report = client.get("/_sandbox/requests").json()
    rows = {(row["retailer"], row["route"], row["store_id"], row["status"]): row["requests"] for row in report["requests"]}
    assert rows["aldi", "search", "G101", 200] == 1 and rows["aldi", "search", None, 400] == 1 and report["total"] == 4
    assert rows["woolworths", "categories", None, 403] == 1
    assert client.request("POST", "/_sandbox/requests").json() == {"total": 0, "in_flight_max": {}, "gap_seconds_min": {}, "requests": []}


def test_bodies_are_limited_and_must_be_json_objects(client: Any) -> None:
    client.get("/woolworths/")
    path = "/woolworths/apis/ui/browse/category"
    assert client.request("POST", path, content=b'{"a":"' + b"x" * 70_000 + b'"}').status_code == 413
    assert client.request("POST", path, content=b"not json").status_code == 400
    assert client.request("POST", path, content=b"[1]").status_code == 400


def test_prices_follow_the_installations_clock(client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AISLEFLOW_NOW")
    monkeypatch.setenv("AISLEFLOW_HOME", str(tmp_path))

    def product_at(at: str) -> dict[str, Any]:
        set_sandbox_clock(datetime.fromisoformat(at))
        rows = client.coles_listing("0584", 1, "pantry")["pageProps"]["searchResults"]["results"]
        return {row["id"]: row["pricing"]["now"] for row in rows if row.get("pricing")}

    tuesday, wednesday = product_at("2026-11-17T12:00:00+11:00"), product_at("2026-11-18T12:00:00+11:00")
    common = tuesday.keys() & wednesday.keys()
    assert sum(tuesday[sku] != wednesday[sku] for sku in common) > 0.15 * len(common)


def test_site_middleware_wraps_every_site_and_nothing_else(world: Any) -> None:
    seen: list[str] = []

    class RecordingMiddleware:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(f"{scope['root_path']} {scope['path']}")
            await self.app(scope, receive, send)

    import asyncio

    import httpx

    async def ask() -> None:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(world, [Middleware(RecordingMiddleware)])), base_url="http://sandbox"
        ) as client:
            for path in ("/coles/browse", "/woolworths/", "/_sandbox/health"):
                await client.get(path)

    asyncio.run(ask())
    assert seen == ["/coles /coles/browse", "/woolworths /woolworths/"]


def test_worlds_are_opened_by_kind(tmp_path: Path) -> None:
    assert open_world("generated", seed=3).describe()["seed"] == 3
    for kind, folder, advice in (
        ("imagined", None, "--world generated"),
        ("recorded", None, "--folder DIR"),
        ("recorded", tmp_path, "no store-day"),
    ):
        with pytest.raises(ConfigurationError, match=advice):
            open_world(kind, folder=folder)


@pytest.fixture
def process() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [sys.executable, "-m", "sandbox.serve", "--port", str(port), "--seed", "7", "--stores", "2", "--products", "200"]
    server = subprocess.Popen(arguments, cwd=ROOT, env=os.environ | {"AISLEFLOW_NOW": "2026-11-18T04:00:00+11:00"})
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                requests.get(f"{url}/_sandbox/health", timeout=1).raise_for_status()
                break
            except requests.ConnectionError:
                assert server.poll() is None, "the server ended"
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        assert server.wait(10) in (0, -15)


@pytest.mark.slow
def test_the_process_serves_and_stops(process: str) -> None:
    truth = list(HttpTruth(process)("coles", "COL:584", NOW.astimezone(UTC)))
    assert len(truth) > 150 and truth[0].category_paths
    assert requests.get(f"{process}/coles/browse", timeout=10).status_code == 200


def test_changes_need_the_token_of_the_home_and_json(client: Any, world: GeneratedWorld, tmp_path: Path) -> None:
    token = make_token(tmp_path)
    assert (tmp_path / "sandbox.token").stat().st_mode & 0o777 == 0o600
    assert make_token(tmp_path) == token == known_token(tmp_path)
    client = type(client)(world, token)
    fault = {"kind": "wall", "retailer": "coles"}
    assert client.request("POST", "/_sandbox/faults", json=fault).status_code == 403
    for method, path in (("DELETE", "/faults"), ("POST", "/latency"), ("POST", "/requests"), ("DELETE", "/faults/x")):
        assert client.request(method, f"/_sandbox{path}", headers={HEADER: "wrong"}).status_code == 403
    as_form = client.request("POST", "/_sandbox/faults", content=b'{"kind": "wall"}', headers={HEADER: token, "Content-Type": "text/plain"})
    assert as_form.status_code == 400
    assert client.get("/_sandbox/faults").json()["faults"] == []
    assert client.request("POST", "/_sandbox/faults", json=fault, headers={HEADER: token}).status_code == 201
