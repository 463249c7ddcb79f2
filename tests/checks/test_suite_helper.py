"""The suite in a helper process: the same counts and pages, and the gate holds even if the helper dies."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import psutil
import pytest

from include.errors import TerminalError
from include.ingestion import pipeline
from include.ingestion.checks import data_docs, suite
from include.ingestion.checks.suite_helper import SuiteHelper
from include.model.rules import ROW_RULES
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, offer
from tests.warehouse.looking import one, rows

pytestmark = pytest.mark.slow


def test_the_helper_counts_and_builds_the_pages(
    true_helper: None, warehouse: Warehouse, storage: Storage, store_day: StoreDays, capfd: pytest.CaptureFixture[str]
) -> None:
    store_day(lines=[offer("1"), offer("2", -1)])
    with SuiteHelper() as helper:
        pipeline.ingest_retailers(warehouse, storage, ["aldi"], helper, lambda _: None)
        process = helper._helper
        assert process is not None and psutil.pid_exists(process.pid)
    assert not psutil.pid_exists(process.pid), "it ends with the command"
    assert "INFO great_expectations" not in capfd.readouterr().err
    (check,) = rows(warehouse, "SELECT broken, evaluation->'statistics'->>'evaluated_expectations' AS evaluated FROM ops.quality_check")
    assert check["broken"]["price_not_positive"] == 1 and int(check["evaluated"]) == len(ROW_RULES)
    assert data_docs.address(storage) and data_docs.are_current(warehouse, storage)
    assert one(warehouse, "SELECT state FROM ops.staged_file") == "published"


def test_nothing_to_check_starts_nothing(true_helper: None, warehouse: Warehouse, storage: Storage) -> None:
    with SuiteHelper() as helper:
        pipeline.ingest_retailers(warehouse, storage, ["aldi", "coles"], helper, lambda _: None)
        assert helper._helper is None and data_docs.address(storage) is None


def test_without_the_helper_the_gate_runs_the_suite_itself(
    true_helper: None, warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[Any] = []

    def disagree(url: str, file_ids: Any, keep: Any = None) -> dict[str, int]:
        counted.append(file_ids)
        return {rule.rule_id: 1 for rule in ROW_RULES}

    monkeypatch.setattr(suite, "count_broken", disagree)
    store_day(lines=[offer("1")])
    with SuiteHelper() as helper:
        helper.start()
        assert helper._helper is not None
        helper._helper.kill()
        with pytest.raises(TerminalError, match="count differently"):
            pipeline.ingest_retailers(warehouse, storage, ["aldi"], helper, lambda _: None)
    assert len(counted) == 1 and one(warehouse, "SELECT state FROM ops.staged_file") == "loaded", (
        "nothing is published that the suite did not count"
    )


def test_what_distributions_need_is_loaded_when_it_is_used() -> None:
    program = (
        "import sys\nfrom include.ingestion.checks.library import great_expectations\ngreat_expectations()\n"
        "print([name for name in ('scipy.stats', 'altair') if type(sys.modules[name]).__name__ != '_LazyModule'])\n"
        "import altair\nfrom scipy import stats\nprint(round(stats.norm.cdf(0), 3), altair.Chart.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "0.5 Chart"]
