"""A price column stands in many places: each is found here when a new one is forgotten (CONTRIBUTING.md, Add a price column)."""

from __future__ import annotations

import re

import pytest

from include.ingestion.copying import COLUMNS as STAGED
from include.model.rules import PRICE_MAX_DOLLARS
from include.readers.export import COLUMNS as EXPORTED
from include.warehouse.statements import SQL

#: What core.price keeps about a row; every other column is a value of the price.
BOOKKEEPING = {
    "store_key", "sku_key", "is_available", "is_listed", "uses_store_watermark", "delisted_at", "retracted_at", "observed_at", "changed_at", "file_id",
}  # fmt: skip
#: Staged in dollars, kept in cents.
SOURCES = {"price_cents": "price", "was_price_cents": "was_price"}


def _migrations() -> str:
    return "".join(path.read_text() for path in sorted((SQL / "migrations").glob("*.sql")))


def _table(name: str) -> list[str]:
    found = re.search(rf"CREATE (?:UNLOGGED )?TABLE {re.escape(name)} \(\n(.*?)\n\)", _migrations(), re.DOTALL)
    assert found
    added = re.findall(rf"ALTER TABLE {re.escape(name)}\b(.*?);", _migrations(), re.DOTALL)
    return re.findall(r"^    ([a-z_]+) ", found[1], re.MULTILINE) + re.findall(r"ADD COLUMN (\w+)", "".join(added))


def _statement(name: str) -> str:
    return re.sub(r"--.*", "", (SQL / f"{name}.sql").read_text())


VALUES = [column for column in _table("core.price") if column not in BOOKKEEPING]


def test_the_bookkeeping_columns_are_there() -> None:
    assert set(_table("core.price")) >= BOOKKEEPING
    assert "price_cents" in VALUES


@pytest.mark.parametrize("column", VALUES)
def test_a_price_column_is_staged(column: str) -> None:
    source = SOURCES.get(column, column)
    assert source in _table("staging.offer"), f"sql/migrations: staging.offer has no {source}"
    assert source in STAGED, f"include/ingestion/copying.py: {source} is not copied from the line reader"


@pytest.mark.parametrize("column", VALUES)
def test_a_price_column_is_merged(column: str) -> None:
    text = _statement("publishing/merge_prices")
    for place, pattern in {
        "the seen lines": rf"\b(?:AS|offer\.){{1}} ?{column}\b",
        "what counts as a change, known": rf"\bknown\.{column}\b",
        "what counts as a change, seen": rf"\bseen\.{column}\b",
        "the update": rf"\b{column} = new\.{column}\b",
        "the inserted columns": rf"INSERT \([^)]*\b{column}\b",
        "the inserted values": rf"VALUES \([^;]*?\bnew\.{column}\b",
    }.items():
        assert re.search(pattern, text), f"sql/publishing/merge_prices.sql lacks {column} in {place}"


@pytest.mark.parametrize("column", VALUES)
def test_a_price_column_is_restored_by_a_retraction(column: str) -> None:
    text = _statement("retraction/restore_prices")
    assert re.search(rf"\b{column} = replayed\.{column}\b", text), "sql/retraction/restore_prices.sql does not restore it"
    assert len(re.findall(rf"\bprice\.{column}\b", text)) == 2, (
        "sql/retraction/restore_prices.sql compares it twice: for changed_at, and for the row"
    )
    assert len(re.findall(rf"\breplayed\.{column}\b", text)) == 3


@pytest.mark.parametrize("column", VALUES)
def test_a_price_column_reaches_the_readers(column: str) -> None:
    view = re.findall(r"CREATE (?:OR REPLACE )?VIEW core\.store_price AS\n(.*?);", _migrations(), re.DOTALL)[-1]
    assert f"price.{column}" in view, "sql/migrations: the view core.store_price does not show it"
    assert f"COMMENT ON COLUMN core.store_price.{column} IS" in _migrations()
    assert re.search(rf"\b{column}\b", _statement("export/copy_store_prices")), "sql/export/copy_store_prices.sql does not send it"
    assert column in EXPORTED, "include/readers/export.py: COLUMNS lacks it"


def test_the_price_limit_is_the_rules() -> None:
    assert f"price_cents <= {PRICE_MAX_DOLLARS * 100})" in _migrations()
