"""The plan of a night: order, budget, reasons; and what discovery takes over."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from include.errors import TerminalError
from include.retailers.base import StoreRecord
from include.stores import crawl_plan, discovery, outcomes
from include.warehouse.engine import Warehouse

NIGHT = date(2026, 11, 18)
STARTED_AT = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)


def found(store_id: str, state: str | None = "VIC", **more: object) -> StoreRecord:
    values: dict[str, Any] = {"retailer": "aldi", "store_id": store_id, "online_store_id": None, "name": f"Aldi {store_id}", "state": state}
    return StoreRecord(**values | more)


def planned(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    with warehouse.transaction() as connection:
        rows = connection.execute("SELECT store_id, decision, reason FROM ops.crawl_plan ORDER BY place").fetchall()
    return {row["store_id"]: (row["decision"], row["reason"]) for row in rows}


def test_requested_stores_come_first_then_the_longest_unseen_then_new_ones(warehouse: Warehouse):
    discovery.take_over(warehouse, "aldi", [found(store_id) for store_id in ("G1", "G2", "G3", "G4")])
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.store SET complete_at = '2026-11-16' WHERE store_id = 'G1'")
        connection.execute("UPDATE core.store SET complete_at = '2026-11-14' WHERE store_id = 'G2'")
        connection.execute("INSERT INTO ops.crawl_request VALUES ('aldi', 'G4', 'a shopper complained', 'ann', '2026-11-17')")

    order = [item.store.store_id for item in crawl_plan.plan(warehouse, "aldi", NIGHT)]

    assert order == ["G4", "G2", "G1", "G3"]
    assert planned(warehouse)["G4"] == ("crawl", "requested: a shopper complained")
    assert planned(warehouse)["G2"][1].startswith("due: last complete store-day 2026-11-14")
    assert planned(warehouse)["G3"][1] == "never crawled (VIC)"


def test_never_crawled_stores_are_spread_over_the_states(make_warehouse):
    warehouse = make_warehouse(nightly_requests=400, requests_per_store=100)
    stores = (
        [found(f"V{n}", "VIC") for n in range(10)] + [found(f"N{n}", "NSW") for n in range(10)] + [found("W1", "WA"), found("T1", "NT")]
    )
    discovery.take_over(warehouse, "aldi", stores)

    first = [item.store.state for item in crawl_plan.plan(warehouse, "aldi", NIGHT)]

    assert sorted(str(state) for state in first) == ["NSW", "NT", "VIC", "WA"]


def test_what_does_not_fit_the_budget_is_deferred_and_shown(make_warehouse):
    warehouse = make_warehouse(nightly_requests=250, requests_per_store=100)
    discovery.take_over(warehouse, "aldi", [found(f"G{n}") for n in range(5)])

    assert len(crawl_plan.plan(warehouse, "aldi", NIGHT)) == 2
    assert [decision for decision, _ in planned(warehouse).values()].count("deferred") == 3
    assert all("budget of 2 stores" in reason for decision, reason in planned(warehouse).values() if decision == "deferred")


def test_the_budget_follows_what_crawls_really_took(make_warehouse):
    warehouse = make_warehouse(nightly_requests=1000, requests_per_store=1000)
    discovery.take_over(warehouse, "aldi", [found(f"G{n}") for n in range(5)])
    outcome = {"complete": True, "rows": 10, "pages": 250, "requests": 250, "manifest": "m"}
    outcomes.record(
        warehouse,
        retailer="aldi",
        store_id="G0",
        night=NIGHT,
        run_key="r",
        started_at=STARTED_AT,
        state="crawled",
        reason=None,
        outcome=outcome,
    )

    assert len(crawl_plan.plan(warehouse, "aldi", NIGHT)) == 4


def test_only_real_supermarkets_are_planned_and_the_others_have_a_reason(warehouse: Warehouse):
    stores = [found("G1"), found("P1", division="AMPOL", is_supermarket=False), found("C1", is_trading=False)]
    discovery.take_over(warehouse, "aldi", stores)
    with warehouse.transaction() as connection:
        connection.execute("INSERT INTO core.store (retailer, store_id, first_seen_at) VALUES ('aldi', 'FILE', '2026-11-01')")

    assert [item.store.store_id for item in crawl_plan.plan(warehouse, "aldi", NIGHT)] == ["G1"]
    left_out = {store_id: reason for store_id, (decision, reason) in planned(warehouse).items() if decision == "left_out"}
    assert left_out == {
        "P1": "no supermarket (AMPOL)",
        "C1": "the store finder says it is not trading",
        "FILE": "never found by store discovery",
    }


def test_an_operator_can_ask_for_certain_stores_beyond_any_budget(make_warehouse):
    warehouse = make_warehouse(nightly_requests=1, requests_per_store=100)
    discovery.take_over(warehouse, "aldi", [found(f"G{n}") for n in range(5)])

    assert {item.store.store_id for item in crawl_plan.plan(warehouse, "aldi", NIGHT, ["G3", "G4"])} == {"G3", "G4"}


def test_planning_twice_gives_the_same_plan(warehouse: Warehouse):
    discovery.take_over(warehouse, "aldi", [found(f"G{n}") for n in range(5)])
    first = crawl_plan.plan(warehouse, "aldi", NIGHT)

    assert crawl_plan.plan(warehouse, "aldi", NIGHT) == first
    assert len(planned(warehouse)) == 5


def test_a_night_without_stores_says_what_to_do(warehouse: Warehouse):
    with pytest.raises(TerminalError, match="no store is known: run the DAG discover_stores first"):
        crawl_plan.plan(warehouse, "aldi", NIGHT)


def test_discovery_replaces_nothing_by_nothing_and_confirms(warehouse: Warehouse):
    with warehouse.transaction() as connection:
        connection.execute(
            "INSERT INTO core.store (retailer, store_id, name, state, first_seen_at) VALUES ('aldi', 'G1', 'Aldi Known', 'QLD', '2026-11-01')"
        )

    first = discovery.take_over(warehouse, "aldi", [found("G1", None, name=None, postcode="4000"), found("G2")])
    again = discovery.take_over(warehouse, "aldi", [found("G1", None, name=None)])

    assert (first.stores, first.new, again.new) == (2, 1, 0)
    with warehouse.transaction() as connection:
        row = connection.execute("SELECT name, state, postcode, is_confirmed FROM core.store WHERE store_id = 'G1'").fetchone()
    assert row == {"name": "Aldi Known", "state": "QLD", "postcode": "4000", "is_confirmed": True}


def test_a_finder_that_knows_no_supermarket_changes_nothing(warehouse: Warehouse):
    with pytest.raises(TerminalError, match="returned no supermarket"):
        discovery.take_over(warehouse, "aldi", [found("P1", is_supermarket=False)])
    with warehouse.transaction() as connection:
        assert connection.execute("SELECT FROM core.store").fetchall() == []


def test_a_complete_crawl_settles_its_request_and_a_partial_one_does_not(warehouse: Warehouse):
    discovery.take_over(warehouse, "aldi", [found("G1")])
    with warehouse.transaction() as connection:
        connection.execute("INSERT INTO ops.crawl_request VALUES ('aldi', 'G1', 'stale', 'ann', '2026-11-17 00:00Z')")

    def requests_left(complete: bool) -> int:
        outcome = {"complete": complete, "rows": 10, "pages": 1, "requests": 1, "manifest": "m"}
        outcomes.record(
            warehouse,
            retailer="aldi",
            store_id="G1",
            night=NIGHT,
            run_key="r",
            started_at=STARTED_AT,
            state="crawled",
            reason=None,
            outcome=outcome,
        )
        with warehouse.transaction() as connection:
            return len(connection.execute("SELECT FROM ops.crawl_request").fetchall())

    assert requests_left(complete=False) == 1
    assert requests_left(complete=True) == 0
