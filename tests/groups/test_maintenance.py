"""One maintenance pass after another, from published store-days: health, comparison, merging, requests, cooldown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from include.groups import maintenance
from include.groups.cooldown import CooldownFile
from include.groups.maintenance import check_health, compare, list_unseen, merge
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse
from tests.groups.conftest import Publish, confirm
from tests.groups.looking import causes, groups, requests, whole
from tests.ingestion.store_days import TUESDAY
from tests.warehouse.looking import one, rows

THURSDAY, FRIDAY = "2026-11-19T04:30:00+11:00", "2026-11-20T04:30:00+11:00"
#: Prices of a store in which nearly every second product costs something else.
OTHER = {str(number): 2.0 for number in range(1, 20)}


def run_pass(warehouse: Warehouse, storage: Storage) -> None:
    """Run one whole pass."""
    check_health(warehouse, "aldi")
    merge(warehouse, "aldi", compare(warehouse, storage, "aldi").matches)
    whole(warehouse)


def test_stores_of_equal_prices_become_one_group_with_evidence(warehouse: Warehouse, storage: Storage, publish: Publish) -> None:
    confirm(warehouse, ["G1", "G2", "G3", "G4"])
    publish({"G1": {}, "G2": {"7": 1.5}, "G3": OTHER, "G5": {}})
    run_pass(warehouse, storage)
    assert groups(warehouse) == {"G1": {"G1", "G2"}, "G3": {"G3"}, "G4": {"G4"}}, "G4 was never crawled, G5 is not confirmed"
    evidence = rows(warehouse, "SELECT * FROM ops.store_comparison WHERE is_match")
    assert [(row["common"], row["equal"], row["range_overlap"], row["price_week"].isoformat()) for row in evidence] == [
        (40, 39, 1.0, "2026-11-18")
    ]
    assert evidence[0]["differences"] == [{"sku": "7", "left_cents": 100, "right_cents": 150}]
    assert causes(warehouse, "G2") == ["new", "merged"]
    reason = one(warehouse, "SELECT reason FROM core.store_group_member WHERE cause = 'merged'")
    assert reason == "39 of 40 common products cost the same as in store G1 (price week of 2026-11-18)"
    before = rows(warehouse, "SELECT * FROM core.store_group_member ORDER BY membership_id")
    run_pass(warehouse, storage)
    assert rows(warehouse, "SELECT * FROM core.store_group_member ORDER BY membership_id") == before, "a second pass changes nothing"


@pytest.mark.parametrize("at", [TUESDAY, "2026-11-17T23:50:00+11:00"], ids=["last week", "ten minutes before Wednesday"])
def test_store_days_of_two_price_weeks_are_never_compared(warehouse: Warehouse, storage: Storage, publish: Publish, at: str) -> None:
    confirm(warehouse, ["G1", "G2"])
    publish({"G1": {}}, at=at)
    publish({"G2": {}})
    run_pass(warehouse, storage)
    assert len(groups(warehouse)) == 2 and one(warehouse, "SELECT count(*) FROM ops.store_comparison") == 0


def test_an_incomplete_store_day_joins_nothing(warehouse: Warehouse, storage: Storage, publish: Publish) -> None:
    confirm(warehouse, ["G1", "G2"])
    publish({"G1": {}})
    publish({"G2": {}}, complete=False)
    run_pass(warehouse, storage)
    assert len(groups(warehouse)) == 2


def test_rows_of_an_earlier_week_and_of_another_price_basis_are_left_out(warehouse: Warehouse, storage: Storage, publish: Publish) -> None:
    """Refused lines keep the instant of last week: their prices say nothing about this one."""
    confirm(warehouse, ["G1", "G2"])
    publish({"G1": {}, "G2": {}}, at=TUESDAY)
    publish({"G1": {}, "G2": {"7": -1, "8": -1, "9": None}})
    run_pass(warehouse, storage)
    found = rows(warehouse, "SELECT left_listed, right_listed, common FROM ops.store_comparison")
    assert [tuple(row.values()) for row in found] == [(40, 37, 37)]


def test_a_member_whose_prices_differ_leaves_and_the_others_are_verified_first(
    warehouse: Warehouse, storage: Storage, publish: Publish, fixed_clock: Callable[[str], None]
) -> None:
    confirm(warehouse, ["G1", "G2", "G3", "G4"])
    publish({name: {} for name in ("G1", "G2", "G3", "G4")})
    run_pass(warehouse, storage)
    assert groups(warehouse) == {"G1": {"G1", "G2", "G3", "G4"}}
    fixed_clock("2026-11-19T00:00:00+00:00")
    publish({"G2": OTHER, "G3": {"5": 1.2}}, at=THURSDAY)
    run_pass(warehouse, storage)
    assert groups(warehouse) == {"G1": {"G1", "G3", "G4"}, "G2": {"G2"}}
    assert causes(warehouse, "G2") == ["new", "merged", "ejected"]
    assert requests(warehouse) == {"G4": "another store left its group: to be verified"}, "G3 was verified by the same pass"
    flagged = rows(warehouse, "SELECT store_id FROM core.store_group_member JOIN core.store USING (store_key) WHERE flagged_at IS NOT NULL")
    assert [row["store_id"] for row in flagged] == ["G4"]
    fixed_clock("2026-11-20T00:00:00+00:00")
    publish({"G4": {}}, at=FRIDAY)
    run_pass(warehouse, storage)
    assert one(warehouse, "SELECT count(*) FROM core.store_group_member WHERE flagged_at IS NOT NULL") == 0
    assert one(warehouse, "SELECT count(*) FROM ops.store_comparison WHERE purpose = 'health' AND NOT is_match") == 1


def test_stores_that_left_one_group_together_find_each_other(
    warehouse: Warehouse, storage: Storage, publish: Publish, fixed_clock: Callable[[str], None]
) -> None:
    """A zone that splits: the cooldown holds no pair of stores that were members of one group."""
    confirm(warehouse, ["G1", "G2", "G3"])
    publish({name: {} for name in ("G1", "G2", "G3")})
    run_pass(warehouse, storage)
    fixed_clock("2026-11-19T00:00:00+00:00")
    publish({"G2": OTHER, "G3": OTHER}, at=THURSDAY)
    run_pass(warehouse, storage)
    assert groups(warehouse) == {"G1": {"G1"}, "G2": {"G2", "G3"}}


def test_an_anchor_without_current_prices_is_requested_and_decides_nothing(
    warehouse: Warehouse, storage: Storage, publish: Publish, fixed_clock: Callable[[str], None]
) -> None:
    confirm(warehouse, ["G1", "G2", "G3"])
    publish({name: {} for name in ("G1", "G2", "G3")})
    run_pass(warehouse, storage)
    fixed_clock("2026-11-21T18:00:00+00:00")  # the anchor's store-day is 72 hours old
    publish({"G2": OTHER}, at="2026-11-21T04:30:00+11:00")
    run_pass(warehouse, storage)
    assert groups(warehouse) == {"G1": {"G1", "G2", "G3"}}
    assert requests(warehouse) == {"G1": "anchor of a store group without current prices"}
    publish({"G1": {}}, at="2026-11-22T04:30:00+11:00")
    run_pass(warehouse, storage)
    assert groups(warehouse) == {"G1": {"G1", "G3"}, "G2": {"G2"}}, "what waited is decided when the anchor is current again"


def test_an_anchor_that_closes_hands_over_to_the_newest_own_prices(
    warehouse: Warehouse, storage: Storage, publish: Publish, fixed_clock: Callable[[str], None]
) -> None:
    confirm(warehouse, ["G1", "G2", "G3"])
    publish({name: {} for name in ("G1", "G2", "G3")})
    run_pass(warehouse, storage)
    fixed_clock("2026-11-19T00:00:00+00:00")
    publish({"G3": {}}, at=THURSDAY)
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.store SET closed_at = '2026-11-19' WHERE store_id = 'G1'")
    run_pass(warehouse, storage)
    assert groups(warehouse) == {"G3": {"G2", "G3"}, "G1": {"G1"}}
    assert (causes(warehouse, "G1")[-1], causes(warehouse, "G3")[-1]) == ("closed", "appointed")
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.store SET closed_at = '2026-11-19' WHERE store_id = 'G2'")
    run_pass(warehouse, storage)
    assert groups(warehouse) == {name: {name} for name in ("G1", "G2", "G3")}


def test_pairs_in_cooldown_are_compared_again_after_seven_days(
    warehouse: Warehouse, storage: Storage, publish: Publish, fixed_clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(warehouse, ["G1", "G2"])
    publish({"G1": {}, "G2": OTHER})
    assert compare(warehouse, storage, "aldi").anchors == 2
    read = maintenance.read_lists
    monkeypatch.setattr(maintenance, "read_lists", lambda *_: pytest.fail("prices were read although every pair is in cooldown"))
    fixed_clock("2026-11-19T00:00:00+00:00")
    publish({"G1": {}, "G2": {}}, at=THURSDAY)
    assert compare(warehouse, storage, "aldi").matches == []
    monkeypatch.setattr(maintenance, "read_lists", read)
    fixed_clock("2026-11-26T00:00:00+00:00")
    publish({"G1": {}, "G2": {}}, at="2026-11-26T04:30:00+11:00")
    run_pass(warehouse, storage)
    assert groups(warehouse) == {"G1": {"G1", "G2"}}


def test_a_comparison_that_no_longer_holds_merges_nothing(
    warehouse: Warehouse, storage: Storage, publish: Publish, fixed_clock: Callable[[str], None]
) -> None:
    confirm(warehouse, ["G1", "G2"])
    publish({"G1": {}, "G2": {}})
    found = compare(warehouse, storage, "aldi")
    assert len(found.matches) == 1
    fixed_clock("2026-11-19T00:00:00+00:00")
    publish({"G2": OTHER}, at=THURSDAY)
    assert merge(warehouse, "aldi", found.matches).joined == 0
    run_pass(warehouse, storage)
    assert len(groups(warehouse)) == 2


STEPS = [
    "found_groups",
    "save_comparisons",
    "separate_stores",
    "save_verifications",
    "flag_members",
    "request_stores",
    "mark_seen",
    "merge_groups",
]


@pytest.mark.parametrize("step", STEPS)
def test_a_pass_killed_anywhere_and_run_again_ends_as_one_that_was_not(
    step: str, warehouse: Warehouse, storage: Storage, publish: Publish,
    fixed_clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The connection dies right after the step's statement; nothing of its transaction is there afterwards."""

    class Killed(BaseException):
        """The process is gone."""

    confirm(warehouse, ["G1", "G2", "G3", "G4", "G5"])
    publish({"G1": {}, "G2": {}, "G3": {}, "G5": OTHER})
    run_pass(warehouse, storage)
    fixed_clock("2026-11-19T00:00:00+00:00")
    publish({"G1": {}, "G2": OTHER, "G4": {}, "G5": {"1": 9.0}}, at=THURSDAY)
    confirm(warehouse, ["G6"])
    run = Connection.run

    def run_and_die(self: object, name: str, values: object = None) -> object:
        done = run(self, name, values)  # type: ignore[arg-type]
        if name.endswith(f"/{step}"):
            raise Killed
        return done

    monkeypatch.setattr(Connection, "run", run_and_die)
    with pytest.raises(Killed):
        run_pass(warehouse, storage)
    monkeypatch.setattr(Connection, "run", run)
    run_pass(warehouse, storage)
    assert groups(warehouse) == {"G1": {"G1", "G3", "G4"}, "G2": {"G2"}, "G5": {"G5"}, "G6": {"G6"}}
    assert requests(warehouse) == {"G3": "another store left its group: to be verified"}
    assert list_unseen(warehouse, -timedelta(minutes=1)) == {}


def test_two_passes_at_once_make_the_groups_of_one(warehouse: Warehouse, storage: Storage, publish: Publish) -> None:
    confirm(warehouse, ["G1", "G2", "G3"])
    publish({"G1": {}, "G2": {}, "G3": OTHER})
    errors: list[BaseException] = []

    def run() -> None:
        try:
            run_pass(warehouse, storage)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == [] and groups(warehouse) == {"G1": {"G1", "G2"}, "G3": {"G3"}}
    assert causes(warehouse, "G2") == ["new", "merged"]


def test_the_database_refuses_a_store_in_two_groups_and_a_group_of_two_anchors(warehouse: Warehouse) -> None:
    confirm(warehouse, ["G1", "G2"])
    check_health(warehouse, "aldi")
    first, second = (one(warehouse, "SELECT store_key FROM core.store WHERE store_id = %s", store_id) for store_id in ("G1", "G2"))
    other = one(warehouse, "SELECT group_id FROM core.store_group_member WHERE store_key = %s", second)
    insert = (
        "INSERT INTO core.store_group_member (store_key, group_id, is_anchor, cause, reason, changed_by, since_at) "
        "VALUES (%s, %s, %s, 'new', 'x', 'ann', '2026-11-18')"
    )
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_group"), warehouse.transaction() as connection:
        connection.execute(insert, (first, other, False))
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.store_group_member SET until_at = '2026-11-18' WHERE store_key = %s", (first,))
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_anchor"), warehouse.transaction() as connection:
        connection.execute(insert, (first, other, True))


def test_what_was_published_without_an_event_is_found(warehouse: Warehouse, storage: Storage, publish: Publish) -> None:
    assert list_unseen(warehouse, timedelta(0)) == {}
    confirm(warehouse, ["G1"])
    publish({"G1": {}})
    ten = timedelta(minutes=10)
    assert list_unseen(warehouse, ten) == {}, "its own event may still come"
    late = {"aldi": datetime(2026, 11, 18, tzinfo=UTC).date()}
    assert list_unseen(warehouse, -ten) == late
    run_pass(warehouse, storage)
    assert list_unseen(warehouse, -ten) == {}
    publish({"G1": OTHER}, at="2026-11-18T06:30:00+11:00")
    assert list_unseen(warehouse, -ten) == late


def test_a_damaged_cooldown_file_costs_comparisons_only(warehouse: Warehouse, storage: Storage, publish: Publish) -> None:
    confirm(warehouse, ["G1", "G2"])
    publish({"G1": {}, "G2": OTHER})
    run_pass(warehouse, storage)
    path = CooldownFile(storage, "aldi", 7).path
    assert path == "groups/cooldown-aldi.json" and storage.exists(path)
    storage.write(path, b"{")
    run_pass(warehouse, storage)
    assert b"G1" in storage.read(path) and len(groups(warehouse)) == 2
