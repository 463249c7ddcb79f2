"""Random histories of two stores against a plain model: crawls that overlap, late files, goods that vanish and return, retractions at any point."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.ingestion import pipeline
from include.ingestion.retract import retract
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.price_model import Sighting, Store, StoreDay
from tests.ingestion.store_days import StoreDays
from tests.sampling import sampled
from tests.warehouse.looking import one, prices, rows

FIRST = datetime(2026, 11, 10, 17, 0, tzinfo=UTC)
#: The first store-day lists the lower half.
SKUS = [str(number) for number in range(1, 9)]


def nights(rng: random.Random) -> Iterator[list[StoreDay]]:
    """Yield the store-days of each night, in their order of arrival: one crawl, or two or three that overlap in time."""
    yield [StoreDay(FIRST, True, tuple(Sighting(sku, position, 1) for position, sku in enumerate(SKUS[:4])))]
    for night in range(1, rng.randint(3, 6)):
        start = FIRST + timedelta(days=night)
        crawls = rng.choices([1, 2, 3], [5, 3, 1])[0]
        days = [_crawl(rng, start + timedelta(minutes=rng.choice([0, 10, 20, 30])), is_alone=crawls == 1) for _ in range(crawls)]
        rng.shuffle(days)
        yield days


def _crawl(rng: random.Random, start: datetime, *, is_alone: bool) -> StoreDay:
    found = []
    for sku in SKUS:
        # an unavailable line of an unknown product adds nothing, so it is no observation that a line of an overlapping crawl can be older than
        kinds = ["same", "dearer", "absent", "refused", "unavailable"]
        kind = rng.choices(kinds, [6, 3, 3, 1, 2 if is_alone else 0])[0]
        if kind != "absent":
            prices_of: dict[str, int | str | None] = {"same": 1, "dearer": rng.randint(2, 4), "refused": "refused", "unavailable": None}
            found.append(Sighting(sku, rng.randrange(0, 60, 5), prices_of[kind], has_twin=rng.random() < 0.1))
    return StoreDay(start, rng.random() < 0.7, tuple(found) or (Sighting("1", 0, 1),))


@pytest.fixture
def play(make_warehouse: Callable[..., Warehouse], storage: Storage) -> Callable[[int], None]:
    """Play one history; every published row is compared after every step."""

    def run(seed: int) -> None:
        rng, warehouse, stage = random.Random(seed), make_warehouse(), StoreDays(storage)
        stores = {name: Store() for name in ("G1", "G2")}
        arrivals = [(name, day) for name in stores for days in nights(rng) for day in days]
        if rng.random() < 0.5:  # the stores' nights mixed, each store's in its order
            order = sorted(range(len(arrivals)), key=lambda position: (arrivals[position][1].start.date(), arrivals[position][0]))
            arrivals = [arrivals[position] for position in order]
        for number, (name, day) in enumerate(arrivals):
            stage(store_id=name, at=day.first_at.isoformat(), lines=day.lines(), complete=day.is_complete, run_key=f"r{number}")
            pipeline.ingest(warehouse, storage, "aldi")
            file_id = int(one(warehouse, "SELECT max(file_id) FROM ops.staged_file"))
            registered = replace(day, file_id=file_id)
            is_published = stores[name].publish(registered)
            state = one(warehouse, "SELECT state FROM ops.staged_file WHERE file_id = %s", file_id)
            assert state == ("published" if is_published else "superseded")
            _compare(warehouse, stores, f"seed {seed}, after file {file_id}")
            if rng.random() < 0.25:
                taken = rng.choice(stores[name].published)
                retract(warehouse, storage, "aldi", name, taken.file_id, "ann", "a test system")
                stores[name].published.remove(taken)
                _compare(warehouse, stores, f"seed {seed}, after the retraction of file {taken.file_id}")

    return run


def _compare(warehouse: Warehouse, stores: dict[str, Store], when: str) -> None:
    for name, store in stores.items():
        found = {sku: (row["price_cents"], row["is_available"]) for sku, row in prices(warehouse, name).items() if row["is_listed"]}
        expected = store.prices()
        # a late line that an overlapping store-day does not list any more leaves no row, so a later unavailable line of it finds no price
        unknown = {sku for sku in expected.keys() - found.keys() if not expected[sku][1]}
        assert found == {sku: price for sku, price in expected.items() if sku not in unknown}, f"{when}: {name}"
    assert rows(warehouse, "SELECT 1 FROM core.store WHERE store_id NOT IN ('G1', 'G2')") == []
    assert one(warehouse, "SELECT count(*) FROM staging.offer") == 0


@pytest.mark.parametrize("seed", sampled(range(400), 8))
def test_prices_are_those_of_the_newest_lines(play: Callable[[int], None], seed: int) -> None:
    play(seed)
