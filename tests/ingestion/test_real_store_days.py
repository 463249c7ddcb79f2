"""The recorded store-days, imported unchanged, compared with an independent reading of the same files."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from include.config import settings
from include.ingestion import pipeline
from include.ingestion.importing import import_file
from include.retailer_names import RETAILERS
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.checks.counting import count_broken
from tests.conftest import Server
from tests.warehouse.looking import core_fingerprints, one, rows

AFTERWARDS = "2025-09-24T00:00:00+00:00"

Store = tuple[str, str]


@dataclass(frozen=True)
class File:
    """One file as a plain reader sees it: SKU → price in cents (None: unavailable)."""

    path: Path
    store: Store
    said_at: str
    prices: dict[str, int | None]
    values: dict[str, tuple[object, ...]]


def read(path: Path) -> File:
    """Read a file with the standard library only."""
    found: dict[str, int | None] = {}
    values: dict[str, tuple[object, ...]] = {}
    store, said_at = ("", ""), ""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for text in lines:
            line = json.loads(text)
            product = line["product"]
            price = product["price_current"]
            values[str(product["sku"])] = (price, product["price_was"], product["is_on_special"], product["per_unit_price_string"])
            found[str(line["product"]["sku"])] = None if price is None else round(price * 100)
            store = (line["metadata"]["company"], line["metadata"]["store_id"])
            said_at = line["metadata"].get("scraped_at") or line["metadata"]["scraped_date"]
    return File(path, store, said_at, found, values)


@pytest.fixture(scope="module")
def files(shared: Path) -> list[File]:
    """All recorded store-days."""
    return [read(path) for path in sorted((shared / "store-days").glob("*.jsonl.gz"))]


def by_store(files: list[File]) -> dict[Store, list[File]]:
    """Return the files of each store, oldest first."""
    found: dict[Store, list[File]] = defaultdict(list)
    for file in sorted(files, key=lambda file: file.said_at):
        found[file.store].append(file)
    return found


def ingest_all(warehouse: Warehouse, storage: Storage, files: list[File]) -> None:
    for file in files:
        assert import_file(warehouse, storage, file.path).outcome in ("waiting", "known")
    for retailer in RETAILERS:
        pipeline.ingest(warehouse, storage, retailer)


@pytest.fixture(scope="module")
def replayed(postgres: Server, files: list[File], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A warehouse into which all files were imported in their order, under the delivered thresholds; tests here read it, or import again."""
    patch = pytest.MonkeyPatch()
    patch.setenv("AISLEFLOW_NOW", AFTERWARDS)
    patch.setattr("include.ingestion.checks.suite.count_broken", count_broken)
    name = postgres.take()
    warehouse = Warehouse(postgres.cluster.url(name), settings())
    storage = Storage(f"file://{tmp_path_factory.mktemp('replay')}")
    ingest_all(warehouse, storage, files)
    yield warehouse, storage
    warehouse.close()
    postgres.give_back(name)
    patch.undo()


@pytest.fixture(autouse=True)
def clock_afterwards(fixed_clock: Any) -> None:
    """The recorded nights are over."""
    fixed_clock(AFTERWARDS)


def test_all_files_are_published_and_every_line_is_accounted_for(replayed: Any, files: list[File]) -> None:
    warehouse, _ = replayed
    ledger = rows(warehouse, "SELECT * FROM ops.staged_file")
    assert len(ledger) == len(files) == 15 and {entry["state"] for entry in ledger} == {"published"}
    lines = {file.path.name: len(file.prices) for file in files}
    for entry in ledger:
        name = entry["manifest"]["source"]
        parts = {part: entry[part] for part in ("created", "updated", "unchanged", "unavailable", "outdated", "folded", "quarantined")}
        assert entry["rows"] == sum(parts.values()), (name, parts)
        assert entry["rows"] - entry["folded"] - entry["quarantined"] <= lines[name] <= entry["rows"], name
    assert sum(entry["rows"] for entry in ledger) == 37_621
    assert one(warehouse, "SELECT count(*) FROM ops.staged_file WHERE NOT is_complete") == 3, (
        "a partial crawl, and two stores alone with their retailer"
    )


def expected_prices(warehouse: Warehouse, store: Store, its_files: list[File]) -> dict[str, int]:
    """Return the prices of the store's newest complete file (else its newest), with the last prices of unavailable SKUs."""
    complete = {entry["source"] for entry in rows(warehouse, "SELECT manifest->>'source' AS source FROM ops.staged_file WHERE is_complete")}
    newest = next((file for file in reversed(its_files) if file.path.name in complete), its_files[-1])
    earlier = its_files[: its_files.index(newest)]
    refused = {row["sku"] for row in rows(warehouse, "SELECT sku FROM ops.quarantined_offer WHERE retailer = %s AND store_id = %s", *store)}
    listed = {}
    for sku, price in newest.prices.items():
        known = (
            price if price is not None else next((past.prices[sku] for past in reversed(earlier) if past.prices.get(sku) is not None), None)
        )
        if known is not None and sku not in refused:
            listed[sku] = known
    return listed


def test_listed_prices_are_those_of_the_newest_complete_file(replayed: Any, files: list[File]) -> None:
    warehouse, _ = replayed
    compared = 0
    for store, its_files in by_store(files).items():
        found = {
            row["sku"]: row["price_cents"]
            for row in rows(
                warehouse, "SELECT sku, price_cents FROM core.store_price WHERE is_listed AND retailer = %s AND store_id = %s", *store
            )
        }
        assert found == expected_prices(warehouse, store, its_files), store
        compared += len(found)
    assert compared > 20_000


def test_changed_new_and_vanished_of_successive_days_are_all_found(replayed: Any, files: list[File]) -> None:
    warehouse, _ = replayed
    ledger = {entry["manifest"]["source"]: entry for entry in rows(warehouse, "SELECT * FROM ops.staged_file")}
    pairs = 0
    for its_files in by_store(files).values():
        seen: set[str] = set(its_files[0].prices)
        for before, after in pairwise(its_files):
            changed = [sku for sku in after.values if sku in before.values and before.values[sku] != after.values[sku]]
            found = rows(
                warehouse,
                "SELECT created, updated, unchanged, delisted FROM ops.staged_file WHERE manifest->>'source' = %s",
                after.path.name,
            )[0]
            back = len((set(after.prices) - set(before.prices)) & seen)
            assert found["created"] == len(set(after.prices) - seen), after.path.name
            assert found["delisted"] == len(set(before.prices) - set(after.prices)), after.path.name
            assert found["updated"] == len(changed) + back, "a return to the list is a change, too"
            assert found["unchanged"] == len(after.prices) - found["created"] - found["updated"]
            assert ledger[after.path.name]["is_complete"]
            seen |= set(after.prices)
            pairs += 1
    assert pairs == 6


def test_every_changed_price_and_no_other_is_dated(replayed: Any, files: list[File], tmp_path: Path, postgres: Server) -> None:
    name = postgres.take()
    warehouse, storage = Warehouse(postgres.cluster.url(name), settings()), Storage(f"file://{tmp_path / 's'}")
    its_files = by_store(files)[("aldi", "G107")]
    before_by_sku: dict[str, int] = {}
    for number, file in enumerate(its_files):
        import_file(warehouse, storage, file.path)
        with warehouse.transaction() as connection:  # one store alone has no baseline for its first file
            connection.execute(
                "UPDATE ops.staged_file SET is_complete = true, completeness_reason = 'for this test' WHERE state = 'waiting'"
            )
        pipeline.ingest(warehouse, storage, "aldi")
        found = {row["sku"]: row for row in rows(warehouse, "SELECT sku, price_cents, is_listed FROM core.store_price")}
        after = {sku: row["price_cents"] for sku, row in found.items() if row["is_listed"]}
        assert after == file.prices
        if number:
            past = its_files[number - 1].prices
            assert {sku for sku in after if sku in past and before_by_sku[sku] != after[sku]} == {
                sku for sku in after if sku in past and past[sku] != after[sku]
            }
        before_by_sku = {sku: row["price_cents"] for sku, row in found.items()}
    warehouse.close()
    postgres.give_back(name)


def test_importing_again_in_another_order_changes_nothing(replayed: Any, files: list[File]) -> None:
    warehouse, storage = replayed
    before = core_fingerprints(warehouse, physical=True)
    for order in (files, files[::-1]):
        ingest_all(warehouse, storage, order)
        assert core_fingerprints(warehouse, physical=True) == before
    assert one(warehouse, "SELECT count(*) FROM ops.staged_file") == 15


PUBLIC = "SELECT to_jsonb(p) - 'product_id' - 'changed_at' AS row FROM core.store_price AS p ORDER BY retailer, store_id, sku"
TOGETHER = """SELECT array_agg(retailer || ':' || sku ORDER BY retailer, sku) AS skus FROM core.sku GROUP BY product_id ORDER BY 1"""


def test_the_order_of_arguments_does_not_matter(replayed: Any, files: list[File], tmp_path: Path, postgres: Server) -> None:
    name = postgres.take()
    warehouse = Warehouse(postgres.cluster.url(name), settings())
    ingest_all(warehouse, Storage(f"file://{tmp_path / 'reversed'}"), files[::-1])
    assert rows(warehouse, PUBLIC) == rows(replayed[0], PUBLIC)
    assert rows(warehouse, TOGETHER) == rows(replayed[0], TOGETHER), "the same SKUs are one product"
    warehouse.close()
    postgres.give_back(name)
