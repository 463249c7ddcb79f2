"""Reconciliation: find products that are one although no barcode and no key says so, after whatever changed the catalogue.

It works from a watermark, the newest change of a SKU that it has seen: imports, releases and retractions on the command line send no event. Pairs that the
matcher is sure of become decisions (:mod:`include.catalogue.merges`), the others proposals.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from include import clock
from include.catalogue import brands
from include.catalogue.matching.match import Tier
from include.catalogue.matching.warehouse import SkuMatch, score_changed
from include.catalogue.resolve import regroup
from include.warehouse.engine import Connection, Warehouse, lock
from include.warehouse.price_changes import announce_price_change
from include.wording.product_key import RULE_VERSION

log = logging.getLogger(__name__)

#: SKUs that changed at the instant of the watermark are looked at again: another one may have changed then.
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Outcome: pairs of SKUs joined and proposed, pairs of brands joined, SKUs that moved; ``is_due`` False: nothing had changed."""

    is_due: bool = True
    joined: int = 0
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
        since = mark["changed_until"] if mark["rule_version"] == RULE_VERSION and not is_complete else None
        seen = mark["changed_until"], mark["seen_sku_key"]
        if mark["newest_change"] is None or (since is not None and (mark["newest_change"], mark["newest_sku_key"]) == seen):
            return Reconciliation(is_due=False)
        with warehouse.transaction() as connection:
            matches = score_changed(connection, None if since is None else since - _TICK)
        with warehouse.transaction() as connection:
            announce_price_change(connection)
            lock(connection, "resolve")
            found = apply_matches(connection, matches, mark["newest_change"], mark["newest_sku_key"])
    log.info("reconciled SKUs changed since %s: %s", since, found)
    return found


def apply_matches(connection: Connection, matches: Sequence[SkuMatch], changed_until: datetime, newest_sku_key: int) -> Reconciliation:
    """Store what the matcher found, join what it is sure of, and move the watermark, inside the caller's transaction, which holds the lock of resolution."""
    now = clock.now()
    connection.run("reconcile/create_matched")
    columns = "left_sku_key, right_sku_key, score, is_sure, reason, evidence"
    with connection.cursor() as cursor, cursor.copy(f"COPY matched ({columns}) FROM STDIN") as copy:
        for match in matches:
            left, right = sorted((match.left_sku_key, match.right_sku_key))
            is_sure, evidence = match.tier is Tier.AUTOMATIC, {"method": match.method.value} | match.evidence
            copy.write_row((left, right, match.score, is_sure, str(match.evidence["reason"]), json.dumps(evidence)))
    connection.execute("ANALYZE matched")
    connection.run("reconcile/drop_settled")
    joined = max(connection.run("reconcile/record_joins", {"now": now}).rowcount, 0)
    proposed = max(connection.run("reconcile/propose_matches", {"now": now}).rowcount, 0)
    sku_keys = [row["sku_key"] for row in connection.run("reconcile/list_joined").fetchall()] if joined else []
    moved = regroup(connection, sku_keys).moved if sku_keys else 0
    found = Reconciliation(True, joined, proposed, brands.join_learned(connection, now), moved)
    values = asdict(found) | {"changed_until": changed_until, "newest_sku_key": newest_sku_key, "rule_version": RULE_VERSION, "now": now}
    connection.run("reconcile/save_reconciliation", values)
    return found
