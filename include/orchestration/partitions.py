"""The retailer and night of a run: from its partition key, else its params; never from "now", so that a task cleared later gets the same."""

from __future__ import annotations

from typing import Any

from include.clock import night_of
from include.errors import ConfigurationError
from include.retailer_names import RETAILERS


def night_of_run(dag_run: Any, params: Any) -> str:
    """Return the night of a run whose partition is a night: its key, else its param, else the Melbourne date of ``run_after``."""
    return str(dag_run.partition_key or params.get("night") or night_of(dag_run.run_after).isoformat())


def retailer_and_night(dag_run: Any, params: Any) -> tuple[str | None, str]:
    """Return (retailer or ``None`` for all, night) of a run whose partition is ``retailer|night``.

    Raises:
        ConfigurationError: the partition key is not ``retailer|night``.
    """
    key = dag_run.partition_key
    if key:
        retailer, bar, night = key.partition("|")
        if not bar:
            raise ConfigurationError(
                f"partition key {key!r} is not `retailer|night`, e.g. aldi|2026-11-18. Trigger the DAG again with such a key."
            )
        return retailer, night
    return params.get("retailer"), night_of_run(dag_run, params)


def retailers_of(dag_run: Any, params: Any) -> list[str]:
    """Return the retailers a run works on: its partition's, its param's, else all."""
    retailer, _ = retailer_and_night(dag_run, params)
    return [retailer] if retailer else list(RETAILERS)
