"""What looks doubled or mixed up in the catalogue: equal products, several keys, shared barcodes, reused and renumbered SKUs."""

from __future__ import annotations

from typing import Any, Final

from include.warehouse.engine import Warehouse

#: Section → statement of ``sql/duplicates``.
_SECTIONS: Final = {
    "equal_products": "list_equal_products",
    "shared_barcodes": "list_shared_barcodes",
    "reused_skus": "list_reused_skus",
    "renumbered_skus": "list_renumbered_skus",
    "several_keys": "list_several_keys",
}


def find_duplicates(warehouse: Warehouse, rows_max: int) -> dict[str, Any]:
    """Return ``counts`` (section → number found) and a list of at most ``rows_max`` rows for each section.

    ``equal_products`` share name, brand, size and private label; ``shared_barcodes`` are claimed by SKUs of several products; ``reused_skus`` are numbers
    that a retailer gave to another good; ``renumbered_skus`` are goods that it lists under another number; ``several_keys`` are products that
    more than one key leads to, which is usual.
    """
    with warehouse.transaction() as connection:
        found = {
            section: [dict(row) for row in connection.run(f"duplicates/{name}", {"rows_max": rows_max}).fetchall()]
            for section, name in _SECTIONS.items()
        }
    counts = {section: rows[0]["found"] if rows else 0 for section, rows in found.items()}
    return {"counts": counts} | {
        section: [{key: row[key] for key in row if key != "found"} for row in rows] for section, rows in found.items()
    }
