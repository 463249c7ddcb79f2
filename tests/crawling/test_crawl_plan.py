"""The plan of a night: order, budget, reasons."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from include import clock
from include.crawling import crawl_plan, discovery
from include.crawling.plan_order import PlanStore, plan_order
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


def group(warehouse: Warehouse, anchor: str, *members: str, unverified: Sequence[str] = ()) -> None:
    """Make one group of stores."""
    with warehouse.transaction() as connection:
        connection.run("groups/found_groups", {"retailer": "aldi", "changed_by": "ann", "now": STARTED_AT})
        connection.execute(
            "UPDATE core.store_group_member AS member SET group_id = leader.group_id, is_anchor = false, verified_at = CASE WHEN store.store_id = ANY (%s) THEN NULL ELSE %s::timestamptz END "
            "FROM core.store AS store, core.store_group_member AS leader JOIN core.store AS first USING (store_key) "
            "WHERE store.store_key = member.store_key AND store.store_id = ANY (%s) AND first.store_id = %s",
            (list(unverified), STARTED_AT, list(members), anchor),
        )


def test_of_a_group_the_anchor_is_crawled_and_members_in_turn(make_warehouse: Callable[..., Warehouse], fixed_clock: object) -> None:
    warehouse = make_warehouse(verification_nights=4)
    discovery.merge_found_stores(warehouse, "aldi", [found(f"G{n}") for n in range(1, 8)])
    crawled_at(
        warehouse,
        G1="2026-11-17T20:00Z",
        G2="2026-11-16T02:00Z",
        G3="2026-11-16T01:00Z",
        G4="2026-11-16T03:00Z",
        G5="2026-11-01T00:00Z",
        G6="2026-11-15T00:00Z",
    )
    group(warehouse, "G1", "G2", "G3", "G4", "G5", unverified=["G4"])

    order = [item.store.store_id for item in crawl_plan.plan(warehouse, "aldi", NIGHT)]

    assert order == ["G6", "G4", "G5", "G7", "G1"], "due and alone; never verified; too long ago; never crawled; a current anchor"
    assert planned(warehouse)["G5"][1] == "verification: last complete store-day 2026-11-01 11:00"
    assert planned(warehouse)["G2"] == (
        "excluded",
        "its prices are inferred from store G1; last complete store-day of its own 2026-11-16 13:00",
    )
    assert [item.store.store_id for item in crawl_plan.plan(warehouse, "aldi", NIGHT, ["G2"])] == ["G2"], (
        "an operator's list is crawled as it is"
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_statement_orders_stores_as_the_pure_function_does(
    make_warehouse: Callable[..., Warehouse], fixed_clock: object, seed: int
) -> None:
    drawn, now = random.Random(seed), clock.now()
    budget = drawn.choice([5, 12, 40])
    warehouse = make_warehouse(
        nightly_requests=budget * 100, requests_per_store=100, new_store_share=0.2, verification_nights=drawn.choice([2, 5])
    )
    names = [f"G{number}" for number in range(30)]
    discovery.merge_found_stores(warehouse, "aldi", [found(name, drawn.choice(["VIC", "NSW", "WA", None])) for name in names])
    crawled_at(
        warehouse,
        **{name: (now - timedelta(hours=drawn.choice([2, 5, 30, 80, 200]))).isoformat() for name in names if drawn.random() < 0.8},
    )
    with warehouse.transaction() as connection:
        keys = {row["store_id"]: row for row in connection.execute("SELECT * FROM core.store").fetchall()}
    members = [name for name in names[3:] if keys[name]["complete_at"] and drawn.random() < 0.6]
    unverified = [name for name in members if drawn.random() < 0.2]
    group(warehouse, "G0", *members, unverified=unverified)
    asked = drawn.sample(names, 2)
    with warehouse.transaction() as connection:
        connection.execute("INSERT INTO ops.crawl_request SELECT 'aldi', unnest(%s::text[]), 'x', 'ann', '2026-11-17'", (asked,))

    def is_due(row: dict[str, Any]) -> bool:
        at = row["complete_at"]
        return at is not None and at < max(
            now - timedelta(hours=warehouse.settings.current_hours), clock.price_week_start(now, row["state"])
        )

    stores = [
        PlanStore(
            row["store_key"], name, row["state"], name in asked, is_due(row), len(members) if name == "G0" else 0, name in members, row["complete_at"],
            None if name in unverified else STARTED_AT,
        )
        for name, row in keys.items()
    ]  # fmt: skip
    expected = plan_order(
        stores, store_budget=budget, new_store_budget=int(budget * 0.2), verification_nights=warehouse.settings.verification_nights, now=now
    )
    rows, _ = crawl_plan.decide(warehouse, "aldi", NIGHT)
    assert [row["store_id"] for row in rows if row["decision"] != "excluded"] == [
        next(name for name, row in keys.items() if row["store_key"] == key) for key, _ in expected
    ]
    assert [row["cause"] for row in rows if row["decision"] == "crawl"] == [cause for _, cause in expected[:budget]]
