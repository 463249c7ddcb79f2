"""Matching of two lists without barcodes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.catalogue.matching.aliases import learn_aliases
from include.catalogue.matching.features import veto
from include.catalogue.matching.listing import Listing, describe
from include.catalogue.matching.match import Match, Tier, match
from include.wording import word_classes
from include.wording.product_key import spelling

FLAVOURS = ("Apple", "Banana", "Cherry", "Lemon", "Mango", "Peach", "Pear", "Plum", "Quince", "Raspberry")
LEFT = [Listing(f"l{n}", f"{name} Zing Yoghurt Tub", "Zorbo", "170g") for n, name in enumerate(FLAVOURS)]
RIGHT = [Listing(f"r{n}", f"Zorbo Zing {name} Yoghurt", "Zorbo", "170 g") for n, name in enumerate(FLAVOURS)]


def pairs(matches: list[Match], tier: Tier | None = None) -> set[tuple[str, str]]:
    return {(found.left_id, found.right_id) for found in matches if tier in (None, found.tier)}


def test_sisters_find_their_own_twin() -> None:
    found = match(LEFT, RIGHT)
    assert pairs(found, Tier.AUTOMATIC) == {(f"l{n}", f"r{n}") for n in range(len(FLAVOURS))}
    assert all("key" in pair.reason for pair in found)


@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_does_not_matter(dice: random.Random) -> None:
    left = [
        *LEFT,
        Listing("x", "Zing Yoghurt", "Zorbo"),
        Listing("y", "Banana Zing Yoghurt Tub", "Zorbo", "170g"),
        Listing("z", "舒适 刀片"),
    ]
    right = [*RIGHT, Listing("x", "Plum Zing", None, "170g"), Listing("y", "Yoghurt Smooth Mango", "Zorbo Dairy Pty Ltd", "170g")]
    expected = match(left, right)
    assert match(dice.sample(left, len(left)), dice.sample(right, len(right))) == expected


@given(st.lists(st.tuples(st.text(max_size=12), st.none() | st.text(max_size=8), st.none() | st.text(max_size=8)), max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_text_is_matched_without_an_error(rows: list[tuple[str, str | None, str | None]]) -> None:
    listings = [Listing(str(number), *row) for number, row in enumerate(rows)]
    found = match(listings, listings)
    assert len({pair.left_id for pair in found}) == len({pair.right_id for pair in found}) == len(found)


def test_endless_names_cost_little() -> None:
    """The words of a product are counted in pairs."""
    name = " ".join(f"w{number}" for number in range(1_000))
    found = describe([Listing("a", name, name, "1kg")], [Listing("b", name, None, "1kg")])
    assert all(len(item.words) <= 40 and len(item.brand_words) <= 12 for items in found for item in items)


@pytest.mark.parametrize(("left", "right"), [([], []), (LEFT, []), ([], RIGHT), ([Listing("a", "")], [Listing("b", "")])])
def test_nothing_to_compare_is_no_pair(left: list[Listing], right: list[Listing]) -> None:
    assert match(left, right) == []


def test_twice_the_same_good_waits_for_a_person() -> None:
    """Which of two equal listings is meant, the texts cannot say."""
    found = match([*LEFT, replace(LEFT[3], id="again")], RIGHT)
    assert not {pair for pair in pairs(found, Tier.AUTOMATIC) if pair[1] == "r3"}
    assert len(pairs(found, Tier.AUTOMATIC)) == len(FLAVOURS) - 1


@pytest.mark.parametrize(
    ("left", "right", "reason"),
    [
        (Listing("a", "Apple Juice", "Zorbo", "1L"), Listing("b", "Apple Juice", "Zorbo", "2L"), "size"),
        (
            Listing("a", "Apple Juice", "Coles", "1L", retailer="coles"),
            Listing("b", "Apple Juice", None, "1L", retailer="iga"),
            "own_label",
        ),
        (Listing("a", "Apple Juice", "Coles", "1L"), Listing("b", "Apple Juice", "Zorbo", "1L"), "own_label"),
        (Listing("a", "Apple Juice", gtins=("09310072001234",)), Listing("b", "Apple Juice", gtins=("00000096385074",)), "barcode"),
        (Listing("a", "Rolls", None, "Each", 340, "$1.13 each"), Listing("b", "Rolls", None, "6 pack"), "size"),
        (Listing("a", "Rolls", None, "Each", 340, "$1.13 each"), Listing("b", "Rolls", None, "3 pack"), None),
        (Listing("a", "Apple Juice", "Coles", "1L"), Listing("b", "Apple Juice", "Coles", "1L"), None),
    ],
)
def test_vetoes(left: Listing, right: Listing, reason: str | None) -> None:
    (mine,), (other,) = describe([left], [right])
    assert veto(mine, other) == veto(other, mine) == reason
    assert reason is None or match([left], [right]) == []


def test_a_learnt_alias_joins_what_brands_keep_apart() -> None:
    left = [replace(item, brand="Quux Holdings Pty Ltd") for item in LEFT[:1]]
    right = [replace(item, name=item.name.removeprefix("Zorbo ")) for item in RIGHT]
    without = {pair.right_id: pair.score for pair in match(left, right)}
    (mine,), others = describe([Listing("p", "Carrots", "Quux Holdings Pty Ltd")], [Listing("q", "Carrots", "Zorbo")])
    aliases = learn_aliases([(mine, others[0])])
    assert aliases == {"quux": {"zorbo"}, "zorbo": {"quux"}}
    assert match(left, right, aliases)[0].score > without.get("r0", 0.0)


@pytest.mark.parametrize(("brand", "products", "is_learnt"), [("Quux Holdings Pty Ltd", 2, True), ("Quux", 3, False), ("Quux", 4, True)])
def test_names_that_agree_teach_the_brand_of_a_company(brand: str, products: int, is_learnt: bool) -> None:
    """Two makers sell "sparkling water" and "still water"; a licence holder's name is no brand on a shelf."""
    others = [Listing(f"o{n}", f"Tool No {n} {chr(97 + n % 26)}x{n}", f"Maker {n}", f"{n + 1}m") for n in range(60)]
    left = [*others, *(replace(item, brand=brand) for item in LEFT[:products])]
    right = [replace(item, name=item.name.removeprefix("Zorbo ")) for item in RIGHT[:products]]
    assert len(pairs(match(left, right), Tier.AUTOMATIC)) == (products if is_learnt else 0)


def test_contradicting_words_never_join_by_themselves() -> None:
    found = match(
        [Listing("a", "Big Crunch Honey Roasted Cashews", "Zorbo", "150g")],
        [Listing("b", "Big Crunch Salt Roasted Cashews", "Zorbo", "150g")],
    )
    assert all(pair.tier is not Tier.AUTOMATIC for pair in found)


@pytest.mark.parametrize("size", ["300mL", "300g", "2 pack", None])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Milk Chocolate", "Chocolate Milk"),
        ("Zing Milk Chocolate", "Zing Chocolate Milk"),
        ("Coconut Oil Zing Milk", "Coconut Milk Zing Oil"),
        ("Peanut Butter Cake", "Peanut Cake Butter"),
        ("Ginger Cake Tea", "Ginger Tea Cake"),
    ],
)
def test_words_whose_order_changes_the_meaning_never_join_by_themselves(left: str, right: str, size: str | None) -> None:
    """By key, by words or by score, alone and among other goods of the brand."""
    for others in ([], LEFT):
        found = match([Listing("a", left, "Zorbo", size), *others], [Listing("b", right, "Zorbo", size), *others])
        assert ("a", "b") not in pairs(found, Tier.AUTOMATIC)


def test_the_order_of_other_words_does_not_matter() -> None:
    found = match(
        [Listing("a", "Lindor Milk Chocolate Block", "Lindt", "100g")], [Listing("b", "Chocolate Block Lindor Milk", "Lindt", "100g")]
    )
    assert pairs(found, Tier.AUTOMATIC) == {("a", "b")}


def test_brands_in_other_scripts_are_brands() -> None:
    left = [Listing("a", "Shaving Blades Classic", "舒适刀片", "4 pack"), Listing("b", "Shaving Blades Classic", "有限公司", "4 pack")]
    right = [Listing("c", "Shaving Blades Classic", "有限公司", "4 pack"), Listing("d", "Shaving Blades Classic", "舒适刀片", "4 pack")]
    assert pairs(match(left, right), Tier.AUTOMATIC) == {("a", "d"), ("b", "c")}


def test_the_word_classes_use_canonical_spellings() -> None:
    """A word that the spelling rule changes would never be found."""
    assert {word for word in word_classes.words() if spelling(word) != word} == set()
