"""The four adapters against the sandbox: staged offers match its data row by row, and each category is complete."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from include import clock
from include.config import Settings
from include.crawling.client import PoliteClient
from include.crawling.crawl_run import CrawlRun
from include.crawling.outcomes import CrawlOutcome
from include.crawling.store_crawl import crawl_store, find_stores
from include.model.store import StoreRef
from include.retailers.base import Retailer
from include.retailers.coles import Coles
from include.retailers.errors import EmptyCrawl
from include.retailers.registry import RETAILERS
from include.staging.staged_file import load_manifest, open_staged
from include.staging.storage import Storage
from sandbox.coles import Coles as ColesSite
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.serve import create_app
from sandbox.world import World

pytestmark = pytest.mark.slow

NIGHT = clock.night_of(clock.parse_instant("2026-11-18T09:00:00+00:00", "test"))
LISTINGS = [*RETAILERS.values(), Coles(listing="rest"), Coles(listing="html")]


def serve(app: Starlette) -> Iterator[str]:
    """Serve an app on a free port of this machine, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def world() -> World:
    return GeneratedWorld(1, WorldSize(stores=2, products=300, silent_stores=1))


@pytest.fixture(scope="module")
def sandbox(world: World) -> Iterator[str]:
    yield from serve(create_app(world))


def settings_for(url: str, home: Path) -> Settings:
    sites = {f"{retailer}_url": f"{url}/{retailer}" for retailer in RETAILERS}
    return Settings(home=home, backoff_seconds_max=0.001, **sites)  # type: ignore[arg-type]


@pytest.fixture
def settings(sandbox: str, tmp_path: Path) -> Settings:
    return settings_for(sandbox, tmp_path)


def stores(world: World, retailer: str) -> list[StoreRef]:
    return [StoreRef(retailer, one.store_id, one.name, one.state, one.online_store_id) for one in world.stores(retailer) if one.has_shelf]


def crawl(retailer: Retailer, store: StoreRef, storage: Storage, settings: Settings) -> CrawlOutcome:
    return crawl_store(
        CrawlRun(retailer=retailer, store=store, night=NIGHT, run_key="run", storage=storage, settings=settings, limiter=None)
    )


def products(outcome: CrawlOutcome, storage: Storage, retailer: Retailer) -> dict[str, dict[str, Any]]:
    assert outcome.manifest
    lines = open_staged(storage, load_manifest(storage, outcome.manifest), retailer.stage, 10**6)
    return {product["sku"]: product for line in lines for product in [json.loads(line.raw, parse_float=Decimal)["product"]]}


def cents(dollars: Decimal | int | None) -> int | None:
    return None if dollars is None else int(Decimal(dollars) * 100)


@pytest.mark.parametrize("retailer", LISTINGS, ids=[*RETAILERS, "coles rest", "coles html"])
def test_staged_offers_match_the_sandboxs_data(world: World, storage: Storage, settings: Settings, retailer: Retailer) -> None:
    for store in stores(world, retailer.name):
        outcome = crawl(retailer, store, storage, settings)

        staged = products(outcome, storage, retailer)
        truth = {offer.sku: offer for offer in world.truth(retailer.name, store.store_id, clock.now())}
        assert staged.keys() == truth.keys()
        for sku, offer in truth.items():
            product = staged[sku]
            published = (cents(product["price_current"]), cents(product["price_was"]), product["is_on_special"])
            assert published == (offer.price_cents, offer.was_price_cents, offer.is_on_special), offer
            assert tuple(product["category_path"]) in offer.category_paths
        assert outcome.complete, outcome.incomplete_reason
        assert not outcome.is_retryable
        assert outcome.notes == {}, "the sandbox's unit prices are consistent"


@pytest.mark.parametrize("name", RETAILERS)
def test_every_store_of_the_finder_is_found_and_marked(world: World, settings: Settings, name: str) -> None:
    with PoliteClient(RETAILERS[name], settings) as client:
        found = {store.store_id: store for store in find_stores(RETAILERS[name], client)}

    for store in world.stores(name):
        record = found.pop(store.store_id)
        assert (record.name, record.state, record.suburb, record.postcode) == (store.name, store.state, store.suburb, store.postcode)
        assert record.online_store_id == store.online_store_id
        assert (record.latitude, record.longitude) == (store.latitude, store.longitude)
        assert record.is_supermarket == (store.kind == "supermarket" and store.online_store_id is not None)
        assert name == "aldi" or record.is_trading == store.is_open
    assert not found


def test_a_listed_store_without_offers_is_reported(world: World, storage: Storage, settings: Settings) -> None:
    silent = next(store for store in world.stores("aldi") if store.is_silent)

    with pytest.raises(EmptyCrawl, match=f"aldi {silent.store_id}: the crawl found no offer"):
        crawl(RETAILERS["aldi"], StoreRef("aldi", silent.store_id, None, silent.state, silent.store_id), storage, settings)


def test_a_coles_deployment_during_a_run_costs_two_requests(world: World, storage: Storage, tmp_path: Path) -> None:
    site = ColesSite(world)
    counted = {"requests": 0}

    class Deploys:
        """Raises the build id at the 20th request."""

        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            counted["requests"] += 1
            if counted["requests"] == 20:
                site.deployments += 1
            await self.app(scope, receive, send)

    app = Starlette(routes=[Mount("/coles", routes=site.routes(), middleware=[Middleware(Deploys)])])
    store = stores(world, "coles")[0]
    for url in serve(app):
        outcome = crawl(RETAILERS["coles"], store, storage, settings_for(url, tmp_path))

    assert outcome.complete
    assert outcome.rows == len(list(world.truth("coles", store.store_id, clock.now())))
    assert outcome.requests == outcome.pages + 1 + 2  # opening; the page that answered 404 and the second opening
