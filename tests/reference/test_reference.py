"""The published state equals the reference model's after every verb of random histories."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reference.playing import play
from tests.reference.product import Product
from tests.sampling import sampled


@pytest.mark.parametrize("seed", sampled([1, 2, 3], 1))
def test_a_hundred_short_histories(product: Product, seed: int) -> None:
    play(product, seed, 100, verbs=3)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(100, 120))
def test_a_thousand_histories_a_seed(product: Product, seed: int, record_property: Callable[[str, object], None]) -> None:
    record_property("histories", play(product, seed, 1_000).histories)
