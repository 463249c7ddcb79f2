"""A person joins and separates SKUs that no proposal names, on the command line; an undo restores every row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.catalogue import merges
from include.catalogue.sku_decisions import join, separate
from include.catalogue.sku_name import SkuName
from include.errors import NeedsPersonError, TerminalError
from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, joined, same, tea
from tests.catalogue.test_merges import state, waiting
from tests.ingestion.store_days import offer
from tests.warehouse.looking import rows

C, ALDI, IGA = SkuName("coles", "c"), SkuName("aldi", "1"), SkuName("iga", "i")


@pytest.fixture
def one_key(warehouse: Warehouse, met: Callable[..., None]) -> Warehouse:
    """Three retailers' listings that their text joins."""
    for name in (C, ALDI, IGA):
        met(name.retailer, tea(name.sku, None))
    assert same(warehouse, ("coles", "c"), ("aldi", "1"), ("iga", "i"))
    return warehouse


def test_two_skus_that_nothing_joins_become_one_product(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c", A))
    met("aldi", offer("1", name="Quux Rooibos", brand="Quux", size="120g", barcode=B))
    before = state(warehouse)
    done = join(warehouse, C, ALDI, "ann", "one recipe, seen both")
    assert done.decision_id and done.moved == 1 and joined(warehouse, "1") == "person"
    assert join(warehouse, ALDI, C, "bob", "again").decision_id is None, "in either order it is the same decision"
    met("coles", tea("c", A, size="101g"))
    assert same(warehouse, ("coles", "c"), ("aldi", "1")), "resolving again leaves it"
    (log,) = rows(warehouse, "SELECT decided_by, decision_reason, evidence FROM ops.match_decision")
    assert log == {"decided_by": "ann", "decision_reason": "one recipe, seen both", "evidence": {"skus": ["coles:c", "aldi:1"]}}
    merges.undo(warehouse, [done.decision_id], "bob", "no")
    after = state(warehouse)
    assert {name: after[name] for name in before if name not in ("sku", "price")} == {
        name: before[name] for name in before if name not in ("sku", "price")
    }
    assert not same(warehouse, ("coles", "c"), ("aldi", "1"))


def test_a_sku_leaves_the_product_of_its_text_for_ever(one_key: Warehouse, met: Callable[..., None]) -> None:
    done = separate(one_key, ALDI, [], "ann", "another recipe")
    assert done.decision_id and same(one_key, ("coles", "c"), ("iga", "i")) and not same(one_key, ("coles", "c"), ("aldi", "1"))
    met("aldi", tea("1", None, name="Zorbo Green Tea Leaves"))
    met("iga", tea("i", A))
    met("aldi", tea("1", A))
    assert not same(one_key, ("iga", "i"), ("aldi", "1")), "not even a shared barcode joins it"
    assert waiting(one_key) == [], "nothing proposes it"
    assert separate(one_key, ALDI, [C, IGA], "bob", "again").decision_id is None


def test_an_undo_of_a_separation_restores_every_row(one_key: Warehouse) -> None:
    before = state(one_key)
    done = separate(one_key, ALDI, [C], "ann", "another recipe")
    assert done.decision_id and state(one_key) != before
    merges.undo(one_key, [done.decision_id], "bob", "the same after all")
    assert state(one_key) == before


def test_two_products_are_kept_apart_before_anything_joins_them(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c", A))
    met("aldi", offer("1", name="Quux Rooibos", brand="Quux", size="120g"))
    assert separate(warehouse, C, [ALDI], "ann", "alike by chance").moved == 0
    met("aldi", offer("1", name="Quux Rooibos", brand="Quux", size="120g", barcode=A))
    assert not same(warehouse, ("coles", "c"), ("aldi", "1")), "nor does a shared barcode join them"
    with pytest.raises(TerminalError, match="stay two products"):
        join(warehouse, C, ALDI, "bob", "they are one")
    assert len(rows(warehouse, "SELECT 1 FROM ops.match_decision")) == 1, "the second was not recorded"


def test_mistakes_are_named_and_change_nothing(one_key: Warehouse, met: Callable[..., None]) -> None:
    met("coles", offer("alone", name="Garden Hose", size="15m"))
    before = state(one_key)
    with pytest.raises(TerminalError, match="no SKU aldi:99 here"):
        join(one_key, C, SkuName("aldi", "99"), "ann", "a test")
    with pytest.raises(TerminalError, match="named twice"):
        separate(one_key, C, [C], "ann", "a test")
    with pytest.raises(TerminalError, match="the only SKU of its product"):
        separate(one_key, SkuName("coles", "alone"), [], "ann", "a test")
    with pytest.raises(NeedsPersonError, match="no reason"):
        join(one_key, C, ALDI, "ann", "  ")
    assert state(one_key) == before
