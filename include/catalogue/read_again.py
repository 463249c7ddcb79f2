"""New text rules: every deciding text that another version has read is read again, and what may change by it is grouped anew."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from include.catalogue.regroup import BLOCK, Resolution, Run, begin, copy_rows, create_due, regroup_due
from include.catalogue.sightings import Known, Pieces
from include.catalogue.texts import Reading, read_text
from include.warehouse.engine import Connection, lock
from include.wording.product_key import RULE_VERSION

log = logging.getLogger(__name__)


def read_texts_again(connection: Connection) -> Resolution:
    """Read again every deciding text that another version of the text rules has read, inside the caller's transaction; group anew what may change by it.

    A text of which the rules read the same changes nothing. All identities are saved before any SKU is grouped, so no SKU moves twice. Texts are read in pages and
    SKUs grouped in blocks, so memory does not grow with the catalogue. Idempotent.
    """
    lock(connection, "resolve")
    page = _list_outdated(connection, 0)
    if not page:
        return Resolution()
    create_due(connection)
    read = changed = 0
    with ThreadPoolExecutor(1, "read texts") as reader:  # reads a page while the server saves the one before
        reading = reader.submit(_read_page, page)
        while page:
            following = _list_outdated(connection, page[-1]["sku_key"])
            rows = reading.result()
            reading = reader.submit(_read_page, following)
            _save_page(connection, [row["sku_key"] for row in page], rows)
            read, changed, page = read + len(page), changed + len(rows), following
    connection.execute("ANALYZE due")
    result = regroup_due(connection)
    log.info("read %s texts again with version %s of the rules, %s of them otherwise: %s", read, RULE_VERSION, changed, result)
    return result


def _read_page(page: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Read texts; return the rows of ``changed_identity`` of those that are read otherwise now."""
    rows = []
    for row in page:
        text, at = (row["name"], row["brand"], row["size"]), row["observed_at"]
        known = Known(text, at, text, at, pieces=pieces_of(row))
        reading = read_text(text, known.piece_count)
        if reading.hash != row["reading_hash"]:
            rows.append(identity_row(row["sku_key"], known, reading))
    return rows


def pieces_of(row: dict[str, Any]) -> Pieces | None:
    """The columns ``piece_count`` and ``piece_count_at`` of a row."""
    return Pieces(row["piece_count_at"], row["piece_count"]) if row["piece_count"] else None


def _save_page(connection: Connection, sku_keys: list[int], rows: list[tuple[Any, ...]]) -> None:
    if rows:
        run = begin(connection)
        copy_rows(connection, "changed_identity", rows)
        run("resolution/add_due_texts")
        save_identities(run)
    connection.run("resolution/confirm_identities", {"rule_version": RULE_VERSION, "sku_keys": sku_keys})


def identity_row(sku_key: int, known: Known, reading: Reading) -> tuple[Any, ...]:
    """A deciding text and what was read from it, as a row of ``changed_identity``."""
    return (
        *(
            sku_key,
            *known.text,
            known.observed_at,
            list(reading.product_keys),
            reading.loose_key,
            reading.folded_brand,
            reading.size_quantity,
        ),
        *(reading.size_unit, reading.own_label_of, reading.hash, known.former_until_at, known.is_reused),
        *((known.pieces.count, known.pieces.at) if known.pieces else (None, None)),
    )


def save_identities(run: Run) -> None:
    """Save what is in ``changed_identity``."""
    run("resolution/create_brands")
    run("resolution/save_identities")
    run("resolution/remove_product_keys")
    run("resolution/save_product_keys")


def _list_outdated(connection: Connection, after: int) -> list[dict[str, Any]]:
    values = {"rule_version": RULE_VERSION, "after": after, "rows_max": BLOCK}
    return connection.run("resolution/list_outdated_identities", values).fetchall()
