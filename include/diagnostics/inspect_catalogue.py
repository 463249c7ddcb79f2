"""Everything known about one barcode or one SKU, with where it came from: sections of rows, the same for the terminal and for ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.errors import TerminalError
from include.warehouse.engine import Connection, Warehouse
from include.wording.barcode import read_barcodes

Sections = dict[str, list[dict[str, Any]]]


def inspect_sku(warehouse: Warehouse, retailer: str, sku: str) -> Sections:
    """Return ``sku``, ``product_skus``, ``claims``, ``look_ups``, ``decisions`` (about barcodes), ``pair_decisions`` (about pairs of SKUs) and ``moves`` of a SKU; one that only waits for a look-up has that alone.

    Raises:
        TerminalError: neither the catalogue nor the queue knows it.
    """
    with warehouse.transaction() as connection:
        row = connection.run("inspection/find_sku", {"retailer": retailer, "sku": sku}).fetchone()
        sku_keys = [row["sku_key"]] if row else []
        found: Sections = {"sku": [dict(row)] if row else []}
        found["product_skus"] = _rows(connection, "list_siblings", {"product_id": row["product_id"] if row else None})
        found |= _evidence(connection, {"retailer": retailer, "skus": [sku], "sku_keys": sku_keys, "gtin": None})
    if not found["sku"] and not found["look_ups"]:
        raise TerminalError(f'{retailer} has no SKU {sku} here. `aisleflow prices "words of its name"` finds products by name.')
    return found


def inspect_barcode(warehouse: Warehouse, code: str) -> Sections:
    """Return ``barcode`` (its product), ``product_skus``, ``claims``, ``look_ups``, ``decisions``, ``pair_decisions`` and ``moves`` of a barcode in any GTIN form.

    Raises:
        TerminalError: it is no barcode that identifies a good, or no retailer has shown it.
    """
    read = read_barcodes(code)
    if len(read.gtins) != 1:
        raise TerminalError(f"{code!r} is no barcode that identifies a good: {read.note or 'give one code of 8 to 14 digits'}.")
    (gtin,) = read.gtins
    with warehouse.transaction() as connection:
        row = connection.run("inspection/find_barcode", {"gtin": gtin}).fetchone()
        found: Sections = {"barcode": [dict(row)] if row else []}
        found["product_skus"] = _rows(connection, "list_siblings", {"product_id": row["product_id"] if row else None})
        found |= _evidence(connection, {"retailer": None, "skus": [], "sku_keys": [], "gtin": gtin})
    if not (found["barcode"] or found["claims"] or found["look_ups"]):
        raise TerminalError(f"no retailer has shown the barcode {gtin} here. `aisleflow inspect sku RETAILER:SKU` shows what a SKU has.")
    return found


def _evidence(connection: Connection, values: Mapping[str, Any]) -> Sections:
    claims = _rows(connection, "list_claims", values)
    sku_keys = sorted({*values["sku_keys"], *(claim["sku_key"] for claim in claims)})
    return {
        "claims": claims,
        "look_ups": _rows(connection, "list_lookups", {**values, "sku_keys": sku_keys}),
        "decisions": _rows(connection, "list_barcode_decisions", {"claim_ids": [claim["claim_id"] for claim in claims]}),
        "pair_decisions": _rows(connection, "list_pair_decisions", {"sku_keys": sku_keys}),
        "moves": _rows(connection, "list_moves", {"sku_keys": sku_keys}),
    }


def _rows(connection: Connection, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.run(f"inspection/{name}", dict(values)).fetchall()]
