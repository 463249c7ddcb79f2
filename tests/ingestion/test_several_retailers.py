"""Several retailers in one command: what fails for one keeps no other from being published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from include.errors import TerminalError, TransientError, raise_together
from include.ingestion import pipeline
from include.ingestion.checks import suite
from include.ingestion.checks.suite_helper import SuiteHelper
from include.ledger.files import entry
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, offers
from tests.warehouse.looking import rows

RETAILERS = ("aldi", "coles", "iga", "woolworths")


def retailer_of(warehouse: Warehouse, file_id: int) -> str:
    with warehouse.transaction() as connection:
        return entry(connection, file_id).manifest.retailer


def states(warehouse: Warehouse) -> dict[str, str]:
    return {row["retailer"]: row["state"] for row in rows(warehouse, "SELECT retailer, state FROM ops.staged_file")}


def test_every_other_retailer_is_published(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    for retailer in RETAILERS:
        store_day(retailer, lines=offers(3))
    count, failing = suite.count_broken, ["aldi", "iga"]

    def disagree(url: str, file_ids: Sequence[int], keep: Callable[[dict[str, Any]], object] | None = None) -> dict[str, int]:
        broken = count(url, file_ids, keep)
        is_failing = retailer_of(warehouse, file_ids[0]) in failing
        return {rule: lines + is_failing for rule, lines in broken.items()}

    monkeypatch.setattr(suite, "count_broken", disagree)
    with SuiteHelper() as helper:
        with pytest.raises(TerminalError) as caught:
            pipeline.ingest_retailers(warehouse, storage, RETAILERS, helper, lambda _: None)
        assert all(f"check {retailer}:" in str(caught.value) for retailer in failing)
        assert states(warehouse) == {"aldi": "loaded", "coles": "published", "iga": "loaded", "woolworths": "published"}
        failing.clear()
        pipeline.ingest_retailers(warehouse, storage, RETAILERS, helper, lambda _: None)
    assert set(states(warehouse).values()) == {"published"}


def test_several_errors_are_tried_again_if_each_of_them_is() -> None:
    raise_together([])
    with pytest.raises(TransientError, match=r"^away$"):
        raise_together([TransientError("away"), TransientError("away")])
    with pytest.raises(TerminalError, match=r"^away\nbroken$"):
        raise_together([TransientError("away"), TerminalError("broken")])
