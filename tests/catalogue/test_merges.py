"""Merges that a person approved or rejected are facts: resolving again loses none, and undoing them in any order restores every row."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from include.catalogue import conflicts, merges, proposals
from include.catalogue.deciding import Decided, claim_questions
from include.catalogue.proposals import Choice
from include.errors import NeedsPersonError, TerminalError
from include.retailer_names import RETAILERS
from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, C, joined, same, tea
from tests.ingestion.store_days import gtin, offer
from tests.sampling import sampled
from tests.warehouse.looking import one, product_of, rows

#: Everything that a merge may change. The cursor of readers only moves forward, and a product made for a SKU in between stays, without one.
_STATE = {
    "sku": "SELECT sku_key, product_id, joined_by, match_evidence, joined_at, gtin, name FROM core.sku",
    "product": "SELECT * FROM core.product WHERE product_id IN (SELECT product_id FROM core.sku)",
    "barcode": "SELECT * FROM core.product_barcode",
    "claim": "SELECT * FROM core.sku_barcode",
    "identity": "SELECT * FROM core.sku_identity",
    "alias": "SELECT * FROM core.product_alias",
    "proposal": "SELECT * FROM ops.proposal",
    "conflict": "SELECT * FROM ops.barcode_conflict",
    "price": "SELECT store_key, sku_key, price_cents, observed_at FROM core.price",
}


def state(warehouse: Warehouse) -> dict[str, list[str]]:
    return {name: sorted(map(str, rows(warehouse, text))) for name, text in _STATE.items()}


def waiting(warehouse: Warehouse) -> list[int]:
    return sorted(row["proposal_id"] for row in proposals.list_proposals(warehouse))


def decide(warehouse: Warehouse, proposal_id: int, choice: Choice) -> Decided:
    return proposals.decide_proposals(warehouse, {proposal_id: choice}, "ann", "looked at both", "command line")


@pytest.fixture
def proposed(warehouse: Warehouse, met: Callable[..., None]) -> Warehouse:
    """The same text at Coles and Aldi with different barcodes: one proposal."""
    met("coles", tea("c", A))
    met("aldi", tea("1", B))
    assert len(waiting(warehouse)) == 1
    return warehouse


def test_an_approved_pair_with_different_barcodes_is_one_product(proposed: Warehouse, met: Callable[..., None]) -> None:
    (number,) = waiting(proposed)
    done = decide(proposed, number, "join")
    assert done.moved == 1 and list(done.applied) == [number] and done.decided_before == []
    assert same(proposed, ("coles", "c"), ("aldi", "1")) and joined(proposed, "1") == "person" and waiting(proposed) == []
    met("coles", tea("c", A, size="101g"))
    met("iga", tea("i", B))
    assert same(proposed, ("coles", "c"), ("aldi", "1"), ("iga", "i")), "resolving again and a later SKU leave it"
    (log,) = rows(proposed, "SELECT merged_by, decision_id, evidence FROM ops.merge_log WHERE decision_id IS NOT NULL")
    assert log == {
        "merged_by": "person",
        "decision_id": done.applied[number],
        "evidence": {"decision_id": done.applied[number], "gtins": [f"0{B}"]},
    }
    again = decide(proposed, number, "apart")
    assert again.applied == {} and f"catalogue undo {done.applied[number]}" in again.decided_before[0], "the first decision counts"


def test_an_approved_pair_keeps_the_newest_price_of_each_store(proposed: Warehouse) -> None:
    before = rows(proposed, "SELECT retailer, store_id, price_cents, observed_at FROM core.product_price ORDER BY 1, 2")
    decide(proposed, waiting(proposed)[0], "join")
    after = rows(proposed, "SELECT retailer, store_id, price_cents, observed_at FROM core.product_price ORDER BY 1, 2")
    assert after == before and len(after) == 2 and one(proposed, "SELECT count(DISTINCT product_id) FROM core.product_price") == 1


def test_a_rejected_pair_is_never_proposed_or_joined_again(proposed: Warehouse, met: Callable[..., None]) -> None:
    (number,) = waiting(proposed)
    decide(proposed, number, "apart")
    met("iga", tea("i"))
    met("coles", tea("d"))
    met("aldi", tea("1", B), tea("2", C, name="Zorbo Tea Green"))
    apart = {tuple(sorted(row.values())) for row in rows(proposed, "SELECT left_product_id, right_product_id FROM ops.apart")}
    pairs = rows(proposed, "SELECT left_product_id, right_product_id FROM ops.proposal WHERE state = 'waiting'")
    assert len(apart) == 1 and not apart & {tuple(sorted(row.values())) for row in pairs}
    assert not same(proposed, ("coles", "c"), ("aldi", "1"))
    met("aldi", tea("1", A))
    assert not same(proposed, ("coles", "c"), ("aldi", "1")), "not even a shared barcode: that is a conflict for a person"
    assert proposals.list_some(proposed, [number]) == []


def test_a_barcode_joins_nothing_that_a_person_keeps_apart(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c", A))
    met("aldi", tea("1", B, name="Zorbo Green Tea"))
    decide(warehouse, waiting(warehouse)[0], "apart")
    met("aldi", offer("9", name="Quux Leaves", size="100g", barcode=B))
    met("coles", offer("c", name="Zorbo Green Tea", brand="Zorbo", size="100g", barcode=f"{A},{B}"))
    assert not same(warehouse, ("coles", "c"), ("aldi", "9"))
    (row,) = rows(warehouse, "SELECT sku, gtin, reason, is_open FROM ops.barcode_conflict")
    assert row == {"sku": "c", "gtin": f"0{B}", "reason": "apart", "is_open": True}


@pytest.mark.parametrize("choice", ["join", "apart"])
def test_a_sku_with_the_barcodes_of_two_products_proposes_to_merge_them(
    warehouse: Warehouse, met: Callable[..., None], choice: Choice
) -> None:
    met("coles", offer("c", name="Zorbo Salt", barcode=A))
    met("aldi", offer("1", name="Salt of the Sea", barcode=B))
    met("iga", offer("i", name="Rock Salt", barcode=f"{B},{A}"))
    assert same(warehouse, ("coles", "c"), ("iga", "i")) and not same(warehouse, ("coles", "c"), ("aldi", "1"))
    (found,) = proposals.list_proposals(warehouse)
    assert found["reason"] == "barcode_but_two_products" and found["evidence"]["gtin"] == f"0{B}" and found["evidence"]["sku"] == "i"
    assert conflicts.list_conflicts(warehouse) == [], "one question, not two"
    before = state(warehouse)
    made = decide(warehouse, found["proposal_id"], choice)
    assert same(warehouse, ("coles", "c"), ("iga", "i"), ("aldi", "1")) == (choice == "join")
    met("coles", offer("d", name="Salt", barcode=B))
    assert same(warehouse, ("coles", "d"), ("aldi", "1")) and same(warehouse, ("coles", "c"), ("aldi", "1")) == (choice == "join")
    assert waiting(warehouse) == []
    merges.undo(warehouse, list(made.applied.values()), "bob", "too early")
    assert waiting(warehouse) == [found["proposal_id"]] and len(state(warehouse)["sku"]) == len(before["sku"]) + 1


def test_an_undone_approval_waits_again_and_an_undone_rejection_too(proposed: Warehouse) -> None:
    before = state(proposed)
    for choice in proposals.CHOICES.values():
        (number,) = waiting(proposed)
        made = decide(proposed, number, choice).applied[number]
        assert state(proposed) != before
        undone = merges.undo(proposed, [made], "bob", "too early")
        assert undone.undone == [made] and undone.moved == (choice == "join") and state(proposed) == before
        again = merges.undo(proposed, [made], "eve", "again")
        assert again.undone == [] and again.undone_before == [f"decision {made} was undone by bob: too early"]
    assert one(proposed, "SELECT count(*) FROM ops.merge_log WHERE undone_at IS NOT NULL") == 1


def test_no_decision_and_no_undo_without_a_reason_or_about_nothing(proposed: Warehouse) -> None:
    (number,) = waiting(proposed)
    for refused in (
        lambda: proposals.decide_proposals(proposed, {number: "join"}, "ann", " ", "Airflow"),
        lambda: merges.undo(proposed, [1], "ann", ""),
    ):
        with pytest.raises(NeedsPersonError, match="no reason"):
            refused()
    with pytest.raises(TerminalError, match="no proposal 999"):
        proposals.decide_proposals(proposed, {number: "join", 999: "apart"}, "ann", "x", "command line")
    with pytest.raises(TerminalError, match="no decision 999"):
        merges.undo(proposed, [999], "ann", "x")
    assert waiting(proposed) == [number] and rows(proposed, "SELECT FROM ops.match_decision") == []


def test_an_approval_does_nothing_while_a_sku_is_split_off(proposed: Warehouse, met: Callable[..., None]) -> None:

    met("aldi", tea("1", C))
    (conflict,) = conflicts.list_conflicts(proposed)
    conflicts.decide_conflicts(proposed, {conflict["conflict_id"]: "split"}, "ann", "two goods", "command line")
    done = decide(proposed, waiting(proposed)[0], "join")
    assert done.moved == 0 and "split off" in done.decided_before[0] and not same(proposed, ("coles", "c"), ("aldi", "1"))
    conflicts.undo_decisions(proposed, [conflict["conflict_id"]], "ann", "one good")
    assert same(proposed, ("coles", "c"), ("aldi", "1")), "the approval is in force, whatever was in its way"


def test_a_number_given_to_another_good_takes_its_decisions_and_proposals_along(proposed: Warehouse, met: Callable[..., None]) -> None:
    number = waiting(proposed)[0]
    decide(proposed, number, "join")
    shared = product_of(proposed, "1")
    met("aldi", offer("1", name="Garden Hose", brand="Quux", size="15m"))
    assert not same(proposed, ("coles", "c"), ("aldi", "1")) and product_of(proposed, "c", "coles") == shared
    met("aldi", offer("1", name="Garden Hose", brand="Quux", size="15m", barcode=gtin(9)))
    assert waiting(proposed) == [] and one(proposed, "SELECT state FROM ops.proposal WHERE proposal_id = %s", number) == "settled"


def test_questions_are_asked_once_and_again_after_an_undo(proposed: Warehouse) -> None:
    (number,) = waiting(proposed)
    assert (
        claim_questions(proposed, "proposals", list(RETAILERS), "run-1")
        == claim_questions(proposed, "proposals", list(RETAILERS), "run-1")
        == [[number]]
    )
    assert claim_questions(proposed, "proposals", list(RETAILERS), "run-2") == []
    assert claim_questions(proposed, "proposals", list(RETAILERS), "run-3", again=True) == [[number]]
    made = decide(proposed, number, "apart").applied[number]
    assert claim_questions(proposed, "proposals", list(RETAILERS), "run-3") == []
    merges.undo(proposed, [made], "ann", "too early")
    assert claim_questions(proposed, "proposals", list(RETAILERS), "run-4") == [[number]]


#: Many pairs to decide about: equal keys with different barcodes, barcodes on other sizes, several goods of one retailer.
def _crowd(met: Callable[..., None]) -> None:
    goods: list[dict[str, Any]] = [{}, {"name": "Zorbo Black Tea"}, {"name": "Zorbo Rice", "size": "1kg"}]
    code = iter(range(1, 99))
    for retailer in ("coles", "aldi", "iga", "woolworths"):
        met(retailer, *(tea(f"{retailer[0]}{n}", gtin(next(code)), **good) for n, good in enumerate(goods)), tea(f"{retailer[0]}9"))
    met("iga", tea("i5", gtin(1), size="300g"), offer("i6", name="Leaves", barcode=gtin(5)))
    met("aldi", tea("a5", gtin(2), name="Zorbo Black Tea", size="2kg"))


@pytest.mark.parametrize("seed", sampled(range(60), 3))
def test_merges_undone_in_any_order_restore_every_row(warehouse: Warehouse, met: Callable[..., None], seed: int) -> None:
    chance = random.Random(seed)
    _crowd(met)
    before, seen = state(warehouse), []
    open_decisions: list[int] = []
    assert len(waiting(warehouse)) >= 15
    for _ in range(14):
        if open_decisions and chance.random() < 0.3:
            merges.undo(warehouse, [open_decisions.pop(chance.randrange(len(open_decisions)))], "ann", "no")
        else:
            number = chance.choice(waiting(warehouse))
            open_decisions += decide(warehouse, number, chance.choice(["join", "join", "apart"])).applied.values()
        seen.append(one(warehouse, "SELECT count(DISTINCT product_id) FROM core.sku"))
    assert min(seen) < one(warehouse, "SELECT count(*) FROM core.sku WHERE home_product_id IS NOT NULL")
    chance.shuffle(open_decisions)
    while open_decisions:
        some = [open_decisions.pop() for _ in range(min(len(open_decisions), chance.randint(1, 3)))]
        merges.undo(warehouse, some, "ann", "no")
    after = state(warehouse)
    assert {name: (set(after[name]) ^ set(before[name])) for name in before if after[name] != before[name]} == {}
