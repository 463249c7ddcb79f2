"""Grouping known SKUs again: what became known is saved, what depends on it is grouped, and what moves is logged, in the caller's transaction.

Which SKUs are one product is a function of what is known of them (:mod:`include.catalogue.grouping`). A SKU that something changed for is grouped again with all that share a
product, a barcode, a product key or a joining decision with it, directly or through others. One that nothing relates to another SKU is placed by the database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, LiteralString

from include import clock
from include.catalogue.grouping import Claim, Grouping, Member, group
from include.catalogue.links import Link
from include.warehouse.engine import Connection, lock
from include.wording.product_key import RULE_VERSION
from include.wording.size import telling_sizes

#: SKUs that are grouped at once, with their neighbours: memory does not grow with the catalogue.
BLOCK = 20_000
_WORKING: LiteralString = "pending, looked_up, sighting, changed_identity, changed_barcode, member, placed, judged, proposed"

#: Runs a statement by its name; returns the number of its rows.
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
class UnscoredProduct:
    """A product as it would be without the matcher's joins: a number below zero, which no row has, and its barcodes (GTIN-14)."""

    product_id: int
    gtins: tuple[str, ...]


def regroup(connection: Connection, sku_keys: Sequence[int], decided: Sequence[int] = (), *, are_proposals_new: bool = True) -> Resolution:
    """Group some known SKUs and their neighbourhoods again, inside the caller's transaction: what is decided about them has changed.

    Args:
        decided: barcode conflicts just decided; what moves now opens decisions about other barcodes again.
        are_proposals_new: also propose pairs that the new groups show.
    """
    lock(connection, "resolve")
    create_due(connection)
    connection.run("resolution/add_due", {"sku_keys": list(sku_keys)})
    return regroup_due(connection, decided, are_proposals_new=are_proposals_new)


def unscored_products(connection: Connection) -> dict[int, UnscoredProduct]:
    """Return the products of the SKUs around the matcher's joins as they would be without these, by SKU key. Writes nothing that stays."""
    sku_keys = [row["sku_key"] for row in connection.run("resolution/list_scored").fetchall()]
    run = begin(connection)
    if not run("resolution/collect_due", sku_keys=sku_keys):
        return {}
    expand(run, 0, 0)
    analyze(connection, "member")
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


def create_due(connection: Connection) -> None:
    """Create the working table ``due``, empty."""
    connection.execute("DROP TABLE IF EXISTS due")  # of an earlier call in the same transaction
    connection.run("resolution/create_due")


def regroup_due(connection: Connection, decided: Sequence[int] = (), *, are_proposals_new: bool = True) -> Resolution:
    """Group the SKUs in the working table ``due`` and their neighbourhoods again, a block at a time; each neighbourhood once.

    All that is known must be saved: the products of a block depend on its facts alone, so blocks give what one block would.
    """
    result, after = Resolution(), 0
    while block := [row["sku_key"] for row in connection.run("resolution/list_due", {"after": after, "rows_max": BLOCK}).fetchall()]:
        run = begin(connection, decided=list(decided))
        run("resolution/collect_due", sku_keys=block)
        expand(run, 0, 0)
        result += place(connection, run, 0, are_proposals_new=are_proposals_new)
        run("resolution/remove_due")
        after = block[-1]
    return result


def begin(connection: Connection, **values: Any) -> Run:
    """Create the working tables; return what runs a statement with these values."""
    values = {"now": clock.now(), "rule_version": RULE_VERSION, "decided": [], "file_ids": []} | values

    def run(name: str, **more: Any) -> int:
        return max(connection.run(name, values | more).rowcount, 0)

    connection.execute(f"DROP TABLE IF EXISTS {_WORKING}")  # of an earlier call in the same transaction
    run("resolution/create_pending")
    run("resolution/create_changed_identity")
    run("resolution/create_changed_barcode")
    run("resolution/create_placed")
    run("resolution/create_judged")
    run("resolution/create_proposed")
    return run


def place(connection: Connection, run: Run, new: int, *, are_proposals_new: bool = True) -> Resolution:
    """Group the members anew and apply the outcome; ``new`` of them are unknown SKUs."""
    analyze(connection, "member")
    lone = run("resolution/place_lone_skus")
    if lone:
        run("resolution/accept_lone_claims")
    _group_members(connection, lone)
    return _apply(connection, run, new, are_proposals_new=are_proposals_new)


def expand(run: Run, from_round: int, last: int) -> int:
    """Add all neighbours of the members of ``from_round`` and later; returns the last round."""
    while run("resolution/expand_members", from_round=from_round, round=last + 1):
        last = from_round = last + 1
    return last


def _group_members(connection: Connection, first_group: int) -> None:
    """Group the members that are not placed yet; fill ``placed``, ``judged`` and ``proposed`` with the outcome, groups numbered from ``first_group``."""
    rows = connection.run("resolution/list_members").fetchall()
    links = [Link(**row) for row in connection.run("resolution/list_links").fetchall()]
    found: Grouping = group([_member(row) for row in rows], links)
    copy_rows(
        connection,
        "placed (sku_key, group_n, position, joined_by, evidence, decision_id)",
        ((p.sku_key, p.group + first_group, p.position, p.joined_by, p.evidence, p.decision_id) for p in found.placements),
    )
    copy_rows(connection, "judged", ((sku_key, gtin, reason) for (sku_key, gtin), reason in found.refusals.items()))
    copy_rows(connection, "proposed", ((p.sku_key, p.other_sku_key, p.reason, p.evidence) for p in found.proposals))


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
    run("resolution/choose_products")
    created = run("resolution/create_products")
    run("resolution/choose_homes")
    run("resolution/create_skus")
    run("resolution/reopen_decisions")
    moved = connection.run("resolution/move_skus", {"now": clock.now(), "rule_version": RULE_VERSION}).fetchone()
    run("resolution/save_homes")
    conflicts = run("resolution/judge_barcodes")
    run("resolution/remove_refused_barcodes")
    learned = run("resolution/assign_barcodes")
    run("resolution/unset_primary_barcodes")
    run("resolution/set_primary_barcodes")
    run("resolution/describe_products")
    proposals = run("resolution/propose_pairs") + run("resolution/propose_loose_pairs") if are_proposals_new else 0
    run("resolution/clear_former_texts")
    run("resolution/save_former_instants")
    counts = connection.run("resolution/count_pending").fetchone()
    assert counts is not None and moved is not None
    return Resolution(new, counts["by_barcode"], counts["by_key"], created, proposals, learned, conflicts, moved["moved"])


def copy_rows(connection: Connection, table: LiteralString, rows: Iterable[tuple[Any, ...]]) -> None:
    """Copy rows into a working table."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    analyze(connection, table)


def analyze(connection: Connection, table: LiteralString) -> None:
    """Count a temporary table: the planner knows nothing of it; its lock blocks no other transaction."""
    connection.execute(f"ANALYZE {table}")
