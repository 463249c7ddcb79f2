"""Everything known about a product, a store, a file; what looks doubled in the catalogue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.diagnostics.duplicates import find_duplicates
from include.diagnostics.inspect_file import inspect_file
from include.diagnostics.inspect_product import inspect_product
from include.diagnostics.inspect_store import inspect_store
from include.errors import TerminalError
from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, tea
from tests.ingestion.store_days import offer
from tests.warehouse.looking import one, product_of


@pytest.fixture
def known(warehouse: Warehouse, met: Callable[..., None]) -> Warehouse:
    """Coles and IGA sell one tea under one barcode; Aldi a milk."""
    met("coles", tea("c", A))
    met("iga", tea("i", A, name="Zorbo Leaf Tea Green", price=3.5))
    met("aldi", offer("m", name="Mirrin Milk"))
    return warehouse


def test_a_product_is_shown_with_where_everything_comes_from(known: Warehouse) -> None:
    found = inspect_product(known, str(product_of(known, "c", "coles")))
    assert found["product"]["name"] == "Zorbo Green Tea"
    assert [(row["retailer"], row["sku"], row["joined_by"], row["stores"]) for row in found["skus"]] == [
        ("coles", "c", "new", 1),
        ("iga", "i", "barcode", 1),
    ]
    assert [(row["gtin"], row["sku"], row["source"], row["owner_product_id"], row["is_primary"]) for row in found["barcodes"]] == [
        (f"0{A}", sku, "file", found["product"]["product_id"], True) for sku in ("c", "i")
    ]
    assert all(row["file_id"] for row in found["barcodes"])
    assert {row["products"] for row in found["keys"]} == {1} and len(found["keys"]) == 2
    assert found["moves"] == []


@pytest.mark.parametrize("text", ["coles:c", "iga:i", "zorbo leaf", "mirrin"])
def test_a_product_is_found_by_a_sku_or_by_words(known: Warehouse, text: str) -> None:
    sku, retailer = ("m", "aldi") if text == "mirrin" else ("c", "coles")
    assert inspect_product(known, text)["product"]["product_id"] == product_of(known, sku, retailer)


def test_words_of_several_products_list_them(known: Warehouse, met: Callable[..., None]) -> None:
    met("woolworths", tea("w", name="Zorbo Black Tea"))
    assert [row["name"] for row in inspect_product(known, "zorbo")["products"]] == ["Zorbo Green Tea", "Zorbo Black Tea"]


@pytest.mark.parametrize(("text", "message"), [("999", "no product 999"), ("aldi:9", "'aldi:9'"), ("sausage", "'sausage'")])
def test_an_unknown_product_says_how_to_find_it(known: Warehouse, text: str, message: str) -> None:
    with pytest.raises(TerminalError, match=message):
        inspect_product(known, text)


def test_a_store_is_shown_with_its_files(known: Warehouse) -> None:
    found = inspect_store(known, "coles", "COL:1")
    assert (found["store"]["prices"], found["store"]["listed"]) == (1, 1)
    assert [row["state"] for row in found["files"]] == ["published"]
    with pytest.raises(TerminalError, match="aisleflow store list --retailer coles"):
        inspect_store(known, "coles", "COL:9")


def test_a_file_is_found_by_number_path_and_hash(known: Warehouse) -> None:
    number = one(known, "SELECT file_id FROM ops.staged_file WHERE retailer = 'coles'")
    content = one(known, "SELECT content_hash FROM ops.staged_file WHERE retailer = 'coles'")
    found = inspect_file(known, str(number))
    assert found["file"]["state"] == "published" and found["manifest"]["rows"] == 1
    for text in (content, content[:12], f"archive/coles/COL%3A1/2026-11-18--run--{content[:16]}.jsonl.gz"):
        assert inspect_file(known, text) == found
    for text in ("77", "abc", "f" * 64, "%"):
        with pytest.raises(TerminalError, match="aisleflow store files"):
            inspect_file(known, text)


def test_what_is_doubled_is_counted(known: Warehouse, met: Callable[..., None]) -> None:
    assert find_duplicates(known, 5)["counts"] == {
        "equal_products": 0, "shared_barcodes": 0, "reused_skus": 0, "renumbered_skus": 0, "several_keys": 1
    }  # fmt: skip
    met("woolworths", tea("w", B))  # the text of Coles' tea, another barcode: two products that share everything
    met("woolworths", tea("x", A, size="250g"))  # its barcode on another size
    found = find_duplicates(known, 5)
    assert found["counts"]["equal_products"] == 1 and found["equal_products"][0]["skus"] == ["coles:c", "woolworths:w"]
    assert [row["gtin"] for row in found["shared_barcodes"]] == [f"0{A}"]


def test_a_number_given_to_another_good_and_a_good_under_another_number(known: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", offer("m", name="Garden Hose 20m"))
    met("coles", tea("c2", A))
    with known.transaction() as connection:
        connection.execute(
            "UPDATE core.price SET is_listed = false, delisted_at = observed_at WHERE sku_key = (SELECT sku_key FROM core.sku WHERE sku = 'c')"
        )
    found = find_duplicates(known, 5)
    assert [row["sku"] for row in found["reused_skus"]] == ["m"]
    assert [(row["former_sku"], row["sku"]) for row in found["renumbered_skus"]] == [("c", "c2")]
