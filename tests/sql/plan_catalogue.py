"""The catalogue in the world of the plan tests: what reconciliation finds, and what a person decides without a proposal."""

from __future__ import annotations

from dataclasses import replace

from include import clock
from include.catalogue import brands, sku_decisions
from include.catalogue.matching.exact import Method
from include.catalogue.matching.match import Tier
from include.catalogue.matching.warehouse import SkuMatch
from include.catalogue.reconcile import apply_matches
from include.catalogue.regroup import unscored_products
from include.catalogue.sku_name import SkuName
from include.warehouse.engine import Warehouse, lock


def decide_by_hand(warehouse: Warehouse) -> None:
    """Join two SKUs that no decision names, and keep two others apart."""
    with warehouse.transaction() as connection:
        found = connection.execute("SELECT retailer, sku FROM core.sku ORDER BY sku_key DESC LIMIT 3").fetchall()
    first, second, third = (SkuName(row["retailer"], row["sku"]) for row in found)
    sku_decisions.join(warehouse, first, second, "ann", "looked at both")
    sku_decisions.separate(warehouse, first, [third], "ann", "looked at both")


def apply_many_matches(warehouse: Warehouse, n: int) -> None:
    """Apply matches of a good part of the SKUs, half of them sure, and join as many brands."""
    with warehouse.transaction() as connection:
        rows = connection.execute("SELECT retailer, sku_key FROM core.sku ORDER BY sku_key").fetchall()
        mine, other = ([row["sku_key"] for row in rows if row["retailer"] == name] for name in ("aldi", "iga"))
        evidence = {"reason": "same brand", "features": {"brand_equal": 1.0}, "rule_version": 1}
        found = [
            SkuMatch(left, right, 0.5, Tier.AUTOMATIC if number % 2 else Tier.WAITING, Method.SCORE, evidence)
            for number, (left, right) in enumerate(list(zip(mine, other, strict=False))[n // 4 : n // 2])
        ]
        lock(connection, "resolve")
        joined = apply_matches(connection, found, clock.now(), 1).joined
        assert joined == len(found) // 2 > n // 20, f"{joined} of {len(found)} matches joined"
        pairs = [row["brand_id"] for row in connection.execute("SELECT brand_id FROM core.brand ORDER BY brand_id").fetchall()]
        columns = {"brand_ids": pairs[:-1], "alias_ids": pairs[1:], "products": [2] * (len(pairs) - 1), "gtins": ["1,2"] * (len(pairs) - 1)}
        connection.run("brands/record_joins", columns | {"now": clock.now()})
        brands.apply_merges(connection)
        connection.run("merges/list_made", {"vias": None, "since": None, "is_all": True, "rows_max": None})
        brands.join_learned(connection, clock.now())
        unscored = unscored_products(connection)
        assert len(unscored) >= 2 * joined, f"{len(unscored)} SKUs around {joined} joins"
    with warehouse.transaction() as connection:
        lock(connection, "resolve")
        again = [replace(match, score=0.6) for match in found[::2]]
        ended = apply_matches(connection, again, clock.now(), 2, unscored, is_complete=True).ended
        assert ended > n // 50, f"{ended} of {joined} joins are no longer found"
        connection.run("reconcile/find_mark")
