"""For any damage of staged files: ingestion succeeds, valid files are published completely, damaged ones not at all."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Callable

import pytest

from include.ingestion import pipeline
from include.ingestion.sweep import sweep
from include.staging.manifest import Manifest
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.damaging import HARMLESS, FileDamager
from tests.ingestion.oracle import ExpectedOutcome, predict
from tests.ingestion.store_days import StoreDays, offer
from tests.ingestion.test_fuzz import EVENING, LOOSE
from tests.warehouse.looking import contents, rows


def sound_file(storage: Storage, seed: int, store_id: str) -> Manifest:
    """Stage a small store-day of valid lines whose prices identify their file."""
    rng = random.Random(seed)
    lines = [offer(f"{store_id}-{number}", round(1 + rng.random() * 50, 2)) for number in range(rng.randrange(5, 30))]
    return StoreDays(storage)("aldi", store_id, at=EVENING.isoformat(), lines=lines, run_key=f"seed-{seed}")


def run_round(warehouse: Warehouse, storage: Storage, seed: int, files: int) -> Counter[str]:
    """Stage files, damage them, ingest, and compare; returns how many of each kind there were."""
    damage, kinds = FileDamager(storage, seed), Counter[str]()
    rng = random.Random(seed)
    staged: dict[str, tuple[str, Manifest, bytes]] = {}
    swapped = set[str]()
    before = ""
    for number in range(files):
        store_id = f"G{number}"
        manifest = sound_file(storage, seed * 10_000 + number, store_id)
        data = gzip.decompress(storage.read(manifest.data_path(Stage.OUTBOX)))
        # every kind of damage occurs, and half of the files are valid
        kind = damage.kinds[number // 2 % len(damage.kinds)] if number % 2 else rng.choice(HARMLESS)
        damage.do(manifest, kind)
        if kind == "data of another store":
            swapped |= {store_id, before}
        staged[store_id] = (kind, manifest, data)
        kinds[kind] += 1
        before = store_id
    pipeline.ingest(warehouse, storage, "aldi")
    sweep(warehouse, storage)
    ledger = rows(warehouse, "SELECT * FROM ops.staged_file")
    open_states = Counter(file["state"] for file in ledger) - Counter(published=10**6, refused=10**6, superseded=10**6)
    assert not open_states, f"seed {seed}: {open_states}"
    assert list(storage.manifests(Stage.OUTBOX)) == [], f"seed {seed}: left in the outbox"
    for file in ledger:
        assert (file["state"] == "published") == (file["published_at"] is not None) and (
            file["state"] == "published" or file["state_reason"]
        ), (seed, file)
        if file["state"] == "published":
            parts = ("created", "updated", "unchanged", "unavailable", "outdated", "folded", "quarantined")
            assert sum(file[name] for name in parts) == file["rows"], (seed, file)
    prices = {
        (row["store_id"], row["sku"]): row["price_cents"]
        for row in rows(warehouse, "SELECT store_id, sku, price_cents FROM core.store_price")
    }
    published = {file["store_id"] for file in ledger if file["state"] == "published"}
    for store_id, (kind, manifest, data) in staged.items():
        description = f"seed {seed}, store {store_id}, damage {kind!r}"
        found = {sku: cents for (store, sku), cents in prices.items() if store == store_id}
        outcome: ExpectedOutcome = predict(data, "aldi", store_id, "VIC", manifest.observed_at, EVENING, manifest.last_observed_at)
        expected = {sku: line.cents for sku, line in outcome.prices.items()}
        assert found in ({}, expected), f"{description}: published in part or wrongly"
        assert bool(found) == (store_id in published), description
        if kind in HARMLESS and store_id not in swapped:
            assert found, f"{description}: a valid file was not published"
        if kind in ("cut", "empty", "no data", "a line more", "a line less", "lines in another order", "wrong hash", "wrong rows"):
            assert not found, f"{description}: published although it differs from its manifest"
    assert {store for store, _ in prices} <= staged.keys(), f"seed {seed}: an unknown store"
    before_again = contents(warehouse)
    pipeline.ingest(warehouse, storage, "aldi")
    assert contents(warehouse) == before_again, f"seed {seed}: a second run changed something"
    return kinds


def test_damaged_files(make_warehouse: Callable[..., Warehouse], storage: Storage) -> None:
    kinds = run_round(make_warehouse(**LOOSE), storage, 1, 100)
    assert len(kinds) == len(FileDamager(storage, 0).kinds)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_thousand_damaged_files(
    make_warehouse: Callable[..., Warehouse], storage: Storage, seed: int, record_property: Callable[[str, object], None]
) -> None:
    """A hundred files a seed."""
    kinds = run_round(make_warehouse(**LOOSE), storage, seed, 100)
    record_property("files", kinds.total())
