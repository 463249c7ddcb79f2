"""The task of ``watch_night``."""

from __future__ import annotations

from datetime import date
from typing import Any

from include.orchestration.partitions import night_of_run
from include.orchestration.resources import resources


def watch(dag_run: Any, params: Any) -> None:
    """Fail, naming what is missing, if a night is not as it should be."""
    from include.diagnostics.night import raise_if_missing

    with resources() as (warehouse, _):
        raise_if_missing(warehouse, date.fromisoformat(night_of_run(dag_run, params)))
