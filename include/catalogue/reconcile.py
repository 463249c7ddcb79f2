"""Reconciliation: find products that are one although no barcode and no key says so, after whatever changed the catalogue.

It works from a watermark, the newest change of a SKU that it has seen: imports, releases and retractions on the command line send no event. Pairs that the
matcher is sure of become decisions (:mod:`include.catalogue.merges`), the others proposals.

What the matcher says of a pair depends on its rivals, so on the catalogue of the night. It judges the products
as they would be without its own joins; a complete reconciliation looks at all SKUs and ends what it does not find again: the joins and proposals after it follow from the catalogue, whatever the order of the nights before.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from include import clock
from include.catalogue import brands
from include.catalogue.matching.match import Tier
from include.catalogue.matching.warehouse import SkuMatch, score_changed
from include.catalogue.regroup import UnscoredProduct, regroup, unscored_products
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.price_changes import announce_price_change
from include.wording.product_key import RULE_VERSION

log = logging.getLogger(__name__)

#: SKUs that changed at the instant of the watermark are looked at again: another one may have changed then.
_TICK = timedelta(microseconds=1)
#: After this time a reconciliation looks at all SKUs.
_COMPLETE_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Outcome: pairs of SKUs joined, no longer joined and proposed, pairs of brands joined, SKUs that moved; ``is_due`` False: nothing had changed."""

    is_due: bool = True
    is_complete: bool = False
    joined: int = 0
    ended: int = 0
    proposed: int = 0
    brands_joined: int = 0
    moved: int = 0


def reconcile(warehouse: Warehouse, *, is_complete: bool = False) -> Reconciliation:
    """Look at the SKUs that changed since the last reconciliation. Safe to repeat; one at a time, a second finds nothing left to do.

    Args:
        is_complete: look at all SKUs.
    """
    with warehouse.transaction() as alone:
        lock(alone, "reconcile")
        with warehouse.transaction() as connection:
            lock(connection, "resolve")  # whoever changes SKUs holds it: all changes until now are committed
            mark = connection.run("reconcile/find_mark").fetchone()
        assert mark is not None
        if mark["newest_change"] is None or (_is_seen(mark) and not is_complete):
            return Reconciliation(is_due=False)
        since = None if is_complete or _is_complete_due(mark) else mark["changed_until"]
        with warehouse.transaction() as connection:
            unscored = unscored_products(connection)
            matches = score_changed(connection, None if since is None else since - _TICK, mark["seen_sku_key"], unscored)
        with warehouse.transaction() as connection:
            announce_price_change(connection)
            lock(connection, "resolve")
            found = apply_matches(connection, matches, mark["newest_change"], mark["newest_sku_key"], unscored, is_complete=since is None)
    log.info("reconciled SKUs changed since %s: %s", since, found)
    return found


def is_due(warehouse: Warehouse, quiet: timedelta) -> bool:
    """Whether SKUs changed since the last reconciliation, the last of them longer than ``quiet`` ago: by look-ups, decisions, commands."""
    with warehouse.transaction() as connection:
        mark = connection.run("reconcile/find_mark").fetchone()
    assert mark is not None
    newest: datetime | None = mark["newest_change"]
    return newest is not None and not _is_seen(mark) and newest <= clock.now() - quiet


def _is_seen(mark: Mapping[str, Any]) -> bool:
    seen = mark["changed_until"], mark["seen_sku_key"]
    return mark["rule_version"] == RULE_VERSION and (mark["newest_change"], mark["newest_sku_key"]) == seen


def _is_complete_due(mark: Mapping[str, Any]) -> bool:
    if mark["rule_version"] != RULE_VERSION or mark["completed_at"] is None:
        return True
    age: timedelta = clock.now() - mark["completed_at"]
    return age >= _COMPLETE_AFTER


def apply_matches(
    connection: Connection,
    matches: Sequence[SkuMatch],
    changed_until: datetime,
    newest_sku_key: int,
    unscored: Mapping[int, UnscoredProduct] = MappingProxyType({}),
    *,
    is_complete: bool = False,
) -> Reconciliation:
    """Store what the matcher found, join what it is sure of, and move the watermark, inside the caller's transaction, which holds the lock of resolution.

    Args:
        unscored: the products as it judged them: without its own joins, so that it finds the same whether it looks at some SKUs or at all.
        is_complete: it looked at all SKUs, so what it did not find ends.
    """
    now = clock.now()
    connection.run("reconcile/create_matched")
    connection.run("reconcile/create_unscored")
    columns = "left_sku_key, right_sku_key, score, is_sure, reason, evidence"
    with connection.cursor() as cursor, cursor.copy(f"COPY matched ({columns}) FROM STDIN") as copy:
        for match in matches:
            left, right = sorted((match.left_sku_key, match.right_sku_key))
            is_sure, evidence = match.tier is Tier.AUTOMATIC, {"method": match.method.value} | match.evidence
            copy.write_row((left, right, match.score, is_sure, str(match.evidence["reason"]), json.dumps(evidence)))
    with connection.cursor() as cursor, cursor.copy("COPY unscored (sku_key, product_id) FROM STDIN") as copy:
        for sku_key, product in unscored.items():
            copy.write_row((sku_key, product.product_id))
    connection.execute("ANALYZE matched, unscored")
    connection.run("reconcile/drop_settled")
    ended = _end_unfound(connection, now) if is_complete else []
    connection.run("reconcile/refresh_joins")
    joined = max(connection.run("reconcile/record_joins", {"now": now}).rowcount, 0)
    is_again = joined or is_complete  # a forgotten proposal may have stood for one of a pair that was joined before
    sku_keys = [row["sku_key"] for row in connection.run("reconcile/list_joined").fetchall()] if is_again else []
    if ended:
        sku_keys += [row["sku_key"] for row in connection.run("merges/list_skus", {"decision_ids": ended}).fetchall()]
    moved = regroup(connection, sku_keys).moved if sku_keys else 0
    proposed = max(connection.run("reconcile/propose_matches", {"now": now}).rowcount, 0)
    found = Reconciliation(True, is_complete, joined, len(ended), proposed, brands.join_learned(connection, now), moved)
    values = asdict(found) | {"changed_until": changed_until, "newest_sku_key": newest_sku_key, "rule_version": RULE_VERSION, "now": now}
    connection.run("reconcile/save_reconciliation", values)
    return found


def _end_unfound(connection: Connection, now: datetime) -> list[int]:
    """End the matcher's joins that it did not find again, and forget its proposals; returns the decisions."""
    ended = [int(row["decision_id"]) for row in connection.run("reconcile/list_unfound").fetchall()]
    values = {"decision_ids": ended, "by": "aisleflow", "reason": "the matcher is no longer sure", "via": "reconciliation", "now": now}
    if ended:
        connection.run("merges/end_decisions", values)
        connection.run("merges/end_pairs", values)
    connection.run("reconcile/forget_unfound", {"now": now})
    return ended
