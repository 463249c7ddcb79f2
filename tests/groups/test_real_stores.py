"""The recorded store-days of Aldi, imported with the directory, grouped at their own dates; an independent reader counts the expectations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from include.config import settings
from include.crawling import runs
from include.groups.maintenance import check_health, compare, merge
from include.ingestion import pipeline
from include.ingestion.importing import import_file
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.groups.looking import groups, whole
from tests.ingestion.test_real_store_days import read
from tests.warehouse.looking import rows

QUEENSLAND = ("booval-g107", "carindale-g102", "highfields-g110")
NSW = ("bondi-junction-g512", "darlinghurst-g525")


@pytest.fixture
def real(strict_warehouse: Warehouse, shared: Path, fixed_clock: Callable[[str], None]) -> Warehouse:
    """Return a warehouse with the stores of the directory, and with the thresholds and group rules as they are delivered."""
    fixed_clock("2025-09-01T00:00:00+00:00")
    runs.import_directory(strict_warehouse, shared / "directory")
    assert strict_warehouse.settings.group_common_min == settings().group_common_min == 200
    return strict_warehouse


def publish(warehouse: Warehouse, storage: Storage, shared: Path, names: Sequence[str]) -> None:
    """Import and publish store-days by a part of their names."""
    for name in names:
        import_file(warehouse, storage, shared / "store-days" / f"aldi-{name}.jsonl.gz")
    pipeline.ingest(warehouse, storage, "aldi")


def maintain(warehouse: Warehouse, storage: Storage) -> set[frozenset[str]]:
    """Run a pass; return the groups of several stores."""
    check_health(warehouse, "aldi")
    merge(warehouse, "aldi", compare(warehouse, storage, "aldi").matches)
    whole(warehouse)
    return {frozenset(members) for members in groups(warehouse).values() if len(members) > 1}


def test_queensland_and_new_south_wales_are_two_groups_never_mixed(
    real: Warehouse, storage: Storage, shared: Path, fixed_clock: Callable[[str], None]
) -> None:
    """All of one price week; G120's 262 rows are incomplete and join nothing."""
    fixed_clock("2025-09-12T09:00:00+00:00")
    publish(real, storage, shared, [f"{store}-2025-09-12" for store in (*QUEENSLAND, "nerang-g120")])
    assert maintain(real, storage) == {frozenset({"G102", "G107", "G110"})}
    compared = rows(real, "SELECT common, equal, is_match, purpose FROM ops.store_comparison")
    assert {row["is_match"] for row in compared} == {True}
    assert {row["equal"] == row["common"] and row["common"] > 1200 for row in compared} == {True}, "equal in 100.0 percent"
    fixed_clock("2025-09-20T09:00:00+00:00")
    publish(real, storage, shared, [*(f"{store}-2025-09-19" for store in NSW), "bankstown-g475-2025-09-20"])
    found = maintain(real, storage)
    assert frozenset({"G102", "G107", "G110"}) in found
    assert not any(members & {"G102", "G107", "G110"} and members & {"G475", "G512", "G525"} for members in found)
    assert found - {frozenset({"G102", "G107", "G110"})} == {frozenset({"G475", "G512", "G525"})}


def test_store_days_on_both_sides_of_a_wednesday_are_never_compared(
    real: Warehouse, storage: Storage, shared: Path, fixed_clock: Callable[[str], None]
) -> None:
    fixed_clock("2025-09-23T09:00:00+00:00")
    publish(
        real,
        storage,
        shared,
        ["booval-g107-2025-09-12", "carindale-g102-2025-09-12", "carindale-g102-2025-09-23", "highfields-g110-2025-09-23"],
    )
    assert maintain(real, storage) == {frozenset({"G102", "G110"})}, "of G107 only the twelfth is known"
    assert {row["price_week"].isoformat() for row in rows(real, "SELECT price_week FROM ops.store_comparison")} == {"2025-09-17"}


def test_the_border_differs_in_more_than_one_percent(real: Warehouse, shared: Path) -> None:
    """Why 99.5 percent: the files themselves, read without this project."""
    read_all = {path.name: read(path).prices for path in sorted((shared / "store-days").glob("aldi-*.jsonl.gz"))}
    queensland = next(prices for name, prices in read_all.items() if "carindale-g102-2025-09-23" in name)
    nsw = next(prices for name, prices in read_all.items() if "bankstown-g475-2025-09-20" in name)
    common = queensland.keys() & nsw.keys()
    share = sum(queensland[sku] == nsw[sku] for sku in common) / len(common)
    assert 0.98 < share < 0.99, "98 percent would merge two states"
