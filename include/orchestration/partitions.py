"""The retailer and night of a run: from its partition key, else its params; never from "now", so that a task cleared later gets the same."""

from __future__ import annotations

from datetime import date
from typing import Any

from airflow.sdk import get_current_context

from include.clock import at_machine_time, night_of
from include.errors import ConfigurationError
from include.orchestration.airflow_errors import airflow_errors
from include.retailer_names import RETAILERS


def night_of_run(dag_run: Any, params: Any) -> str:
    """Return the night of a run whose partition is a night: its key, else its param, else the Melbourne date when it was triggered.

    That date, and the key of a scheduled run, come from the machine's time; the night is that of the installation's clock, as all instants.

    Raises:
        AirflowFailException: the key is not a date, or the run was triggered with unknown params.
    """
    with airflow_errors():
        _reject_unknown_params(dag_run)
        begun_on = night_of(at_machine_time(dag_run.run_after)).isoformat()
        if getattr(dag_run, "run_type", None) == "scheduled" and begun_on != night_of(dag_run.run_after).isoformat():
            return begun_on  # the installation's clock was set to another date
        return _night(str(dag_run.partition_key or params.get("night") or begun_on))


def retailer_and_night(dag_run: Any, params: Any) -> tuple[str | None, str]:
    """Return (retailer or ``None`` for all, night) of a run whose partition is ``retailer|night``.

    Raises:
        AirflowFailException: the partition key is not ``retailer|night``, or the run was triggered with unknown params.
    """
    key = dag_run.partition_key
    if not key:
        return params.get("retailer"), night_of_run(dag_run, params)
    with airflow_errors():
        _reject_unknown_params(dag_run)
        retailer, bar, night = key.partition("|")
        if not bar or retailer not in RETAILERS:
            raise ConfigurationError(
                f"partition key {key!r} is not `retailer|night`, e.g. aldi|2026-11-18, with one of {', '.join(RETAILERS)}. "
                "Trigger the DAG again with such a key; this run has done nothing."
            )
        return retailer, _night(night)


def retailers_of(dag_run: Any, params: Any) -> list[str]:
    """Return the retailers a run works on: its partition's, its param's, else all."""
    retailer, _ = retailer_and_night(dag_run, params)
    return [retailer] if retailer else list(RETAILERS)


def _night(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a night: a date as year-month-day, e.g. 2026-11-18. Trigger the DAG again; this run has done nothing."
        ) from error


def _reject_unknown_params(dag_run: Any) -> None:
    """Refuse misspelt params: Airflow would ignore them, and the run would do something else than was asked for."""
    given = getattr(dag_run, "conf", None)
    if not given:
        return
    known = set(get_current_context()["dag"].params)
    if unknown := sorted(set(given) - known):
        raise ConfigurationError(
            f"unknown param {', '.join(map(repr, unknown))}. This DAG knows {', '.join(sorted(known)) or 'none'}. "
            "Trigger it again; this run has done nothing."
        )
