"""What members of a group show: their anchor's prices, marked, unless they know better themselves; and that incremental readers get every change."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pyarrow import parquet

from include import clock
from include.clock import STATE_ZONES
from include.diagnostics.coverage import summarise_coverage
from include.groups import changes, hand
from include.groups.maintenance import check_health, compare, merge
from include.ingestion.retract import retract
from include.readers.export import export_prices
from include.readers.search import search_prices
from include.staging.storage import Storage
from include.warehouse import price_changes
from include.warehouse.engine import Warehouse
from tests.groups.conftest import Publish, confirm
from tests.groups.served import SHOWN, expected
from tests.sampling import sampled
from tests.warehouse.looking import one, prices, rows

Clock = Callable[[str], None]
THURSDAY, FRIDAY, SATURDAY = (f"2026-11-{day}T04:30:00+11:00" for day in (19, 20, 21))
#: Prices of a store in which nearly every second product costs something else.
OTHER = {str(number): 2.0 for number in range(1, 20)}


def run_pass(warehouse: Warehouse, storage: Storage) -> None:
    """Run one whole pass of maintenance."""
    check_health(warehouse, "aldi")
    merge(warehouse, "aldi", compare(warehouse, storage, "aldi").matches)


@pytest.fixture
def grouped(warehouse: Warehouse, storage: Storage, publish: Publish, fixed_clock: Clock) -> Warehouse:
    """G1 is the anchor of G2 and G3 since Wednesday; on Thursday only G1 was crawled."""
    confirm(warehouse, ["G1", "G2", "G3"])
    publish({"G1": {}, "G2": {"7": 1.5, "8": None}, "G3": {}})
    run_pass(warehouse, storage)
    fixed_clock("2026-11-19T00:00:00+00:00")
    publish({"G1": {"9": 1.1}}, at=THURSDAY)
    return warehouse


def shown(warehouse: Warehouse, store_id: str, sku: str, *names: str) -> tuple[Any, ...]:
    return tuple(prices(warehouse, store_id)[sku][name] for name in names)


def test_a_member_shows_its_anchors_prices_with_their_age(grouped: Warehouse) -> None:
    names = ("price_cents", "source", "anchor_store_id", "is_current", "is_confirmed")
    assert shown(grouped, "G3", "1", *names) == (100, "inferred", "G1", True, True)
    assert shown(grouped, "G3", "9", *names) == (110, "inferred", "G1", True, True)
    assert shown(grouped, "G3", "9", "observed_at") == (clock.parse_instant(THURSDAY, "x"),)
    assert shown(grouped, "G1", "9", *names) == (110, "observed", "G1", True, True)
    assert (
        one(grouped, "SELECT count(*) FROM core.price JOIN core.store USING (store_key) WHERE store_id = 'G3' AND price_cents = 100") == 40
    ), "its own prices stay"
    products = rows(grouped, "SELECT store_id, price_cents, is_current FROM core.product_price WHERE sku = '9' ORDER BY store_id")
    assert [tuple(row.values()) for row in products] == [("G1", 110, True), ("G2", 110, True), ("G3", 110, True)]


def test_what_a_member_saw_to_differ_is_served_until_the_anchors_price_changes(
    grouped: Warehouse, publish: Publish, fixed_clock: Clock
) -> None:
    assert shown(grouped, "G2", "7", "price_cents", "source", "anchor_store_id") == (150, "observed", "G2")
    assert shown(grouped, "G2", "8", "is_listed", "source") == (False, "inferred"), "never had a price there"
    fixed_clock("2026-11-20T00:00:00+00:00")
    publish({"G1": {"7": 1.7, "9": 1.1}}, at=FRIDAY)
    assert shown(grouped, "G2", "7", "price_cents", "source", "anchor_store_id") == (170, "inferred", "G1")


def test_a_difference_seen_earlier_in_the_same_night_is_served(warehouse: Warehouse, storage: Storage, publish: Publish) -> None:
    """The anchor is crawled after its member: that it is the newer does not make the member's price a wrong one."""
    confirm(warehouse, ["G1", "G2"])
    publish({"G2": {"7": 1.5, "8": None}}, at="2026-11-18T04:10:00+11:00")
    publish({"G1": {}}, at="2026-11-18T04:50:00+11:00")
    run_pass(warehouse, storage)
    assert shown(warehouse, "G2", "7", "price_cents", "source") == (150, "observed")
    assert shown(warehouse, "G2", "8", "is_listed", "source") == (False, "inferred")
    assert shown(warehouse, "G2", "9", "price_cents", "source") == (100, "inferred")


def test_the_newer_observation_counts(grouped: Warehouse, publish: Publish, fixed_clock: Clock) -> None:
    fixed_clock("2026-11-19T03:00:00+00:00")
    publish({"G3": {"9": 1.3}}, at="2026-11-19T09:30:00+11:00")
    assert shown(grouped, "G3", "9", "price_cents", "source") == (130, "observed")
    fixed_clock("2026-11-20T00:00:00+00:00")
    publish({"G1": {"9": 1.1}}, at=FRIDAY)
    assert shown(grouped, "G3", "9", "price_cents", "source") == (130, "observed"), "differs, and the anchor's did not change since"
    assert shown(grouped, "G3", "1", "price_cents", "source") == (100, "inferred")


def test_nothing_current_is_inferred_from_a_stale_anchor(grouped: Warehouse, fixed_clock: Clock) -> None:
    def current() -> int:
        return int(one(grouped, "SELECT count(*) FROM core.store_price WHERE source = 'inferred' AND is_current"))

    assert current() > 70
    fixed_clock("2026-11-22T00:00:00+00:00")
    assert current() == 0, "72 hours"
    fixed_clock("2026-11-24T13:30:00+00:00")
    grouped.settings = grouped.settings.model_copy(update={"current_hours": 24 * 30})
    assert current() == 0, "another price week"
    assert shown(grouped, "G3", "9", "price_cents", "is_listed") == (110, True), "the row stays"


def test_a_store_that_was_never_crawled_and_is_alone_has_no_prices(grouped: Warehouse, storage: Storage) -> None:
    confirm(grouped, ["G4"])
    run_pass(grouped, storage)
    assert prices(grouped, "G4") == {}


def test_who_leaves_a_group_shows_its_own_prices_and_what_ended(grouped: Warehouse, storage: Storage, fixed_clock: Clock) -> None:
    fixed_clock("2026-11-19T05:00:00+00:00")
    before = prices(grouped, "G2")["8"]
    hand.split_store(grouped, "aldi", "G2", "ann", "a market of its own")
    assert shown(grouped, "G2", "9", "price_cents", "source", "changed_at") == (100, "observed", clock.now())
    ended = prices(grouped, "G2")["8"]
    assert before["price_cents"] == 100 and ended["price_cents"] is None
    assert (ended["source"], ended["is_listed"], ended["delisted_at"], ended["changed_at"]) == ("inferred", False, clock.now(), clock.now())


def test_after_an_ejection_the_other_members_are_marked_until_they_are_verified(
    grouped: Warehouse, storage: Storage, publish: Publish, fixed_clock: Clock
) -> None:
    fixed_clock("2026-11-20T00:00:00+00:00")
    publish({"G1": {"9": 1.1}, "G2": OTHER}, at=FRIDAY)
    run_pass(grouped, storage)
    assert shown(grouped, "G3", "1", "source", "is_confirmed", "changed_at") == ("inferred", False, clock.now())
    fixed_clock("2026-11-21T00:00:00+00:00")
    publish({"G1": {"9": 1.1}, "G3": {"9": 1.1}}, at=SATURDAY)
    run_pass(grouped, storage)
    assert one(grouped, "SELECT count(*) FROM core.store_price WHERE NOT is_confirmed") == 0


def test_of_each_store_the_newest_change_stays(grouped: Warehouse) -> None:
    newest = rows(
        grouped, "SELECT store_key, max(changed_at) AS changed_at FROM core.inference_change GROUP BY store_key ORDER BY store_key"
    )
    with grouped.transaction() as connection:
        connection.execute("INSERT INTO core.inference_change SELECT store_key, changed_at - interval '1 day' FROM core.inference_change")
    assert changes.prune(grouped) > 0
    assert rows(grouped, "SELECT store_key, changed_at FROM core.inference_change ORDER BY store_key") == newest
    assert changes.prune(grouped) == 0


def test_a_search_and_the_coverage_count_inferred_prices(grouped: Warehouse) -> None:
    [product] = search_prices(grouped, "thing 9")["products"]
    [price] = product["prices"]
    assert (price["price_cents_min"], price["price_cents_max"], price["stores"], price["stores_inferred"], price["is_current"]) == (
        110,
        110,
        3,
        2,
        True,
    )
    assert [(row["night"].isoformat(), row["stores"], row["stores_inferred"]) for row in summarise_coverage(grouped)] == [
        ("2026-11-19", 1, 2),
        ("2026-11-18", 3, 0),
    ]


def test_a_change_of_groups_waits_for_an_export_that_begins(grouped: Warehouse, storage: Storage) -> None:
    """Every transaction that changes what members show holds the lock that exports wait for: a trigger looks."""
    key = one(grouped, "SELECT hashtextextended(%s, 0)", f"aisleflow:{price_changes._NAME}")
    with grouped.transaction() as connection:
        connection.execute(
            "CREATE FUNCTION core.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NOT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND mode = 'ShareLock' AND ((classid::bigint << 32) | objid::bigint) = {key}) "
            "THEN RAISE EXCEPTION 'not announced'; END IF; RETURN NULL; END $$"
        )
        connection.execute("CREATE TRIGGER look AFTER INSERT ON core.inference_change FOR EACH ROW EXECUTE FUNCTION core.look()")
    try:
        hand.pin_store(grouped, "aldi", "G2", "ann", "a test")
        hand.split_store(grouped, "aldi", "G3", "ann", "a test")
        hand.reset(grouped, storage, "aldi", "ann", "a test")
        run_pass(grouped, storage)
        with grouped.transaction() as connection, pytest.raises(psycopg.errors.RaiseException, match="not announced"):
            connection.execute("INSERT INTO core.inference_change SELECT store_key, '2026-11-01' FROM core.store")
    finally:
        with grouped.transaction() as connection:
            connection.execute("DROP TRIGGER look ON core.inference_change")
            connection.execute("DROP FUNCTION core.look")


def test_a_price_week_begins_in_sql_as_in_python(warehouse: Warehouse) -> None:
    chosen, start = random.Random(1), datetime(2026, 3, 20, tzinfo=UTC)
    for _ in range(200):
        at, state = start + timedelta(minutes=chosen.randrange(400_000)), chosen.choice([*STATE_ZONES, "", None, " qld"])
        assert one(warehouse, "SELECT core.price_week_start(%s, %s)", at, state) == clock.price_week_start(at, state), (at, state)


# -- random histories ------------------------------------------------------------------------------------------------------


class Follower:
    """A reader that keeps a copy by incremental exports, beside the plain model of what it should see."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse, self._target = warehouse, folder / "prices.parquet"
        self._copy: dict[tuple[str, str], dict[str, Any]] = {}
        self._cursor: str | None = None

    def check(self, step: str) -> None:
        """Compare the views with the model, and the copy with the view: only the age of a price may differ there."""
        view = {(row["store_id"], row["sku"]): row for row in rows(self.warehouse, "SELECT * FROM core.store_price")}
        model = expected(self.warehouse, "aldi")
        for key, row in model.items():
            assert {name: view[key][name] for name in SHOWN} == row, f"{key} after {step}"
        ended = [view[key] for key in view.keys() - model.keys()]
        assert all(row["source"] == "inferred" and not row["is_listed"] and row["price_cents"] is None for row in ended), step
        done = export_prices(self.warehouse, str(self._target), since=self._cursor)
        self._copy |= {(row["store_id"], row["sku"]): row for row in parquet.read_table(self._target).to_pylist()}
        self._cursor = done.cursor.isoformat()
        ages = ("observed_at", "is_current")
        assert view.keys() == self._copy.keys(), f"{view.keys() ^ self._copy.keys()} after {step}"
        for key, row in view.items():
            behind = {name: (row[name], self._copy[key][name]) for name in row if name not in ages and row[name] != self._copy[key][name]}
            assert not behind, f"{key} after {step}: {behind}"


@pytest.mark.parametrize("seed", sampled(range(30), 3))
def test_any_history_shows_what_the_plain_model_says_and_no_change_is_lost(
    warehouse: Warehouse, storage: Storage, publish: Publish, fixed_clock: Clock, tmp_path: Path, seed: int
) -> None:
    drawn = random.Random(seed)
    names = ["G1", "G2", "G3", "G4"]
    confirm(warehouse, names)
    follower = Follower(warehouse, tmp_path)
    now = datetime(2026, 11, 17, 20, tzinfo=UTC)
    zone: dict[str, float | None] = {}
    for step in range(14):
        now += timedelta(hours=drawn.choice([3, 9, 22, 50]))
        fixed_clock(now.isoformat())
        verbs: list[Callable[[], object]] = [
            *[partial(_crawl, publish, drawn, names, zone, now)] * 5,
            *[partial(run_pass, warehouse, storage)] * 4,
            partial(hand.split_store, warehouse, "aldi", drawn.choice(names), "ann", "a test"),
            partial(hand.reset, warehouse, storage, "aldi", "ann", "a test"),
            partial(_retract_newest, warehouse, storage),
        ]
        verb = verbs[0] if step == 0 else drawn.choice(verbs)
        verb()
        if step % 3 == 0:
            changes.prune(warehouse)  # no reader notices
        follower.check(f"step {step} of seed {seed}: {getattr(verb, 'func', verb).__name__}")
    if seed < 3:
        assert one(warehouse, "SELECT count(*) FROM core.store_group_member WHERE cause = 'merged'") > 0


def _crawl(publish: Publish, drawn: random.Random, names: list[str], zone: dict[str, float | None], now: datetime) -> None:
    """Crawl some stores, complete or not: the zone's prices move now and then, a store has some of its own and lacks some lines."""
    for _ in range(drawn.randrange(4)):
        zone[str(drawn.randrange(1, 41))] = drawn.choice([1.2, 1.3, 1.4])
    for name in drawn.sample(names, drawn.randrange(1, 5)):
        own = {str(drawn.randrange(1, 41)): drawn.choice([1.0, 1.9, None]) for _ in range(drawn.randrange(3))}
        at = now - timedelta(minutes=drawn.randrange(10, 170))
        publish({name: zone | own}, at=at.isoformat(), complete=drawn.random() < 0.8)


def _retract_newest(warehouse: Warehouse, storage: Storage) -> None:
    found = rows(warehouse, "SELECT store_id, file_id FROM ops.staged_file WHERE state = 'published' ORDER BY file_id DESC LIMIT 1")
    for row in found:
        retract(warehouse, storage, "aldi", row["store_id"], row["file_id"], "ann", "a test")
