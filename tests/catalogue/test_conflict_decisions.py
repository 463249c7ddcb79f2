"""What a person decides about a contested barcode, what follows from it, and what opens it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.catalogue import conflicts
from include.catalogue.deciding import Decided, claim_questions
from include.catalogue.grouping import Choice
from include.errors import NeedsPersonError, TerminalError
from include.warehouse.engine import Warehouse
from tests.catalogue.catalogue_view import A, B, C, joined, proposals, same, tea
from tests.ingestion.store_days import offer
from tests.warehouse.looking import CONTENTS, contents, one, product_of, rows

GUM = offer("c", name="Quux Juicy Chewing Gum", brand="Quux", size="4x14g", barcode=A)
PELLETS = offer("i", name="Juicy Pellets 14g", size="14g", barcode=A)


def number(warehouse: Warehouse, sku: str) -> int:
    return int(one(warehouse, "SELECT conflict_id FROM ops.barcode_conflict WHERE sku = %s", sku))


def decide(warehouse: Warehouse, sku: str, choice: Choice, by: str = "ann") -> Decided:
    return conflicts.decide_conflicts(warehouse, {number(warehouse, sku): choice}, by, "looked at both", "command line")


def open_ones(warehouse: Warehouse) -> list[str]:
    return sorted(row["sku"] for row in conflicts.list_conflicts(warehouse))


def owner(warehouse: Warehouse, gtin: str) -> int | None:
    found = rows(warehouse, "SELECT product_id FROM core.product_barcode WHERE gtin = %s", f"0{gtin}")
    return int(found[0]["product_id"]) if found else None


@pytest.fixture
def contested(warehouse: Warehouse, met: Callable[..., None]) -> Warehouse:
    """Coles' gum has A; IGA's pellets of another size claim it."""
    met("coles", GUM)
    met("iga", PELLETS)
    return warehouse


def test_an_accepted_barcode_moves_where_a_veto_forbids_the_join(contested: Warehouse) -> None:
    assert open_ones(contested) == ["i"] and owner(contested, A) == product_of(contested, "c", "coles")
    assert decide(contested, "i", "accept").applied
    assert owner(contested, A) == product_of(contested, "i", "iga") and not same(contested, ("coles", "c"), ("iga", "i"))
    shown = rows(contested, "SELECT DISTINCT sku, barcode, contested_barcode FROM core.store_price ORDER BY sku")
    assert shown == [
        {"sku": "c", "barcode": None, "contested_barcode": f"0{A}"},
        {"sku": "i", "barcode": f"0{A}", "contested_barcode": None},
    ]
    assert open_ones(contested) == [], "the other claim is settled by this decision"


def test_two_accepted_claims_join_in_spite_of_the_veto(contested: Warehouse) -> None:
    decide(contested, "i", "accept")
    decide(contested, "c", "accept")
    assert same(contested, ("coles", "c"), ("iga", "i")) and open_ones(contested) == []


def test_an_accepted_second_barcode_joins_both_products(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", offer("c", name="Leaves", barcode=B))
    met("aldi", tea("1", A))
    met("iga", tea("i", A))
    met("aldi", tea("1", B))
    assert open_ones(warehouse) == ["1"]
    assert decide(warehouse, "1", "accept").moved == 2
    assert same(warehouse, ("coles", "c"), ("aldi", "1"), ("iga", "i")) and joined(warehouse, "i", "iga") == "barcode"
    assert owner(warehouse, A) == owner(warehouse, B) == product_of(warehouse, "1")


def test_a_sku_that_is_split_off_leaves_with_the_claimed_barcode(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1", A))
    met("iga", tea("i", A))
    before = product_of(warehouse, "1")
    met("aldi", tea("1", B))
    decide(warehouse, "1", "split")
    assert not same(warehouse, ("aldi", "1"), ("iga", "i")) and product_of(warehouse, "1") == before, "the product was made for it"
    assert (
        owner(warehouse, A) == product_of(warehouse, "i", "iga")
        and owner(warehouse, B) == product_of(warehouse, "1")
        and open_ones(warehouse) == []
    )
    met("coles", tea("k"), tea("b", B))
    assert not same(warehouse, ("aldi", "1"), ("coles", "b")), "it joins nothing, whatever comes later"
    assert [row["reason"] for row in rows(warehouse, "SELECT reason FROM ops.barcode_conflict WHERE sku = 'b'")] == ["split"]
    decide(warehouse, "b", "accept")
    assert owner(warehouse, B) == product_of(warehouse, "b", "coles") and not same(warehouse, ("aldi", "1"), ("iga", "i"))


def test_a_rejected_claim_is_not_asked_about_again(contested: Warehouse, met: Callable[..., None]) -> None:
    decide(contested, "i", "reject")
    met("iga", PELLETS)
    met("coles", GUM)
    assert open_ones(contested) == [] and owner(contested, A) == product_of(contested, "c", "coles")
    assert claim_questions(contested, "conflicts", ["iga"], "run") == []


def test_the_first_decision_counts_and_repeating_it_changes_nothing(contested: Warehouse) -> None:
    decide(contested, "i", "accept")
    before = contents(contested), rows(contested, "SELECT * FROM ops.barcode_decision")
    found = decide(contested, "i", "accept", "bob")
    assert found.applied == {} and "decided earlier: accept by ann: looked at both" in found.decided_before[0]
    assert decide(contested, "i", "reject", "bob").applied == {}
    assert (contents(contested), rows(contested, "SELECT * FROM ops.barcode_decision")) == before


def test_a_decision_is_recorded_with_what_was_before(contested: Warehouse) -> None:
    products = {"product_id": product_of(contested, "i", "iga"), "owner_product_id": product_of(contested, "c", "coles")}
    decide(contested, "i", "accept")
    (row,) = rows(contested, "SELECT choice, decided_by, decision_reason, decided_via, before, ended_at FROM ops.barcode_decision")
    assert (row["choice"], row["decided_by"], row["decision_reason"], row["decided_via"]) == (
        "accept",
        "ann",
        "looked at both",
        "command line",
    )
    assert row["before"] == products | {"refused_because": "size", "joined_by": "new", "match_evidence": {}} and row["ended_at"] is None


def test_no_decision_without_a_reason_or_about_an_unknown_conflict(contested: Warehouse) -> None:
    with pytest.raises(NeedsPersonError, match="no reason"):
        conflicts.decide_conflicts(contested, {number(contested, "i"): "accept"}, "ann", "  ", "command line")
    with pytest.raises(TerminalError, match="no barcode conflict 999"):
        conflicts.decide_conflicts(contested, {number(contested, "i"): "accept", 999: "reject"}, "ann", "x", "command line")
    assert open_ones(contested) == ["i"] and rows(contested, "SELECT FROM ops.barcode_decision") == []


def play(met: Callable[..., None]) -> None:
    met("aldi", tea("1", A), offer("5", name="Quux Rice", brand="Quux", size="1kg"))
    met("iga", tea("i", A), offer("j", name="Quux Rice", brand="Quux", size="1kg", barcode=C))
    met("coles", offer("c", name="Leaves", barcode=B), offer("l", name="Coles Leaves", brand="Coles", barcode=C))
    met("aldi", tea("1", B))


@pytest.mark.parametrize("choice", conflicts.CHOICES)
def test_an_undone_decision_leaves_everything_as_it_was(warehouse: Warehouse, met: Callable[..., None], choice: Choice) -> None:
    play(met)
    tables = ("core.product_barcode", "core.product", "core.sku", "core.sku_barcode", "ops.match_proposal", "ops.barcode_conflict")

    def state() -> dict[str, Any]:
        found = contents(warehouse)
        assert set(tables) <= CONTENTS.keys()
        ids = (
            rows(warehouse, "SELECT sku_key, product_id FROM core.sku ORDER BY sku_key"),
            rows(warehouse, "SELECT * FROM core.product ORDER BY 1"),
        )
        return {table: found[table] for table in tables} | {"ids": ids}

    before, chosen = state(), {row["conflict_id"]: choice for row in conflicts.list_conflicts(warehouse)}
    conflicts.decide_conflicts(warehouse, chosen, "ann", "looked at both", "command line")
    assert state() != before
    assert conflicts.undo_decisions(warehouse, list(chosen), "ann", "too early").undone == sorted(chosen)
    after = state()
    if choice == "split":  # the product made for the SKU stays, without one: nothing is ever deleted
        made = [row for row in after["ids"][1] if row not in before["ids"][1]]
        assert len(made) == 1 and one(warehouse, "SELECT count(*) FROM core.sku WHERE product_id = %s", made[0]["product_id"]) == 0
        after["ids"] = (after["ids"][0], before["ids"][1])
        after["core.product"] = before["core.product"]
    assert after == before
    assert conflicts.undo_decisions(warehouse, list(chosen), "ann", "again").undone == [], "safe to repeat"
    assert sorted(chosen) == sorted(row["conflict_id"] for row in conflicts.list_conflicts(warehouse)), "open again"


@pytest.mark.parametrize("choice", conflicts.CHOICES)
def test_a_new_claim_opens_a_decided_conflict_again(contested: Warehouse, met: Callable[..., None], choice: Choice) -> None:
    decide(contested, "i", choice)
    met("aldi", offer("9", name="Other Good", size="3kg", barcode=A))
    (row,) = [row for row in conflicts.list_conflicts(contested) if row["sku"] == "i"]
    assert row["reopened_because"] == "claim" and row["choice"] == choice, "the decision stays in force until another one is made"
    assert decide(contested, "i", "reject", "bob").applied and "i" not in open_ones(contested)
    ended = rows(contested, "SELECT choice, ended_by, end_reason FROM ops.barcode_decision ORDER BY decision_id")
    assert [(row["choice"], row["ended_by"]) for row in ended] == [(choice, "bob"), ("reject", None)]


def test_a_merge_of_one_side_and_its_undo_open_a_decided_conflict_again(contested: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", offer("9", name="Chewing Gum, juicy", size="56g", barcode=B))
    met("coles", offer("c", name="Quux Juicy Chewing Gum", brand="Quux", size="4x14g", barcode=B))
    decide(contested, "i", "reject")
    assert open_ones(contested) == ["c"]
    decide(contested, "c", "accept")
    assert same(contested, ("coles", "c"), ("aldi", "9"))
    (row,) = conflicts.list_conflicts(contested)
    assert (row["sku"], row["reopened_because"]) == ("i", "merge")
    decide(contested, "i", "reject")
    conflicts.undo_decisions(contested, [number(contested, "c")], "ann", "no")
    assert open_ones(contested) == ["c", "i"]


def test_questions_are_asked_once_until_something_changes(contested: Warehouse, met: Callable[..., None]) -> None:
    conflict = number(contested, "i")
    assert claim_questions(contested, "conflicts", ["coles"], "run-0") == []
    assert (
        claim_questions(contested, "conflicts", ["iga", "coles"], "run-1")
        == claim_questions(contested, "conflicts", ["iga"], "run-1")
        == [[conflict]]
    )
    assert claim_questions(contested, "conflicts", ["iga"], "run-2") == []
    assert claim_questions(contested, "conflicts", ["iga"], "run-3", again=True) == [[conflict]]
    decide(contested, "i", "accept")
    met("aldi", offer("9", name="Other Good", size="3kg", barcode=A))
    assert [len(batch) for batch in claim_questions(contested, "conflicts", ["iga", "aldi"], "run-4")] == [2]
    assert claim_questions(contested, "conflicts", ["iga", "aldi"], "run-5") == []
    decide(contested, "i", "accept")
    conflicts.undo_decisions(contested, [conflict], "ann", "no")
    assert claim_questions(contested, "conflicts", ["iga"], "run-6") == [[conflict]]


def test_a_reused_number_takes_its_decision_along(contested: Warehouse, met: Callable[..., None]) -> None:
    decide(contested, "i", "split")
    met("iga", offer("i", name="Garden Hose", brand="Zorbo", size="15m"))
    (row,) = rows(contested, "SELECT ended_by, end_reason FROM ops.barcode_decision")
    assert row["ended_by"] == "aisleflow" and "another good" in row["end_reason"]
    met("coles", offer("h", name="Garden Hose", brand="Zorbo", size="15m"))
    assert same(contested, ("iga", "i"), ("coles", "h")), "the new good joins as any other"


def test_a_placeholder_accepted_for_one_good_stays_refused_for_the_others(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", *(offer(str(n), name=f"Good number{n}", barcode=A) for n in range(6)))
    decide(warehouse, "2", "accept")
    assert owner(warehouse, A) == product_of(warehouse, "2") and one(warehouse, "SELECT count(DISTINCT product_id) FROM core.sku") == 6
    assert open_ones(warehouse) == [] and proposals(warehouse) == []


def test_both_sides_are_shown_with_their_evidence(contested: Warehouse) -> None:
    found = conflicts.show_conflict(contested, number(contested, "i"))
    assert [(side["side"], side["retailer"], side["sku"], side["stores"]) for side in found["sides"]] == [
        ("claims", "iga", "i", 1),
        ("has it", "coles", "c", 1),
    ]
    assert (found["conflict"]["source"], found["conflict"]["file_id"]) == (
        "file",
        one(contested, "SELECT max(file_id) FROM ops.staged_file"),
    )
    assert found["sides"][0]["refused"] == [f"0{A} (size)"] and found["sides"][1]["accepted"] == [f"0{A}"] and found["decisions"] == []
    with pytest.raises(TerminalError, match="no barcode conflict 999"):
        conflicts.show_conflict(contested, 999)
