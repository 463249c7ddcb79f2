"""Three plain nights: a first load, an unchanged night and a Wednesday on which a third of the prices changed, checks included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import yardstick
from benchmarks.ingesting import Ingester
from benchmarks.measuring import quotient
from benchmarks.scratch import Scratch
from benchmarks.store_days import StoreDay, write_staged

NIGHTS = ("first load", "unchanged night", "Wednesday, a third changed")


def measure(scratch: Scratch, store_days: int, lines: int, statement_seconds: int, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure each night twice: by a new process, as in a task, and on a copy of the warehouse by one that has ingested before."""
    rows: list[dict[str, Any]] = []
    with scratch.warehouse() as warehouse, Ingester(scratch, is_warm=True, statement_seconds=statement_seconds) as warm:
        for night, what in enumerate(NIGHTS):
            progress(f"writing: {what}")
            days = [StoreDay("woolworths", store, lines, night) for store in range(store_days)]
            files = write_staged(days, warehouse.root)
            # directly before the measurement: other programs may use the machine
            for processes in (1, None) if store_days > 1 else (None,):
                progress(f"measuring: yardstick of {what}")
                baseline = yardstick.measure(files, scratch.yardstick_url, scratch.cluster.pid, processes)
                name = f"yardstick, {baseline.processes} process{'es' * (baseline.processes > 1)}"
                rows.append(
                    {"what": name, "seconds": baseline.seconds, "cpu_seconds": baseline.cpu_seconds, "cores_used": baseline.cores_used}
                )
            progress(f"measuring: {what}, warm process")
            with scratch.warehouse(warehouse) as copy:
                rows.append(_row(f"{what}, warm process", warm.ingest(copy, days), baseline))
            progress(f"measuring: {what}")
            with Ingester(scratch, is_warm=False, statement_seconds=statement_seconds) as cold:
                rows.append(_row(what, cold.ingest(warehouse, days), baseline))
            if "error" in rows[-1]:
                break  # the next night depends on this one
    return rows


def _row(what: str, night: dict[str, Any], baseline: yardstick.Yardstick) -> dict[str, Any]:
    row = {"what": what} | night
    if "error" in night:
        return row
    return row | {"ratio": night["seconds"] / baseline.seconds, "cpu_ratio": quotient(night["cpu_seconds"], baseline.cpu_seconds)}
