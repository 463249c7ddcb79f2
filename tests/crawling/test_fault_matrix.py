"""Compares the crawl with the stated outcome of each fault: a seeded sample always, all of them in the campaign."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from include import clock
from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.store_crawl import crawl_store
from include.model.store import StoreRef
from include.retailers.errors import Blocked, EmptyCrawl, ShapeChanged, SiteError, WrongStore
from include.retailers.registry import retailer_of
from include.staging.staged_file import load_manifest, open_staged
from include.staging.storage import Storage
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox, running
from sandbox.world import RETAILERS, World
from tests.crawling.fault_matrix import STATED, Case

pytestmark = pytest.mark.slow

WORLD = GeneratedWorld(1, WorldSize(stores=2, products=110, silent_stores=0))
NIGHT = clock.night_of(clock.parse_instant("2026-11-18T09:00:00+00:00", "test"))
NAMES = [f"{retailer}: {case.name}" for retailer, case, _ in STATED]
SAMPLE = random.Random(20261118).sample(STATED, 14)


@pytest.fixture(scope="module")
def deep_world() -> World:
    """One in which categories have several pages."""
    return GeneratedWorld(1, WorldSize(stores=1, products=3000, silent_stores=0))


@pytest.fixture(scope="module")
def deep_sandbox(deep_world: World) -> Iterator[RunningSandbox]:
    with running(deep_world) as found:
        yield found


def crawl_with_fault(retailer: str, case: Case, world: World, sandbox: RunningSandbox, storage: Storage, home: Path) -> str:
    """Crawl one store under a fault; return its outcome in the terms of the matrix."""
    sites = {f"{name}_url": sandbox.site(name) for name in RETAILERS}
    limits = {"backoff_seconds_max": 0.001, "request_attempts": 3, "response_seconds_max": 1.2, "read_timeout_seconds": 0.5}
    settings = Settings.model_validate({"home": home, **limits, **sites})
    one = next(store for store in world.stores(retailer) if store.has_shelf)
    store = StoreRef(retailer, one.store_id, one.name, one.state, one.online_store_id)
    sandbox.faults.clear()
    sandbox.faults.add(case.kind, retailer=retailer, **case.options)
    adapter = retailer_of(retailer)
    try:
        outcome = crawl_store(
            CrawlRun(retailer=adapter, store=store, night=NIGHT, run_key="run", storage=storage, settings=settings, limiter=None)
        )
    except Blocked:
        return "blocked"
    except WrongStore:
        return "wrong store"
    except EmptyCrawl as error:
        causes = getattr(error.__cause__, "exceptions", ())
        return "shape changed" if causes and all(isinstance(cause, ShapeChanged) for cause in causes) else "nothing"
    except SiteError:
        return "tree missing"
    finally:
        assert sandbox.faults.active_faults()[0]["applied"], "the fault was applied"
        sandbox.faults.clear()
    if outcome.site_unavailable:
        assert outcome.is_retryable and not outcome.complete
        assert crawl_store(
            CrawlRun(retailer=adapter, store=store, night=NIGHT, run_key="run", storage=storage, settings=settings, limiter=None)
        ).complete, "a retry ends it"
        return "unavailable"
    assert outcome.manifest
    staged = {line.raw for line in open_staged(storage, load_manifest(storage, outcome.manifest), adapter.stage, 10**6)}
    if not outcome.complete:
        if not any(json.loads(line)["product"]["price_current"] for line in staged):
            return "shape changed"  # goods without a price are all that could be read
        return "in part, retry" if outcome.is_retryable else "in part"
    again = crawl_store(
        CrawlRun(retailer=adapter, store=store, night=NIGHT, run_key="undisturbed", storage=storage, settings=settings, limiter=None)
    )
    assert again.complete and again.manifest
    truth = {line.raw for line in open_staged(storage, load_manifest(storage, again.manifest), adapter.stage, 10**6)}
    return "complete" if staged == truth else "complete, wrong"


def assert_outcome(stated: tuple[str, Case, str], world: World, sandbox: RunningSandbox, storage: Storage, tmp_path: Path) -> None:
    retailer, case, outcome = stated
    found = crawl_with_fault(retailer, case, world, sandbox, storage, tmp_path)
    assert found == outcome
    if outcome in ("blocked", "wrong store", "nothing", "tree missing"):
        assert not [path for stage in ("outbox", "barcode_inbox") for path in storage.filesystem.glob(storage.full(f"{stage}/**/*.json"))]


@pytest.mark.parametrize("stated", SAMPLE, ids=lambda stated: f"{stated[0]}: {stated[1].name}")
def test_a_sample_of_faults_has_the_stated_outcomes(
    stated: tuple[str, Case, str], world: World, sandbox: RunningSandbox, storage: Storage, tmp_path: Path
) -> None:
    assert_outcome(stated, world, sandbox, storage, tmp_path)


@pytest.mark.campaign
@pytest.mark.parametrize("retailer", RETAILERS)
def test_a_repeated_page_is_detected(
    retailer: str, deep_world: World, deep_sandbox: RunningSandbox, storage: Storage, tmp_path: Path
) -> None:
    assert_outcome(
        (retailer, Case("the same page twice", "same_page", {"nth": 2}), "complete"), deep_world, deep_sandbox, storage, tmp_path
    )


@pytest.mark.campaign
@pytest.mark.parametrize("stated", STATED, ids=NAMES)
def test_every_fault_has_its_stated_outcome(
    stated: tuple[str, Case, str], world: World, sandbox: RunningSandbox, storage: Storage, tmp_path: Path
) -> None:
    assert_outcome(stated, world, sandbox, storage, tmp_path)


def test_the_matrix_covers_every_sandbox_fault() -> None:
    from sandbox.faults import KINDS

    for retailer in RETAILERS:
        known = {kind for kind, about in KINDS.items() if about.retailer in (None, retailer)}
        assert {case.kind for name, case, _ in STATED if name == retailer} | {"same_page"} == known
