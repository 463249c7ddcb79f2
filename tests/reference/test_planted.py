"""A campaign finds every defect that is planted again. The report says after how many histories."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reference.planted import DEFECTS, Defect
from tests.reference.playing import play
from tests.reference.product import Product

#: More than enough for each of them; a campaign plays ten times as many.
HISTORIES_MAX = 2_000


@pytest.mark.campaign
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found(
    product: Product, monkeypatch: pytest.MonkeyPatch, defect: Defect, record_property: Callable[[str, object], None]
) -> None:
    with defect.plant(product, monkeypatch):
        found = play(product, 1, HISTORIES_MAX, is_to_shrink=False)
    assert found.failed_after, f"{found.histories} histories did not find: {defect.what}"
    record_property("found", f"{defect.what}: after {found.failed_after} histories")
