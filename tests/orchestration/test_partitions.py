"""Wrong input of a run is red at once, named, and not retried."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.orchestration import partitions
from include.retailer_names import RETAILERS


def run(key: str | None = None, conf: dict[str, Any] | None = None) -> Any:
    return SimpleNamespace(partition_key=key, conf=conf, run_after=datetime(2026, 11, 18, 17, tzinfo=UTC))


@pytest.mark.parametrize(
    "key", ["aldo|2026-11-18", "aldi", "aldi 2026-11-18", "|2026-11-18", "ALDI|2026-11-18", "aldi|yesterday", "aldi|", "aldi|2026-11-18|x"]
)
def test_a_wrong_partition_key_fails_without_a_retry(key: str) -> None:
    with pytest.raises(AirflowFailException, match=r"2026-11-18.*[Tt]rigger the DAG again"):
        partitions.retailers_of(run(key), {})


def test_the_message_names_the_retailers() -> None:
    with pytest.raises(AirflowFailException, match=", ".join(RETAILERS)):
        partitions.retailer_and_night(run("aldo|2026-11-18"), {})


def test_right_input_passes() -> None:
    assert partitions.retailer_and_night(run("aldi|2026-11-18"), {}) == ("aldi", "2026-11-18")
    assert partitions.night_of_run(run("2026-11-18"), {}) == "2026-11-18"
    assert partitions.night_of_run(run(), {}) == "2026-11-19", "the Melbourne date of the run"
    assert partitions.retailers_of(run(), {}) == list(RETAILERS)


@pytest.mark.parametrize("text", ["18.11.2026", "2026-13-01", "tomorrow", "2026-11-18T00:00"])
def test_a_wrong_night_fails_without_a_retry(text: str) -> None:
    with pytest.raises(AirflowFailException, match=f"{text}.*year-month-day"):
        partitions.night_of_run(run(), {"night": text})


def test_a_misspelt_param_fails_and_the_known_ones_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "get_current_context", lambda: {"dag": SimpleNamespace(params={"night": None, "retailer": None})})
    with pytest.raises(AirflowFailException, match=r"unknown param 'nihgt'\. This DAG knows night, retailer"):
        partitions.night_of_run(run(conf={"nihgt": "2026-11-18"}), {"nihgt": "2026-11-18"})
    assert partitions.night_of_run(run(conf={"night": "2026-11-17"}), {"night": "2026-11-17"}) == "2026-11-17"
