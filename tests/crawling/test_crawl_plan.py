"""The plan of a night: order, budget, reasons."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from include.crawling import crawl_plan, discovery
from include.errors import TerminalError
from include.model.store import StoreRecord, StoreRef
from include.warehouse.engine import Warehouse
from tests.crawling.recorded_crawl import record_crawl

NIGHT = date(2026, 11, 18)
STARTED_AT = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)


def found(store_id: str, state: str | None = "VIC", **more: object) -> StoreRecord:
    values: dict[str, Any] = {"retailer": "aldi", "store_id": store_id, "online_store_id": None, "name": f"Aldi {store_id}", "state": state}
    return StoreRecord(**values | more)


def planned(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    with warehouse.transaction() as connection:
        rows = connection.execute("SELECT store_id, decision, reason FROM ops.crawl_plan ORDER BY position").fetchall()
    return {row["store_id"]: (row["decision"], row["reason"]) for row in rows}


def crawled_at(warehouse: Warehouse, **instants: str) -> None:
    with warehouse.transaction() as connection:
        for store_id, instant in instants.items():
            connection.execute("UPDATE core.store SET complete_at = %s WHERE store_id = %s", (instant, store_id))


def test_requested_stores_come_first_then_the_longest_unseen_then_new_ones_then_current_ones(warehouse: Warehouse, fixed_clock):
    discovery.merge_found_stores(warehouse, "aldi", [found(store_id) for store_id in ("G1", "G2", "G3", "G4", "G5")])
    crawled_at(warehouse, G1="2026-11-16T00:00Z", G2="2026-11-14T00:00Z", G5="2026-11-17T20:00Z")  # now is Wednesday 20:00 in Melbourne
    with warehouse.transaction() as connection:
        connection.execute("INSERT INTO ops.crawl_request VALUES ('aldi', 'G4', 'a shopper complained', 'ann', '2026-11-17')")

    order = [item.store.store_id for item in crawl_plan.plan(warehouse, "aldi", NIGHT)]

    assert order == ["G4", "G2", "G1", "G3", "G5"]
    assert planned(warehouse)["G4"] == ("crawl", "requested: a shopper complained")
    assert planned(warehouse)["G2"][1] == "due: last complete store-day 2026-11-14 11:00"
    assert planned(warehouse)["G3"][1] == "never crawled (VIC)"
    assert planned(warehouse)["G5"][1] == "current: last complete store-day 2026-11-18 07:00"


def test_a_store_is_due_when_its_own_price_week_has_begun(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-17T14:30:00+00:00")  # Wednesday 01:30 in Melbourne, still Tuesday 22:30 in Perth
    discovery.merge_found_stores(warehouse, "aldi", [found("EAST", "VIC"), found("WEST", "WA"), found("NOWHERE", None)])
    crawled_at(warehouse, EAST="2026-11-17T02:00Z", WEST="2026-11-17T02:00Z", NOWHERE="2026-11-17T02:00Z")

    crawl_plan.plan(warehouse, "aldi", NIGHT)

    assert {store_id: reason.split(":")[0] for store_id, (_, reason) in planned(warehouse).items()} == {
        "EAST": "due", "NOWHERE": "due", "WEST": "current",
    }  # fmt: skip


def test_new_stores_get_their_share_even_if_due_ones_would_fill_the_night(make_warehouse, fixed_clock):
    warehouse = make_warehouse(nightly_requests=1000, requests_per_store=100, new_store_share=0.2)
    discovery.merge_found_stores(warehouse, "aldi", [found(f"D{n}") for n in range(20)] + [found(f"N{n}") for n in range(5)])
    crawled_at(warehouse, **{f"D{n}": "2026-11-01T00:00Z" for n in range(20)})

    chosen = [item.store.store_id for item in crawl_plan.plan(warehouse, "aldi", NIGHT)]

    assert [store_id[0] for store_id in chosen] == ["D"] * 8 + ["N"] * 2


def test_a_night_too_short_for_the_budget_defers_stores_with_the_reason(make_warehouse, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AISLEFLOW_NOW", "2026-11-17T17:00:00+00:00")  # 04:00 in Melbourne
    warehouse = make_warehouse(nightly_requests=100_000, crawl_until="05:00")
    discovery.merge_found_stores(warehouse, "aldi", [found(f"G{n}") for n in range(5)])
    record_crawl(warehouse, StoreRef("aldi", "G0"), NIGHT, datetime(2026, 11, 17, 16, 40, tzinfo=UTC), requests=25)

    assert len(crawl_plan.plan(warehouse, "aldi", NIGHT)) == 3
    deferred = [reason for decision, reason in planned(warehouse).values() if decision == "deferred"]
    assert len(deferred) == 2
    assert all(reason.startswith("the night's time is spent (3 stores of about 1200 s until 05:00); never crawled") for reason in deferred)


def test_never_crawled_stores_are_spread_over_the_states(make_warehouse):
    warehouse = make_warehouse(nightly_requests=400, requests_per_store=100)
    stores = (
        [found(f"V{n}", "VIC") for n in range(10)] + [found(f"N{n}", "NSW") for n in range(10)] + [found("W1", "WA"), found("T1", "NT")]
    )
    discovery.merge_found_stores(warehouse, "aldi", stores)

    first = [item.store.state for item in crawl_plan.plan(warehouse, "aldi", NIGHT)]

    assert sorted(str(state) for state in first) == ["NSW", "NT", "VIC", "WA"]


def test_stores_beyond_the_budget_are_deferred_and_listed(make_warehouse):
    warehouse = make_warehouse(nightly_requests=250, requests_per_store=100)
    discovery.merge_found_stores(warehouse, "aldi", [found(f"G{n}") for n in range(5)])

    assert len(crawl_plan.plan(warehouse, "aldi", NIGHT)) == 2
    assert [decision for decision, _ in planned(warehouse).values()].count("deferred") == 3
    assert all("budget of 2 stores" in reason for decision, reason in planned(warehouse).values() if decision == "deferred")


def test_the_budget_uses_the_average_cost_of_past_crawls(make_warehouse):
    warehouse = make_warehouse(nightly_requests=1000, requests_per_store=1000)
    discovery.merge_found_stores(warehouse, "aldi", [found(f"G{n}") for n in range(5)])
    record_crawl(warehouse, StoreRef("aldi", "G0"), NIGHT, STARTED_AT, requests=250)

    assert len(crawl_plan.plan(warehouse, "aldi", NIGHT)) == 4


def test_only_supermarkets_are_planned_and_the_others_have_a_reason(warehouse: Warehouse):
    stores = [
        found("G1"),
        found("P1", division="AMPOL", is_supermarket=False),
        found("I1", is_supermarket=False),
        found("C1", is_trading=False),
    ]
    discovery.merge_found_stores(warehouse, "aldi", stores)
    with warehouse.transaction() as connection:
        connection.execute("INSERT INTO core.store (retailer, store_id, first_seen_at) VALUES ('aldi', 'FILE', '2026-11-01')")

    assert [item.store.store_id for item in crawl_plan.plan(warehouse, "aldi", NIGHT)] == ["G1"]
    excluded = {store_id: reason for store_id, (decision, reason) in planned(warehouse).items() if decision == "excluded"}
    assert excluded == {
        "P1": "not a supermarket (AMPOL)",
        "I1": "no online store id: its offers cannot be requested",
        "C1": "not trading according to the store finder",
        "FILE": "never found by store discovery",
    }


def test_requested_store_ids_ignore_the_budget(make_warehouse):
    warehouse = make_warehouse(nightly_requests=1, requests_per_store=100)
    discovery.merge_found_stores(warehouse, "aldi", [found(f"G{n}") for n in range(5)])

    assert {item.store.store_id for item in crawl_plan.plan(warehouse, "aldi", NIGHT, ["G3", "G4"])} == {"G3", "G4"}


def test_planning_twice_gives_the_same_plan(warehouse: Warehouse):
    discovery.merge_found_stores(warehouse, "aldi", [found(f"G{n}") for n in range(5)])
    first = crawl_plan.plan(warehouse, "aldi", NIGHT)

    assert crawl_plan.plan(warehouse, "aldi", NIGHT) == first
    assert len(planned(warehouse)) == 5


def test_a_night_without_stores_fails_with_the_next_step(warehouse: Warehouse):
    with pytest.raises(TerminalError, match="no store is known: run the DAG discover_stores first"):
        crawl_plan.plan(warehouse, "aldi", NIGHT)


def test_an_unknown_store_cannot_be_requested(warehouse: Warehouse):
    discovery.merge_found_stores(warehouse, "aldi", [found("G1")])
    with pytest.raises(TerminalError, match="aldi has no store G9"):
        crawl_plan.plan(warehouse, "aldi", NIGHT, ["G1", "G9"])


def test_a_complete_crawl_removes_its_request_and_a_partial_one_does_not(warehouse: Warehouse):
    discovery.merge_found_stores(warehouse, "aldi", [found("G1")])
    with warehouse.transaction() as connection:
        connection.execute("INSERT INTO ops.crawl_request VALUES ('aldi', 'G1', 'stale', 'ann', '2026-11-17 00:00Z')")

    def requests_left(complete: bool) -> int:
        record_crawl(warehouse, StoreRef("aldi", "G1"), NIGHT, STARTED_AT, complete=complete)
        with warehouse.transaction() as connection:
            return len(connection.execute("SELECT FROM ops.crawl_request").fetchall())

    assert requests_left(complete=False) == 1
    assert requests_left(complete=True) == 0
