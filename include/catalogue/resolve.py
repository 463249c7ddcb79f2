"""Resolution assigns a product to every SKU: set-based, in the database, one short transaction per retailer's batch.

A known (retailer, SKU) keeps its product. For unknown ones the barcode decides, then the product key, inside
the batch too; an unresolved SKU becomes a new product with a match proposal for review.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, LiteralString

from include import clock
from include.warehouse.engine import Connection, Warehouse, lock
from include.wording.brand import fold_brand, own_label_of
from include.wording.product_key import RULE_VERSION, product_key
from include.wording.size import TOLERANCE, total

log = logging.getLogger(__name__)

#: Statements that run after many rows of the working table were inserted or updated.
_AFTER_FILLING = frozenset({"join_by_barcode", "propose_pairs"})
#: Number of new SKUs from which the catalogue's statistics are updated.
_GROWTH = 1_000
_CATALOGUE: LiteralString = "core.sku, core.product, core.product_alias, core.product_barcode"
_CHUNK = 5_000
_ROUNDS_MAX = 50


@dataclass(frozen=True, slots=True)
class Resolution:
    """Counts of one resolution: new SKUs by kind of match, products created, barcodes added and refused, SKUs moved."""

    skus: int = 0
    by_barcode: int = 0
    by_key: int = 0
    products_created: int = 0
    proposals: int = 0
    barcodes_learned: int = 0
    conflicts: int = 0
    moved: int = 0
    texts_refreshed: int = 0

    def __add__(self, other: Resolution) -> Resolution:
        mine, theirs = asdict(self), asdict(other)
        return Resolution(**{name: mine[name] + theirs[name] for name in mine})


def resolve(warehouse: Warehouse, retailer: str) -> Resolution:
    """Assign a product to every SKU of a retailer's checked store-days.

    Idempotent: a second call finds no unknown SKU. An advisory lock allows one resolution at a time, so
    retailers with the same new product create it once.
    """
    with warehouse.transaction() as connection:
        lock(connection, "resolve")
        rows = connection.run("ledger/list_checked", {"retailer": retailer}).fetchall()
        file_ids = [int(row["file_id"]) for row in rows]
        result = _resolve(connection, retailer, file_ids) if file_ids else Resolution()
    if result.skus >= _GROWTH:
        with warehouse.transaction() as connection:  # separate transaction: it blocks every other ANALYZE until it ends
            connection.execute(f"ANALYZE {_CATALOGUE}")
    return result


def resolve_files(connection: Connection, retailer: str, file_ids: Sequence[int]) -> Resolution:
    """Assign a product to every SKU of some files' accepted lines in ``staging.offer``, inside the caller's transaction."""
    lock(connection, "resolve")
    return _resolve(connection, retailer, file_ids)


def _resolve(connection: Connection, retailer: str, file_ids: Sequence[int]) -> Resolution:
    values: dict[str, Any] = {
        "retailer": retailer,
        "file_ids": list(file_ids),
        "now": clock.now(),
        "rule_version": RULE_VERSION,
        "size_tolerance": TOLERANCE,
    }

    def run(name: str, **more: Any) -> int:
        if name in _AFTER_FILLING:  # a temporary table without statistics; its lock blocks no other transaction
            connection.execute("ANALYZE pending")
        return max(connection.run(f"resolution/{name}", values | more).rowcount, 0)

    run("create_pending")
    if run("collect_pending"):
        _read_texts(connection)
        run("create_brands")
        while run("join_by_barcode"):  # an added barcode may join further SKUs
            run("add_barcodes")
        while run("group_by_barcode"):
            pass
        run("join_by_key", has_barcode=True)
        created = run("create_products", has_barcode=True)
        run("copy_leader_products")
        run("add_barcodes")
        run("create_skus")
        proposals = run("propose_pairs")
        run("create_aliases")
        run("group_by_text")
        run("join_by_key", has_barcode=False)
        created += run("create_products", has_barcode=False)
        run("copy_leader_products")
        run("create_skus")
        proposals += run("propose_pairs")
        run("create_aliases")
        run("fill_products")
    else:
        created = proposals = 0
    counts = connection.run("resolution/count_pending").fetchone()
    assert counts is not None
    learned, conflicts, moved = _learn_barcodes(connection, values)
    refreshed = run("refresh_skus")
    if refreshed and run("collect_fillable"):
        _read_texts(connection)
        run("create_brands")
        run("fill_products")
    result = Resolution(counts["skus"], counts["by_barcode"], counts["by_key"], created, proposals, learned, conflicts, moved, refreshed)
    log.info("resolved %s: %s", retailer, result)
    return result


def _read_texts(connection: Connection) -> None:
    """Compute product key, folded brand, own label and size of every unread pending SKU: text rules are Python, the rest is SQL."""
    connection.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS pending_text (n integer, product_key text, folded_brand text, own_label_of text, size_quantity numeric, size_unit text) ON COMMIT DROP"
    )
    last = 0
    while chunk := connection.run("resolution/list_unread_texts", {"after": last, "limit": _CHUNK}).fetchall():
        with connection.cursor() as cursor, cursor.copy("COPY pending_text FROM STDIN") as copy:
            for row in chunk:
                name, brand, size = row["name"], row["brand"], row["size"]
                quantity, unit = total(size, name) or (None, None)
                copy.write_row(
                    (row["n"], product_key(name, brand, size) or None, fold_brand(brand or ""), own_label_of(brand), quantity, unit)
                )
        last = chunk[-1]["n"]
    connection.run("resolution/apply_texts")


def _learn_barcodes(connection: Connection, values: dict[str, Any]) -> tuple[int, int, int]:
    learned = conflicts = moved = 0
    for _ in range(_ROUNDS_MAX):
        if connection.run("resolution/collect_learned_barcodes", values).rowcount <= 0:
            break
        refused = connection.run("resolution/record_conflicts", values).rowcount
        assigned = connection.run("resolution/assign_learned_barcodes", values).rowcount
        joined = connection.run("resolution/move_skus_to_barcode_owner", values).rowcount
        connection.run("resolution/move_aliases_of_empty_products", values)
        connection.execute("DROP TABLE learned_barcode")
        learned, conflicts, moved = learned + assigned, conflicts + refused, moved + joined
        if not refused + assigned + joined:
            break
    return learned, conflicts, moved
