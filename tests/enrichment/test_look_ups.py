"""Look-ups against the sandbox: budget, coverage to the truth, faults, and that prices never wait for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from include import clock
from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.crawling.sessions import Session
from include.crawling.store_crawl import crawl_store
from include.enrichment.planning import plan_look_ups
from include.model.store import StoreRef
from include.retailers import coles_graphql
from include.retailers.barcode_source import Answers
from include.retailers.errors import Blocked, ShapeChanged, SiteUnavailable
from include.retailers.registry import retailer_of
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox
from sandbox.world import World
from tests.conftest import NOW
from tests.enrichment.nights import NIGHT, ask, claimed, crawl, discover, later, publish, site_settings, true_barcodes
from tests.warehouse.looking import one, rows

pytestmark = pytest.mark.slow

WORLD = GeneratedWorld(11, WorldSize(stores=3, products=350, silent_stores=0))


@pytest.fixture
def warehouse(make_warehouse: Callable[..., Warehouse], sandbox: RunningSandbox, world: World) -> Warehouse:
    found = make_warehouse(**site_settings(sandbox), breaker_stores=2, breaker_open_seconds=3600)
    discover(found, world, ("coles", "woolworths"))
    return found


def results(warehouse: Warehouse) -> dict[str, int]:
    """Return the number of queued SKUs by their last answer."""
    return {
        row["result"]: row["n"]
        for row in rows(warehouse, "SELECT coalesce(result, 'open') AS result, count(*) AS n FROM ops.barcode_lookup GROUP BY 1")
    }


def test_nights_with_a_budget_for_a_third_come_to_the_truth(
    warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = true_barcodes(world, "coles")
    budget = 1 + -(-len(truth) // 60)
    warehouse.settings = warehouse.settings.model_copy(update={"look_up_requests": budget})
    covered, figures = [], []
    for day in range(5):
        night = later(NIGHT, day)
        monkeypatch.setenv("AISLEFLOW_NOW", f"{night}T09:00:00+00:00")
        crawl(warehouse, storage, world, "coles", night)
        published = one(warehouse, "SELECT count(DISTINCT sku) FROM core.store_price WHERE is_current AND retailer = 'coles'")
        assert published >= len(true_barcodes(world, "coles")), "all prices are published the same night"
        sandbox.traffic.reset()
        ask(warehouse, night=night)
        assert sandbox.traffic.count("coles") <= budget
        covered.append(len(claimed(warehouse)))
        figures += rows(warehouse, "SELECT requests, asked FROM ops.lookup_night WHERE night = %s", night)

    assert 0 < covered[0] < covered[1] < covered[2] and covered[3] >= covered[2]
    for figure in figures[:2]:
        assert figure["requests"] <= 1 + -(-figure["asked"] // 20), "one for the page that gives the key, then twenty SKUs a request"
    truth |= true_barcodes(world, "coles")
    for sku, gtins in claimed(warehouse).items():
        assert gtins == truth[sku], sku
    missing = {sku for sku, gtins in truth.items() if gtins and sku not in claimed(warehouse)}
    assert missing == set(), "coverage has come to the truth"


@pytest.fixture(scope="module")
def crawled(served: RunningSandbox, world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crawl a night of Coles, once for all tests; return its storage root."""
    root = tmp_path_factory.mktemp("crawled")
    served.faults.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AISLEFLOW_NOW", NOW)
        for store in (store for store in world.stores("coles") if store.has_shelf):
            ref = StoreRef("coles", store.store_id, store.name, store.state, store.online_store_id)
            run = CrawlRun(
                retailer=retailer_of("coles"), store=ref, night=NIGHT, run_key="run", storage=Storage(f"file://{root}"), limiter=None,
                settings=Settings.model_validate({"home": root, **site_settings(served)}),
            )  # fmt: skip
            assert crawl_store(run).complete
    return root


@pytest.fixture
def queued(warehouse: Warehouse, storage: Storage, crawled: Path) -> int:
    """Publish the night of Coles; return the number of SKUs that wait for a look-up."""
    shutil.copytree(crawled, storage.url.removeprefix("file://"), dirs_exist_ok=True)
    publish(warehouse, storage, "coles")
    return int(one(warehouse, "SELECT count(*) FROM ops.barcode_lookup"))


def is_unmarked(warehouse: Warehouse) -> bool:
    """Whether no SKU is claimed, and none counts as without a barcode."""
    return bool(one(warehouse, "SELECT count(*) FROM ops.barcode_lookup WHERE claim IS NOT NULL OR result NOT IN ('found', 'failed')") == 0)


def test_a_wall_ends_the_look_ups_and_marks_nothing_until_a_session_passes(
    warehouse: Warehouse, sandbox: RunningSandbox, queued: int
) -> None:
    sandbox.faults.add("wall", retailer="coles")
    with pytest.raises(Blocked):
        ask(warehouse, scope="first")
    assert results(warehouse) == {"open": queued} and is_unmarked(warehouse)

    later = clock.system_now() + timedelta(hours=1)
    ask(warehouse, scope="second", session=Session("sandbox_session=open", None, later))
    assert "open" not in results(warehouse)


def test_a_wall_in_mid_run_keeps_what_was_answered(warehouse: Warehouse, sandbox: RunningSandbox, queued: int) -> None:
    sandbox.faults.add("wall", retailer="coles", purpose="barcodes", since=3)
    with pytest.raises(Blocked):
        ask(warehouse)
    assert results(warehouse)["open"] == queued - 40
    assert one(warehouse, "SELECT count(*) FROM ops.barcode_lookup WHERE claim IS NOT NULL") == 0


@pytest.mark.parametrize("kind", ["error", "cut", "garbage", "reset", "content_type"])
def test_a_fault_once_costs_a_request_and_no_answer(warehouse: Warehouse, sandbox: RunningSandbox, queued: int, kind: str) -> None:
    once = {} if kind == "content_type" else {"nth": 2}
    sandbox.faults.add(kind, retailer="coles", purpose="barcodes", **once)

    assert ask(warehouse)["asked"] == queued
    assert "failed" not in results(warehouse) and "open" not in results(warehouse)
    assert one(warehouse, "SELECT requests FROM ops.lookup_night") == sandbox.traffic.count("coles"), "repeated requests count too"


def test_too_many_requests_pauses_then_goes_on_and_for_good_stops(warehouse: Warehouse, sandbox: RunningSandbox, queued: int) -> None:
    sandbox.faults.add("too_many", retailer="coles", purpose="barcodes", since=2)
    with pytest.raises(SiteUnavailable):
        ask(warehouse, scope="first")
    assert results(warehouse)["failed"] <= 40 and results(warehouse)["open"] >= queued - 60 and is_unmarked_but_none(warehouse)
    waits = rows(warehouse, "SELECT DISTINCT retry_at - asked_at AS wait FROM ops.barcode_lookup WHERE result = 'failed'")
    assert [row["wait"] for row in waits] == [timedelta(hours=1)]

    sandbox.faults.clear()
    sandbox.faults.add("too_many", retailer="coles", purpose="barcodes", nth=1, retry_after=1)
    ask(warehouse, scope="second")
    assert "open" not in results(warehouse)


def is_unmarked_but_none(warehouse: Warehouse) -> bool:
    """Whether no SKU is claimed, and each that counts as without a barcode was answered."""
    return bool(
        one(warehouse, "SELECT count(*) FROM ops.barcode_lookup WHERE claim IS NOT NULL OR result = 'none' AND source IS NULL") == 0
    )


def test_a_changed_shape_fails_and_names_the_field(warehouse: Warehouse, sandbox: RunningSandbox, queued: int) -> None:
    sandbox.faults.add("renamed_field", retailer="coles", purpose="barcodes", field="gtin")
    with pytest.raises(ShapeChanged, match="gtin"):
        ask(warehouse)
    assert results(warehouse) == {"failed": 60, "open": queued - 60} and is_unmarked(warehouse)
    assert sandbox.traffic.count("coles", purpose="barcodes") == 6, "a batch and one product, three times"


def test_one_bad_page_costs_its_skus_an_hour_at_most(
    warehouse: Warehouse, sandbox: RunningSandbox, queued: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults.add("renamed_field", retailer="coles", purpose="barcodes", field="gtin", times=2)
    ask(warehouse, night=NIGHT)
    assert results(warehouse)["failed"] == 20 and "open" not in results(warehouse)

    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-18T10:30:00+00:00")
    ask(warehouse)
    assert "failed" not in results(warehouse)


def test_the_single_product_is_asked_where_the_batch_does_not_answer(
    warehouse: Warehouse, sandbox: RunningSandbox, queued: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = coles_graphql.read_details

    def without_two(body: Any, skus: Sequence[str]) -> Answers:
        answers = read(body, skus)
        return Answers({sku: said for sku, said in answers.products.items() if sku not in list(skus)[:2]}, answers.unknown)

    monkeypatch.setattr(coles_graphql, "read_details", without_two)
    ask(warehouse, requests=1 + 1 + 2)

    assert sum(results(warehouse).values()) - results(warehouse)["open"] == 20
    assert one(warehouse, "SELECT count(*) FROM ops.barcode_lookup WHERE source = 'coles_product'") == 2


def test_woolworths_structured_data_is_asked_for_its_doubtful_codes_only(
    warehouse: Warehouse, storage: Storage, world: World, sandbox: RunningSandbox
) -> None:
    crawl(warehouse, storage, world, "woolworths")
    doubtful = {sku for sku, gtins in true_barcodes(world, "woolworths").items() if not gtins}
    sandbox.traffic.reset()
    outcome = ask(warehouse, "woolworths", requests=12)

    asked = {row["sku"]: row["result"] for row in rows(warehouse, "SELECT sku, result FROM ops.barcode_lookup WHERE result IS NOT NULL")}
    assert asked.keys() <= doubtful and set(asked.values()) <= {"none", "unusable"} and outcome["ended"] == "budget"
    assert len(asked) == sandbox.traffic.count("woolworths") - 1 == 11
    waits = rows(warehouse, "SELECT DISTINCT retry_at - asked_at AS wait FROM ops.barcode_lookup WHERE result IS NOT NULL")
    assert [row["wait"] for row in waits] == [timedelta(days=7)]


def test_nothing_is_asked_when_look_ups_are_off_or_the_time_is_over(warehouse: Warehouse, sandbox: RunningSandbox, queued: int) -> None:
    assert ask(warehouse, until=clock.now())["ended"] == "time"
    warehouse.settings = warehouse.settings.model_copy(update={"look_up_requests": 0})
    assert plan_look_ups(warehouse, "coles", NIGHT).workers == 0
    assert ask(warehouse)["ended"] == "budget"
    assert sandbox.traffic.count("coles") == 0 and results(warehouse) == {"open": queued}


WORKER = """
import sys
from datetime import date
from include.config import settings
from include.enrichment.look_up import LookupRun, look_up
from include.retailers.registry import retailer_of
from include.warehouse.engine import Warehouse
url, worker = sys.argv[1:]
warehouse = Warehouse(url, settings())
look_up(warehouse, LookupRun(retailer=retailer_of("coles"), night=date(2026, 11, 18), worker=worker, scope="run", requests_max=500))
"""


def test_two_workers_killed_in_mid_look_up_ask_nothing_twice_but_what_was_under_way(
    warehouse: Warehouse, world: World, sandbox: RunningSandbox, queued: int, tmp_path: Path
) -> None:
    plan_look_ups(warehouse, "coles", NIGHT)
    environment = os.environ | {
        "AISLEFLOW_HOME": str(tmp_path),
        "AISLEFLOW_COLES_URL": sandbox.site("coles"),
        "AISLEFLOW_NOW": clock.now().isoformat(),
    }

    def start(worker: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", WORKER, warehouse.url, worker], cwd=Path(__file__).parents[2], env=environment)

    sandbox.faults.latency_seconds = 0.1
    try:
        workers = [start("one"), start("two")]
        while sandbox.traffic.count("coles", purpose="barcodes") < 8:
            assert all(worker.poll() is None for worker in workers), "one ended before it was killed"
            threading.Event().wait(0.005)
        for worker in workers:
            worker.kill()
            worker.wait()
    finally:
        sandbox.faults.latency_seconds = 0
    under_way = int(one(warehouse, "SELECT count(*) FROM ops.barcode_lookup WHERE claim IS NOT NULL"))
    answered = sandbox.traffic.count("coles", purpose="barcodes")
    assert under_way <= 40 and 0 < results(warehouse)["open"] < queued
    assert [worker.wait(120) for worker in [start("one"), start("two")]] == [0, 0]

    assert "open" not in results(warehouse) and one(warehouse, "SELECT count(*) FROM ops.barcode_lookup WHERE claim IS NOT NULL") == 0
    assert one(warehouse, "SELECT max(attempts) FROM ops.barcode_lookup") == 1, "no answer was recorded twice"
    needed = -(-queued // 20)
    assert answered <= sandbox.traffic.count("coles", purpose="barcodes") <= needed + 6, (
        "two under way, and a short last batch of each worker and store"
    )
    truth = true_barcodes(world, "coles")
    assert claimed(warehouse) == {sku: gtins for sku, gtins in truth.items() if gtins and sku in claimed(warehouse)}
    assert {sku for sku, gtins in truth.items() if gtins} == claimed(warehouse).keys()
