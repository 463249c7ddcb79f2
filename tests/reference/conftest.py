"""The product under test: a warehouse that is emptied for each history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine

from tests.conftest import Server
from tests.reference import model
from tests.reference.product import Product


@pytest.fixture
def product(make_warehouse: Callable[..., Any], postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """Yield a warehouse that holds store-days by two rules only. The pages about checks are left out: they are tested elsewhere."""
    monkeypatch.setattr("include.ingestion.pipeline.publish_data_docs", lambda *_: None)
    # the server is of this test alone: nobody has to ask before each transaction whether it is still there
    monkeypatch.setattr("include.warehouse.engine.create_engine", lambda url, **how: create_engine(url, **how | {"pool_pre_ping": False}))
    warehouse = make_warehouse(
        change_log=True, ingest_workers=1, hold_quarantined_share=model.REFUSED_SHARE_MAX, hold_row_count_share=model.GOODS_SHARE_MIN,
        complete_rows_share=model.COMPLETE_SHARE,
    )  # fmt: skip
    name = str(psycopg.conninfo.conninfo_to_dict(warehouse.url)["dbname"])
    with postgres.emptying(name) as empty:
        yield Product(warehouse, tmp_path / "root", empty)
