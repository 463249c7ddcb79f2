"""What is learnt about products and brands becomes translation tables, and what is taken back leaves them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from include.catalogue import conflicts
from include.catalogue.tables import list_entries, list_tables, write_tables
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from include.wording.product_key import product_key
from tests.catalogue.catalogue_view import A, B, C
from tests.ingestion.store_days import Line, StoreDays, offer
from tests.warehouse.looking import one, rows

LONG = ("Zorbo Green Tea Leaves", "Zorbo", "100g")
SHORT = ("Zorbo Green Tea", "Zorbo", "100g")
OTHER = ("Tea Green", "Zorbo Tea House", "100g")


def line(sku: str, text: tuple[str, str, str], barcode: str | None) -> Line:
    name, brand, size = text
    return offer(sku, name=name, brand=brand, size=size, barcode=barcode)


def products(storage: Storage) -> dict[str, str]:
    return {row["variation"]: row["canonical"] for row in list_entries(storage) if row["table"] == "product"}


def etags(warehouse: Warehouse, storage: Storage) -> dict[str, str]:
    return {str(table.name): table.etag for table in write_tables(warehouse, storage)}


def test_keys_that_a_barcode_joined_have_one_canonical(warehouse: Warehouse, storage: Storage, met: Callable[..., None]) -> None:
    met("coles", line("c", LONG, A))
    met("iga", line("i", SHORT, A))
    met("woolworths", line("w", OTHER, A))
    write_tables(warehouse, storage)
    keys = {product_key(*text) for text in (LONG, SHORT, OTHER)}
    canonical = min(keys, key=lambda key: (key.count(" "), len(key), key))
    assert len(keys) == 3
    assert products(storage) == dict.fromkeys(keys - {canonical}, canonical)


def test_what_nothing_joined_stays_out(warehouse: Warehouse, storage: Storage, met: Callable[..., None]) -> None:
    met("coles", line("c", LONG, A))
    met("iga", line("i", SHORT, B))
    write_tables(warehouse, storage)
    assert products(storage) == {}


def test_another_reading_of_one_text_is_no_variation(warehouse: Warehouse, storage: Storage, met: Callable[..., None]) -> None:
    met("coles", line("c", ("Zorbo Cola", "Zorbo", "10x375mL"), A))
    assert len(rows(warehouse, "SELECT product_key FROM core.product_alias")) == 2
    write_tables(warehouse, storage)
    assert products(storage) == {}


def test_a_key_of_two_products_translates_neither(warehouse: Warehouse, storage: Storage, met: Callable[..., None]) -> None:
    met("coles", line("c", LONG, A))
    met("iga", line("i", SHORT, A))
    met("woolworths", line("w", LONG, B))  # another barcode forbids the join of the same text
    write_tables(warehouse, storage)
    assert one(warehouse, "SELECT count(DISTINCT product_id)::int FROM core.sku") == 2
    assert products(storage) == {}


def test_without_a_change_nothing_is_written(warehouse: Warehouse, storage: Storage, met: Callable[..., None]) -> None:
    met("coles", line("c", LONG, A))
    met("iga", line("i", SHORT, A))
    first = etags(warehouse, storage)
    met("iga", line("i", SHORT, A), line("j", ("Zorbo Black Tea", "Zorbo", "100g"), C))
    assert [table.is_changed for table in write_tables(warehouse, storage)] == [False, False]
    assert etags(warehouse, storage) == first
    assert {row["name"]: row["etag"] for row in list_tables(storage)} == first


def test_a_wrong_synonym_is_taken_back(warehouse: Warehouse, storage: Storage, met: Callable[..., None]) -> None:
    met("coles", line("c", LONG, A))
    met("iga", line("i", ("Zorbo Green Tea", "Zorbo", "200g"), A))  # another size: a person decides
    before = etags(warehouse, storage)
    assert products(storage) == {}

    for sku in ("i", "c"):
        conflict = one(warehouse, "SELECT conflict_id FROM ops.barcode_conflict WHERE sku = %s", sku)
        conflicts.decide_conflicts(warehouse, {conflict: "accept"}, "ann", "the same pack", "command line")
    joined = etags(warehouse, storage)
    assert joined != before and len(products(storage)) == 1

    conflicts.undo_decisions(
        warehouse, [row["conflict_id"] for row in conflicts.list_conflicts(warehouse, is_all=True)], "ann", "too early"
    )
    assert etags(warehouse, storage) == before
    assert products(storage) == {}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_arrival_does_not_matter(
    warehouse: Warehouse, tmp_path: Path, store_day: StoreDays, storage: Storage, order: tuple[int, ...]
) -> None:
    arrivals = [("coles", line("c", LONG, A)), ("iga", line("i", SHORT, f"{A},{B}")), ("woolworths", line("w", OTHER, B))]
    for retailer, found in (arrivals[number] for number in order):
        store_day(retailer, lines=[found], complete=False)
        pipeline.ingest(warehouse, storage, retailer)
    write_tables(warehouse, storage)
    keys = {product_key(*text) for text in (LONG, SHORT, OTHER)}
    canonical = min(keys, key=lambda key: (key.count(" "), len(key), key))
    assert products(storage) == dict.fromkeys(keys - {canonical}, canonical), "a chain of two barcodes ends at one canonical"


def test_brands_have_the_canonical_that_the_catalogue_gives_them(warehouse: Warehouse, storage: Storage) -> None:
    with warehouse.transaction() as connection:
        connection.execute(
            "INSERT INTO core.brand (folded, name) VALUES ('coca cola', 'Coca-Cola'), ('coca cola co', 'Coca-Cola Co'), ('7', '7')"
        )
        connection.execute(
            "UPDATE core.brand SET canonical_id = (SELECT brand_id FROM core.brand WHERE folded = 'coca cola') WHERE folded IN ('coca cola co', '7')"
        )
    write_tables(warehouse, storage)
    assert [row for row in list_entries(storage) if row["table"] == "brand"] == [
        {"table": "brand", "variation": "7", "canonical": "coca cola"},
        {"table": "brand", "variation": "coca cola co", "canonical": "coca cola"},
    ]
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.brand SET canonical_id = NULL")
    write_tables(warehouse, storage)
    assert list_entries(storage) == []
