"""No price that is off by a factor of 100 is ever published, and few wrong ones before something is held."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from include.warehouse.engine import Warehouse
from tests.poisoning.game import Game

Record = Callable[[str, object], None]


def play(
    seed: int, make_warehouse: Callable[..., Warehouse], folder: Path, patch: pytest.MonkeyPatch, record: Record, **sizes: int
) -> None:
    # every store is attacked: the rules about a retailer would hold them all, and hide what the rules about a store let through
    alone = {f"hold_{name}": 1.0 for name in ("stores_held_share", "changed_within_week_share", "changed_across_weeks_share")}
    outcomes, false_alarms = Game(seed, make_warehouse("default", **alone), folder, **sizes).play(patch)
    assert false_alarms == [], "stores that were left alone"
    for outcome in outcomes:
        record("attack", outcome.text())
        print(outcome.text())
    assert [outcome.text() for outcome in outcomes if outcome.scaled] == []
    assert [text for outcome in outcomes for text in outcome.beyond] == []


def test_little_is_published_before_something_is_held(
    make_warehouse: Callable[..., Warehouse], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    play(1, make_warehouse, tmp_path, monkeypatch, record_property, nights=4, products=500)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(5000, 5020))
def test_little_is_published_whatever_the_seed(
    make_warehouse: Callable[..., Warehouse], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record, seed: int
) -> None:
    play(seed, make_warehouse, tmp_path, monkeypatch, record_property)
