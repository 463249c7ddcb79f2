"""One store of a run: recorded outcomes, the breaker, refused stores resumed with an operator's session; rereads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from include import clock
from include.crawling import runs, sessions
from include.crawling.canary import crawl_canary
from include.crawling.crawl_run import CrawlRun, CrawlSubset
from include.crawling.postgres_limiter import PostgresRequestLimiter
from include.errors import TerminalError
from include.ingestion import pipeline
from include.ingestion.load import load_waiting
from include.model.store import StoreRef
from include.retailers.aldi import Aldi
from include.retailers.base import OfferRow
from include.retailers.errors import Blocked, BreakerOpen, RunAlreadyBlocked, ShapeChanged
from include.retailers.registry import retailer_of
from include.staging.landing import landed_runs
from include.staging.staged_file import load_manifest
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox
from sandbox.world import RETAILERS, World
from tests.warehouse.looking import cents, one, rows

NIGHT = date(2026, 11, 18)
WORLD = GeneratedWorld(3, WorldSize(stores=5, products=60, silent_stores=0))


@pytest.fixture
def warehouse(make_warehouse: Callable[..., Warehouse], sandbox: RunningSandbox) -> Warehouse:
    sites = {f"{name}_url": sandbox.site(name) for name in RETAILERS}
    return make_warehouse(backoff_seconds_max=0.001, request_attempts=2, breaker_stores=2, breaker_open_seconds=3600, **sites)


def stores(world: World, retailer: str) -> list[StoreRef]:
    return [StoreRef(retailer, one.store_id, one.name, one.state, one.online_store_id) for one in world.stores(retailer) if one.has_shelf]


def run_of(warehouse: Warehouse, storage: Storage, store: StoreRef, night: date, run_key: str, **more: Any) -> CrawlRun:
    scope = more.pop("scope", run_key)
    limiter = PostgresRequestLimiter(warehouse, store.retailer, scope)
    return CrawlRun(
        retailer=retailer_of(store.retailer), store=store, night=night, run_key=run_key, scope=scope, limiter=limiter, storage=storage,
        settings=warehouse.settings, **more,
    )  # fmt: skip


def outcome_rows(warehouse: Warehouse) -> list[tuple[str, str, bool]]:
    found = rows(warehouse, "SELECT store_id, state, manifest IS NOT NULL AS staged FROM ops.crawl_outcome ORDER BY started_at, store_id")
    return [(row["store_id"], row["state"], row["staged"]) for row in found]


def test_a_refused_run_stops_after_few_stores_and_resumes_with_an_operators_session(
    warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox
) -> None:
    wall = sandbox.faults.add("wall", retailer="woolworths", since=8, session="me=known")
    every = stores(world, "woolworths")[:5]
    refused = []
    for store in every:
        try:
            runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "run"))
        except Blocked as error:
            refused.append((store, type(error)))
    assert [kind for _, kind in refused] == [Blocked, Blocked, RunAlreadyBlocked, RunAlreadyBlocked, RunAlreadyBlocked], (
        "no store is requested after two"
    )
    asked = sandbox.traffic.count("woolworths")
    assert asked == 8 + 1
    assert {state for _, state, _ in outcome_rows(warehouse)} == {"blocked"}

    session = sessions.Session("me=known", "Mozilla/5.0 (browser)", clock.system_now() + timedelta(hours=1))
    done = [
        runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "run", scope="run_rest", session=session)) for store, _ in refused
    ]

    assert all(outcome["complete"] for outcome in done)
    again = sandbox.traffic.repeated_requests("woolworths", purpose="listing", store_id=every[0].store_id)
    assert not again, "the pages landed before the refusal are not requested again"
    assert sandbox.faults.active_faults()[0]["key"] == wall
    landed = b"".join(storage.read(path.split("/storage/", 1)[1]) for path in storage.filesystem.find(storage.full("landing")))
    assert b"known" not in landed


def test_the_stored_session_is_used_until_it_expires(
    warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add("wall", retailer="aldi", session="me=known")
    store, home = stores(world, "aldi")[0], warehouse.settings.home

    def at_home() -> sessions.Session | None:
        return sessions.in_force("aldi", sessions.find(home, "aldi"))

    put = sessions.put(warehouse.settings.home, "aldi", sessions.Session("me=known", None, clock.system_now() - timedelta(seconds=1)))
    assert put.stat().st_mode & 0o777 == 0o600

    with pytest.raises(Blocked):
        runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "run", session=at_home()))
    sessions.put(warehouse.settings.home, "aldi", sessions.Session("me=known", None, clock.system_now() + timedelta(hours=1)))

    assert runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "run", session=at_home()))["complete"]
    assert "known" not in caplog.text


def test_consecutive_unavailable_stores_open_the_breaker(
    warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox
) -> None:
    sandbox.faults.add("error", retailer="iga", purpose="listing", since=12)
    first, second, third = stores(world, "iga")[:3]

    assert runs.crawl(warehouse, run_of(warehouse, storage, first, NIGHT, "run"))["site_unavailable"]
    with pytest.raises(Exception, match="the crawl found no offer"):
        runs.crawl(warehouse, run_of(warehouse, storage, second, NIGHT, "run"))
    asked = sandbox.traffic.count("iga")
    with pytest.raises(BreakerOpen, match="not crawled"):
        runs.crawl(warehouse, run_of(warehouse, storage, third, NIGHT, "run"))

    assert sandbox.traffic.count("iga") == asked
    assert [state for _, state, _ in outcome_rows(warehouse)] == ["crawled", "failed", "failed"]
    assert one(warehouse, "SELECT state FROM ops.crawl_breaker") == "open"


def test_an_attempt_without_offers_keeps_the_staged_file_of_an_earlier_one(
    warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox
) -> None:
    store = stores(world, "aldi")[0]
    fault = sandbox.faults.add("error", retailer="aldi", purpose="listing", since=10)
    runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "run"))
    sandbox.faults.clear(fault)
    sandbox.faults.add("wall", retailer="aldi")

    with pytest.raises(Blocked):
        runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "run"))

    assert outcome_rows(warehouse) == [(store.store_id, "blocked", True)]


def test_a_partial_store_day_is_correct_and_incomplete(warehouse: Warehouse, storage: Storage, world: World) -> None:
    store = stores(world, "aldi")[0]

    subset = runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "run", subset=CrawlSubset(categories=("bakery",))))

    assert (subset["complete"], subset["is_retryable"]) == (False, False)
    assert {one["status"] for one in subset["categories"] if one["name"].startswith("Bakery")} == {"finished"}
    assert "not requested: only a part was requested" in subset["incomplete_reason"]
    assert load_manifest(storage, subset["manifest"]).is_partial_on_request
    with pytest.raises(TerminalError, match=r"no category is called nonsense\. There are: .*Bakery"):
        runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "another", subset=CrawlSubset(categories=("nonsense",))))


def test_first_pages_only(warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox) -> None:
    store = stores(world, "coles")[0]

    outcome = runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "run", subset=CrawlSubset(pages=1)))

    assert outcome["rows"] > 0
    assert not sandbox.traffic.repeated_requests("coles", purpose="listing")
    whole = runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "run"))
    assert whole["complete"]
    assert not sandbox.traffic.repeated_requests("coles", purpose="listing"), "pages already read are not requested again"


def test_a_reread_corrects_its_own_night_and_never_a_newer_price(
    warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stores(world, "aldi")[0]
    true_rows = Aldi.rows

    def wrong(self: Aldi, *given: Any) -> Iterator[Any]:
        for row in true_rows(self, *given):
            if isinstance(row, OfferRow) and row.offer.price_current:
                row = replace(row, offer=replace(row.offer, price_current=row.offer.price_current * 2))  # noqa: PLW2901
            yield row

    monkeypatch.setattr(Aldi, "rows", wrong)
    runs.crawl(warehouse, run_of(warehouse, storage, store, NIGHT, "first"))
    pipeline.ingest(warehouse, storage, "aldi")
    doubled = cents(warehouse, store.store_id)
    monkeypatch.setattr(Aldi, "rows", true_rows)
    monkeypatch.setattr(Aldi, "version", "fixed")
    asked = sandbox.traffic.count()

    outcome = runs.reread(warehouse, run_of(warehouse, storage, store, NIGHT, "first_reread"), "first")
    pipeline.ingest(warehouse, storage, "aldi")

    assert sandbox.traffic.count() == asked
    assert cents(warehouse, store.store_id) == {sku: price // 2 for sku, price in doubled.items()}
    assert outcome["run_key"] == "first_reread"
    states = rows(warehouse, "SELECT run_key, state FROM ops.staged_file ORDER BY file_id")
    assert [(row["run_key"], row["state"]) for row in states] == [("first", "published"), ("first_reread", "published")]

    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-25T09:00:00+00:00")  # a week later other prices hold
    runs.crawl(warehouse, run_of(warehouse, storage, store, date(2026, 11, 25), "second"))
    pipeline.ingest(warehouse, storage, "aldi")
    newer = cents(warehouse, store.store_id)
    monkeypatch.setattr(Aldi, "version", "fixed-twice")
    runs.reread(warehouse, run_of(warehouse, storage, store, NIGHT, "first_reread"), "first")
    pipeline.ingest(warehouse, storage, "aldi")

    assert newer != cents_of(doubled)
    assert cents(warehouse, store.store_id) == newer
    assert not load_waiting(warehouse, storage, "aldi")


def cents_of(doubled: dict[str, int]) -> dict[str, int]:
    return {sku: price // 2 for sku, price in doubled.items()}


@pytest.mark.parametrize("retailer", RETAILERS)
def test_the_canary_makes_few_requests_and_lands_the_responses(
    warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox, retailer: str
) -> None:
    store = stores(world, retailer)[0]

    report = crawl_canary(run_of(warehouse, storage, store, NIGHT, "run"))

    assert report.offers > 0 and report.category and report.refused is None
    assert report.requests == sandbox.traffic.count(retailer) <= 4
    folder = next(landed_runs(storage, retailer))
    landed = storage.filesystem.find(storage.full(f"landing/{retailer}"))
    assert folder.run_key == "run"
    assert any("canary--tree" in path for path in landed) and any("canary--1" in path for path in landed)


@pytest.mark.parametrize(("retailer", "field"), [("coles", "pricing"), ("woolworths", "Price"), ("aldi", "price"), ("iga", "name")])
def test_a_changed_shape_is_reported_before_any_store_is_read(
    warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox, retailer: str, field: str
) -> None:
    sandbox.faults.add("renamed_field", retailer=retailer, field=field)

    with pytest.raises(ShapeChanged) as raised:
        crawl_canary(run_of(warehouse, storage, stores(world, retailer)[0], NIGHT, "run"))

    message = str(raised.value)
    assert f"product rows have lost {field}" in message
    assert "expected: " in message and f"{field}_v2" in message.split("found: ")[1]


def test_the_canary_leaves_a_refusal_to_the_crawl(warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox) -> None:
    sandbox.faults.add("wall", retailer="coles")

    report = crawl_canary(run_of(warehouse, storage, stores(world, "coles")[0], NIGHT, "run"))

    assert "the site refuses automatic requests" in str(report.refused)


def test_landed_pages_are_pruned_by_their_night(
    make_warehouse: Callable[..., Warehouse], storage: Storage, world: World, sandbox: RunningSandbox
) -> None:
    warehouse = make_warehouse(landing_days=3, aldi_url=sandbox.site("aldi"))
    store = stores(world, "aldi")[0]
    for day in (12, 18):
        runs.crawl(warehouse, run_of(warehouse, storage, store, date(2026, 11, day), f"run{day}", subset=CrawlSubset(pages=1)))

    assert runs.prune_landing(warehouse, storage) == 1
    assert [run.run_key for run in landed_runs(storage, "aldi")] == ["run18"]
