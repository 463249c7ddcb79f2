"""Store-day rules hold a store-day that is not what it seems, and are silent on an ordinary one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.errors import NeedsPersonError
from include.ingestion import deciding, pipeline
from include.ingestion.retract import retract
from include.ledger.open_questions import raise_if_undecided
from include.model.rules import RETAILER_RULES, STORE_DAY_RULES
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, Line, StoreDays, offer, offers
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
    specials = [*offers(50, price=2.0), *offers(50, price=0.5, start=51), *offers(100, start=101)]
    assert held(WEDNESDAY, specials) is None, "half of the prices may move on a Wednesday, up and down"
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


def test_few_prices_far_from_the_known_ones_are_refused_and_hold_nothing(
    held: Callable[..., str | None], strict_warehouse: Warehouse, storage: Storage
) -> None:
    assert held(MONDAY, offers(100, price=5.0)) is None
    assert held(TUESDAY, [*offers(10, price=500.0), *offers(90, price=5.0, start=11)]) is None
    assert set(cents(strict_warehouse).values()) == {500} and len(cents(strict_warehouse)) == 100, "the last known prices stay"
    refused = rows(strict_warehouse, "SELECT DISTINCT reasons FROM ops.quarantined_offer")
    assert refused == [{"reasons": ["price_far_from_known"]}]


def test_a_recheck_does_not_publish_what_is_still_too_far(
    held: Callable[..., str | None], strict_warehouse: Warehouse, storage: Storage
) -> None:
    assert held(MONDAY, offers(100, price=5.0)) is None
    assert held(TUESDAY, [offer("1", 500.0), *offers(99, price=5.0, start=2)]) is None
    deciding.recheck(strict_warehouse, storage, "ann")
    assert set(cents(strict_warehouse).values()) == {500}


@pytest.mark.parametrize(("price", "is_refused"), [(20.0, False), (20.01, True), (1.25, False), (1.24, True)])
def test_the_bound_of_a_change_of_price(
    held: Callable[..., str | None], strict_warehouse: Warehouse, price: float, is_refused: bool
) -> None:
    assert held(MONDAY, offers(100, price=5.0)) is None
    assert held(TUESDAY, [offer("1", price), *offers(99, price=5.0, start=2)]) is None
    assert (cents(strict_warehouse)["1"] == 500) == is_refused


def test_a_new_store_is_judged_by_the_others_that_know_its_goods(
    strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays
) -> None:
    for number in range(5):
        store_day(store_id=f"G{number}", at=MONDAY, lines=offers(100, price=5.0))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    for number in range(5):
        store_day(store_id=f"G{number}", at=TUESDAY, lines=offers(100, price=5.0))
    store_day(store_id="G8", at=TUESDAY, lines=offers(100, price=500.0))
    store_day(store_id="G9", at=TUESDAY, lines=offers(100, price=7.0))
    store_day(store_id="G7", at=TUESDAY, lines=[*offers(50, price=5.2), *offers(50, price=4.9, start=51)])
    found = " ".join(pipeline.ingest(strict_warehouse, storage, "aldi").checked.held.values())
    assert "G8 of" in found and "price_scale" in found and "G9 of" in found and "price_level" in found and "G7 of" not in found
    assert len(cents(strict_warehouse, "G7")) == 100


def test_a_retracted_price_is_compared_with_nothing(held: Callable[..., str | None], strict_warehouse: Warehouse, storage: Storage) -> None:
    assert held(MONDAY, offers(100, price=500.0)) is None, "the store's first store-day"
    retract(strict_warehouse, storage, "aldi", "G1", one(strict_warehouse, "SELECT max(file_id) FROM ops.staged_file"), "ann", "cents")
    assert held(TUESDAY, offers(100, price=5.0)) is None and set(cents(strict_warehouse).values()) == {500}


def test_a_store_whose_prices_changed_inside_a_week_is_held(held: Callable[..., str | None]) -> None:
    def shelf(changed: int) -> list[Line]:
        return [offer(str(n), 1.1 if n < changed else 1.0) for n in range(1000)]

    assert held(SUNDAY, shelf(0)) is None
    assert held(MONDAY, shelf(10)) is None
    assert "store_changes" in (held(TUESDAY, shelf(21)) or "")


def test_a_few_wrong_prices_a_night_are_held_before_the_week_is_over(held: Callable[..., str | None]) -> None:
    nights = [f"2026-11-{day}T04:30:00+11:00" for day in (11, 12, 13, 14, 15, 16, 17)]
    reasons = [held(at, [offer(str(n), 1.1 if n < 9 * number else 1.0) for n in range(1000)]) for number, at in enumerate(nights)]
    assert [reason is None for reason in reasons] == [True] * 6 + [False] and "changes_in_week" in (reasons[-1] or "")


def test_a_category_that_becomes_dearer_step_by_step_is_held(held: Callable[..., str | None], fixed_clock: Callable[[str], None]) -> None:
    """A tenth dearer every Wednesday: each night passes, the sum does not."""
    fixed_clock("2026-12-24T09:00:00+00:00")
    found = []
    for week in range(5):
        at = datetime(2026, 11, 17, 17, 30, tzinfo=UTC) + timedelta(days=7 * week)
        dear = offers(60, price=round(10 * 1.11**week, 2), category_path=["Dairy"])
        found.append(held(at.isoformat(), [*dear, *offers(540, start=100)]))
    assert found[:4] == [None] * 4 and "price_drift" in (found[4] or "") and "category Dairy" in (found[4] or "")


def test_a_category_that_shrinks_night_by_night_is_held(held: Callable[..., str | None]) -> None:
    nights = [(at, count) for at, count in zip((SATURDAY, SUNDAY, MONDAY), (40, 20, 8), strict=True)]
    found = [held(at, [*offers(400), *offers(count, start=500, category_path=["Dairy"])]) for at, count in nights]
    assert found[:2] == [None, None] and "Dairy (8 of 40 rows left)" in (found[2] or "")


def test_a_first_complete_store_day_is_compared_with_incomplete_ones(held: Callable[..., str | None]) -> None:
    assert held(MONDAY, offers(400), complete=False) is None
    assert "row_count" in (held(TUESDAY, offers(125)) or "")


def test_renumbered_skus_are_held_with_the_likely_pairs(held: Callable[..., str | None]) -> None:
    assert held(MONDAY, [offer(str(n), round(1 + n / 100, 2), name=f"Good {n}") for n in range(100)]) is None
    renumbered = [offer(f"N{n}" if n < 30 else str(n), round(1 + n / 100, 2), name=f"Good {n}") for n in range(100)]
    reason = held(TUESDAY, renumbered) or ""
    assert "renumbered" in reason and "30 of 100 SKUs are new in the store and 30 of 100 are gone" in reason
    assert "30 of them have name, size and price of a vanished one (0 → N0" in reason


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
