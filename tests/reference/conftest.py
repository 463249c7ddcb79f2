"""The product under test: a warehouse that is emptied for each history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import Server
from tests.reference import model
from tests.reference.product import Product


@pytest.fixture
def product(make_warehouse: Callable[..., Any], postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Product:
    """Return a warehouse that holds store-days by two rules only. The pages about checks are left out: they are tested elsewhere."""
    monkeypatch.setattr("include.ingestion.pipeline.publish_data_docs", lambda *_: None)
    warehouse = make_warehouse(
        change_log=True, ingest_workers=1, hold_quarantined_share=model.REFUSED_SHARE_MAX, hold_row_count_share=model.GOODS_SHARE_MIN,
        complete_rows_share=model.COMPLETE_SHARE,
    )  # fmt: skip
    name = str(psycopg.conninfo.conninfo_to_dict(warehouse.url)["dbname"])
    return Product(warehouse, tmp_path / "root", lambda: postgres.empty(name))
