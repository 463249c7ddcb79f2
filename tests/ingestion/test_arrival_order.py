"""The same files without manifests give the same listed prices, in any order and in any number of commands."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from include.ingestion import pipeline
from include.ingestion.importing import import_file
from include.retailer_names import RETAILERS
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, offer, offers
from tests.warehouse.looking import rows

LISTED = "SELECT retailer, store_id, sku, price_cents, is_available, observed_at FROM core.store_price WHERE is_listed ORDER BY 1, 2, 3"
VERDICTS = "SELECT retailer, store_id, observed_at, is_complete FROM ops.staged_file ORDER BY 1, 2, 3"
WATERMARKS = "SELECT retailer, store_id, complete_at FROM core.store ORDER BY 1, 2"


def warehouse_after(warehouse: Warehouse, storage: Storage, commands: Sequence[Sequence[Path]]) -> list[Any]:
    """Import files, each group by a command of its own; return what is listed, the verdicts and the watermarks."""
    for paths in commands:
        retailers = {import_file(warehouse, storage, path).retailer for path in paths}
        for retailer in RETAILERS:
            if retailer in retailers:
                pipeline.ingest(warehouse, storage, retailer)
    return [rows(warehouse, text) for text in (LISTED, VERDICTS, WATERMARKS)]


def one_by_one(paths: Sequence[Path]) -> list[list[Path]]:
    return [[path] for path in paths]


def test_a_shrunken_store_day_imported_first_hides_no_price(
    make_warehouse: Callable[..., Warehouse], tmp_path: Path, store_day: StoreDays
) -> None:
    """100, 100 and 85 goods: the last one is no complete store-day, also when it comes first."""
    days = [
        store_day.file(
            tmp_path / "files" / f"{number}.jsonl", offers(count, price=1.0 + number), at=f"2026-11-{10 + number}T04:30:00+11:00"
        )
        for number, count in enumerate((100, 100, 85))
    ]
    found = [
        warehouse_after(make_warehouse(), Storage(f"file://{tmp_path / str(number)}"), one_by_one(order))
        for number, order in enumerate(permutations(days))
    ]
    assert all(other == found[0] for other in found[1:])
    listed, verdicts, _ = found[0]
    assert [row["is_complete"] for row in verdicts] == [True, True, False]
    assert [row["price_cents"] for row in listed].count(300) == 85 and len(listed) == 100


@pytest.mark.parametrize("seed", range(6))
def test_a_late_file_gives_the_same_as_one_in_time(
    seed: int, make_warehouse: Callable[..., Warehouse], tmp_path: Path, store_day: StoreDays
) -> None:
    rng = random.Random(seed)
    paths = []
    for store in ("G1", "G2"):
        for day in sorted(rng.sample(range(1, 18), 4)):
            first, count = rng.randint(1, 4), rng.choice((20, 22, 30, 34))
            lines = [offer(str(sku), rng.choice((1.0, 2.0))) for sku in range(first, first + count)]
            at = f"2026-11-{day:02}T04:30:00+11:00"
            paths.append(store_day.file(tmp_path / "files" / f"{store}-{day}.jsonl", lines, store_id=store, at=at))
    found = []
    for number in range(4):
        late = [rng.choice([path for path in paths if path.name.startswith(store)]) for store in ("G1", "G2")]
        order = [*(path for path in paths if path not in late), *late]
        cut = rng.randint(1, len(order) - 1)
        commands = ([paths], one_by_one(paths), one_by_one(order), [order[:cut], order[cut:]])[number]
        found.append(warehouse_after(make_warehouse(), Storage(f"file://{tmp_path / str(number)}"), commands))
    for other in found[1:]:
        assert other[1] == found[0][1], "completeness"
        assert other[0] == found[0][0] and other[2] == found[0][2]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_the_recorded_files_in_any_order(
    seed: int | None, shared: Path, make_warehouse: Callable[..., Warehouse], tmp_path: Path, fixed_clock: Callable[[str], None]
) -> None:
    fixed_clock("2025-09-24T00:00:00+00:00")
    paths = sorted((shared / "store-days").glob("*.jsonl.gz"))
    order = paths[::-1] if seed is None else random.Random(seed).sample(paths, len(paths))
    together = warehouse_after(make_warehouse("default"), Storage(f"file://{tmp_path / 'together'}"), [paths])
    apart = warehouse_after(make_warehouse("default"), Storage(f"file://{tmp_path / 'apart'}"), one_by_one(order))
    assert apart[1:] == together[1:]
    assert apart[0] == together[0] and len(together[0]) > 20_000
