"""Resolution assigns a product to every SKU, in one short transaction per retailer's batch.

Which SKUs are one product is a function of what is known of them (:mod:`include.catalogue.grouping`), so the same lines give the same products in
whatever order and batches they arrive. A batch changes what is known of some SKUs; these are grouped again with all that share a product, a barcode or a
product key with them, and what moves is logged. The database collects and applies; texts and groups are Python.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, LiteralString, cast

from include.catalogue.grouping import Claim
from include.catalogue.read_again import identity_row, pieces_of, read_texts_again, save_identities
from include.catalogue.regroup import Resolution, Run, analyze, begin, copy_rows, expand, place
from include.catalogue.sightings import Known, Origin, Pieces, Sighting, absorb
from include.catalogue.texts import read_text
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.price_changes import announce_price_change
from include.wording.same_good import Text

log = logging.getLogger(__name__)

#: Number of new SKUs from which the catalogue's statistics are updated.
_GROWTH = 1_000
_CATALOGUE: LiteralString = "core.sku, core.sku_identity, core.sku_product_key, core.sku_barcode, core.product, core.product_barcode"


@dataclass(frozen=True, slots=True)
class FoundBarcode:
    """The usable barcodes (GTIN-14) that a look-up found for a SKU at an instant, the text beside them, and its source."""

    sku: str
    gtins: tuple[str, ...]
    text: Text
    at: datetime
    source: str


def resolve(warehouse: Warehouse, retailer: str) -> Resolution:
    """Assign a product to every SKU of a retailer's checked store-days.

    Idempotent: a second call finds nothing new. An advisory lock allows one resolution at a time, so
    retailers with the same new product create it once.
    """
    with warehouse.transaction() as connection:
        announce_price_change(connection)
        lock(connection, "resolve")
        rows = connection.run("ledger/list_checked", {"retailer": retailer}).fetchall()
        file_ids = [int(row["file_id"]) for row in rows]
        result = Resolution()
        if file_ids:
            read_texts_again(connection)
            result = _resolve(connection, retailer, file_ids)
    if result.skus >= _GROWTH:
        with warehouse.transaction() as connection:  # separate transaction: it blocks every other ANALYZE until it ends
            connection.execute(f"ANALYZE {_CATALOGUE}")
    return result


def resolve_files(connection: Connection, retailer: str, file_ids: Sequence[int]) -> Resolution:
    """Assign a product to every SKU of some files' accepted lines in ``staging.offer``, inside the caller's transaction, which announced a change."""
    lock(connection, "resolve")
    return _resolve(connection, retailer, file_ids)


def learn_barcodes(connection: Connection, retailer: str, found: Sequence[FoundBarcode]) -> Resolution:
    """Learn barcodes that were looked up, as if a line had shown them, inside the caller's transaction.

    The same rules decide: a barcode is accepted, joins products, or is refused and recorded as a conflict. One whose text is about another good
    than the SKU's, and one of a SKU that the catalogue does not know, are left out. Idempotent.
    """
    announce_price_change(connection)
    lock(connection, "resolve")
    run = begin(connection, retailer=retailer)
    run("resolution/create_looked_up")
    copy_rows(connection, "looked_up", ((f.sku, list(f.gtins), *f.text, f.at, f.source) for f in found))
    run("resolution/collect_looked_up")
    result = _take_in(connection, run, 0)
    run("resolution/fill_looked_up")
    return result


def _resolve(connection: Connection, retailer: str, file_ids: Sequence[int]) -> Resolution:
    run = begin(connection, retailer=retailer, file_ids=list(file_ids))
    new = run("resolution/collect_pending")
    analyze(connection, "pending")
    run("resolution/join_renumbered")
    run("resolution/collect_sightings")
    result = _take_in(connection, run, new)
    result = replace(result, texts_refreshed=run("resolution/refresh_skus"))
    if new or result.texts_refreshed:
        run("resolution/fill_pictures")
    log.info("resolved %s: %s", retailer, result)
    return result


def _take_in(connection: Connection, run: Run, new: int) -> Resolution:
    """Take in what was collected into ``sighting``: save what became known, and group again what depends on it."""
    _read_texts(connection)
    if not run("resolution/collect_members"):
        return Resolution(skus=new)
    added = expand(run, 0, 0)
    save_identities(run)
    run("resolution/forget_former_goods")
    run("resolution/save_barcodes")
    run("resolution/end_forgotten_decisions")
    run("resolution/forget_pairs")
    run("resolution/forget_proposals")
    expand(run, 0, added)
    return place(connection, run, new)


def _read_texts(connection: Connection) -> None:
    """Merge what was collected into what is known; fill ``changed_identity`` and ``changed_barcode`` with what became another."""
    rows = connection.run("resolution/list_sightings").fetchall()
    changed: dict[int, Known] = {}
    identities: list[tuple[Any, ...]] = []
    for sku_key, found in groupby(rows, key=lambda row: cast(int, row["sku_key"])):
        lines = list(found)
        before = _known(lines[0]) if lines[0]["is_known"] else None
        after = absorb(before, map(_sighting, lines))
        if before is None or (before.text, before.observed_at, before.former_until_at, before.pieces) != (
            after.text,
            after.observed_at,
            after.former_until_at,
            after.pieces,
        ):
            identities.append(identity_row(sku_key, after, read_text(after.text, after.piece_count)))
        if after.claims and (before is None or before.claims != after.claims):
            changed[sku_key] = after
    copy_rows(connection, "changed_identity", identities)
    copy_rows(
        connection,
        "changed_barcode",
        (
            (sku_key, claim.gtin, claim.together, claim.first_seen_at, after.origins[claim.gtin].source, after.origins[claim.gtin].file_id)
            for sku_key, after in changed.items()
            for claim in after.claims.values()
        ),
    )


def _sighting(row: dict[str, Any]) -> Sighting:
    text = row["name"], row["brand"], row["size"]
    return Sighting(text, tuple(row["gtins"] or ()), row["first_at"], row["last_at"], Origin(row["source"], row["file_id"]), pieces_of(row))


def _known(row: dict[str, Any]) -> Known:
    claims = {claim.gtin: claim for claim in _claims(row["claimed_gtins"], row["togethers"], row["first_seen"])}
    return Known(
        text=(row["first_name"], row["first_brand"], row["first_size"]),
        observed_at=row["observed_at"],
        newest=(row["newest_name"], row["newest_brand"], row["newest_size"]),
        newest_at=row["newest_at"],
        former_until_at=row["former_until_at"],
        claims=claims,
        origins=dict(zip(claims, map(Origin, row["sources"] or (), row["files"] or ()), strict=True)),
        pieces=Pieces(row["known_piece_count_at"], row["known_piece_count"]) if row["known_piece_count"] else None,
    )


def _claims(gtins: list[str] | None, togethers: list[str] | None, first_seen: list[datetime] | None) -> tuple[Claim, ...]:
    return tuple(map(Claim, gtins or (), togethers or (), first_seen or ()))
