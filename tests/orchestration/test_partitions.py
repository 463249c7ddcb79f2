"""Wrong input of a run is red at once, named, and not retried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include import clock
from include.errors import ConfigurationError
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
    assert partitions.retailers_of(run(), {}) == list(RETAILERS)


def test_a_run_without_a_key_has_the_night_of_the_installations_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AISLEFLOW_NOW")
    triggered_at = datetime(2027, 1, 5, 17, tzinfo=UTC)

    def moved(instant: str | None, at: datetime) -> None:
        monkeypatch.setattr(clock, "system_now", lambda: at)
        clock.set_sandbox_clock(datetime.fromisoformat(instant) if instant else None)

    def night(key: str | None = None, run_type: str = "manual") -> str:
        by_hand = SimpleNamespace(partition_key=key, conf=None, run_after=triggered_at, run_type=run_type)
        return partitions.night_of_run(by_hand, {})

    assert night() == "2027-01-06", "the Melbourne date of the run"
    moved("2026-11-18T04:00:00+11:00", triggered_at - timedelta(hours=2))
    monkeypatch.setattr(clock, "system_now", lambda: triggered_at)
    assert night() == "2026-11-18" == clock.night_of(clock.now()).isoformat(), "one clock decides night and instants"
    assert night("2027-01-06", "scheduled") == "2026-11-18", "a scheduled run's key is the machine's date"
    assert night("2026-11-17") == "2026-11-17", "what a person asked for"
    moved("2026-11-25T04:00:00+11:00", triggered_at + timedelta(hours=1))
    assert night() == "2026-11-18", "cleared after the clock was set again, it has the same night"
    moved(None, triggered_at + timedelta(hours=2))
    assert night() == "2026-11-18" and clock.now() == triggered_at + timedelta(hours=2)


@pytest.mark.parametrize("text", ["18.11.2026", "2026-13-01", "tomorrow", "2026-11-18T00:00"])
def test_a_wrong_night_fails_without_a_retry(text: str) -> None:
    with pytest.raises(AirflowFailException, match=f"{text}.*year-month-day"):
        partitions.night_of_run(run(), {"night": text})


def test_a_misspelt_param_fails_and_the_known_ones_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "get_current_context", lambda: {"dag": SimpleNamespace(params={"night": None, "retailer": None})})
    with pytest.raises(AirflowFailException, match=r"unknown param 'nihgt'\. This DAG knows night, retailer"):
        partitions.night_of_run(run(conf={"nihgt": "2026-11-18"}), {"nihgt": "2026-11-18"})
    assert partitions.night_of_run(run(conf={"night": "2026-11-17"}), {"night": "2026-11-17"}) == "2026-11-17"


@pytest.mark.parametrize("text", ["{", "[]", '{"now": null, "set_at": "2026-11-18T00:00:00+00:00"}'])
def test_a_damaged_file_of_the_clock_has_a_remedy(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AISLEFLOW_NOW")
    clock.set_sandbox_clock(None)
    (clock.home() / clock.CLOCK_FILE).write_text(text)
    with pytest.raises(ConfigurationError, match="Remove it"):
        clock.now()
