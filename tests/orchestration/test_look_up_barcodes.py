"""The tasks of ``look_up_barcodes``: a plan for the workers, its end time, and a refused site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.orchestration import look_up_barcodes
from include.orchestration.airflow_errors import airflow_errors
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.running import RunningSandbox
from tests.enrichment.nights import crawl, discover, site_settings
from tests.warehouse.looking import one

NO_PARAMS: dict[str, Any] = {"retailer": None, "requests": None, "night": None}
WORLD = GeneratedWorld(3, WorldSize(stores=2, products=60, silent_stores=0))


@pytest.fixture
def warehouse(
    make_warehouse: Callable[..., Warehouse], sandbox: RunningSandbox, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> Warehouse:
    found = make_warehouse(**site_settings(sandbox))

    @contextmanager
    def opened() -> Iterator[tuple[Warehouse, Storage]]:
        with airflow_errors():
            yield found, storage

    monkeypatch.setattr(look_up_barcodes, "resources", opened)
    monkeypatch.setattr(look_up_barcodes, "session_of", lambda retailer: None)
    discover(found, WORLD, ["coles"])
    crawl(found, storage, WORLD, "coles")
    return found


def run(run_type: str = "manual", night: str = "2026-11-18") -> Any:
    after = datetime(2026, 11, 17, 14, tzinfo=UTC)
    return SimpleNamespace(dag_id="look_up_barcodes", run_id=f"{run_type}__1", run_type=run_type, partition_key=night, run_after=after)


def test_workers_share_what_is_due(warehouse: Warehouse) -> None:
    items = look_up_barcodes.plan(run(), NO_PARAMS | {"retailer": "coles"})
    assert [item["worker"] for item in items] == ["coles 1", "coles 2"] and {item["until"] for item in items} == {None}

    outcomes = [look_up_barcodes.look_up(item, run()) for item in items]

    assert [outcome["ended"] for outcome in outcomes] == ["queue", "queue"]
    (figures,) = [row for row in look_up_barcodes.report(run(), NO_PARAMS) if row["retailer"] == "coles"]
    assert (
        figures["asked"]
        == sum(outcome["asked"] for outcome in outcomes)
        == one(warehouse, "SELECT count(*) FROM ops.barcode_lookup WHERE store_key IS NOT NULL")
    )
    with pytest.raises(AirflowSkipException, match="no SKU is due"):
        look_up_barcodes.plan(run(), NO_PARAMS | {"retailer": "coles"})


def test_a_run_has_its_own_requests_or_what_is_left_of_the_night(warehouse: Warehouse) -> None:
    (item,) = look_up_barcodes.plan(run(), NO_PARAMS | {"retailer": "coles", "requests": 2})[:1]
    assert look_up_barcodes.look_up(item, run())["ended"] == "budget"
    warehouse.settings = warehouse.settings.model_copy(update={"look_up_requests": 2})
    with pytest.raises(AirflowSkipException, match="budget"):
        look_up_barcodes.plan(run(), NO_PARAMS | {"retailer": "coles"})
    assert look_up_barcodes.plan(run(), NO_PARAMS | {"retailer": "coles", "requests": 1})[0]["requests_max"] == 3


def test_a_scheduled_run_ends_with_its_night(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AirflowSkipException, match=r"ended at 2026-11-18T03:30:00\+11:00"):
        look_up_barcodes.plan(run("scheduled"), NO_PARAMS)
    (item, *_) = look_up_barcodes.plan(run("scheduled", "2026-11-19"), NO_PARAMS | {"retailer": "coles"})
    assert item["until"] == "2026-11-19T03:30:00+11:00"
    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-18T16:30:00+00:00")
    assert look_up_barcodes.look_up(item, run("scheduled", "2026-11-19")) == {"ended": "time", "asked": 0, "found": 0, "requests": 0}


def test_a_refused_site_fails_the_task_without_a_retry(warehouse: Warehouse, sandbox: RunningSandbox) -> None:
    (item, *_) = look_up_barcodes.plan(run(), NO_PARAMS | {"retailer": "coles"})
    sandbox.faults.add("wall", retailer="coles")
    with pytest.raises(AirflowFailException, match="aisleflow session set coles"):
        look_up_barcodes.look_up(item, run())
    assert one(warehouse, "SELECT count(*) FROM ops.barcode_lookup WHERE claim IS NOT NULL OR result IS NOT NULL") == 0
