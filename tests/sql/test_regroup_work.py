"""Reading texts again and merging do work in proportion to the SKUs concerned, however large the catalogue is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include import clock
from include.catalogue import read_again, regroup
from include.catalogue.read_again import read_texts_again
from include.catalogue.resolve import FoundBarcode, learn_barcodes
from include.warehouse.engine import Warehouse
from include.wording.product_key import RULE_VERSION
from tests.sql.plans import measuring
from tests.warehouse.looking import one

CONCERNED = 200
#: Rows looked at plus buffers touched by one execution of the statements of a block, per SKU of the block.
WORK_PER_SKU = 800
#: Whoever asks which texts other rules have read looks at all of them, once.
_WHOLE = {"resolution/list_outdated_identities"}

_FILL = """
INSERT INTO core.product (name, created_at) SELECT 'Good ' || n, '2026-10-01' FROM generate_series(1, %(skus)s::integer) AS n;
INSERT INTO core.sku (retailer, sku, product_id, home_product_id, name, brand, size, texts_at, joined_by, joined_at)
SELECT (ARRAY['coles', 'iga'])[n %% 2 + 1], n::text, n, n, 'Good ' || n, 'Brand ' || n, '100g', '2026-10-01', 'new', '2026-10-01' FROM generate_series(1, %(skus)s::integer) AS n;
INSERT INTO core.brand (folded, name) SELECT 'brand ' || n, 'Brand ' || n FROM generate_series(1, %(skus)s::integer) AS n;
INSERT INTO core.sku_identity (sku_key, name, brand, size, observed_at, rule_version, reading_hash)
SELECT sku_key, name, brand, size, '2026-10-01', %(rule_version)s, '' FROM core.sku;
INSERT INTO core.sku_product_key (sku_key, product_key, position) SELECT sku_key, 'older ' || sku_key, 1 FROM core.sku;
INSERT INTO core.product_barcode (gtin, product_id, is_primary, first_seen_at) SELECT lpad(product_id::text, 14, '0'), product_id, true, '2026-10-01' FROM core.product;
INSERT INTO core.sku_barcode (sku_key, gtin, together, first_seen_at, source, learned_at)
SELECT sku_key, lpad(sku, 14, '0'), lpad(sku, 14, '0'), '2026-10-01', 'coles_details', '2026-10-01' FROM core.sku WHERE retailer = 'iga';
"""


def _read_again(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        connection.execute("UPDATE core.sku_identity SET rule_version = 0 WHERE sku_key <= %s", (CONCERNED,))
        read_texts_again(connection)
    assert one(warehouse, "SELECT count(*) FROM core.sku_product_key WHERE product_key NOT LIKE 'older%%'") == CONCERNED


def _merge(warehouse: Warehouse) -> None:
    found = [
        FoundBarcode(str(number), (str(number - 1).zfill(14),), (f"Good {number}", f"Brand {number}", "100g"), clock.now(), "coles_details")
        for number in range(2, 2 * CONCERNED + 2, 2)
    ]
    with warehouse.transaction() as connection:
        assert learn_barcodes(connection, "coles", found).moved == CONCERNED


@pytest.mark.parametrize("do", [_read_again, _merge])
def test_the_work_depends_on_the_skus_concerned_only(
    make_warehouse: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch, do: Callable[[Warehouse], None]
) -> None:
    monkeypatch.setattr(regroup, "BLOCK", CONCERNED)
    monkeypatch.setattr(read_again, "BLOCK", CONCERNED)
    small, large = (_work(make_warehouse(), skus, do) for skus in (3 * CONCERNED, 30 * CONCERNED))
    grown = {name: (small[name], work) for name, work in large.items() if work > 3 * small[name] + CONCERNED}
    assert grown == {}, "ten times as many SKUs in the catalogue"
    assert sum(large.values()) < WORK_PER_SKU * CONCERNED


def _work(warehouse: Warehouse, skus: int, do: Callable[[Warehouse], None]) -> dict[str, float]:
    """Fill a catalogue; return the work of each statement of ``sql/resolution``, as the server counts it."""
    with warehouse.transaction() as connection:
        for text in _FILL.split(";\n")[:-1]:
            connection.execute(text, {"skus": skus, "rule_version": RULE_VERSION})
    with measuring(0, ("true",)) as measured:
        do(warehouse)
    work = {name: by_belief["true"] for name, by_belief in measured.work.items() if name.startswith("resolution/")}
    assert len(work) > 20
    return {name: amount for name, amount in work.items() if name not in _WHOLE}
