"""A store-day is judged against what is published before it: however files are batched, the verdicts are the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.checks.nights import instant
from tests.ingestion.store_days import Line, StoreDays, offer, offers
from tests.sampling import sampled
from tests.warehouse.looking import cents, rows

SUNDAY = date(2026, 11, 15)
HELD = "SELECT store_id, night FROM ops.staged_file WHERE state = 'held' ORDER BY 1, 2"
LISTED = "SELECT store_id, sku, price_cents, observed_at FROM core.store_price WHERE is_listed ORDER BY 1, 2"


def nights_of(*shelves: Sequence[Line], first: date = SUNDAY) -> list[tuple[date, Sequence[Line]]]:
    return [(first + timedelta(days=number), lines) for number, lines in enumerate(shelves)]


def ingest_together(warehouse: Warehouse, storage: Storage, nights: Sequence[tuple[date, Sequence[Line]]]) -> list[date]:
    """Ingest some nights of one store in one batch; return those held."""
    for night, lines in nights:
        StoreDays(storage)(at=instant(night), lines=lines, night=night)
    pipeline.ingest(warehouse, storage, "aldi")
    return [row["night"] for row in rows(warehouse, HELD)]


def test_two_nights_without_a_category_are_both_held(strict_warehouse: Warehouse, storage: Storage) -> None:
    tea, dairy = offers(200), offers(200, start=201, category_path=["Dairy"])
    assert ingest_together(strict_warehouse, storage, nights_of([*tea, *dairy], tea, tea)) == [date(2026, 11, 16), date(2026, 11, 17)]
    assert len(cents(strict_warehouse)) == 400, "Monday, held, is no yardstick for Tuesday"


def test_an_abnormal_thursday_is_not_diluted_by_a_wednesday_beside_it(strict_warehouse: Warehouse, storage: Storage) -> None:
    def shelf(price: float, moved: int) -> list[Line]:
        return [*offers(moved, price=price), *offers(400 - moved, start=moved + 1)]

    held = ingest_together(strict_warehouse, storage, nights_of(offers(400), shelf(1.1, 100), shelf(1.2, 120), first=date(2026, 11, 10)))
    assert held == [date(2026, 11, 12)]


def test_a_later_night_is_judged_by_the_one_before_it_in_the_same_batch(strict_warehouse: Warehouse, storage: Storage) -> None:
    def shelf(price: float) -> list[Line]:
        return [*offers(120, price=price), *offers(280, start=121)]

    assert ingest_together(strict_warehouse, storage, nights_of(offers(400), shelf(1.1), shelf(1.1), first=date(2026, 11, 10))) == []


FAULTS: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "half": lambda lines: lines[::2],
    "moved": lambda lines: [offer(**line["product"] | {"price": line["product"]["price_current"] + 0.5}) for line in lines],
    "without a category": lambda lines: [line for line in lines if line["product"]["category_path"] != ["Dairy"]],
    "garbled": lambda lines: [offer(**line["product"] | {"name": "Ã©Ã©", "price": line["product"]["price_current"]}) for line in lines],
    "empty prices": lambda lines: [offer(**line["product"] | {"price": None}) for line in lines],
}


def history(seed: int) -> list[tuple[str, date, list[dict[str, Any]]]]:
    """Return store-days of three stores over nine nights, a fifth of them with a fault, in time order."""
    rng = random.Random(seed)
    shelves = {
        store: [offer(str(n), 1 + n % 40, category_path=["Dairy" if n % 4 == 0 else "Pantry"]) for n in range(120)]
        for store in ("G1", "G2", "G3")
    }
    found = []
    for number in range(9):
        night = SUNDAY + timedelta(days=number)
        for store, shelf in shelves.items():
            if night.weekday() == 2:
                for line in rng.sample(shelf, 40):
                    line["product"]["price_current"] = round(line["product"]["price_current"] * 1.05 + 0.05, 2)
            if rng.random() < 0.9:
                fault = FAULTS[rng.choice(sorted(FAULTS))] if rng.random() < 0.3 else list
                lines = [{**line, "product": dict(line["product"])} for line in shelf]
                found.append((store, night, fault(lines)))
    return found


@pytest.mark.parametrize("seed", sampled(range(40), 2))
def test_any_split_into_batches_gives_the_same_verdicts(
    seed: int, make_warehouse: Callable[..., Warehouse], tmp_path: Path, fixed_clock: Callable[[str], None]
) -> None:
    """Nights one by one, all in one batch, and batches cut anywhere, also through a night."""
    fixed_clock("2026-11-24T09:00:00+00:00")
    days = history(seed)
    found = []
    for kind in ("nights", "all", "cut", "cut again"):
        rng = random.Random(f"{seed} {kind}")
        borders = {
            "nights": [n for n in range(1, len(days)) if days[n][1] != days[n - 1][1]],
            "all": [],
        }.get(kind) if kind in ("nights", "all") else sorted(rng.sample(range(1, len(days)), 6))  # fmt: skip
        warehouse, storage = make_warehouse("default", hold_stores_held_share=1.0), Storage(f"file://{tmp_path / kind}")
        for start, end in zip([0, *(borders or [])], [*(borders or []), len(days)], strict=True):
            batch = days[start:end]
            rng.shuffle(batch)
            for store, night, lines in batch:
                StoreDays(storage)("aldi", store, at=instant(night), lines=lines, night=night)
            pipeline.ingest(warehouse, storage, "aldi")
        found.append((rows(warehouse, HELD), rows(warehouse, LISTED)))
    assert len(found[0][0]) > 1, "something is held"
    assert all(other == found[0] for other in found[1:])
