"""Airflow's scheduler, with Great Expectations imported before it begins: ``python -m include.embedded.scheduler``.

LocalExecutor's workers are forks of the scheduler and every task is a fork of a worker, so a task finds imported what the
scheduler has imported. The library takes seconds of processor time, on a busy night several times that: paid here once, and not by
the task ``check`` of every run. Under another executor, or without this program, tasks import it themselves.

The scheduler's own log server listens on all addresses of the machine, so the logs of running tasks are served from here, on loopback.
"""

from __future__ import annotations

import multiprocessing
import runpy
import sys

from include.ingestion.checks.library import great_expectations


def main() -> None:
    """Import the library, then be ``airflow scheduler``."""
    great_expectations()
    multiprocessing.Process(target=serve_logs, name="log server", daemon=True).start()
    sys.argv = ["airflow", "scheduler", "--skip-serve-logs"]
    runpy.run_module("airflow", run_name="__main__", alter_sys=True)


def serve_logs() -> None:
    """Serve the logs of running tasks to the UI, until the scheduler ends."""
    import uvicorn
    from airflow.configuration import conf

    from include.embedded.ports import HOST

    port = conf.getint("logging", "WORKER_LOG_SERVER_PORT")
    uvicorn.run("airflow.utils.serve_logs.log_server:get_app", factory=True, host=HOST, port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
