"""Airflow's scheduler, with Great Expectations imported before it begins: ``python -m include.embedded.scheduler``.

LocalExecutor's workers are forks of the scheduler and every task is a fork of a worker, so a task finds imported what the
scheduler has imported. The library takes seconds of processor time, on a busy night several times that: paid here once, and not by
the task ``check`` of every run. Under another executor, or without this program, tasks import it themselves.
"""

from __future__ import annotations

import runpy
import sys

from include.ingestion.checks.library import great_expectations


def main() -> None:
    """Import the library, then be ``airflow scheduler``."""
    great_expectations()
    sys.argv = ["airflow", "scheduler"]
    runpy.run_module("airflow", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
