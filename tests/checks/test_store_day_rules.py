"""Store-day rules hold a store-day that is not what it seems, and are silent on an ordinary one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.errors import NeedsPersonError
from include.ingestion import pipeline
from include.ledger.open_questions import raise_if_undecided
from include.model.rules import RETAILER_RULES, STORE_DAY_RULES
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, offer, offers
from tests.warehouse.looking import cents, one, rows

SATURDAY, SUNDAY, MONDAY = (f"2026-11-{day}T04:30:00+11:00" for day in (14, 15, 16))


@pytest.fixture
def held(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> Callable[..., str | None]:
    """Ingest one store-day under the delivered thresholds; return why it was held, or None."""

    def run(at: str, lines: Any, **more: Any) -> str | None:
        store_day(at=at, lines=lines, **more)
        reasons = pipeline.ingest(strict_warehouse, storage, "aldi").checked.held.values()
        return next(iter(reasons), None)

    return run


def test_an_ordinary_week_is_not_held(held: Callable[..., str | None], strict_warehouse: Warehouse) -> None:
    assert held(MONDAY, offers(200)) is None
    assert held(TUESDAY, [*offers(190), *offers(10, start=900)]) is None
    assert held(WEDNESDAY, offers(200, price=2.0)) is None, "prices may all move on a Wednesday"
    assert one(strict_warehouse, "SELECT count(*) FROM ops.data_quality_result WHERE NOT is_passed") == 0
    assert one(strict_warehouse, "SELECT count(DISTINCT rule_id) FROM ops.data_quality_result") == len(STORE_DAY_RULES) + len(
        RETAILER_RULES
    ), "passed rules are kept, too"


def test_far_fewer_rows_are_held(held: Callable[..., str | None]) -> None:
    for at in (SUNDAY, MONDAY):
        assert held(at, offers(100)) is None
    assert held(TUESDAY, offers(70)) is None
    assert "row_count" in (held(WEDNESDAY, offers(69)) or "")


def test_an_incomplete_store_day_may_be_small(held: Callable[..., str | None]) -> None:
    assert held(TUESDAY, offers(100)) is None
    assert held(WEDNESDAY, offers(10), complete=False) is None


def test_one_large_night_does_not_hold_the_next(held: Callable[..., str | None]) -> None:
    for at, count in ((SATURDAY, 100), (SUNDAY, 100), (MONDAY, 300), (TUESDAY, 100)):
        assert held(at, offers(count)) is None
    assert held(WEDNESDAY, offers(80)) is None, "the median of the last ones counts"


def test_too_many_refused_lines_are_held(held: Callable[..., str | None]) -> None:
    bad = [offer(f"b{number}", -1) for number in range(5)]
    assert held(TUESDAY, [*offers(95), *bad]) is None
    assert "quarantined_share" in (held(WEDNESDAY, [*offers(94), *bad, offer("b9", -1)]) or "")


def test_a_file_with_future_times_is_held(held: Callable[..., str | None], strict_warehouse: Warehouse) -> None:
    assert "quarantined_share" in (held("2026-11-30T04:00:00+11:00", offers(10)) or "") and cents(strict_warehouse) == {}


def test_a_lost_category_is_held(held: Callable[..., str | None]) -> None:
    tea, frozen, rare = offers(90), offers(6, start=200, category_path=["Frozen", "Peas"]), offers(4, start=300, category_path=["Flowers"])
    assert held(MONDAY, [*tea, *frozen, *rare]) is None
    assert held(TUESDAY, [*tea, *frozen]) is None, "a category under five percent may go"
    reason = held(WEDNESDAY, tea)
    assert reason is not None and "category_lost" in reason and "Frozen (0 of 6 rows left)" in reason


def test_a_category_of_which_a_few_lines_are_left_is_lost_too(held: Callable[..., str | None]) -> None:
    tea, frozen = offers(90), offers(20, start=200, category_path=["Frozen", "Peas"])
    assert held(MONDAY, [*tea, *frozen]) is None
    assert held(TUESDAY, [*tea, *frozen[:6]]) is None, "a category may shrink"
    assert "Frozen (1 of 6 rows left)" in (held(WEDNESDAY, [*tea, *frozen[:1]]) or "")


def test_under_one_trunk_the_second_level_counts(held: Callable[..., str | None]) -> None:
    tea, frozen = offers(90, category_path=["Grocery", "Tea"]), offers(10, start=200, category_path=["Grocery", "Frozen", "Peas"])
    assert held(TUESDAY, [*tea, *frozen]) is None
    assert "Grocery > Frozen (0 of 10 rows left)" in (held(WEDNESDAY, tea) or "")


def test_without_a_trunk_the_second_level_may_be_sorted_anew(held: Callable[..., str | None]) -> None:
    tea, peas = offers(50, category_path=["Pantry", "Tea"]), offers(50, start=200, category_path=["Frozen", "Peas"])
    assert held(TUESDAY, [*tea, *peas]) is None
    assert held(WEDNESDAY, [*offers(50, category_path=["Pantry", "Drinks"]), *peas]) is None


@pytest.mark.parametrize("factor", [100, 0.01])
def test_a_scale_shift_is_held(held: Callable[..., str | None], factor: float) -> None:
    assert held(TUESDAY, offers(100, price=5.0)) is None
    changes = [*offers(31, price=5.0 * factor), *offers(69, price=5.0, start=32)]
    assert "price_scale" in (held(WEDNESDAY, changes) or "")


def test_a_scale_shift_is_held_when_both_nights_are_in_one_batch(
    strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays
) -> None:
    store_day(at=TUESDAY, lines=offers(100, price=5.0))
    store_day(at=WEDNESDAY, lines=[*offers(31, price=500.0), *offers(69, price=5.0, start=32)])
    counts = pipeline.ingest(strict_warehouse, storage, "aldi")
    (reason,) = counts.checked.held.values()
    assert "price_scale" in reason and "31 of 100 known prices" in reason and set(cents(strict_warehouse).values()) == {500}


def test_few_scale_shifts_do_not_hold(held: Callable[..., str | None]) -> None:
    assert held(TUESDAY, offers(100, price=5.0)) is None
    assert held(WEDNESDAY, [*offers(30, price=500.0), *offers(70, price=5.0, start=31)]) is None
    assert held("2026-11-18T05:00:00+11:00", [*offers(30, price=5.0), *offers(70, price=5.0, start=31)]) is None


def test_a_held_store_day_waits_in_the_outbox_and_others_are_published(
    held: Callable[..., str | None], strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays
) -> None:
    assert held(TUESDAY, offers(100)) is None
    store_day(store_id="G2", lines=offers(50))
    reason = held(WEDNESDAY, offers(10))
    assert reason is not None and reason.startswith("aldi G1 of 2026-11-18: row_count: a store-day marked complete has far fewer SKUs")
    assert "10 SKUs, the median of its last 1 complete store-days is 100" in reason
    assert len(cents(strict_warehouse)) == 100 and len(cents(strict_warehouse, "G2")) == 50
    assert len(list(storage.manifests(Stage.OUTBOX))) == 1
    with pytest.raises(
        NeedsPersonError,
        match=r"1 store-day\(s\) of 2026-11-18 held and 0 file\(s\) refused(?s:.*)aldi G1, 10 lines, held: row_count(?s:.*)aisleflow quarantine release",
    ):
        raise_if_undecided(strict_warehouse, ["aldi"], "2026-11-18")
    raise_if_undecided(strict_warehouse, ["aldi"], "2026-11-17")
    assert pipeline.ingest(strict_warehouse, storage, "aldi").published.store_days == 0, "a second run does not let it through"
    assert [row["state"] for row in rows(strict_warehouse, "SELECT state FROM ops.staged_file ORDER BY state")] == [
        "held",
        "published",
        "published",
    ]


def test_a_released_store_day_is_published(held: Callable[..., str | None], strict_warehouse: Warehouse, storage: Storage) -> None:
    held(TUESDAY, offers(100))
    assert held(WEDNESDAY, offers(10)) is not None
    with strict_warehouse.transaction() as connection:
        connection.execute(
            "UPDATE ops.staged_file SET state = 'loaded', state_reason = NULL, check_version = NULL, decided_by = 'Kim' WHERE state = 'held'"
        )
        connection.execute("TRUNCATE staging.offer, staging.loaded_file")
    assert pipeline.ingest(strict_warehouse, storage, "aldi").published.delisted == 90
    assert len(cents(strict_warehouse)) == 10


def test_a_held_store_day_is_not_a_baseline(held: Callable[..., str | None]) -> None:
    assert held(MONDAY, offers(100)) is None
    assert held(TUESDAY, offers(10)) is not None
    assert "the median of its last 1 complete store-days is 100" in (held(WEDNESDAY, offers(10)) or "")
