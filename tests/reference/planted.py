"""Defects that the product once had, planted again one at a time: the random histories have to find each.

A defect is planted by changing a few words of one statement, of a view, or by replacing one function; words that are no longer there
fail the test, so that this list follows the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import pytest

from include.ledger.settling import refuse
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from include.warehouse.statements import statement
from tests.reference.product import Product

Plant = Callable[[Product, pytest.MonkeyPatch], AbstractContextManager[None]]


@dataclass(frozen=True)
class Defect:
    """One defect and how to plant it."""

    name: str
    what: str
    plant: Plant


def in_statement(name: str, old: str, new: str) -> Plant:
    """Plant a defect by other words in ``sql/<name>.sql``."""

    @contextmanager
    def plant(_: Product, patch: pytest.MonkeyPatch) -> Iterator[None]:
        text = statement(name)
        assert old in text, f"sql/{name}.sql has no {old!r} any more: plant this defect in another way"
        wrong = cast(LiteralString, text.replace(old, new))
        patch.setattr("include.warehouse.engine.statement", lambda asked: wrong if asked == name else statement(asked))
        yield

    return plant


def in_view(name: str, old: str, new: str) -> Plant:
    """Plant a defect by other words in the definition of a view."""

    @contextmanager
    def plant(product: Product, _: pytest.MonkeyPatch) -> Iterator[None]:
        (row,) = product.rows(f"SELECT pg_get_viewdef('{name}'::regclass) AS text")
        right = str(row["text"])
        assert old in right, f"{name} has no {old!r} any more: plant this defect in another way"
        _define(product, name, right.replace(old, new))
        try:
            yield
        finally:
            _define(product, name, right)

    return plant


def in_function(path: str, wrong: Callable[..., Any]) -> Plant:
    """Plant a defect by another function."""

    @contextmanager
    def plant(_: Product, patch: pytest.MonkeyPatch) -> Iterator[None]:
        patch.setattr(path, wrong)
        yield

    return plant


def _define(product: Product, name: str, text: str) -> None:
    with product.warehouse.transaction() as connection:
        connection.execute(cast(LiteralString, f"CREATE OR REPLACE VIEW {name} AS {text}"))


def _refuse(warehouse: Warehouse, storage: Storage, file_id: int, error: Exception) -> None:
    refuse(warehouse, storage, file_id, str(error))


DEFECTS = (
    Defect("01", "a file that cannot be reached is refused", in_function("include.ingestion.load.set_aside_unreachable", _refuse)),
    Defect(
        "02",
        "a store-day that was never published is a baseline",
        in_statement("quality/measure_store_days", "f.is_past_store_day", "f.goods IS NOT NULL"),
    ),
    Defect(
        "03", "folded doubles count as goods", in_statement("ledger/count_goods", "reasons IS NULL AND NOT is_folded", "reasons IS NULL")
    ),
    Defect(
        "04",
        "a whole batch is judged at once",
        in_statement(
            "ledger/list_round", "nth = 1 AND observed_on = min(observed_on) FILTER (WHERE nth = 1) OVER () AS is_next", "true AS is_next"
        ),
    ),
    Defect(
        "05",
        "an unavailable SKU is preferred to an available one of the same product",
        in_view("core.product_price", "is_available DESC, ", ""),
    ),
    Defect(
        "06",
        "a price that only the retracted day gave stays when the good is unavailable since",
        in_statement("retraction/collect_affected", "%(file_id)s IN (price.file_id, price.price_file_id)", "price.file_id = %(file_id)s"),
    ),
    Defect(
        "07",
        "where crawls overlap, an unchanged line counts with its crawl's first instant",
        in_function("include.ingestion.store_prices.confirm_instants", lambda *_: None),
    ),
    Defect("08", "a stray line is published with its own instant", in_function("include.ingestion.lines.is_stray", lambda *_: False)),
    Defect(
        "09",
        "an older store-day's texts replace newer ones",
        in_statement("resolution/refresh_skus", "greatest(known.texts_at, seen.at)", "'-infinity'::timestamptz"),
    ),
    Defect(
        "10",
        "a cut line delists its good",
        in_statement(
            "publishing/delist_missing",
            "AND NOT EXISTS (SELECT FROM staging.offer AS cut WHERE cut.file_id = %(file_id)s AND cut.sku IS NULL)",
            "",
        ),
    ),
    Defect(
        "15a",
        "a store-day stays unpublished although the newer one that kept it out is not complete any more",
        in_statement("ledger/publish_outdated", "late.state = 'superseded'", "false"),
    ),
    Defect("run", "of two files of one run the hash decides", in_function("include.ledger.registering._in_order", lambda _, paths: paths)),
)
