"""A value of a price on its way: line, staging, merge, retraction, view, export. A step that was forgotten is named."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.ingestion import copying, pipeline
from include.ingestion.retract import retract
from include.readers import export
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, offer
from tests.warehouse.looking import CONTENTS, prices, rows


@dataclass(frozen=True)
class Change:
    """Two lines that differ in one value, and the value's two forms in the warehouse."""

    before: dict[str, Any]
    becomes: Any
    after: dict[str, Any]
    becomes_then: Any


#: Every column of ``core.price`` that a line gives. A new one is added here first; the tests below then name the missing steps.
VALUES = {
    "price_cents": Change({"price": 5}, 500, {"price": 4}, 400),
    "was_price_cents": Change({"price": 5, "price_was": 7}, 700, {"price": 5, "price_was": 6}, 600),
    "unit_price": Change({"per_unit_price_string": "$1.00 per 1kg"}, Decimal(1), {"per_unit_price_string": "$2.00 per 1kg"}, Decimal(2)),
    "unit_of_measure": Change({"per_unit_price_string": "$1.00 per 1kg"}, "kg", {"per_unit_price_string": "$1.00 per 1L"}, "L"),
    "price_basis": Change(
        {"price_basis": "each", "per_unit_price_string": "$1.00 per 1kg"},
        "each",
        {"price_basis": "kg", "per_unit_price_string": "$1.00 per 1kg"},
        "kg",
    ),
    "multi_buy_quantity": Change({"multi_buy_quantity": 2, "multi_buy_price": 9}, 2, {"multi_buy_quantity": 3, "multi_buy_price": 9}, 3),
    "multi_buy_cents": Change({"multi_buy_quantity": 2, "multi_buy_price": 9}, 900, {"multi_buy_quantity": 2, "multi_buy_price": 8.5}, 850),
    "is_on_special": Change({"is_on_special": False}, False, {"is_on_special": True}, True),
}

#: Columns that the warehouse fills, each with its own tests (test_publish, test_retract).
FILLED_BY_THE_WAREHOUSE = {
    "store_key", "sku_key", "is_available", "is_listed", "uses_store_watermark", "delisted_at", "retracted_at", "observed_at", "changed_at", "file_id", "price_file_id",
}  # fmt: skip

#: Columns of ``staging.offer`` that the check fills and no line gives.
FILLED_BY_THE_CHECK = {"is_folded", "is_contradicted", "differs_in_text", "known_cents", "reasons"}


def columns(warehouse: Warehouse, table: str) -> set[str]:
    found = rows(warehouse, "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", table)
    return {row["attname"] for row in found}


@pytest.fixture
def two_days(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> tuple[dict[str, Any], dict[str, Any]]:
    """The public rows after a day and after the next, on which each SKU differs in the one value it is named after."""
    found = []
    for at, lines in (
        (TUESDAY, [offer(column, **{"price": 5} | change.before) for column, change in VALUES.items()]),
        (WEDNESDAY, [offer(column, **{"price": 5} | change.after) for column, change in VALUES.items()]),
    ):
        store_day(at=at, lines=lines)
        pipeline.ingest(warehouse, storage, "aldi")
        found.append(prices(warehouse))
    return found[0], found[1]


def test_every_column_of_a_price_is_known_here(warehouse: Warehouse) -> None:
    unknown = columns(warehouse, "core.price") - VALUES.keys() - FILLED_BY_THE_WAREHOUSE
    assert not unknown, f'core.price.{sorted(unknown)}: add it to VALUES. See CONTRIBUTING.md, "Add a price column"'
    assert VALUES.keys() | FILLED_BY_THE_WAREHOUSE <= columns(warehouse, "core.price")


def test_the_line_reader_fills_every_column_of_staging(warehouse: Warehouse) -> None:
    assert columns(warehouse, "staging.offer") == set(copying.COLUMNS) | FILLED_BY_THE_CHECK, "include/ingestion/copying.py and lines.py"


def test_values_are_published_and_so_is_their_change(two_days: tuple[dict[str, Any], dict[str, Any]]) -> None:
    first, then = ({name: day[name] for name in VALUES} for day in two_days)
    assert {name: row[name] for name, row in first.items()} == {name: change.becomes for name, change in VALUES.items()}, (
        "lines.py, or sql/publishing/merge_prices.sql: the insert"
    )
    assert {name: row[name] for name, row in then.items()} == {name: change.becomes_then for name, change in VALUES.items()}, (
        "sql/publishing/merge_prices.sql: the comparison or the update"
    )
    for name in VALUES:
        assert {other for other in VALUES if first[name][other] != then[name][other]} == {name}, "the two lines differ in one value"


def test_a_retraction_brings_every_value_back(
    warehouse: Warehouse, storage: Storage, two_days: tuple[dict[str, Any], dict[str, Any]], fixed_clock: Callable[[str], None]
) -> None:
    fixed_clock("2026-11-19T09:00:00+00:00")
    retract(warehouse, storage, "aldi", "G1", 2, "ann", "the shop's test system")
    again = prices(warehouse)
    assert {name: again[name][name] for name in VALUES} == {name: change.becomes for name, change in VALUES.items()}, (
        "sql/retraction/restore_prices.sql: the update"
    )
    still = [name for name in VALUES if again[name]["changed_at"] == two_days[1][name]["changed_at"]]
    assert not still, f"sql/retraction/restore_prices.sql: the comparison for changed_at lacks {still}"


@pytest.mark.parametrize("view", ["core.store_price", "core.product_price"])
def test_readers_see_every_value(warehouse: Warehouse, view: str) -> None:
    assert VALUES.keys() <= columns(warehouse, view), f"the view {view} in the migration"


def test_exports_give_every_value(warehouse: Warehouse, two_days: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path) -> None:
    assert VALUES.keys() <= export.COLUMNS.keys(), "COLUMNS of include/readers/export.py"
    export.export_prices(warehouse, str(tmp_path / "prices.csv"))
    with (tmp_path / "prices.csv").open(newline="") as file:
        exported = {row["sku"]: row for row in csv.DictReader(file)}
    given = {name: exported[name][name] for name in VALUES}
    expected = {name: str(two_days[1][name][name]).lower() for name in VALUES}
    assert {name: text.lower() for name, text in given.items()} == expected, (
        "sql/export/copy_store_prices.sql: the same position as in COLUMNS"
    )


def test_tests_compare_every_value() -> None:
    """Whole warehouses are compared by the columns that ``looking`` selects: a value it leaves out could differ unnoticed."""
    assert not [name for name in VALUES if f" {name}," not in CONTENTS["core.price"]], "tests/warehouse/looking.py"
