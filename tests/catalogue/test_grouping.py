"""What is known of SKUs, and which of them are one product: the same lines give the same outcome in any order and any batches."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest

from include.catalogue.grouping import GOODS_PER_BARCODE_MAX, Choice, Claim, Grouping, Member, group
from include.catalogue.sightings import FILE, Known, Origin, Pieces, Sighting, absorb
from include.catalogue.texts import read_text
from include.wording.brand import own_label_of
from include.wording.product_key import product_keys
from include.wording.same_good import Text
from include.wording.size import telling_sizes
from tests.ingestion.store_days import gtin

START = datetime(2026, 11, 1, tzinfo=UTC)
A, B, C = (f"0{gtin(number)}" for number in (1, 2, 3))
TEA, HOSE = ("Black Tea", "Zorbo", "100g"), ("Garden Hose", "Quux", "15m")


def sighting(hour: int, text: tuple[str, str | None, str | None] = TEA, *gtins: str, pieces: int | None = None) -> Sighting:
    at = START + timedelta(hours=hour)
    return Sighting(text, gtins, at, at, Origin(FILE, 1), Pieces(at, pieces) if pieces else None)


def member(number: int, hour: int = 0, retailer: str = "aldi", text: Text = TEA, *gtins: str) -> Member:
    """A SKU that was first seen at an hour; its barcodes stood beside one another."""
    name, brand, size = text
    claims = tuple(Claim(code, min(gtins), START + timedelta(hours=hour)) for code in gtins)
    at = START + timedelta(hours=hour)
    return Member(
        number,
        retailer,
        str(number),
        at,
        text,
        product_keys(name, brand, size),
        telling_sizes(size, name),
        own_label_of(brand),
        claims,
    )


def groups(found: Grouping) -> list[set[int]]:
    by_group = sorted(found.placements, key=lambda p: p.group)
    return [{p.sku_key for p in same} for _, same in groupby(by_group, key=lambda p: p.group)]


def refused(found: Grouping) -> dict[tuple[int, str], str]:
    return {claim: reason for claim, reason in found.refusals.items() if reason is not None}


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (("Leaves", None, "14g"), "size"),
        (("Leaves", "Coles", None), "own_label"),
        (("Leaves", None, "100.5g"), None),
        (("Leaves", None, None), None),
    ],
)
def test_one_veto_for_a_barcode_whoever_comes_first(other: tuple[str, str | None, str | None], reason: str | None) -> None:
    for first, second in (((1, 0, "aldi", TEA, A), (2, 1, "iga", other, A)), ((1, 0, "iga", other, A), (2, 1, "aldi", TEA, A))):
        found = group([member(*first), member(*second)])
        assert len(groups(found)) == (1 if reason is None else 2)
        assert refused(found) == ({} if reason is None else {(2, A): reason}), "the earlier one keeps the barcode"
        assert [p.reason for p in found.proposals] == ([] if reason is None else [f"barcode_but_{reason}"])


def test_a_chain_of_barcodes_does_not_carry_a_veto_around() -> None:
    """The second says no size, the third contradicts the first."""
    found = group(
        [member(1, 0, "aldi", TEA, A), member(2, 1, "iga", ("Leaves", None, None), A, B), member(3, 2, "coles", ("Tea", None, "14g"), B)]
    )
    assert groups(found) == [{1, 2}, {3}] and refused(found) == {(3, B): "size"}


LEAVES: Text = ("Leaves", None, None)


def test_a_sku_with_the_barcodes_of_two_products_stays_with_one_and_proposes_the_merge() -> None:
    owners = [member(1, 0, "aldi", ("Green Tea", "Zorbo", None), A), member(2, 1, "coles", ("Tea", None, "100g"), B)]
    found = group([*owners, member(3, 2, "iga", LEAVES, B, A)])
    assert groups(found) == [{1, 3}, {2}] and refused(found) == {(3, B): "two_products"}, "of two shown at once the smaller"
    assert [(p.sku_key, p.other_sku_key, p.reason, p.evidence) for p in found.proposals] == [(3, 2, "barcode_but_two_products", B)]
    both = member(3, 2, "iga", LEAVES, B, A)
    both = replace(both, claims=tuple(replace(c, first_seen_at=c.first_seen_at - timedelta(minutes=c.gtin == B)) for c in both.claims))
    assert refused(group([*owners, both])) == {(3, A): "two_products"}, "it stays with the one that it showed first"
    accepted = replace(both, claims=tuple(replace(c, decision="accept" if c.gtin == A else None) for c in both.claims))
    assert groups(group([*owners, accepted])) == [{1, 2, 3}], "whoever accepts the second barcode knows that the SKU has both"


def test_a_second_barcode_that_nobody_had_is_the_skus() -> None:
    first, second = member(1, 0, "aldi", ("Green Tea", "Zorbo", None), A), member(2, 2, "coles", ("Tea", None, "100g"), B)
    both = member(3, 1, "iga", LEAVES, A, B)
    assert groups(group([first, both, second])) == [{1, 2, 3}]
    assert groups(group([both, second])) == groups(group([second, replace(both, observed_at=START)])) == [{2, 3}]


def test_other_barcodes_later_are_contested_unless_the_product_has_them() -> None:
    later = Claim(B, B, START + timedelta(hours=5))
    one = member(1, 0, "aldi", TEA, A)
    one = Member(**{name: getattr(one, name) for name in Member.__slots__} | {"claims": (*one.claims, later)})
    assert refused(group([one])) == {(1, B): "other_barcode"}
    assert refused(group([one, member(2, 6, "iga", TEA, B)])) == {(1, B): "other_barcode"}
    assert refused(group([one, member(2, 6, "iga", TEA, A, B)])) == {}


def looked_up(number: int, gtin: str, hour: int, retailer: str = "coles", text: Text = TEA) -> Member:
    """A SKU of the first hour whose barcode was looked up later."""
    return replace(member(number, 0, retailer, text), claims=(Claim(gtin, gtin, START + timedelta(hours=hour), None, True),))


#: Another retailer's SKU with the barcode, and whether it confirms that the tea has it.
_WITNESSES = [
    (("Zorbo Tea, Black Leaf", "Zorbo", "100 g"), True), (("Black Tea", None, None), True), (("Black Tea", "Zorbo", "1kg"), False),
    (("Green Tea", "Zorbo", "100g"), False), (HOSE, False), (None, False),
]  # fmt: skip


@pytest.mark.parametrize(("witness", "is_confirmed"), _WITNESSES)
def test_a_late_barcode_leaves_a_product_with_another_one_only_when_confirmed(witness: Text | None, is_confirmed: bool) -> None:
    members = [member(1, 0, "iga", TEA, A), looked_up(2, B, 5)] + ([member(3, 9, "woolworths", witness, B)] if witness else [])
    found = group(members)
    assert next(one for one in groups(found) if 2 in one) == ({2, 3} if is_confirmed else {1, 2})
    assert refused(found) == ({} if is_confirmed else {(2, B): "product_barcode"})


def test_two_retailers_that_find_the_same_barcode_confirm_each_other() -> None:
    found = group([member(1, 0, "iga", TEA, A), looked_up(2, B, 5), looked_up(3, B, 6, "woolworths")])
    assert sorted(map(sorted, groups(found))) == [[1], [2, 3]] and refused(found) == {}


def test_a_late_barcode_is_taken_where_the_text_joins_no_product_with_another_one() -> None:
    assert refused(group([member(1, 0, "iga", TEA), looked_up(2, B, 5)])) == {}, "the product has none"
    assert refused(group([member(1, 6, "iga", TEA, A), looked_up(2, B, 5)])) == {}, "the other one came later"
    several = [member(1, -2, "iga", TEA, A), member(3, -1, "woolworths", TEA, C), looked_up(2, B, 5)]
    assert refused(group(several)) == {}, "the text joins none of two"
    assert refused(group([member(1, 0, "iga", TEA, A), looked_up(2, A, 5)])) == {}, "it is the same"


@pytest.mark.parametrize(("choice", "product"), [("accept", {2}), ("split", {2}), ("reject", {1, 2})])
def test_a_decision_settles_a_late_barcode(choice: Choice, product: set[int]) -> None:
    late = looked_up(2, B, 5)
    decided = replace(late, claims=(replace(late.claims[0], decision=choice),))
    found = group([member(1, 0, "iga", TEA, A), decided])
    assert next(one for one in groups(found) if 2 in one) == product
    assert refused(found) == ({(2, B): "rejected"} if choice == "reject" else {})


@pytest.mark.parametrize("goods", [GOODS_PER_BARCODE_MAX, GOODS_PER_BARCODE_MAX + 1])
def test_a_barcode_on_many_goods_identifies_none(goods: int) -> None:
    found = group([member(number, number, "aldi", (f"Good number{number}", None, None), A) for number in range(goods)])
    if goods > GOODS_PER_BARCODE_MAX:
        assert len(groups(found)) == goods and set(refused(found).values()) == {"many_goods"} and found.proposals == []
    else:
        assert len(groups(found)) == 1 and refused(found) == {}


def test_one_good_under_many_numbers_keeps_its_barcode() -> None:
    assert groups(group([member(number, number, "aldi", TEA, A) for number in range(20)])) == [set(range(20))]


def test_a_join_by_key_stays_when_a_rival_comes_and_goes_to_nobody_who_comes_after_two() -> None:
    first, second, rival, last = (
        member(1, 0, "coles", TEA, A),
        member(2, 1, "aldi", TEA),
        member(3, 2, "woolworths", TEA, B),
        member(4, 3, "iga", TEA),
    )
    found = group([last, rival, second, first])
    assert groups(found) == [{1, 2}, {3}, {4}]
    assert [(p.sku_key, p.reason) for p in found.proposals] == [
        (3, "key_but_other_barcode"),
        (4, "key_hits_several"),
        (4, "key_hits_several"),
    ]


def test_a_reused_number_forgets_the_former_good() -> None:
    known = absorb(None, [sighting(0, TEA, A)])
    reused = absorb(known, [sighting(9, HOSE)])
    assert (reused.is_reused, reused.text, reused.claims, reused.former_until_at) == (True, HOSE, {}, START)


@pytest.mark.parametrize(
    "line",
    [
        sighting(9, ("Zorbo Black Tea Leaves", "Zorbo Teas", "100 g")),
        sighting(9, ("Finest", "Zorbo", None)),
        sighting(9, ("Black Tea", "Other Brand", "90g")),
        sighting(9, HOSE, A),
    ],
    ids=["an edited text", "a name of one word", "the same name", "the same barcode"],
)
def test_an_edited_text_or_the_same_barcode_is_no_reuse(line: Sighting) -> None:
    known = absorb(absorb(None, [sighting(0, TEA, A)]), [line])
    assert (known.is_reused, known.text, known.newest, set(known.claims)) == (False, TEA, line.text, {A})


def test_a_line_about_a_former_good_that_arrives_late_says_nothing() -> None:
    known = absorb(absorb(None, [sighting(9, HOSE, B)]), [sighting(0, TEA, A)])
    assert (known.text, set(known.claims), known.former_until_at) == (HOSE, {B}, START)
    assert absorb(known, [sighting(0, TEA, C)]) == known


def test_what_was_seen_before_a_number_came_back_to_its_good_counts_no_more() -> None:
    known = absorb(absorb(None, [sighting(9, TEA)]), [sighting(1, ("Zorbo Tea Black", "Zorbo", "100g"), A)])
    assert (known.observed_at, set(known.claims)) == (START + timedelta(hours=1), {A})
    known = absorb(known, [sighting(5, HOSE)])
    assert (known.text, known.observed_at, known.claims) == (TEA, START + timedelta(hours=9), {})


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_barcodes_in_one_line_stand_together(order: tuple[int, ...]) -> None:
    lines = [sighting(0, TEA, A, B), sighting(1, TEA, B, C), sighting(2, TEA, C)]
    known = None
    for position in order:
        known = absorb(known, [lines[position]])
    assert known is not None and {claim.together for claim in known.claims.values()} == {A}


def test_the_fullest_text_decides_then_the_earliest() -> None:
    lines = [
        sighting(0, ("Black Tea", None, None)),
        sighting(2, ("Zorbo Tea", "Zorbo", "100g")),
        sighting(1, ("Tea, black", "Zorbo", "100g")),
    ]
    assert absorb(None, lines).text == ("Tea, black", "Zorbo", "100g")


def test_the_earliest_count_stays_and_goes_with_a_former_good() -> None:
    early, late = sighting(1, pieces=6), sighting(2, pieces=4)
    for order in ([early, late], [late, early]):
        known: Known | None = None
        for line in order:
            known = absorb(known, [line])
        assert known is not None and known.pieces == Pieces(START + timedelta(hours=1), 6)
    assert known is not None
    reused = absorb(known, [sighting(3, HOSE)])
    assert reused.is_reused and reused.pieces is None
    assert absorb(None, [sighting(3, TEA), sighting(1, HOSE, pieces=9)]).pieces is None, "the count is a former good's"


#: Texts of a few goods, in several spellings, and of some that contradict one another.
_TEXTS: list[tuple[str, str | None, str | None]] = [
    TEA, ("Zorbo Tea Black", "Zorbo", "100g"), ("Black Tea", None, None), ("Black Tea", "Zorbo", "14g"), ("Black Tea", "Zorbo", "4x25g"),
    ("Coles Black Tea", "Coles", "100g"), ("Tea", "Zorbo", None), ("Black Tea Bags", "Zorbo", "100g"), ("Black Tea", "Zorbo", "Each"), ("Black Tea", "Zorbo", "6 pack"),
]  # fmt: skip
_CODES = [A, B, C, *(f"0{gtin(number)}" for number in range(4, 9))]


def history(seed: int) -> list[tuple[str, str, Sighting]]:
    """Lines of some SKUs of four retailers, some with wrong codes, some numbers given to another good."""
    chance = random.Random(seed)
    lines = []
    for retailer in ("aldi", "coles", "iga", "woolworths"):
        for sku in ("1", "2", "3"):
            text, reused_at = chance.choice(_TEXTS), chance.choice([99, 99, 99, 6])
            for hour in sorted(chance.sample(range(12), chance.randint(1, 4))):
                said = HOSE if hour >= reused_at else chance.choice([text, text, (text[0], None, text[2])])
                codes = chance.choices([(), (chance.choice(_CODES),), tuple(chance.sample(_CODES, 2))], [4, 5, 3])[0]
                pieces = chance.choice([None, None, 6, 6, 4])
                lines.append((retailer, sku, sighting(hour, said, *(() if said is HOSE else codes), pieces=pieces)))
    return lines


def outcome(lines: list[tuple[str, str, Sighting]], batches: int, chance: random.Random) -> Any:
    """Absorb lines in some batches, group all, and name SKUs by retailer and number."""
    known: dict[tuple[str, str], Known] = {}
    cuts = sorted(chance.choices(range(len(lines) + 1), k=batches - 1))
    for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        by_sku: dict[tuple[str, str], list[Sighting]] = {}
        for retailer, sku, line in lines[start:end]:
            by_sku.setdefault((retailer, sku), []).append(line)
        known |= {who: absorb(known.get(who), said) for who, said in by_sku.items()}
    names = dict(enumerate(sorted(known)))
    members = [
        Member(
            n,
            *names[n],
            k.observed_at,
            k.text,
            read_text(k.text, k.piece_count).product_keys,
            telling_sizes(k.text[2], k.text[0]),
            own_label_of(k.text[1]),
            tuple(k.claims.values()),
        )
        for n in chance.sample(sorted(names), len(names))
        for k in [known[names[n]]]
    ]
    found = group(members)
    joins = {names[p.sku_key]: (p.joined_by, p.evidence) for p in found.placements}
    return (
        sorted(sorted(names[n] for n in same) for same in groups(found)),
        joins,
        {(names[n], code): why for (n, code), why in refused(found).items()},
    )


@pytest.mark.parametrize("seed", range(40))
def test_any_order_and_any_batches_give_the_same_products(seed: int) -> None:
    lines, chance = history(seed), random.Random(seed)
    expected = outcome(lines, 1, chance)
    for _ in range(10):
        assert outcome(chance.sample(lines, len(lines)), chance.randint(1, len(lines)), chance) == expected


def test_the_histories_have_what_may_depend_on_the_order() -> None:
    found = [outcome(history(seed), 1, random.Random(seed)) for seed in range(40)]
    reasons = {why for _, _, refusals in found for why in refusals.values()}
    assert reasons >= {"size", "own_label", "other_barcode", "product_barcode"}
    assert {joined_by for _, joins, _ in found for joined_by, _ in joins.values()} == {"new", "barcode", "key"}
    assert Decimal(sum(len(products) for products, _, _ in found)) / 40 > 3
