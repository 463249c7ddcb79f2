"""The same files without manifests give the same prices of what is available, in any order and in any number of commands.

What is unavailable has its last price in either case, unless the file with that price came after a newer complete one: then it publishes none.
"""

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
from tests.sampling import sampled
from tests.warehouse.looking import rows

AVAILABLE = (
    "SELECT retailer, store_id, sku, price_cents, observed_at FROM core.store_price WHERE is_listed AND is_available ORDER BY 1, 2, 3"
)
VERDICTS = "SELECT retailer, store_id, observed_at, is_complete FROM ops.staged_file ORDER BY 1, 2, 3"
WATERMARKS = "SELECT retailer, store_id, complete_at FROM core.store ORDER BY 1, 2"


def warehouse_after(warehouse: Warehouse, storage: Storage, commands: Sequence[Sequence[Path]]) -> list[Any]:
    """Import files, each group by a command of its own; return what is available, the verdicts and the watermarks."""
    for paths in commands:
        retailers = {import_file(warehouse, storage, path).retailer for path in paths}
        for retailer in RETAILERS:
            if retailer in retailers:
                pipeline.ingest(warehouse, storage, retailer)
    return [rows(warehouse, text) for text in (AVAILABLE, VERDICTS, WATERMARKS)]


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


def test_a_store_day_kept_out_by_one_that_is_not_complete_after_all_is_published(
    make_warehouse: Callable[..., Warehouse], tmp_path: Path, store_day: StoreDays
) -> None:
    """The newest one seems complete and keeps the one before it out, until the oldest one shows that it is not."""
    lines = {12: offers(30, price=1.0), 13: offers(34, price=2.0)[2:], 14: offers(20, price=3.0)}
    files = {
        day: store_day.file(tmp_path / "files" / f"{day}.jsonl", lines[day], at=f"2026-11-{day}T04:30:00+11:00") for day in sorted(lines)
    }
    other = store_day.file(tmp_path / "files" / "other.jsonl", offers(20), store_id="G2", at="2026-11-14T04:30:00+11:00")
    found = [
        warehouse_after(make_warehouse(), Storage(f"file://{tmp_path / str(number)}"), one_by_one(order))
        for number, order in enumerate([[other, files[12], files[13], files[14]], [other, files[14], files[13], files[12]]])
    ]
    assert found[1] == found[0]
    assert [row["price_cents"] for row in found[0][0] if row["store_id"] == "G1"].count(200) == 14


def test_a_good_that_was_unavailable_first_stays_so_when_an_older_price_arrives(
    make_warehouse: Callable[..., Warehouse], tmp_path: Path, store_day: StoreDays
) -> None:
    complete = offers(20)
    files = [
        store_day.file(tmp_path / "files" / f"{day}.jsonl", lines, at=f"2026-11-{day}T04:30:00+11:00")
        for day, lines in ((12, complete), (13, [offer("new", 2.0)]), (14, [offer("new", None)]))
    ]
    found = [
        warehouse_after(make_warehouse(), Storage(f"file://{tmp_path / str(number)}"), one_by_one(order))[0]
        for number, order in enumerate([files, [files[0], files[2], files[1]], files[::-1]])
    ]
    assert found[1] == found[2] == found[0]
    assert "new" not in {row["sku"] for row in found[0]}


@pytest.mark.parametrize("seed", sampled(range(60), 3))
def test_the_same_files_in_any_order_and_any_commands(
    seed: int, make_warehouse: Callable[..., Warehouse], tmp_path: Path, store_day: StoreDays
) -> None:
    rng = random.Random(seed)
    paths = []
    for store in ("G1", "G2"):
        for day in sorted(rng.sample(range(1, 18), 4)):
            first, count = rng.randint(1, 4), rng.choice((20, 22, 30, 34))
            lines = [offer(str(sku), rng.choice((1.0, 2.0, None))) for sku in range(first, first + count)]
            at = f"2026-11-{day:02}T04:30:00+11:00"
            paths.append(store_day.file(tmp_path / "files" / f"{store}-{day}.jsonl", lines, store_id=store, at=at))
    found = []
    for number in range(4):
        order = rng.sample(paths, len(paths))
        cut = rng.randint(1, len(order) - 1)
        commands = ([paths], one_by_one(paths), one_by_one(order), [order[:cut], order[cut:]])[number]
        found.append(warehouse_after(make_warehouse(), Storage(f"file://{tmp_path / str(number)}"), commands))
    for other in found[1:]:
        assert other[1] == found[0][1], "completeness"
        assert other[0] == found[0][0] and other[2] == found[0][2]


@pytest.mark.parametrize("seed", sampled([None, *range(1, 8)], 1))
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
