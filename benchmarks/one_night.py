"""Ingests what waits, in a process of its own as a task would, and prints what each step took as one JSON object.

python -m benchmarks.one_night URL STORAGE RETAILER SERVER_PID STORE_DAYS
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import wraps
from typing import Any

from benchmarks.watching import cpu_seconds, wal_position
from include.config import settings
from include.ingestion import pipeline
from include.ingestion.checks import suite
from include.ingestion.publish import PublishCounts
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse


def main(url: str, root: str, retailer: str, server: int, store_days: int) -> dict[str, Any]:
    """Run the four steps; the import of Great Expectations and its evaluation are told apart."""
    warehouse, storage = Warehouse(url, settings()), Storage(root)
    took: dict[str, float] = {}
    cpu: dict[str, float] = {}
    expectations = 0.0
    count_broken = suite.count_broken

    @wraps(count_broken)
    def timed(*values: Any, **named: Any) -> Any:
        nonlocal expectations
        begun = time.perf_counter()
        try:
            return count_broken(*values, **named)
        finally:
            expectations += time.perf_counter() - begun

    suite.count_broken = timed
    did: object = None
    before, worked = wal_position(warehouse), cpu_seconds(os.getpid(), server)
    for step in (pipeline.load, _import_expectations, pipeline.check, pipeline.resolve, pipeline.publish):
        begun, step_worked = time.perf_counter(), cpu_seconds(os.getpid(), server)
        did = step(warehouse, storage, retailer)
        name = step.__name__.strip("_")
        took[name], cpu[f"cpu_{name}"] = time.perf_counter() - begun, cpu_seconds(os.getpid(), server) - step_worked
    if not isinstance(did, PublishCounts) or did.store_days != store_days:
        raise SystemExit(f"{store_days} store-days were to be published, and this happened: {did}")
    whole = sum(took.values())
    worked = cpu_seconds(os.getpid(), server) - worked
    return {
        "seconds": whole, **took, "expectations": expectations, "wal_mib": (wal_position(warehouse) - before) / 2**20,
        "cores_used": worked / whole, "cpu_seconds": worked, **cpu,
    }  # fmt: skip


def _import_expectations(*_: object) -> None:
    import great_expectations.expectations  # noqa: F401 its import is a figure of its own


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))))
