"""Looking into a warehouse from a test: rows, prices of a store, and whole contents by natural keys."""

from __future__ import annotations

from typing import Any, LiteralString, cast

from include.warehouse.engine import Connection, Warehouse

CORE_TABLES = ("retailer", "store", "brand", "product", "product_barcode", "sku", "sku_identity", "sku_product_key", "sku_barcode", "price")

#: Products have no natural key: one is named after its SKUs, an emptied one after its name.
_PRODUCT = """
WITH product_of AS (
    SELECT p.product_id, coalesce(string_agg(s.retailer || ':' || s.sku, ',' ORDER BY s.retailer, s.sku), 'without SKU: ' || p.name) AS called
      FROM core.product AS p LEFT JOIN core.sku AS s USING (product_id) GROUP BY p.product_id
), file AS (SELECT file_id, f.retailer || f.store_id || f.run_key || f.content_hash AS called FROM ops.staged_file AS f)
"""

CONTENTS = {
    "core.store": "SELECT retailer, store_id, online_store_id, s.name, state, is_confirmed, complete_at, file.called, first_seen_at FROM core.store AS s LEFT JOIN file ON file_id = complete_file_id",
    "core.brand": "SELECT folded, name FROM core.brand",
    "core.product": "SELECT called, p.name, b.folded, size, size_quantity, size_unit, own_label_of, image_url, created_at FROM core.product AS p JOIN product_of USING (product_id) LEFT JOIN core.brand AS b USING (brand_id)",
    "core.product_barcode": "SELECT gtin, called, is_primary, first_seen_at FROM core.product_barcode JOIN product_of USING (product_id)",
    "core.product_alias": "SELECT product_key, called, rule_version FROM core.product_alias JOIN product_of USING (product_id)",
    "core.sku": "SELECT retailer, sku, called, name, brand, size, category, url, image_url, gtin, texts_at, joined_by, match_evidence, joined_at FROM core.sku JOIN product_of USING (product_id)",
    "core.sku_identity": "SELECT retailer, sku, i.name, i.brand, i.size, observed_at, rule_version, loose_key, b.folded, size_quantity, size_unit, own_label_of FROM core.sku_identity AS i JOIN core.sku AS s USING (sku_key) LEFT JOIN core.brand AS b USING (brand_id)",
    "core.sku_product_key": "SELECT retailer, sku, product_key, position FROM core.sku_product_key JOIN core.sku USING (sku_key)",
    "core.sku_barcode": "SELECT retailer, sku, c.gtin, together, first_seen_at, source, file.called, refused_because, refused_at FROM core.sku_barcode AS c JOIN core.sku AS s USING (sku_key) LEFT JOIN file USING (file_id)",
    "core.price": "SELECT st.retailer, store_id, sku, price_cents, was_price_cents, unit_price, unit_of_measure, is_on_special, price_basis, multi_buy_quantity, multi_buy_cents, is_available, is_listed, uses_store_watermark, delisted_at, observed_at, changed_at, retracted_at, file.called, given.called "
    "FROM core.price JOIN core.store AS st USING (store_key) JOIN core.sku USING (sku_key) JOIN file USING (file_id) JOIN file AS given ON given.file_id = price_file_id",
    "staging.offer": "SELECT file.called, line_number, sku, reasons FROM staging.offer JOIN file USING (file_id)",
    "staging.loaded_file": "SELECT file.called FROM staging.loaded_file JOIN file USING (file_id)",
    "ops.staged_file": "SELECT retailer, store_id, night, run_key, content_hash, state, stage, regexp_replace(state_reason,'^file [0-9]+','another file'), observed_at, rows, is_complete, completeness_reason, statistics, check_version, quarantined, folded, "
    "unavailable, created, updated, unchanged, outdated, delisted, published_at FROM ops.staged_file",
    "ops.quarantined_offer": "SELECT file.called, line_number, sku, reasons, raw_text, state, quarantined_at, outcome, decided_by, decision_reason, decided_at FROM ops.quarantined_offer JOIN file USING (file_id)",
    "ops.data_quality_result": "SELECT file.called, rule_id, scope, severity, is_passed, checked, failed, detail, checked_at FROM ops.data_quality_result JOIN file USING (file_id)",
    "ops.match_proposal": "SELECT a.called, b.called, reason, evidence, state, proposed_at FROM ops.proposal JOIN product_of AS a ON a.product_id = left_product_id JOIN product_of AS b ON b.product_id = right_product_id",
    "ops.barcode_conflict": "SELECT retailer, sku, gtin, a.called, b.called, reason, source, file.called, detected_at FROM ops.barcode_conflict JOIN product_of AS a USING (product_id) LEFT JOIN product_of AS b ON b.product_id = owner_product_id LEFT JOIN file USING (file_id)",
    "ops.barcode_lookup": "SELECT q.retailer, q.sku, queued_at, s.sku, st.store_id, priority, claim, attempts, asked_at, asked_store_id, source, result, detail, q.gtin, retry_at FROM ops.barcode_lookup AS q LEFT JOIN core.sku AS s USING (sku_key) LEFT JOIN core.store AS st USING (store_key)",
    "ops.lookup_night": "SELECT night, retailer, requests, asked, found, learned, contested, none, unknown, failed, joined FROM ops.lookup_night",
    "ops.decision": "SELECT file.called, choice, rule_id, lines, decided_by, decision_reason, decided_via, decided_at FROM ops.decision JOIN file USING (file_id)",
    "ops.merge_log": "SELECT retailer, sku, a.called, b.called, merged_by, evidence, former, merged_at, undone_at FROM ops.merge_log JOIN core.sku USING (sku_key) JOIN product_of AS a ON a.product_id = from_product_id JOIN product_of AS b ON b.product_id = to_product_id",
}


def rows(warehouse: Warehouse, text: str, *values: Any) -> list[dict[str, Any]]:
    """Return the rows of a query."""
    with warehouse.transaction() as connection:
        return connection.execute(cast(LiteralString, text), values).fetchall()


def one(warehouse: Warehouse, text: str, *values: Any) -> Any:
    """Return the only value of the only row of a query."""
    found = rows(warehouse, text, *values)
    assert len(found) == 1 and len(found[0]) == 1, found
    return next(iter(found[0].values()))


def prices(warehouse: Warehouse, store_id: str = "G1", retailer: str = "aldi") -> dict[str, dict[str, Any]]:
    """Return the rows of the public view for one store, by SKU."""
    return {
        row["sku"]: row
        for row in rows(warehouse, "SELECT * FROM core.store_price WHERE retailer = %s AND store_id = %s", retailer, store_id)
    }


def cents(warehouse: Warehouse, store_id: str = "G1", retailer: str = "aldi") -> dict[str, int]:
    """Return the listed prices of one store, by SKU."""
    return {sku: row["price_cents"] for sku, row in prices(warehouse, store_id, retailer).items() if row["is_listed"]}


def product_of(warehouse: Warehouse, sku: str, retailer: str = "aldi") -> int:
    """Return the product a SKU belongs to."""
    return int(one(warehouse, "SELECT product_id FROM core.sku WHERE retailer = %s AND sku = %s", retailer, sku))


def contents(warehouse: Warehouse) -> dict[str, list[str]]:
    """Return everything in the warehouse by natural keys: equal for two warehouses with the same content, regardless of surrogate keys."""
    with warehouse.transaction() as connection:
        return {table: sorted(str(tuple(row.values())) for row in _named(connection, text)) for table, text in CONTENTS.items()}


def _named(connection: Connection, text: str) -> list[dict[str, Any]]:
    # two columns of one name (left and right product) must not become one key
    select, rest = text.split(" FROM ", 1)
    columns = ", ".join(f"{column} AS c{position}" for position, column in enumerate(select.removeprefix("SELECT ").split(", ")))
    return connection.execute(cast(LiteralString, f"{_PRODUCT} SELECT {columns} FROM {rest}")).fetchall()


def fingerprint(connection: Connection, table: str, *, physical: bool = False) -> str:
    """Return a hash of a table with all its columns; ``physical`` also notices a row rewritten with equal values."""
    position = "t.ctid::text || t.xmin::text || " if physical else ""
    text = f"SELECT coalesce(md5(string_agg({position}t::text, E'\\n' ORDER BY {position}t::text)), 'empty') AS hash FROM {table} AS t"
    row = connection.execute(cast(LiteralString, text)).fetchone()
    assert row is not None
    return str(row["hash"])


def core_fingerprints(warehouse: Warehouse, *, physical: bool = False) -> dict[str, str]:
    """Return the fingerprint of every table of ``core``."""
    with warehouse.transaction() as connection:
        return {table: fingerprint(connection, f"core.{table}", physical=physical) for table in CORE_TABLES}
