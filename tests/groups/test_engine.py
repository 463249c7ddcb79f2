"""The comparison engine against a plain model: any order, any block size, chains, ties."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.groups import comparison, merging
from include.groups.comparison import MatchRules, PriceLists
from include.groups.cooldown import CooldownFile, Round, cooled_pairs, rounds_of
from include.groups.merging import find_matches, pairs_to_cool
from include.staging.storage import Storage
from tests.groups import plain

AT = datetime(2026, 11, 18, tzinfo=UTC)


def matrix(lists: plain.Lists, order: list[int] | None = None) -> PriceLists:
    """Make the engine's matrix from plain lists, given in some order."""
    return PriceLists.of_stores(
        [(store, np.array(list(lists[store])), np.array(list(lists[store].values()))) for store in order or list(lists)]
    )


def grouped(lists: plain.Lists, sizes: Mapping[int, int], rules: MatchRules, order: list[int] | None = None) -> dict[int, int]:
    """Return the anchor of every store according to the engine."""
    made = matrix(lists, order)
    found = find_matches(made, sizes, np.eye(len(lists), dtype=bool), rules)
    return {store: store for store in lists} | {match.right: match.left for match in found.matches}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[int, dict[int, int]], dict[int, int], MatchRules, list[int]]:
    """Draw a few stores around a few price lists, with gaps and differences, so that chains and ties are common."""
    products = draw(st.integers(1, 24))
    zones = draw(st.lists(st.lists(st.integers(1, 3), min_size=products, max_size=products), min_size=1, max_size=3))
    stores: dict[int, dict[int, int]] = {}
    for store in draw(st.lists(st.integers(1, 99), min_size=1, max_size=7, unique=True)):
        zone = draw(st.sampled_from(zones))
        gaps = draw(st.sets(st.integers(0, products - 1), max_size=products))
        moved = draw(st.sets(st.integers(0, products - 1), max_size=3))
        stores[store] = {product: zone[product] + 10 * (product in moved) for product in range(products) if product not in gaps}
    sizes = {store: draw(st.integers(1, 3)) for store in stores}
    rules = MatchRules(
        draw(st.sampled_from([0.5, 0.8, 0.9, 0.995, 1.0])), draw(st.integers(1, 10)), draw(st.sampled_from([0.25, 0.5, 0.9]))
    )
    return stores, sizes, rules, draw(st.permutations(list(stores)))


@given(worlds())
@settings(max_examples=400, deadline=None)
def test_the_engine_groups_as_the_plain_model_in_any_order_and_in_blocks_of_any_size(
    world: tuple[dict[int, dict[int, int]], dict[int, int], MatchRules, list[int]],
) -> None:
    stores, sizes, rules, order = world
    lists = matrix(stores, order)
    for left in stores:
        for found in lists.compare(left, order, rules):
            assert (found.common, found.equal) == plain.counts(stores, left, found.right)
            assert found.is_match == plain.do_match(stores, left, found.right, rules)
            assert len(found.differences) == min(found.common - found.equal, comparison.DIFFERENCES_KEPT)
    candidates = lists.candidates(rules)
    for row, left in enumerate(sorted(stores)):
        alike = {right for right in stores if right != left and plain.do_match(stores, left, right, rules)}
        assert alike <= {sorted(stores)[column] for column in np.flatnonzero(candidates[row])}, "a pair that matches is a candidate"
    expected = plain.stars(stores, sizes, rules)
    assert grouped(stores, sizes, rules, order) == expected
    made = find_matches(lists, sizes, np.eye(len(stores), dtype=bool), rules)
    assert len(made.matches) + len(made.nearest) == made.compared, "few stores: the evidence of every comparison is kept"
    assert all(one.is_match for one in made.matches) and not any(one.is_match for one in made.nearest)
    assert {(one.left, one.right): (one.common, one.equal) for one in made.nearest} == {
        (one.left, one.right): plain.counts(stores, one.left, one.right) for one in made.nearest
    }
    with patch.object(comparison, "BLOCK_CELLS", 1):
        assert grouped(stores, sizes, rules, order) == expected
    for store, anchor in expected.items():
        assert store == anchor or (plain.do_match(stores, anchor, store, rules) and sizes[anchor] >= sizes[store])
        assert expected[anchor] == anchor
    anchors = sorted(set(expected.values()))
    assert not any(plain.do_match(stores, one, other, rules) for one in anchors for other in anchors if one < other), "none is left"


def zone(prices: int = 1000, start: int = 0, **changed: int) -> dict[int, int]:
    """Return a price list; ``p7=5`` changes the price of product 7."""
    return {product: 100 + product for product in range(start, start + prices)} | {int(name[1:]): cents for name, cents in changed.items()}


def test_a_chain_makes_no_group_of_stores_that_differ() -> None:
    """5 of 1,000 prices may differ: the ends of the chain differ in 10. The middle has the longest list."""
    ends = zone(**{f"p{n}": 1 for n in range(5)}), zone(**{f"p{n}": 1 for n in range(5, 10)})
    lists = {1: ends[0], 2: zone(1001), 3: ends[1]}
    assert grouped(lists, dict.fromkeys(lists, 1), MatchRules()) == {1: 2, 2: 2, 3: 2}
    assert grouped(lists, {1: 9, 2: 1, 3: 1}, MatchRules()) == {1: 1, 2: 1, 3: 3}, "the largest group takes what matches it, and no more"


def test_of_equal_groups_the_longer_list_stays_then_the_smaller_key() -> None:
    lists = {4: zone(900), 7: zone(), 9: zone()}
    assert grouped(lists, dict.fromkeys(lists, 1), MatchRules()) == {4: 7, 7: 7, 9: 7}


@pytest.mark.parametrize(
    ("left", "right", "is_match"),
    [
        (zone(), zone(**{f"p{n}": 1 for n in range(5)}), True),
        (zone(), zone(**{f"p{n}": 1 for n in range(6)}), False),
        (zone(200), zone(200), True),
        (zone(199), zone(199), False),
        (zone(1000), zone(500), True),
        (zone(1001), zone(500), False),
        (zone(300), zone(300, start=1000), False),
    ],
    ids=["995 of 1000", "994 of 1000", "200 common", "199 common", "half the list", "less than half", "nothing common"],
)
def test_the_limits_of_a_match(left: dict[int, int], right: dict[int, int], is_match: bool) -> None:
    lists = matrix({1: left, 2: right})
    assert [lists.compare(*pair, MatchRules())[0].is_match for pair in ((1, [2]), (2, [1]))] == [is_match, is_match]


def test_the_largest_differences_are_kept_as_evidence() -> None:
    found = matrix({1: zone(), 2: zone(**{f"p{n}": 100 + n + n for n in range(1, 21)})}).compare(1, [2], MatchRules())[0]
    assert [(one.column, one.left_cents, one.right_cents) for one in found.differences] == [
        (n, 100 + n, 100 + 2 * n) for n in range(20, 10, -1)
    ]
    assert (found.common, found.equal, found.equal_share, found.range_overlap) == (1000, 980, 0.98, 1.0)


def test_of_many_comparisons_the_nearest_ones_of_each_store_are_kept_as_evidence() -> None:
    """Store n differs in 31 + n prices from store 0 and in more from the others."""
    lists = {n: zone(1000, **{f"p{at}": 1 for at in range(50 * n, 50 * n + 31 + n)}) for n in range(1, 16)} | {0: zone(1000)}
    found = find_matches(matrix(lists), dict.fromkeys(lists, 1), np.eye(16, dtype=bool), MatchRules(equal_share=0.97))
    assert found.matches == () and found.compared == 16 * 15 // 2
    pairs = {(one.left, one.right) for one in found.nearest}
    assert len(pairs) < found.compared
    for store in lists:
        shares = sorted((1 - one.equal_share, one.left, one.right) for one in found.nearest if store in (one.left, one.right))
        assert len(shares) >= merging.NEAREST_KEPT
        assert {0, store} <= {number for _, left, right in shares[:1] for number in (left, right)} or store == 0


def test_neighbouring_zones_are_found_apart_by_their_fingerprints() -> None:
    """1.5 percent of the prices differ; the fingerprint leaves the pair to the complete comparison, which refuses it."""
    prices = {
        1: zone(4000),
        2: zone(4000, **{f"p{n}": 1 for n in range(0, 4000, 66)}),
        3: zone(4000, **{f"p{n}": 1 for n in range(0, 4000, 8)}),
    }
    lists = matrix(prices)
    assert lists.candidates(MatchRules()).tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    assert not lists.compare(1, [2], MatchRules())[0].is_match


@given(st.integers(0, 7).flatmap(lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n)))
def test_rounds_name_exactly_the_pairs_they_are_made_of(drawn: list[list[bool]]) -> None:
    pairs = np.array(drawn, bool).reshape(len(drawn), len(drawn))
    pairs = (pairs | pairs.T) & ~np.eye(len(drawn), dtype=bool)
    names = [f"G{number}" for number in range(len(drawn))]
    assert (cooled_pairs(rounds_of(pairs, names, AT), names) == pairs | np.eye(len(drawn), dtype=bool)).all()


def test_what_did_not_match_is_not_compared_again_and_what_merged_is_not_in_cooldown() -> None:
    other = dict.fromkeys(range(1000), 1)
    lists = matrix({1: zone(), 2: zone(), 3: other})
    found = find_matches(lists, dict.fromkeys((1, 2, 3), 1), np.eye(3, dtype=bool), MatchRules())
    cool = pairs_to_cool([1, 2, 3], found.joining, np.eye(3, dtype=bool))
    assert rounds_of(cool, ["a", "b", "c"], AT) == [Round(AT, ("a", "c"), ("a", "c"))]
    cooled = cooled_pairs([Round(AT, ("a",), ("b",))], ["a", "b", "c"])
    assert find_matches(lists, dict.fromkeys((1, 2, 3), 1), cooled, MatchRules()).matches == ()


def test_the_cooldown_file_forgets_what_expired_and_starts_empty_when_damaged(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    file = CooldownFile(storage, "aldi", days=7)
    assert file.read(AT) == [] and caplog.messages == []
    old, new = Round(AT, ("G1",), ("G2",)), Round(AT + timedelta(days=3), ("G1",), ("G3",))
    file.add([old], AT)
    file.add([new], AT + timedelta(days=3))
    assert file.read(AT + timedelta(days=6)) == [old, new]
    assert file.read(AT + timedelta(days=7)) == [new]
    file.add([], AT + timedelta(days=7))
    assert storage.read(file.path).count(b"G2") == 0, "expired rounds are pruned"
    whole = storage.read(file.path)
    for damaged in (whole[:-9], b"[1]", b'[{"at": "2026-11-18T00:00:00", "stores": [], "others": []}]', b"\xff"):
        storage.write(file.path, damaged)
        caplog.clear()
        assert file.read(AT) == []
        assert "cooldown-aldi.json is damaged" in caplog.text and "compared again" in caplog.text
    file.clear()
    assert file.read(AT) == []
