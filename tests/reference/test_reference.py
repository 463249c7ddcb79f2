"""The published state equals the reference model's after every verb of random histories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Server
from tests.reference import model
from tests.reference.machine import Histories
from tests.reference.product import Product

PLAY = settings(
    deadline=None,
    database=None,
    stateful_step_count=8,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


@pytest.fixture
def product(make_warehouse: Callable[..., Any], postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Product:
    """A warehouse that holds by two rules only; pages about checks are left out, they are tested elsewhere."""
    monkeypatch.setattr("include.ingestion.pipeline.publish_data_docs", lambda *_: None)
    warehouse = make_warehouse(
        change_log=True,
        ingest_workers=1,
        hold_quarantined_share=model.REFUSED_SHARE_MAX,
        hold_row_count_share=model.GOODS_SHARE_MIN,
        complete_rows_share=model.COMPLETE_SHARE,
    )
    name = psycopg.conninfo.conninfo_to_dict(warehouse.url)["dbname"]
    return Product(warehouse, tmp_path / "root", lambda: postgres.empty(str(name)))


def play(product: Product, number: int, histories: int) -> int:
    """Play histories with one seed; returns how many were played."""
    machine = type("Histories", (Histories,), {"product": product, "played": 0})
    run_state_machine_as_test(seed(number)(machine), settings=settings(PLAY, max_examples=histories))
    return int(machine.played)  # type: ignore[attr-defined]


def test_three_hundred_histories(product: Product) -> None:
    play(product, 1, 300)
