"""Drills: ordinary nights are silent, and every rule of the catalogue fires on its fault and only on it."""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.config import settings
from include.ingestion import pipeline
from include.model.rules import BY_ID, RETAILER_RULES, ROW_RULES
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.checks import nights
from tests.checks.counting import count_broken
from tests.checks.nights import Night, check, failed, forget, held, instant, night_of, stage
from tests.checks.test_row_rules import ABOUT_SEVERAL_LINES, PAIRS
from tests.conftest import Server
from tests.ingestion.store_days import StoreDays, offer
from tests.warehouse.looking import one, rows

RETAILER = "coles"
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (16, 17, 18))


@dataclass(frozen=True)
class Drill:
    """A fault, and what comes of it. ``fault`` changes the lines of a night (first store = ``stores[0]``).

    ``also`` are rules that must fire with it, because the fault is made of their fault; ``manifest`` goes to every store-day.
    """

    fault: Callable[[Night, Sequence[str]], None]
    holds: int
    night: date = TUESDAY
    also: set[str] = field(default_factory=set)
    manifest: dict[str, Any] = field(default_factory=dict)


def product(lines: list[dict[str, Any]], count: int, **values: Any) -> None:
    """Set values of the first ``count`` lines."""
    for line in lines[:count]:
        line["product"] |= values


def largest_category(lines: list[dict[str, Any]]) -> str:
    counted = Counter(str(line["product"]["category_path"][0]) for line in lines)
    return next(name for name, count in counted.most_common() if count < 0.25 * len(lines))


def few_rows(stores: Night, names: Sequence[str]) -> None:
    lines = stores[names[0]]
    kept = random.Random(1).sample(range(len(lines)), int(len(lines) * 0.65))
    stores[names[0]] = [lines[index] for index in sorted(kept)]


def without_category(stores: Night, names: Sequence[str]) -> None:
    lines = stores[names[0]]
    gone = largest_category(lines)
    stores[names[0]] = [line for line in lines if line["product"]["category_path"][0] != gone]


def scaled(stores: Night, names: Sequence[str]) -> None:
    for line in stores[names[0]]:
        for key in ("price_current", "price_was"):
            if line["product"][key] is not None:
                line["product"][key] = round(line["product"][key] * 100, 2)


def damaged(stores: Night, names: Sequence[str]) -> None:
    for line in stores[names[0]][:20]:
        line["product"]["name"] += " CrÃ¨me"


def several_days(stores: Night, names: Sequence[str]) -> None:
    for hours, line in enumerate(stores[names[0]][:60]):  # without a gap, so that no line is a stray one
        line["metadata"] = {"scraped_at": (datetime(2026, 11, 16, 17, 30, tzinfo=UTC) - timedelta(hours=hours)).isoformat()}


def all_times_wrong(stores: Night, names: Sequence[str]) -> None:
    for line in stores[names[0]]:
        line["metadata"] = {"scraped_at": "2026-11-10T04:30:00+00:00"}


def move_prices(lines: list[dict[str, Any]], count: int) -> None:
    """Make ``count`` prices a tenth dearer or cheaper, in turn."""
    priced = [line["product"] for line in lines if line["product"]["price_current"]]
    for number, values in enumerate(random.Random(2).sample(priced, count)):
        price = values["price_current"] * (1.1 if number % 2 else 0.9)
        values |= {"price_current": round(price + 0.01, 2), "price_was": None, "is_on_special": False}


def few_changes_everywhere(stores: Night, names: Sequence[str]) -> None:
    for lines in stores.values():
        move_prices(lines, 4)


def many_changes_everywhere(stores: Night, names: Sequence[str]) -> None:
    for lines in stores.values():
        move_prices(lines, len(lines) * 3 // 10)


def all_dearer(stores: Night, names: Sequence[str]) -> None:
    for line in stores[names[0]]:
        for key in ("price_current", "price_was"):
            if line["product"][key] is not None:
                line["product"][key] = round(line["product"][key] * 1.15, 2)


def renumbered(stores: Night, names: Sequence[str]) -> None:
    for line in stores[names[0]][::5]:
        line["product"]["sku"] = f"n{line['product']['sku']}"


def a_tenth(stores: Night, names: Sequence[str]) -> None:
    for name in names:
        stores[name] = stores[name][::10]


def two_stores_short(stores: Night, names: Sequence[str]) -> None:
    few_rows(stores, names)
    few_rows(stores, names[1:])


DRILLS: dict[str, Drill] = {
    "row_count": Drill(few_rows, 1),
    "quarantined_share": Drill(lambda stores, names: product(stores[names[0]], 40, price_current=-1, price_was=None), 1, also={"price_not_positive"}),
    "category_lost": Drill(without_category, 1),
    "field_fill": Drill(lambda stores, names: product(stores[names[0]], 100, brand=None), 1),
    "barcode_fill": Drill(lambda stores, names: product(stores[names[0]], 1000, barcode=None), 0),
    "unavailable_share": Drill(lambda stores, names: product(stores[names[0]], 150, price_current=None), 1),
    "encoding": Drill(damaged, 1, also={"text_damaged"}),
    "price_scale": Drill(scaled, 1, also={"price_far_from_known"}),
    "store_changes": Drill(lambda stores, names: move_prices(stores[names[0]], 20), 1),
    "price_level": Drill(all_dearer, 1, night=WEDNESDAY, also={"store_changes", "price_drift"}),
    "renumbered": Drill(renumbered, 1),
    "time_span": Drill(several_days, 1),
    "outdated": Drill(all_times_wrong, 1),
    "changes_within_week": Drill(few_changes_everywhere, 4),
    "changes_across_weeks": Drill(many_changes_everywhere, 4, night=WEDNESDAY),
    "line_share": Drill(a_tenth, 4, manifest={"complete": False, "incomplete_reason": "45 of 50 categories not finished: Pantry: no answer"}),
    "stores_held": Drill(two_stores_short, 4, also={"row_count"}),
}  # fmt: skip


def test_every_rule_of_the_catalogue_has_its_drill() -> None:
    assert set(BY_ID) == set(PAIRS) | ABOUT_SEVERAL_LINES | set(DRILLS) | OVER_SEVERAL_NIGHTS


#: Drilled in ``test_store_day_rules.py``.
OVER_SEVERAL_NIGHTS = {"changes_in_week", "price_drift"}


@dataclass
class Series:
    """A warehouse with earlier nights, and a storage folder for the next one."""

    warehouse: Warehouse
    folder: Path

    def ingest_night(self, night: date, stores: Night, **manifest: Any) -> None:
        """Stage and check one night; publish nothing."""
        folder = self.folder / str(len(list(self.folder.iterdir())))
        folder.mkdir()
        storage = Storage(f"file://{folder}")
        stage(storage, RETAILER, night, stores, **manifest)
        check(self.warehouse, storage, RETAILER)


@pytest.fixture(scope="module")
def _series(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Series]:
    patch = pytest.MonkeyPatch()
    patch.setenv("AISLEFLOW_NOW", "2026-11-18T09:00:00+00:00")
    patch.setattr("include.ingestion.checks.suite.count_broken", count_broken)
    name = postgres.take()
    warehouse = Warehouse(postgres.cluster.url(name), settings())
    before = Storage(f"file://{tmp_path_factory.mktemp('before')}")
    for night in (MONDAY - timedelta(days=1), MONDAY):
        stage(before, RETAILER, night, night_of(RETAILER, night))
        assert pipeline.ingest(warehouse, before, RETAILER).checked.held == {}
    yield Series(warehouse, tmp_path_factory.mktemp("drills"))
    warehouse.close()
    postgres.give_back(name)
    patch.undo()


@pytest.fixture
def series(_series: Series) -> Iterator[Series]:
    """The series after its first two nights; the nights of a test are deleted after it."""
    yield _series
    for night in (TUESDAY, WEDNESDAY):
        forget(_series.warehouse, night)


@pytest.mark.parametrize("night", [TUESDAY, WEDNESDAY])
def test_a_night_without_faults_raises_no_finding(series: Series, night: date) -> None:
    series.ingest_night(night, night_of(RETAILER, night))
    assert (failed(series.warehouse, night), held(series.warehouse, night)) == ({}, set())
    evaluated_rules = {
        row["rule_id"]
        for row in rows(
            series.warehouse, "SELECT rule_id FROM ops.quality_result WHERE night = %s AND detail NOT LIKE 'not evaluated%%'", night
        )
    }
    assert evaluated_rules == (set(DRILLS) | OVER_SEVERAL_NIGHTS) - {
        "changes_across_weeks" if night == TUESDAY else "changes_within_week"
    }, "every other rule was evaluated"


@pytest.mark.parametrize("rule_id", DRILLS)
def test_a_rule_fires_on_its_fault_and_only_on_it(series: Series, rule_id: str) -> None:
    drill = DRILLS[rule_id]
    stores = night_of(RETAILER, drill.night)
    drill.fault(stores, sorted(stores))
    series.ingest_night(drill.night, stores, **drill.manifest)

    found = failed(series.warehouse, drill.night)
    assert set(found) == {rule_id} | drill.also
    about_all = {rule.rule_id for rule in RETAILER_RULES}
    assert len(found[rule_id]) == (4 if rule_id in about_all else 1)
    assert len(held(series.warehouse, drill.night)) == drill.holds
    if drill.holds:
        reasons = rows(series.warehouse, "SELECT state_reason FROM ops.staged_file WHERE state = 'held' AND night = %s", drill.night)
        assert all(f"{rule_id}: {BY_ID[rule_id].reason} (" in row["state_reason"] for row in reasons)
        assert all(("all 4 store-days checked together are held" in row["state_reason"]) == (rule_id in about_all) for row in reasons)


def test_one_broken_line_of_each_kind_holds_nothing(series: Series) -> None:
    """The row rules fire on their own lines among thousands of valid ones, and no store-level rule does."""
    stores = night_of(RETAILER, TUESDAY)
    kinds = [rule for rule in PAIRS if rule not in ("not_json", "line_too_long")]  # bytes, and memory: test_row_rules
    for index, rule in enumerate(kinds):
        broken = PAIRS[rule][0][0]
        assert isinstance(broken, dict)
        lines = stores[sorted(stores)[index % 4]]
        lines.append(
            {
                "product": broken["product"] | ({"sku": f"x{index}"} if broken["product"]["sku"] == "1" else {}),
                "metadata": broken["metadata"],
            }
        )
    series.ingest_night(TUESDAY, stores)
    assert set(failed(series.warehouse, TUESDAY)) == set(kinds)
    assert held(series.warehouse, TUESDAY) == set()


def test_a_requested_part_is_not_a_fault(series: Series) -> None:
    stores = night_of(RETAILER, TUESDAY)
    a_tenth(stores, sorted(stores))
    series.ingest_night(TUESDAY, stores, complete=False, is_partial_on_request=True)
    assert (failed(series.warehouse, TUESDAY), held(series.warehouse, TUESDAY)) == ({}, set())


def test_a_released_store_day_is_neither_measured_nor_held_by_newer_rules(series: Series) -> None:
    stores = night_of(RETAILER, TUESDAY)
    few_changes_everywhere(stores, sorted(stores))
    series.ingest_night(TUESDAY, stores)
    with series.warehouse.transaction() as connection:
        connection.execute(
            "UPDATE ops.quality_check SET catalogue_version = 'older'"
        )  # else the earlier result is valid, and nothing is evaluated again
        connection.execute(
            "UPDATE ops.staged_file SET state = 'loaded', decided_by = 'ann', check_version = NULL WHERE night = %s", (TUESDAY,)
        )
    check(series.warehouse, Storage(f"file://{series.folder}"), RETAILER)
    assert (failed(series.warehouse, TUESDAY), held(series.warehouse, TUESDAY)) == ({}, set())


def test_results_name_the_batch_and_its_scope(series: Series) -> None:
    stores = night_of(RETAILER, TUESDAY)
    few_changes_everywhere(stores, sorted(stores))
    series.ingest_night(TUESDAY, stores)
    found = rows(
        series.warehouse,
        "SELECT DISTINCT scope, severity, is_holding, check_id, checked_at FROM ops.quality_result WHERE rule_id = 'changes_within_week' AND night = %s",
        TUESDAY,
    )
    assert len(found) == 1 and (found[0]["scope"], found[0]["severity"], found[0]["is_holding"]) == ("retailer", "critical", True)
    (kept,) = rows(series.warehouse, "SELECT * FROM ops.quality_check WHERE check_id = %s", found[0]["check_id"])
    assert (kept["files"], kept["held"], kept["nights"], set(kept["broken"])) == (4, 4, [TUESDAY], {rule.rule_id for rule in ROW_RULES})


@pytest.mark.parametrize("retailer", ["coles", "aldi"])
def test_ten_ordinary_nights_and_two_wednesdays_are_silent(
    retailer: str, strict_warehouse: Warehouse, tmp_path: Path, fixed_clock: Callable[[str], None]
) -> None:
    for number in range(12):
        night = date(2026, 11, 9) + timedelta(days=number)
        fixed_clock(f"{night}T02:00:00+00:00")
        storage = Storage(f"file://{tmp_path / str(number)}")
        stage(storage, retailer, night, night_of(retailer, night))
        assert pipeline.ingest(strict_warehouse, storage, retailer).checked.held == {}
    assert one(strict_warehouse, "SELECT sum(quarantined) FROM ops.staged_file") == 0
    wednesdays = {
        row["night"]
        for row in rows(
            strict_warehouse,
            "SELECT night FROM ops.quality_result WHERE rule_id = 'changes_across_weeks' AND detail NOT LIKE 'not evaluated%%'",
        )
    }
    assert wednesdays == {date(2026, 11, 11), date(2026, 11, 18)}


def recorded(shared: Path, on: str) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of one recorded snapshot by retailer; a SKU found by several search terms is returned once."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with gzip.open(shared / "series" / f"melvindy_prices_{on}.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            price, was = float(row["price"] or 0) or None, float(row["was_price"] or 0) or None
            is_on_special = row["is_on_special"] == "True" and was is not None and price is not None and was > price
            found.setdefault(row["retailer"], {})[row["product_id"]] = offer(
                row["product_id"], price, name=row["name"], brand=row["brand"] or None, size=row["size_raw"] or None,
                price_was=was, is_on_special=is_on_special, category_path=[row["category"]],
            )  # fmt: skip
    return {retailer: list(lines.values()) for retailer, lines in found.items()}


@pytest.mark.parametrize(("shift", "is_held"), [(0, False), (1, True)])
def test_a_real_wednesday_is_silent_and_the_same_prices_on_a_thursday_are_not(
    shared: Path, strict_warehouse: Warehouse, storage: Storage, fixed_clock: Callable[[str], None], shift: int, is_held: bool
) -> None:
    for on in ("2026-08-18", "2026-08-19"):
        night = date.fromisoformat(on) + timedelta(days=shift)
        fixed_clock(f"{night}T02:00:00+00:00")
        for retailer, lines in recorded(shared, on).items():
            StoreDays(storage)(retailer, "1", instant(night), list(lines), night=night)
            held_now = pipeline.ingest(strict_warehouse, storage, retailer).checked.held
            assert bool(held_now) == (is_held and on == "2026-08-19"), held_now
    rule = "store_changes" if is_held else "changes_across_weeks"
    found = rows(
        strict_warehouse, "SELECT retailer, checked, detail FROM ops.quality_result WHERE rule_id = %s AND night = %s", rule, night
    )
    assert len(found) == 2 and all(row["checked"] > 300 and "at most" in row["detail"] for row in found), found


def test_nights_have_the_expected_changes() -> None:
    assert len(night_of(RETAILER, TUESDAY)) == len(nights.STATES) == 4 and sum(map(len, night_of(RETAILER, TUESDAY).values())) > 1500
