"""Prefill's query does work in proportion to the SKUs asked for, however large the warehouse is and whatever the planner believes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.enrichment.known_barcodes import find_known
from include.warehouse.engine import Connection, Warehouse
from include.warehouse.statements import statement
from tests.sql.plans import work_of
from tests.warehouse.looking import one

ASKED = 2_000
#: Rows looked at plus buffers touched, per SKU asked for: it is found, its claim is, they are joined, sorted and returned.
WORK_PER_SKU = 20

_FILL = """
INSERT INTO core.product (name, created_at) SELECT 'Good ' || n, '2026-10-01' FROM generate_series(1, %(skus)s::integer) AS n;
INSERT INTO core.sku (retailer, sku, product_id, name, texts_at, joined_by, joined_at)
SELECT (ARRAY['coles', 'iga'])[n %% 2 + 1], n::text, n, 'Good ' || n, '2026-10-01', 'new', '2026-10-01' FROM generate_series(1, %(skus)s::integer) AS n;
INSERT INTO core.sku_barcode (sku_key, gtin, together, first_seen_at, source, learned_at, refused_because, refused_at)
SELECT sku_key, lpad(sku, 14, '0'), lpad(sku, 14, '0'), '2026-10-01', 'coles_details', '2026-10-01',
       CASE WHEN sku_key %% 7 = 0 THEN 'size' END, CASE WHEN sku_key %% 7 = 0 THEN timestamptz '2026-10-01' END
  FROM core.sku WHERE sku_key %% 5 > 0;
INSERT INTO ops.barcode_lookup (retailer, sku, queued_at, result, attempts, retry_at)
SELECT retailer, sku, '2026-10-01', 'none', 1, '2027-01-01' FROM core.sku WHERE sku_key %% 5 = 0;
"""


@pytest.mark.parametrize("is_analyzed", [True, False])
def test_the_work_depends_on_the_skus_asked_for_only(
    make_warehouse: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch, is_analyzed: bool
) -> None:
    small, large = (_work(make_warehouse(), monkeypatch, skus, is_analyzed) for skus in (3 * ASKED, 30 * ASKED))
    assert large < 1.5 * small, "ten times as many SKUs in the warehouse"
    assert large < WORK_PER_SKU * ASKED


def _work(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, skus: int, is_analyzed: bool) -> float:
    """Fill a warehouse; return the work of one call, as the server counts it."""
    with warehouse.transaction() as connection:
        for text in _FILL.split(";\n")[:-1]:
            connection.execute(text, {"skus": skus})
        if is_analyzed:
            connection.execute("ANALYZE core.sku, core.sku_barcode, ops.barcode_lookup")
    plans: list[dict[str, Any]] = []
    run = Connection.run

    def explained(self: Connection, name: str, values: Any = None) -> Any:
        row = self.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement(name)}", values).fetchone()
        assert row is not None
        plans.append(row["QUERY PLAN"][0]["Plan"])
        return run(self, name, values)

    with monkeypatch.context() as patch, warehouse.transaction() as connection:
        patch.setattr(Connection, "run", explained)
        found = find_known(connection, "coles", [str(number) for number in range(2, 2 * ASKED + 2, 2)])
    states = [known.state for known in found.values()]
    assert len(found) == ASKED and {*states} == {"proved", "contested", "none"} and one(warehouse, "SELECT count(*) FROM core.sku") == skus
    (plan,) = plans
    return work_of(plan) + float(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
