"""What a price is for, and multi-buy offers: every adapter reads from its retailer's own forms what the sandbox's world says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from include.model.offer import Offer
from include.retailers.bounds import parse
from include.retailers.coles_rows import offer_of
from include.retailers.registry import RETAILERS
from sandbox import aldi_rows, coles_rows, iga_rows, woolworths_rows
from sandbox.generated import GeneratedWorld

AT = datetime(2026, 11, 17, 17, tzinfo=UTC)


def _read(retailer: str, row: Any) -> Offer:
    offer: Offer = RETAILERS[retailer]._offer(parse(json.dumps(row).encode()), AT)  # type: ignore[attr-defined]
    return offer


#: Retailer and form → how a shelf's offer looks on the site, read by the adapter.
FORMS: dict[tuple[str, str], Callable[[Any], Offer]] = {
    ("coles", "next"): lambda offer: offer_of(parse(json.dumps(coles_rows.product_row(offer, "next")).encode()), AT, "x", "y"),
    ("coles", "rest"): lambda offer: offer_of(parse(json.dumps(coles_rows.product_row(offer, "rest")).encode()), AT, "x", "y"),
    ("woolworths", ""): lambda offer: _read("woolworths", woolworths_rows.product(offer, 0)),
    ("aldi", ""): lambda offer: _read("aldi", aldi_rows.product(offer)),
    ("iga", ""): lambda offer: _read("iga", iga_rows.item(offer)),
}


@pytest.fixture(scope="module")
def world() -> GeneratedWorld:
    """A generated world."""
    return GeneratedWorld(seed=1)


@pytest.mark.slow
@pytest.mark.parametrize(("retailer", "form"), FORMS)
def test_adapters_read_basis_and_multi_buy_as_they_are(world: GeneratedWorld, retailer: str, form: str) -> None:
    store = next(store for store in world.stores(retailer) if store.has_shelf)
    wrong, seen = [], set()
    for truth in world.shelf(retailer, store.store_id, AT).offers():
        if truth.price_cents is not None:
            read = FORMS[retailer, form](truth)
            found = read.multi_buy and (read.multi_buy.quantity, int(read.multi_buy.price * 100))
            expected = truth.multi_buy and (truth.multi_buy.quantity, truth.multi_buy.total_cents)
            seen |= {truth.price_basis, "multi-buy" if expected else "each"}
            if (read.price_basis, found) != (truth.price_basis, expected):
                wrong.append((truth.sku, truth.pack, read.price_basis, found, truth.price_basis, expected))
    assert wrong == []
    assert (
        seen
        == {"coles": {"each", "multi-buy"}, "woolworths": {"each", "kg", "multi-buy"}, "aldi": {"each"}, "iga": {"each", "kg"}}[retailer]
    )
