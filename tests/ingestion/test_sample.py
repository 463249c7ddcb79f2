"""The sample: reproducible byte for byte, small, and contains every documented fault."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from include.config import settings
from include.ingestion import pipeline
from include.ingestion.importing import import_file
from include.model.rules import ROW_RULES
from include.retailer_names import RETAILERS
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from sample.make_sample import FOLDER, HELD, LINES_PER_STORE, STORES, TUESDAY, WEDNESDAY, make
from tests.warehouse.looking import one, rows

EXPECTED_RULES = {
    "not_json",
    "foreign_store",
    "price_key_missing",
    "was_price_not_above",
    "price_far_from_known",
    "sku_contradicted",
    "donation",
    "barcode_dropped",
}


def unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_it_is_reproducible(tmp_path: Path) -> None:
    one_run, another = make(tmp_path / "a"), make(tmp_path / "b")
    assert [path.read_bytes() for path in one_run] == [path.read_bytes() for path in another]
    # what is delivered may have been packed by another zlib
    assert {path.name: unpacked(path) for path in one_run} == {path.name: unpacked(path) for path in FOLDER.iterdir()}


def test_it_is_small_and_has_a_plain_file() -> None:
    paths = list(FOLDER.iterdir())
    assert len(paths) == 2 * len(STORES) and sum(path.stat().st_size for path in paths) < 400_000
    assert [path.suffix for path in paths].count(".jsonl") == 1


@pytest.mark.parametrize("night_by_night", [True, False])
def test_one_store_day_is_held_and_every_trouble_is_seen(strict_warehouse: Warehouse, storage: Storage, night_by_night: bool) -> None:
    paths = sorted(FOLDER.iterdir())
    for batch in [[p for p in paths if TUESDAY in p.name], [p for p in paths if WEDNESDAY in p.name]] if night_by_night else [paths]:
        for path in batch:
            assert import_file(strict_warehouse, storage, path).outcome == "waiting"
        for retailer in RETAILERS:
            pipeline.ingest(strict_warehouse, storage, retailer)
    held = rows(strict_warehouse, "SELECT retailer, store_id, night::text, state_reason FROM ops.staged_file WHERE state <> 'published'")
    assert [(row["retailer"], row["store_id"], row["night"]) for row in held] == [HELD] and held[0]["state_reason"].startswith(
        "price_scale"
    )
    assert "price_scale" in held[0]["state_reason"] and ";" not in held[0]["state_reason"], "for this reason alone"
    found = {row["rule_id"] for row in rows(strict_warehouse, "SELECT DISTINCT rule_id FROM ops.data_quality_result WHERE scope = 'row'")}
    assert found == EXPECTED_RULES <= {rule.rule_id for rule in ROW_RULES}
    incomplete = rows(strict_warehouse, "SELECT store_id, night::text FROM ops.staged_file WHERE NOT is_complete ORDER BY store_id")
    assert incomplete == [{"store_id": "90002", "night": WEDNESDAY}, {"store_id": "G901", "night": WEDNESDAY}], "half of 90002 is refused"
    for row in rows(strict_warehouse, "SELECT * FROM ops.staged_file WHERE state = 'published'"):
        assert row["rows"] == sum(
            row[part] for part in ("created", "updated", "unchanged", "unavailable", "outdated", "folded", "quarantined")
        )
    assert one(strict_warehouse, "SELECT count(*) FROM core.store WHERE NOT is_confirmed") == len(STORES)
    assert one(strict_warehouse, "SELECT count(DISTINCT state) FROM core.store") == 7
    assert (
        one(strict_warehouse, "SELECT sum(folded) FROM ops.staged_file") == 12
        and one(strict_warehouse, "SELECT sum(unavailable) FROM ops.staged_file") == 12
    )
    assert (
        one(strict_warehouse, "SELECT min(lines) FROM (SELECT count(*) AS lines FROM core.price GROUP BY store_key) AS p")
        >= LINES_PER_STORE - 10
    )
    shared = one(
        strict_warehouse, "SELECT count(*) FROM (SELECT FROM core.sku GROUP BY product_id HAVING count(DISTINCT retailer) > 2) AS p"
    )
    assert shared > 50, "retailers sell the same articles"
    assert (
        one(strict_warehouse, "SELECT sum(delisted) FROM ops.staged_file") > 20
        and one(strict_warehouse, "SELECT count(*) FROM core.store_price WHERE is_on_special") > 40
    )
    assert settings().hold_scale_share == 0.10
