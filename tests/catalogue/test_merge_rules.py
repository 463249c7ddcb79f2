"""Each column of the catalogue follows the merge rule in its comment when a SKU is observed again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B
from tests.conftest import Server
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, offer
from tests.warehouse.looking import one, rows

TABLES = ("brand", "product", "product_barcode", "sku")
#: The row to check in each table after each observation: the one created by the first observation that could.
_ROW = {
    "brand": "SELECT * FROM core.brand ORDER BY brand_id LIMIT 1",
    "product": "SELECT * FROM core.product ORDER BY product_id LIMIT 1",
    "product_barcode": "SELECT * FROM core.product_barcode ORDER BY first_seen_at, gtin LIMIT 1",
    "sku": "SELECT * FROM core.sku WHERE sku = '1'",
}
_ONE = {
    "brand": "ZORBO",
    "size": "100 g",
    "barcode": A,
    "category_path": ["Pantry"],
    "url": "https://a.example/1",
    "image_url": "https://a.example/1.jpg",
}
_TWO = {
    "brand": "Quux",
    "size": "101 g",
    "barcode": B,
    "category_path": ["Tea"],
    "url": "https://a.example/2",
    "image_url": "https://a.example/2.jpg",
}
_NOTHING = {"category_path": None}

#: Observations of one SKU, oldest first: only a name, then values, then others, then none again.
SIGHTINGS: tuple[dict[str, Any], ...] = (
    {"name": "Tea", **_NOTHING},
    {"name": "Zorbo Tea", **_ONE},
    {"name": "Zorbo Green Tea", **_TWO},
    {"name": "Zorbo Green Tea 2", **_NOTHING},
)


def _never(values: list[Any]) -> bool:
    known = [value for value in values if value is not None]
    return all(value == known[0] for value in known) and values == sorted(values, key=lambda value: value is not None)


RULES: dict[str, Callable[[list[Any]], bool]] = {
    "never changes": _never,
    "filled when empty": lambda values: values[0] is None and values[1] is not None and values[1] == values[2] == values[3],
    # the second line is the first with brand and size: its text decides from then on
    "follows the deciding texts": lambda values: values[0] != values[1] == values[2] == values[3] or set(values) == {None},
    "latest wins": lambda values: values == sorted(values, key=str),
    "earliest wins": lambda values: len({value for value in values if value is not None}) == 1,
    "newest wins, never replaced by null": lambda values: values[1] != values[2] and None not in values[1:],
    "moved by evidence (a learned barcode, a merge), never by text": lambda values: (
        len({str(value) for value in values if value is not None}) <= 1
    ),
}


@pytest.fixture(scope="module")
def rule_of(postgres: Server) -> dict[str, str | None]:
    """The merge rule in the comment of each column of the catalogue."""
    with psycopg.connect(postgres.cluster.url("template_warehouse")) as connection:
        found = connection.execute(
            "SELECT c.relname || '.' || a.attname, col_description(c.oid, a.attnum) FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid "
            "WHERE c.relnamespace = 'core'::regnamespace AND c.relname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped",
            (list(TABLES),),
        ).fetchall()
    documented = {column: re.findall(r"Merge rule: (.+?)\.(?: |$)", comment or "") for column, comment in found}
    return {column: rules[0] if len(rules) == 1 else None for column, rules in documented.items()}


def test_every_column_has_one_merge_rule(rule_of: dict[str, str | None]) -> None:
    assert len(rule_of) > 25 and [column for column, rule in sorted(rule_of.items()) if rule not in RULES] == []


def test_a_later_observation_follows_the_merge_rule(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, rule_of: dict[str, str | None], fixed_clock: Callable[[str], None]
) -> None:
    seen: dict[str, list[Any]] = {column: [] for column in rule_of}
    for hour, sighting in enumerate(SIGHTINGS):
        at = f"2026-11-18T0{hour}:00:00+00:00"
        fixed_clock(at)
        store_day(store_id=f"G{hour}", at=at, lines=[offer("1", **sighting)])
        pipeline.ingest(warehouse, storage, "aldi")
        for table, text in _ROW.items():
            row: dict[str, Any] = next(iter(rows(warehouse, text)), {})
            for column, values in seen.items():
                if column.startswith(f"{table}."):
                    values.append(row.get(column.split(".")[1]))
    broken = {column: (rule, seen[column]) for column, rule in rule_of.items() if not RULES[str(rule)](seen[column])}
    assert broken == {}
    empty = sorted(column for column, values in seen.items() if values[-1] is None)
    assert empty == ["brand.canonical_id", "product.own_label_of", "sku.former_until_at"], "the others were tested"
    assert [seen["sku.name"], seen["sku.brand"]] == [[s["name"] for s in SIGHTINGS], [None, "ZORBO", "Quux", "Quux"]]


def test_values_only_in_an_older_line_of_a_batch_are_used(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    """The newest line of the batch has the name and nothing else; others have a brand, a size and a barcode each."""
    for known in (False, True):  # a new SKU, then the same one as a known SKU
        sku = "7"
        if known:
            sku = "8"
            store_day(at=TUESDAY, store_id="G9", lines=[offer(sku, name="Leaves", category_path=None)])
            pipeline.ingest(warehouse, storage, "aldi")
        at = [f"2026-11-18T0{hour}:{30 if known else 0:02d}:00+11:00" for hour in range(5)]
        more: dict[str, Any] = {"category_path": None}
        store_day(store_id="G1", at=at[1], lines=[offer(sku, name="Old", brand="Old brand", size="1 kg", **more)])
        store_day(store_id="G2", at=at[2], lines=[offer(sku, name="Older", brand="Zorbo", **more)])
        store_day(store_id="G3", at=at[3], lines=[offer(sku, name="Other", barcode=B if known else A, url="https://a.example/7", **more)])
        store_day(store_id="G4", at=at[4], lines=[offer(sku, name="Leaves", **more)])
        pipeline.ingest(warehouse, storage, "aldi")
        assert rows(
            warehouse,
            "SELECT s.name, s.brand, s.size, s.gtin, s.url, b.name AS product_brand, p.size AS product_size FROM core.sku AS s "
            "JOIN core.product AS p USING (product_id) LEFT JOIN core.brand AS b USING (brand_id) WHERE sku = %s",
            sku,
        ) == [
            {
                "name": "Leaves", "brand": "Zorbo", "size": "1 kg", "gtin": f"0{B if known else A}", "url": "https://a.example/7",
                "product_brand": "Old brand", "product_size": "1 kg",  # the product is described by the fullest text
            }
        ]  # fmt: skip


def test_a_night_without_changes_rewrites_no_sku(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    """Two stores disagree about a SKU, every night in the same way."""
    found = []
    for at in (TUESDAY, WEDNESDAY):
        store_day(store_id="G1", at=at, lines=[offer("1", name="One", brand="Zorbo")])
        store_day(store_id="G2", at=at.replace("04:30", "05:30"), lines=[offer("1", name="Other")])
        pipeline.ingest(warehouse, storage, "aldi")
        found.append(one(warehouse, "SELECT xmin::text || name || brand FROM core.sku"))
    assert found[0] == found[1]
