"""The recorded world on files written by the tests: store-days of another form, and invalid folders."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConfigurationError
from sandbox.recorded import RecordedWorld


def line(sku: Any, price: Any, **more: Any) -> str:
    product = {
        "sku": sku,
        "name": "Oat Bars",
        "brand": "Mirrin",
        "size": "6 pack",
        "barcode": None,
        "category_path": ["Pantry"],
        "price_current": price,
    } | more
    return json.dumps(
        {
            "product": product,
            "metadata": {"company": "coles", "store_id": "COL:7", "store_name": "coles here", "state": "wa", "scraped_date": "2026-03-04"},
        }
    )


def world_of(folder: Path, *lines: str) -> RecordedWorld:
    nested = folder / "outbox" / "coles" / "COL%3A7"
    nested.mkdir(parents=True)
    (nested / "2026-03-04--run--hash.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (nested / "2026-03-04--run--hash.manifest.json").write_text("{}")
    return RecordedWorld(folder)


def test_truth_contains_the_recorded_lines(tmp_path: Path) -> None:
    world = world_of(
        tmp_path,
        line(1, 9.0),
        line("0002", "3.35", price_was=4),
        line(3, None, price_was=5),
        line(4, 2, price_was=2),
        line(1, 9, category_path=["Down Down"]),
    )
    truth = {
        o.sku: (o.price_cents, o.was_price_cents, o.is_on_special)
        for o in world.truth("coles", "COL:7", datetime.fromisoformat("2026-03-05T00:00:00Z"))
    }
    assert truth == {"1": (900, None, False), "0002": (335, 400, True), "3": (None, None, False), "4": (200, None, False)}
    shelf = world.shelf("coles", "COL:7", datetime.fromisoformat("2026-03-05T00:00:00Z"))
    assert shelf.skus(("Down Down",)) == ["1"] and len(shelf.skus(("Pantry",))) == 4, "duplicates are merged, their categories united"
    store = world.store("coles", "COL:7")
    assert (store.online_store_id, store.state, store.has_shelf) == ("0007", "WA", True)
    assert world.describe()["store_days"][0]["at"] == "2026-03-04T04:00:00+00:00"  # type: ignore[index]  # noon in Perth


def test_products_without_a_category_are_listed(tmp_path: Path) -> None:
    world = world_of(tmp_path, line(1, 9.0), line(2, 3, category_path=[]), line(3, 3, category_path=["Pantry", "Baking", "Flour"]))
    shelf = world.shelf("coles", "COL:7", datetime.fromisoformat("2026-03-05T00:00:00Z"))
    leaves = {sku for leaf in shelf.tree.leaves() for sku in shelf.skus(leaf.path)}
    assert leaves == {"1", "2", "3"}


def test_a_folder_without_store_days_and_an_invalid_line_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="contains no store-day"):
        RecordedWorld(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match=r"hash\.jsonl\.gz, line 2 is not an offer"):
        world_of(tmp_path, line(1, 9), '{"product": ')
