"""Resolution assigns a product to every SKU, in one short transaction per retailer's batch.

Which SKUs are one product is a function of what is known of them (:mod:`include.catalogue.grouping`), so the same lines give the same products in
whatever order and batches they arrive. A batch changes what is known of some SKUs; these are grouped again with all that share a product, a barcode or a
product key with them, and what moves is logged. The database collects and applies; texts and groups are Python.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, LiteralString, cast

from include import clock
from include.catalogue.grouping import Claim, Grouping, Member, group
from include.catalogue.links import Link
from include.catalogue.sightings import Known, Origin, Sighting, absorb
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.price_changes import announce_price_change
from include.wording.brand import fold_brand, own_label_of
from include.wording.product_key import RULE_VERSION, loose_key, product_keys
from include.wording.same_good import Text
from include.wording.size import telling_sizes, total

log = logging.getLogger(__name__)

#: Number of new SKUs from which the catalogue's statistics are updated.
_GROWTH = 1_000
#: SKUs that are read, or grouped, at once when the text rules are new.
_BLOCK = 20_000
_CATALOGUE: LiteralString = "core.sku, core.sku_identity, core.sku_product_key, core.sku_barcode, core.product, core.product_barcode"
_WORKING: LiteralString = "pending, looked_up, sighting, changed_identity, changed_barcode, member, placed, judged, proposed"


#: Runs a statement of ``sql/resolution`` by its verb; returns its rows.
Run = Callable[..., int]


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


@dataclass(frozen=True, slots=True)
class FoundBarcode:
    """The usable barcodes (GTIN-14) that a look-up found for a SKU at an instant, the text beside them, and its source."""

    sku: str
    gtins: tuple[str, ...]
    text: Text
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class UnscoredProduct:
    """A product as it would be without the matcher's joins: a number below zero, which no row has, and its barcodes (GTIN-14)."""

    product_id: int
    gtins: tuple[str, ...]


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
    run = _begin(connection, retailer=retailer)
    run("create_looked_up")
    _copy(connection, "looked_up", ((f.sku, list(f.gtins), *f.text, f.at, f.source) for f in found))
    run("collect_looked_up")
    result = _take_in(connection, run, 0)
    run("fill_looked_up")
    return result


def read_texts_again(connection: Connection) -> Resolution:
    """Read again every deciding text that another version of the text rules has read, inside the caller's transaction; group anew what may change by it.

    All identities are saved before any SKU is grouped, so no SKU moves twice. Texts are read in pages and SKUs grouped in blocks, so memory does not grow with
    the catalogue. Idempotent.
    """
    lock(connection, "resolve")
    run = _begin(connection)
    changed: list[int] = []
    while page := connection.run("resolution/list_outdated_identities", _after(changed)).fetchall():
        texts = ((row["sku_key"], (row["name"], row["brand"], row["size"]), row["observed_at"]) for row in page)
        _copy(connection, "changed_identity", (_read(sku_key, Known(text, at, text, at)) for sku_key, text, at in texts))
        changed += [row["sku_key"] for row in page]
    if not changed:
        return Resolution()
    _save_identities(run)
    result = Resolution()
    for start in range(0, len(changed), _BLOCK):
        result += regroup(connection, changed[start : start + _BLOCK])
    log.info("read %s texts again with version %s of the rules: %s", len(changed), RULE_VERSION, result)
    return result


def _after(changed: Sequence[int]) -> dict[str, int]:
    return {"rule_version": RULE_VERSION, "after": changed[-1] if changed else 0, "rows_max": _BLOCK}


def regroup(connection: Connection, sku_keys: Sequence[int], decided: Sequence[int] = (), *, are_proposals_new: bool = True) -> Resolution:
    """Group some known SKUs and their neighbourhoods again, inside the caller's transaction: what is decided about them has changed.

    Args:
        decided: barcode conflicts just decided; what moves now opens decisions about other barcodes again.
        are_proposals_new: also propose pairs that the new groups show.
    """
    lock(connection, "resolve")
    run = _begin(connection, decided=list(decided))
    if not run("collect_decided", sku_keys=list(sku_keys)):
        return Resolution()
    _expand(run, 0, 0)
    return _place(connection, run, 0, are_proposals_new=are_proposals_new)


def unscored_products(connection: Connection) -> dict[int, UnscoredProduct]:
    """Return the products of the SKUs around the matcher's joins as they would be without these, by SKU key. Writes nothing that stays."""
    sku_keys = [row["sku_key"] for row in connection.run("resolution/list_scored").fetchall()]
    run = _begin(connection)
    if not run("collect_decided", sku_keys=sku_keys):
        return {}
    _expand(run, 0, 0)
    _analyze(connection, "member")
    rows = connection.run("resolution/list_members").fetchall()
    links = [link for row in connection.run("resolution/list_links").fetchall() if (link := Link(**row)).score is None]
    found = group([_member(row) for row in rows], links)
    product_of = {placed.sku_key: -1 - placed.group for placed in found.placements}
    gtins: dict[int, set[str]] = defaultdict(set)
    for (sku_key, gtin), reason in found.refusals.items():
        if reason is None:
            gtins[product_of[sku_key]].add(gtin)
    products = {product_id: UnscoredProduct(product_id, tuple(sorted(gtins[product_id]))) for product_id in set(product_of.values())}
    return {sku_key: products[product_id] for sku_key, product_id in product_of.items()}


def _begin(connection: Connection, **values: Any) -> Run:
    """Create the working tables; return what runs a statement with these values."""
    values = {"now": clock.now(), "rule_version": RULE_VERSION, "decided": [], "file_ids": []} | values

    def run(name: str, **more: Any) -> int:
        return max(connection.run(f"resolution/{name}", values | more).rowcount, 0)

    connection.execute(f"DROP TABLE IF EXISTS {_WORKING}")  # of an earlier call in the same transaction
    run("create_pending")
    run("create_changed_identity")
    run("create_changed_barcode")
    run("create_placed")
    run("create_judged")
    run("create_proposed")
    return run


def _resolve(connection: Connection, retailer: str, file_ids: Sequence[int]) -> Resolution:
    run = _begin(connection, retailer=retailer, file_ids=list(file_ids))
    new = run("collect_pending")
    _analyze(connection, "pending")
    run("join_renumbered")
    run("collect_sightings")
    result = _take_in(connection, run, new)
    result = replace(result, texts_refreshed=run("refresh_skus"))
    if new or result.texts_refreshed:
        run("fill_pictures")
    log.info("resolved %s: %s", retailer, result)
    return result


def _take_in(connection: Connection, run: Run, new: int) -> Resolution:
    """Take in what was collected into ``sighting``: save what became known, and group again what depends on it."""
    _read_texts(connection)
    if not run("collect_members"):
        return Resolution(skus=new)
    added = _expand(run, 0, 0)
    _save_identities(run)
    run("forget_former_goods")
    run("save_barcodes")
    run("end_forgotten_decisions")
    run("forget_pairs")
    run("forget_proposals")
    _expand(run, 0, added)
    return _place(connection, run, new)


def _save_identities(run: Run) -> None:
    run("create_brands")
    run("save_identities")
    run("remove_product_keys")
    run("save_product_keys")


def _place(connection: Connection, run: Run, new: int, *, are_proposals_new: bool = True) -> Resolution:
    _group_members(connection)
    return _apply(connection, run, new, are_proposals_new=are_proposals_new)


def _expand(run: Run, from_round: int, last: int) -> int:
    """Add all neighbours of the members of ``from_round`` and later; returns the last round."""
    while run("expand_members", from_round=from_round, round=last + 1):
        last = from_round = last + 1
    return last


def _read_texts(connection: Connection) -> None:
    """Merge what was collected into what is known; fill ``changed_identity`` and ``changed_barcode`` with what became another."""
    rows = connection.run("resolution/list_sightings").fetchall()
    changed: dict[int, Known] = {}
    identities: list[tuple[Any, ...]] = []
    for sku_key, found in groupby(rows, key=lambda row: cast(int, row["sku_key"])):
        lines = list(found)
        before = _known(lines[0]) if lines[0]["is_known"] else None
        after = absorb(before, map(_sighting, lines))
        if before is None or (before.text, before.observed_at, before.former_until_at) != (
            after.text,
            after.observed_at,
            after.former_until_at,
        ):
            identities.append(_read(sku_key, after))
        if after.claims and (before is None or before.claims != after.claims):
            changed[sku_key] = after
    _copy(connection, "changed_identity", identities)
    _copy(
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
    return Sighting(text, tuple(row["gtins"] or ()), row["first_at"], row["last_at"], Origin(row["source"], row["file_id"]))


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
    )


def _claims(gtins: list[str] | None, togethers: list[str] | None, first_seen: list[datetime] | None) -> tuple[Claim, ...]:
    return tuple(map(Claim, gtins or (), togethers or (), first_seen or ()))


def _read(sku_key: int, known: Known) -> tuple[Any, ...]:
    """Read a deciding text, as a row of ``changed_identity``: text rules are Python, the rest is SQL."""
    name, brand, size = known.text
    quantity, unit = total(size, name) or (None, None)
    keys = list(product_keys(name, brand, size)), loose_key(name, brand, size) or None
    return (
        *(sku_key, name, brand, size, known.observed_at, *keys, fold_brand(brand), quantity, unit, own_label_of(brand)),
        *(known.former_until_at, known.is_reused),
    )


def _group_members(connection: Connection) -> None:
    """Group the members anew; fill ``placed``, ``judged`` and ``proposed`` with the outcome."""
    _analyze(connection, "member")
    rows = connection.run("resolution/list_members").fetchall()
    links = [Link(**row) for row in connection.run("resolution/list_links").fetchall()]
    found: Grouping = group([_member(row) for row in rows], links)
    _copy(connection, "placed (sku_key, group_n, position, joined_by, evidence, decision_id)", map(astuple, found.placements))
    _copy(connection, "judged", ((sku_key, gtin, reason) for (sku_key, gtin), reason in found.refusals.items()))
    _copy(connection, "proposed", ((p.sku_key, p.other_sku_key, p.reason, p.evidence) for p in found.proposals))


def _member(row: dict[str, Any]) -> Member:
    return Member(
        sku_key=row["sku_key"],
        retailer=row["retailer"],
        sku=row["sku"],
        observed_at=row["observed_at"],
        text=(row["name"], row["brand"], row["size"]),
        product_keys=tuple(row["product_keys"] or ()),
        sizes=telling_sizes(row["size"], row["name"]),
        own_label_of=row["own_label_of"],
        claims=tuple(
            map(Claim, row["gtins"] or (), row["togethers"] or (), row["first_seen"] or (), row["decisions"] or (), row["looked_up"] or ())
        ),
    )


def _apply(connection: Connection, run: Run, new: int, *, are_proposals_new: bool) -> Resolution:
    run("choose_products")
    created = run("create_products")
    run("choose_homes")
    run("create_skus")
    run("reopen_decisions")
    moved = connection.run("resolution/move_skus", {"now": clock.now(), "rule_version": RULE_VERSION}).fetchone()
    run("save_homes")
    conflicts = run("judge_barcodes")
    run("remove_refused_barcodes")
    learned = run("assign_barcodes")
    run("unset_primary_barcodes")
    run("set_primary_barcodes")
    run("describe_products")
    proposals = run("propose_pairs") + run("propose_loose_pairs") if are_proposals_new else 0
    run("clear_former_texts")
    run("save_former_instants")
    counts = connection.run("resolution/count_pending").fetchone()
    assert counts is not None and moved is not None
    return Resolution(new, counts["by_barcode"], counts["by_key"], created, proposals, learned, conflicts, moved["moved"])


def _copy(connection: Connection, table: LiteralString, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    _analyze(connection, table)


def _analyze(connection: Connection, table: LiteralString) -> None:
    """Count a temporary table: the planner knows nothing of it; its lock blocks no other transaction."""
    connection.execute(f"ANALYZE {table}")
