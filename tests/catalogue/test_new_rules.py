"""A new version of the text rules: every deciding text is read again, and what may change by it is grouped anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.catalogue import read_again, regroup
from include.catalogue.read_again import read_texts_again
from include.catalogue.regroup import Resolution
from include.warehouse.engine import Warehouse
from include.wording.product_key import RULE_VERSION, product_key
from tests.catalogue.catalogue_view import A, joined, same, tea
from tests.ingestion.store_days import offer
from tests.warehouse.looking import contents, rows


def reread(warehouse: Warehouse) -> Resolution:
    with warehouse.transaction() as connection:
        return read_texts_again(connection)


def age(warehouse: Warehouse, *more: str) -> None:
    """Let older rules have read everything."""
    with warehouse.transaction() as connection:
        for text in (
            "UPDATE core.sku_identity SET rule_version = 1, reading_hash = '', loose_key = 'of older rules', size_quantity = 7, size_unit = 'g'",
            *more,
        ):
            connection.execute(text.encode())


@pytest.fixture
def known(warehouse: Warehouse, met: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Two joined by key, one by barcode, one alone; blocks of two."""
    monkeypatch.setattr(regroup, "BLOCK", 2)
    monkeypatch.setattr(read_again, "BLOCK", 2)
    met("coles", tea("c"), tea("b", A, name="Zorbo Black Tea", price=4.0))
    met("iga", tea("i"), offer("j", name="Leaves of black", brand="Zorbo", size="100g", barcode=A))
    met("aldi", offer("m", name="Mirrin Milk"))
    assert same(warehouse, ("coles", "c"), ("iga", "i")) and same(warehouse, ("coles", "b"), ("iga", "j"))
    return warehouse


def test_everything_is_read_again_and_nothing_moves_where_the_rules_agree(known: Warehouse) -> None:
    before = contents(known)
    age(known)
    assert contents(known) != before
    found = reread(known)
    assert contents(known) == before and found.moved == 0
    assert {row["rule_version"] for row in rows(known, "SELECT rule_version FROM core.sku_identity")} == {RULE_VERSION}
    assert product_key("Zorbo Green Tea", "Zorbo", "100g") in {
        row["product_key"] for row in rows(known, "SELECT product_key FROM core.product_alias")
    }


def test_a_second_time_writes_nothing(known: Warehouse) -> None:
    age(known)
    reread(known)
    before = rows(known, "SELECT ctid::text, sku_key FROM core.sku_identity ORDER BY 1")
    assert reread(known) == Resolution()
    assert rows(known, "SELECT ctid::text, sku_key FROM core.sku_identity ORDER BY 1") == before


def test_what_only_older_rules_joined_is_split_and_logged(known: Warehouse) -> None:
    age(known, "UPDATE core.sku SET joined_by = 'key', product_id = (SELECT product_id FROM core.sku WHERE sku = 'c') WHERE sku = 'm'")
    assert reread(known).moved == 1
    assert not same(known, ("coles", "c"), ("aldi", "m")) and same(known, ("coles", "c"), ("iga", "i"))
    assert [row["sku"] for row in rows(known, "SELECT sku FROM ops.merge_log JOIN core.sku USING (sku_key)")] == ["m"]


def test_a_join_by_barcode_stays(known: Warehouse) -> None:
    age(known)
    reread(known)
    assert same(known, ("coles", "b"), ("iga", "j")) and joined(known, "j", "iga") == "barcode"


def test_the_next_batch_of_any_retailer_reads_them(known: Warehouse, met: Callable[..., None]) -> None:
    age(known)
    met("woolworths", tea("w"))
    assert {row["rule_version"] for row in rows(known, "SELECT rule_version FROM core.sku_identity")} == {RULE_VERSION}
    assert same(known, ("coles", "c"), ("woolworths", "w"))
