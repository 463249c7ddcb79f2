"""The task of ``watch_night``."""

from __future__ import annotations

from datetime import date
from typing import Any

from include.orchestration.partitions import night_of_run
from include.orchestration.resources import resources


def watch(dag_run: Any, params: Any) -> None:
    """Fail if data of a night are missing; the message lists them. Be retried while crawls are under way."""
    from include.diagnostics.night import raise_if_missing

    with resources() as (warehouse, _):
        raise_if_missing(warehouse, date.fromisoformat(night_of_run(dag_run, params)))
