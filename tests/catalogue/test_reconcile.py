"""Reconciliation joins what the matcher is sure of and proposes the rest, from a watermark; a later barcode overrules it, and what was undone stays undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include import clock
from include.catalogue import merges, proposals
from include.catalogue.brands import canonical_of
from include.catalogue.matching.exact import Method
from include.catalogue.matching.match import Tier
from include.catalogue.matching.warehouse import SkuMatch
from include.catalogue.reconcile import Reconciliation, apply_matches, is_due, reconcile
from include.catalogue.regroup import unscored_products
from include.catalogue.resolve import FoundBarcode, learn_barcodes
from include.orchestration import reconcile_catalogue
from include.warehouse import engine
from include.warehouse.engine import Warehouse, lock
from tests.catalogue.catalogue_view import A, B, joined, same
from tests.catalogue.test_merges import state
from tests.ingestion.store_days import gtin, offer
from tests.warehouse.looking import one, rows

Pair = tuple[str, str, float, Tier]


def found(warehouse: Warehouse, *pairs: Pair) -> Reconciliation:
    """Apply matches as the matcher would report them, by SKU."""
    with warehouse.transaction() as connection:
        lock(connection, "resolve")
        keys = {row["sku"]: row["sku_key"] for row in connection.execute("SELECT sku, sku_key FROM core.sku").fetchall()}
        matches = [
            SkuMatch(
                keys[left], keys[right], score, tier, Method.SCORE, {"reason": "same brand; same size", "features": {"brand_equal": 1.0}}
            )
            for left, right, score, tier in pairs
        ]
        return apply_matches(connection, matches, datetime(2026, 11, 18, tzinfo=UTC), max(keys.values()))


@pytest.fixture
def two(warehouse: Warehouse, met: Callable[..., None]) -> Warehouse:
    """One good under two texts that no key joins."""
    met("coles", offer("c", name="Crackling Oat Flakes", brand="Quux", size="500g"))
    met("aldi", offer("1", name="Oat Flakes Crunchy", brand="Quux", size="500g"))
    assert not same(warehouse, ("coles", "c"), ("aldi", "1"))
    return warehouse


def test_a_sure_pair_is_joined_with_its_evidence_and_an_unsure_one_proposed(two: Warehouse, met: Callable[..., None]) -> None:
    met("iga", offer("i", name="Cereal of Oats", brand="Quux", size="500g"))
    done = found(two, ("c", "1", 0.97, Tier.AUTOMATIC), ("i", "1", 0.4, Tier.WAITING))
    assert (
        (done.joined, done.proposed, done.moved) == (1, 1, 1) and same(two, ("coles", "c"), ("aldi", "1")) and joined(two, "1") == "score"
    )
    (decision,) = rows(
        two, "SELECT decided_by, decided_via, score, decision_reason, evidence ->> 'method' AS method FROM ops.match_decision"
    )
    assert {**decision, "score": float(decision["score"])} == {
        "decided_by": "aisleflow", "decided_via": "score", "score": 0.97, "decision_reason": "same brand; same size", "method": "score",
    }  # fmt: skip
    (waiting,) = proposals.list_proposals(two)
    assert float(waiting["score"]) == 0.4 and waiting["reason"] == "score" and waiting["evidence"]["features"] == {"brand_equal": 1.0}
    assert found(two, ("c", "1", 0.97, Tier.AUTOMATIC), ("i", "1", 0.4, Tier.WAITING)).joined == 0, "what is known is not stored again"
    assert len(proposals.list_proposals(two)) == 1


def test_later_barcodes_overrule_the_matcher_and_a_person_is_asked(two: Warehouse, met: Callable[..., None]) -> None:
    found(two, ("c", "1", 0.97, Tier.AUTOMATIC))
    met("coles", offer("c", name="Crackling Oat Flakes", brand="Quux", size="500g", barcode=A))
    assert same(two, ("coles", "c"), ("aldi", "1")), "one barcode contradicts nothing"
    met("aldi", offer("1", name="Oat Flakes Crunchy", brand="Quux", size="500g", barcode=B))
    assert not same(two, ("coles", "c"), ("aldi", "1"))
    (waiting,) = proposals.list_proposals(two)
    assert waiting["reason"] == "score_but_other_barcode"
    made = proposals.decide_proposals(two, {waiting["proposal_id"]: "join"}, "ann", "one good", "command line").applied
    assert same(two, ("coles", "c"), ("aldi", "1")) and joined(two, "1") == "person"
    merges.undo(two, list(made.values()), "ann", "too early")
    assert [row["proposal_id"] for row in proposals.list_proposals(two)] == [waiting["proposal_id"]]
    merges.undo(two, [one(two, "SELECT decision_id FROM ops.match_decision WHERE score IS NOT NULL")], "ann", "two goods")
    assert proposals.list_proposals(two) == [], "without the matcher's join nothing is to be decided"


def test_what_a_person_undid_is_neither_joined_nor_proposed_again(two: Warehouse) -> None:
    before = state(two)
    found(two, ("c", "1", 0.97, Tier.AUTOMATIC))
    (decision_id,) = (row["decision_id"] for row in rows(two, "SELECT decision_id FROM ops.match_decision"))
    merges.undo(two, [decision_id], "ann", "two goods")
    assert state(two) == before
    for tier in (Tier.AUTOMATIC, Tier.WAITING):
        done = found(two, ("c", "1", 0.97, tier))
        assert (done.joined, done.proposed) == (0, 0)


def test_a_rejected_pair_is_not_joined_by_score(two: Warehouse) -> None:
    found(two, ("c", "1", 0.4, Tier.WAITING))
    (row,) = proposals.list_proposals(two)
    proposals.decide_proposals(two, {row["proposal_id"]: "apart"}, "ann", "two goods", "command line")
    done = found(two, ("c", "1", 0.99, Tier.AUTOMATIC))
    assert (done.joined, done.proposed) == (0, 0) and not same(two, ("coles", "c"), ("aldi", "1"))


def test_it_looks_only_at_what_changed_since_the_last_time(two: Warehouse, met: Callable[..., None]) -> None:
    assert reconcile(two).is_due and not reconcile(two).is_due
    met("iga", offer("i", name="Garden Hose", brand="Bramble", size="15m"))
    assert reconcile(two).is_due and not reconcile(two).is_due and reconcile(two, is_complete=True).is_due


def test_brands_on_the_same_barcodes_become_one_and_an_undo_parts_them(warehouse: Warehouse, met: Callable[..., None]) -> None:
    for retailer, brand in (("coles", "Zorbo Kitchens"), ("aldi", "Zorbo")):
        met(retailer, *(offer(f"{retailer}{n}", name=f"Good {n}", brand=brand, size="100g", barcode=gtin(n + 1)) for n in range(3)))
    assert reconcile(warehouse, is_complete=True).brands_joined == 1
    brands = "SELECT DISTINCT b.name FROM core.product AS p JOIN core.brand AS b USING (brand_id) WHERE product_id IN (SELECT product_id FROM core.sku)"
    assert one(warehouse, brands) == "Zorbo" and reconcile(warehouse, is_complete=True).brands_joined == 0
    met("coles", offer("new", name="Garden Hose", brand="Zorbo Kitchens", size="15m"))
    assert one(warehouse, brands) == "Zorbo", "a later product too"
    (listed,) = merges.list_made(warehouse, ["brands"])
    assert (listed["kind"], {listed["name"], listed["other_name"]}) == ("brand", {"Zorbo", "Zorbo Kitchens"})
    assert listed["evidence"] == {"products": 3, "gtins": [f"0{gtin(n)}" for n in (1, 2, 3)]}
    merges.undo(warehouse, [listed["decision_id"]], "ann", "two brands")
    assert (
        one(warehouse, "SELECT count(*) FROM core.brand WHERE canonical_id IS NOT NULL") == 0 and one(warehouse, brands) == "Zorbo Kitchens"
    )
    assert merges.list_made(warehouse) == [] and len(merges.list_made(warehouse, is_all=True)) == 1
    assert reconcile(warehouse, is_complete=True).brands_joined == 0, "what was undone stays undone"


def test_the_undo_of_a_join_of_brands_restores_every_row(warehouse: Warehouse, met: Callable[..., None]) -> None:
    """Also of products whose first SKU says no brand, or another one than the rest."""
    texts = "SELECT product_id, brand_id, name, size FROM core.product ORDER BY 1"
    state = [texts, "SELECT * FROM core.brand ORDER BY 1", "SELECT * FROM core.brand_alias ORDER BY 1, 2", "SELECT sku_key, product_id, joined_by FROM core.sku ORDER BY 1"]  # fmt: skip
    for retailer, kinds in (("coles", ("Zorbo Kitchens", None)), ("aldi", ("Zorbo", "Zorbo")), ("iga", ("Quux", "Zorbo Kitchens"))):
        met(
            retailer,
            *(offer(f"{retailer}{n}", name=f"Good {n}", brand=kinds[n % 2], size="100g", barcode=gtin(n + 1)) for n in range(8)),
            offer(f"{retailer}x", name="Hose", brand=kinds[1], size="15m"),
        )
    before = [rows(warehouse, text) for text in state]
    assert reconcile(warehouse, is_complete=True).brands_joined > 1
    assert [rows(warehouse, text) for text in state] != before
    made = [row["decision_id"] for row in merges.list_made(warehouse)]
    merges.undo(warehouse, made[:1], "ann", "two brands")
    merges.undo(warehouse, made[1:], "ann", "two brands")
    assert [rows(warehouse, text) for text in state] == before
    assert reconcile(warehouse, is_complete=True).brands_joined == 0 and [rows(warehouse, text) for text in state] == before


def test_look_ups_and_decisions_make_a_reconciliation_due_once_they_are_over(
    two: Warehouse, fixed_clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_due(two, timedelta(0)) and not is_due(two, timedelta(minutes=10)), "ingestion is under way and announces itself"
    reconcile(two)
    assert not is_due(two, timedelta(0))
    fixed_clock("2026-11-18T09:30:00+00:00")
    with two.transaction() as connection:
        learn_barcodes(
            connection, "aldi", [FoundBarcode("1", (f"0{gtin(90)}",), ("Oat Flakes Crunchy", "Quux", "500g"), clock.now(), "a source")]
        )
    monkeypatch.setattr(reconcile_catalogue, "resources", lambda: nullcontext((two, None)))
    events: dict[Any, Any] = defaultdict(lambda: SimpleNamespace(add_partitions=keys.append))
    keys: list[list[str]] = []
    with pytest.raises(AirflowSkipException):
        reconcile_catalogue.announce_changed(events)
    fixed_clock("2026-11-18T09:41:00+00:00")
    assert reconcile_catalogue.announce_changed(events) == "2026-11-18" and keys == [["2026-11-18"]]
    reconcile(two)
    with pytest.raises(AirflowSkipException):
        reconcile_catalogue.announce_changed(events)


def test_the_canonical_brand_does_not_depend_on_the_order_of_pairs() -> None:
    pairs = [
        {"left_brand_id": left, "left_folded": folded[left], "right_brand_id": right, "right_folded": folded[right]}
        for folded in [{1: "old quux", 2: "quux", 3: "quux foods", 4: "quuz"}]
        for left, right in ((1, 2), (3, 4), (2, 3))
    ]
    assert canonical_of(pairs) == canonical_of(pairs[::-1]) == {1: 2, 3: 2, 4: 2}


def test_no_statement_runs_per_pair(warehouse: Warehouse, met: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    for retailer in ("coles", "aldi"):
        met(
            retailer,
            *(offer(f"{retailer[0]}{n}", name=f"{retailer} good number{n}", brand="Quux", size=f"{100 + 9 * n}g") for n in range(60)),
        )
    counts: list[int] = []
    run = engine.Connection.run

    def counting(self: engine.Connection, *values: object, **options: object) -> object:
        counts[-1] += 1
        return run(self, *values, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine.Connection, "run", counting)
    for first, last in ((0, 2), (2, 60)):
        counts.append(0)
        done = found(warehouse, *((f"c{n}", f"a{n}", 0.95, Tier.AUTOMATIC) for n in range(first, last)))
        assert done.joined == last - first
        counts.append(0)
        decisions = [row["decision_id"] for row in rows(warehouse, "SELECT decision_id FROM ops.match_decision WHERE ended_at IS NULL")]
        assert len(merges.undo(warehouse, decisions, "ann", "no").undone) == last - first
    assert counts[0] == counts[2] and counts[1] == counts[3], counts


def test_what_a_person_undid_is_not_joined_over_a_third_product(two: Warehouse, met: Callable[..., None]) -> None:
    met("iga", offer("i", name="Cereal of Oats", brand="Quux", size="500g"))
    found(two, ("c", "1", 0.97, Tier.AUTOMATIC))
    merges.undo(two, [one(two, "SELECT decision_id FROM ops.match_decision")], "ann", "two goods")
    done = found(two, ("c", "i", 0.95, Tier.AUTOMATIC), ("i", "1", 0.93, Tier.AUTOMATIC))
    assert done.joined == 2 and same(two, ("coles", "c"), ("iga", "i")), "the likelier one holds"
    assert not same(two, ("coles", "c"), ("aldi", "1"))


def test_a_complete_reconciliation_ends_what_it_does_not_find_again(two: Warehouse) -> None:
    before = state(two)
    found(two, ("c", "1", 0.97, Tier.AUTOMATIC))
    decision_id = one(two, "SELECT decision_id FROM ops.match_decision")
    with two.transaction() as connection:
        lock(connection, "resolve")
        keys = [row["sku_key"] for row in connection.execute("SELECT sku_key FROM core.sku ORDER BY sku_key").fetchall()]
        unscored = unscored_products(connection)
        assert sorted(unscored) == keys and len({product.product_id for product in unscored.values()}) == 2
        done = apply_matches(connection, [], datetime(2026, 11, 18, tzinfo=UTC), max(keys), unscored, is_complete=True)
    assert (done.ended, done.moved, done.joined) == (1, 1, 0) and state(two) == before
    row = rows(two, "SELECT ended_via, ended_by, ended_at IS NOT NULL AS has_ended FROM ops.match_decision")
    assert row == [{"ended_via": "reconciliation", "ended_by": "aisleflow", "has_ended": True}]
    assert found(two, ("c", "1", 0.97, Tier.AUTOMATIC)).joined == 1, "unlike what a person undid, it may be joined again"
    assert merges.undo(two, [decision_id], "ann", "no").undone_before[0].startswith(f"decision {decision_id} has ended")


def test_it_looks_at_all_skus_after_a_week(two: Warehouse, met: Callable[..., None], fixed_clock: Callable[[str], None]) -> None:
    for at, sku, is_complete in (("2026-11-18T12:00", "i", True), ("2026-11-20T12:00", "j", False), ("2026-11-25T12:00", "k", True)):
        fixed_clock(f"{at}:00+00:00")
        met("iga", offer(sku, name=f"Garden Hose {sku}", brand="Bramble", size="15m"))
        assert reconcile(two).is_complete == is_complete


def test_a_clock_that_was_set_back_hides_no_new_sku(two: Warehouse, met: Callable[..., None], fixed_clock: Callable[[str], None]) -> None:
    fixed_clock("2026-11-20T12:00:00+00:00")
    met("iga", offer("h", name="Garden Hose", brand="Bramble", size="15m"))
    reconcile(two)
    fixed_clock("2026-11-19T12:00:00+00:00")
    met(
        "iga",
        *(offer(f"i{n}", name=f"Oat Flakes {word}", brand="Quux", size="500g") for n, word in enumerate(("Crunchy Nut", "Crackling"))),
    )
    done = reconcile(two)
    assert not done.is_complete and done.joined + done.proposed > 0


def test_a_brand_join_ends_with_the_barcodes_that_showed_it(warehouse: Warehouse, met: Callable[..., None]) -> None:
    """A wrong synonym does not stay for ever: the barcode of one good turns out to be a placeholder."""
    for retailer, brand in (("coles", "Zorbo Kitchens"), ("aldi", "Zorbo")):
        met(retailer, *(offer(f"{retailer}{n}", name=f"Good {n}", brand=brand, size="100g", barcode=gtin(n + 1)) for n in range(2)))
    assert reconcile(warehouse).brands_joined == 1
    met("iga", *(offer(f"i{n}", name=f"Number{n} Thing{n}", brand="Quux", size=f"{9 + n}m", barcode=gtin(1)) for n in range(5)))
    reconcile(warehouse)
    assert one(warehouse, "SELECT ended_via FROM ops.match_decision WHERE kind = 'brand'") == "reconciliation"
    assert one(warehouse, "SELECT count(*) FROM core.brand WHERE canonical_id IS NOT NULL") == 0
    met("coles", offer("coles9", name="Good 9", brand="Zorbo Kitchens", size="100g", barcode=gtin(10)))
    met("aldi", offer("aldi9", name="Good 9", brand="Zorbo", size="100g", barcode=gtin(10)))
    assert reconcile(warehouse).brands_joined == 1, "other barcodes may show it again"


def test_a_pair_of_a_former_good_is_proposed_again_for_the_new_one(two: Warehouse, met: Callable[..., None]) -> None:
    found(two, ("c", "1", 0.4, Tier.WAITING))
    met("aldi", offer("1", name="Garden Hose", brand="Bramble", size="15m"))
    assert proposals.list_proposals(two) == []
    met("coles", offer("c", name="Crackling Oat Flakes", brand="Quux", size="500g"))
    assert found(two, ("c", "1", 0.5, Tier.WAITING)).proposed == 1
    assert [float(row["score"]) for row in proposals.list_proposals(two)] == [0.5]
