"""The generated world: it is deterministic, and its prices change as measured on real stores."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from include.errors import ConfigurationError
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.generated_products import PRODUCTS_MAX, range_of
from sandbox.world import RETAILERS, UnknownStoreError

pytestmark = pytest.mark.slow

WEDNESDAY = datetime.fromisoformat("2026-11-18T04:00:00+11:00")
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def large() -> GeneratedWorld:
    """Ten stores, at least one per state, and enough products for reliable shares."""
    return GeneratedWorld(seed=3, size=WorldSize(stores=10, products=2500))


def prices(world: GeneratedWorld, retailer: str, store_id: str, at: datetime) -> dict[str, int]:
    return {offer.sku: offer.price_cents for offer in world.truth(retailer, store_id, at) if offer.price_cents is not None}


def share_changed(before: dict[str, int], after: dict[str, int]) -> float:
    common = before.keys() & after.keys()
    return sum(before[sku] != after[sku] for sku in common) / len(common)


def first_store(world: GeneratedWorld, retailer: str, state: str = "VIC") -> Any:
    return next(store for store in world.stores(retailer) if store.state == state and store.has_shelf)


@pytest.mark.parametrize("retailer", RETAILERS)
def test_same_seed_same_world(retailer: str) -> None:
    one, two, other = (GeneratedWorld(seed, WorldSize(2, 300)) for seed in (5, 5, 6))
    store = one.stores(retailer)[0].store_id
    assert one.stores(retailer) == two.stores(retailer)
    assert list(one.truth(retailer, store, WEDNESDAY)) == list(two.truth(retailer, store, WEDNESDAY))
    assert list(one.truth(retailer, store, WEDNESDAY)) != list(other.truth(retailer, store, WEDNESDAY))


def test_a_larger_world_keeps_the_products_of_a_smaller_one() -> None:
    small, big = GeneratedWorld(5, WorldSize(2, 300)), GeneratedWorld(5, WorldSize(40, 300))
    store = small.stores("coles")[0].store_id
    assert prices(small, "coles", store, WEDNESDAY) == prices(big, "coles", store, WEDNESDAY)


@pytest.mark.parametrize(
    ("retailer", "low", "high"), [("coles", 0.28, 0.40), ("woolworths", 0.28, 0.40), ("iga", 0.28, 0.40), ("aldi", 0.02, 0.08)]
)
def test_prices_change_on_wednesdays_and_rarely_on_other_days(large: GeneratedWorld, retailer: str, low: float, high: float) -> None:
    store = first_store(large, retailer).store_id
    days = [prices(large, retailer, store, WEDNESDAY + offset * DAY) for offset in range(-1, 8)]
    shares = [share_changed(before, after) for before, after in pairwise(days)]
    assert low < shares[0] < high and low < shares[7] < high
    assert all(share <= 0.0075 for share in shares[1:7])
    assert any(shares[1:7])


def test_prices_change_at_local_midnight(large: GeneratedWorld) -> None:
    """Perth is three hours behind Melbourne: its Wednesday starts later."""
    perth, melbourne = first_store(large, "coles", "WA").store_id, first_store(large, "coles").store_id
    just_after_melbourne_midnight = datetime.fromisoformat("2026-11-18T00:01:00+11:00")
    for store, share in ((perth, 0.0), (melbourne, 0.25)):
        before = prices(large, "coles", store, just_after_melbourne_midnight - timedelta(minutes=2))
        assert share_changed(before, prices(large, "coles", store, just_after_melbourne_midnight)) >= share
    assert prices(large, "coles", perth, just_after_melbourne_midnight) == prices(
        large, "coles", perth, just_after_melbourne_midnight - DAY / 2
    )


@pytest.mark.parametrize("retailer", ["coles", "woolworths", "aldi"])
def test_stores_of_one_zone_have_the_same_prices(large: GeneratedWorld, retailer: str) -> None:
    first, second = [store for store in large.stores(retailer) if store.state == "VIC" and store.has_shelf][:2]
    one, two = prices(large, retailer, first.store_id, WEDNESDAY), prices(large, retailer, second.store_id, WEDNESDAY)
    assert share_changed(one, two) == 0
    assert one.keys() != two.keys()  # their ranges differ slightly
    assert len(one.keys() & two.keys()) > 0.8 * len(one)


def test_zones_differ_as_states_do(large: GeneratedWorld) -> None:
    nsw = prices(large, "coles", first_store(large, "coles", "NSW").store_id, WEDNESDAY)
    by_state = {
        state: prices(large, "coles", first_store(large, "coles", state).store_id, WEDNESDAY) for state in ("ACT", "QLD", "VIC", "NT")
    }
    differing = {state: share_changed(nsw, found) for state, found in by_state.items()}
    assert differing["ACT"] == 0
    assert 0.005 < differing["QLD"] < 0.03 < differing["VIC"] + 0.01 < 0.07
    assert 0.40 < differing["NT"] < 0.55
    steps = sorted(
        by_state["NT"][sku] / nsw[sku] for sku in nsw.keys() & by_state["NT"].keys() if nsw[sku] != by_state["NT"][sku] and nsw[sku] > 500
    )
    assert steps[len(steps) // 2] == pytest.approx(1.05, abs=0.01)


def test_aldi_has_no_store_in_tasmania_and_the_territory(large: GeneratedWorld) -> None:
    assert {"TAS", "NT"}.isdisjoint(store.state for store in large.stores("aldi"))


def test_each_iga_shop_has_its_own_prices(large: GeneratedWorld) -> None:
    one, two = (prices(large, "iga", store.store_id, WEDNESDAY) for store in large.stores("iga")[:2])
    assert 0.3 < share_changed(one, two) < 0.7


@pytest.mark.parametrize("retailer", RETAILERS)
def test_some_products_disappear_and_return_each_day(large: GeneratedWorld, retailer: str) -> None:
    store = first_store(large, retailer).store_id
    listed = [{offer.sku for offer in large.truth(retailer, store, WEDNESDAY + offset * DAY)} for offset in range(16)]
    for today, tomorrow in pairwise(listed):
        assert 0 < len(today - tomorrow) / len(today) < 0.02
        assert 0 < len(tomorrow - today) / len(today) < 0.02
    assert (listed[0] - listed[7]) & listed[15], "absent products return"


def test_shares_of_special_and_unavailable_products(large: GeneratedWorld) -> None:
    offers = list(large.truth("coles", first_store(large, "coles").store_id, WEDNESDAY))
    assert 0.20 < sum(offer.is_on_special for offer in offers) / len(offers) < 0.28
    assert 0.004 < sum(offer.price_cents is None for offer in offers) / len(offers) < 0.02
    for offer in offers:
        assert offer.is_on_special == (offer.was_price_cents is not None)
        assert offer.was_price_cents is None or (offer.price_cents is not None and offer.was_price_cents > offer.price_cents > 0)
    assert all(offer.price_cents is not None for offer in large.truth("aldi", large.stores("aldi")[0].store_id, WEDNESDAY))


@pytest.mark.parametrize("retailer", RETAILERS)
def test_products_are_distinct_and_barcodes_valid(large: GeneratedWorld, retailer: str) -> None:
    offers = list(large.truth(retailer, first_store(large, retailer).store_id, WEDNESDAY))
    assert len({offer.sku for offer in offers}) == len(offers)
    assert len({(offer.brand, offer.name, offer.size) for offer in offers}) == len(offers)
    codes = [offer.barcode for offer in offers if offer.barcode]
    assert [code for code, times in Counter(codes).items() if times > 1] == []
    # GS1's rule: from the right, weights 1, 3, 1, 3 … of all digits add up to a multiple of ten.
    sums = [sum(int(digit) * (1, 3)[position % 2] for position, digit in enumerate(reversed(code))) for code in codes if len(code) > 5]
    assert all(total % 10 == 0 for total in sums)
    assert any(offer.barcode is None for offer in offers)
    assert any(offer.barcode and offer.barcode.zfill(13)[:2] in ("02", "21", "28", "29") for offer in offers), "in-store codes"


def test_retailers_share_products_by_barcode(large: GeneratedWorld) -> None:
    def by_barcode(retailer: str) -> dict[str, Any]:
        offers = large.truth(retailer, first_store(large, retailer).store_id, WEDNESDAY)
        return {offer.barcode: offer for offer in offers if offer.barcode and not offer.barcode.startswith(("0", "2"))}

    coles, woolworths, aldi = (by_barcode(retailer) for retailer in ("coles", "woolworths", "aldi"))
    shared = coles.keys() & woolworths.keys()
    assert len(shared) > 0.4 * len(coles)
    assert all(
        (coles[code].name, coles[code].size, coles[code].brand) == (woolworths[code].name, woolworths[code].size, woolworths[code].brand)
        for code in shared
    )
    other_brand_text = sum(coles[code].brand_label != woolworths[code].brand_label for code in shared) / len(shared)
    assert 0.02 < other_brand_text < 0.25
    own = [offer for offer in coles.values() if offer.brand.startswith("Harrowgate")]
    assert 0.2 < len(own) / len(coles) < 0.4
    assert not {offer.barcode for offer in own} & (woolworths.keys() | aldi.keys())


def test_locators_include_other_shops_than_supermarkets(large: GeneratedWorld) -> None:
    kinds = {
        retailer: Counter((store.kind, store.is_open, store.online_store_id is not None) for store in large.stores(retailer))
        for retailer in RETAILERS
    }
    assert all(kinds[retailer]["supermarket", True, True] == 10 for retailer in RETAILERS)
    assert [kinds[retailer]["supermarket", False, True] for retailer in RETAILERS] == [1, 1, 0, 1], "Aldi's finder lists no closed shop"
    assert kinds["coles"]["liquor", True, True] and kinds["woolworths"]["petrol", True, True] and kinds["iga"]["supermarket", True, False]
    ids = {retailer: {store.store_id for store in large.stores(retailer)} for retailer in RETAILERS}
    assert ids["iga"] & ids["woolworths"], "an id is unique within its retailer only"
    assert not list(large.truth("coles", next(store.store_id for store in large.stores("coles") if store.kind == "liquor"), WEDNESDAY))


def test_silent_stores_are_listed_without_products() -> None:
    world = GeneratedWorld(1, WorldSize(stores=2, products=100, silent_stores=1))
    silent = [store for store in world.stores("aldi") if store.is_silent]
    assert len(silent) == 1 and silent[0].is_open
    assert not list(world.truth("aldi", silent[0].store_id, WEDNESDAY))


def test_a_large_world_opens_immediately_and_is_computed_lazily() -> None:
    world = GeneratedWorld(2, WorldSize(stores=100, products=15_000))
    shelf = world.shelf("aldi", world.stores("aldi")[0].store_id, WEDNESDAY)
    assert 2000 < len(shelf) <= 2600
    assert sum(1 for store in world.stores("woolworths") if store.has_shelf) == 100


@pytest.mark.parametrize("retailer", ["coles", "iga"])
def test_the_vocabulary_suffices_for_the_largest_range(retailer: str) -> None:
    names = {(product.brand, product.name, product.size) for product in range_of(9, retailer, PRODUCTS_MAX)}
    assert len(names) == PRODUCTS_MAX


def test_invalid_sizes_and_stores_are_refused_with_advice() -> None:
    with pytest.raises(ConfigurationError, match="--stores and --products"):
        GeneratedWorld(1, WorldSize(stores=0))
    with pytest.raises(ConfigurationError, match="Lower --products"):
        GeneratedWorld(1, WorldSize(products=33_001))
    with pytest.raises(UnknownStoreError, match="/_sandbox/stores/coles"):
        GeneratedWorld(1).shelf("coles", "COL:1", WEDNESDAY)
