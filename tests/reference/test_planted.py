"""Random histories find every defect that is planted again. The campaign's report says after how many."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reference.planted import DEFECTS, Defect
from tests.reference.playing import play
from tests.reference.product import Product

#: A campaign plays at least this number of histories for each of its seeds.
HISTORIES_MAX = 1_000
#: Found so soon, whatever the seed, that every test run can plant them.
FOUND_SOON = ("04",)


def _plant_and_find(product: Product, patch: pytest.MonkeyPatch, defect: Defect, seed: int, histories_max: int) -> int:
    with defect.plant(product, patch):
        found = play(product, seed, histories_max, is_to_shrink=False)
    assert found.failed_after, f"{found.histories} histories did not find: {defect.what}"
    return found.failed_after


@pytest.mark.parametrize("defect", [defect for defect in DEFECTS if defect.name in FOUND_SOON], ids=lambda defect: defect.name)
def test_a_planted_defect_is_found_soon(product: Product, monkeypatch: pytest.MonkeyPatch, defect: Defect) -> None:
    _plant_and_find(product, monkeypatch, defect, 1, HISTORIES_MAX)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    product: Product, monkeypatch: pytest.MonkeyPatch, defect: Defect, seed: int, record_property: Callable[[str, object], None]
) -> None:
    found_after = _plant_and_find(product, monkeypatch, defect, seed, HISTORIES_MAX)
    record_property("found", f"defect {defect.name}, {defect.what}: after {found_after} histories of seed {seed}")
