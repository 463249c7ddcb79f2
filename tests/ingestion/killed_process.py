"""Runs one step of ingestion in a separate process and kills it, or the server: ``URL STORAGE RETAILER STEP WHEN [VICTIM [PID]]``.

``STEP`` is a function of ``include.ingestion.pipeline``, or ``decide`` (``tests/ingestion/rich_nights.py``). ``WHEN`` is the name of a statement (right
after it), ``#N`` (right after the N-th database call of the process), or ``never``; the process prints ``begin`` when it begins.
``VICTIM`` is ``process`` (SIGKILL), or the server with the process number ``PID``: ``quit`` (immediate shutdown) or ``kill`` (SIGKILL of it
and all its processes). The suffix ``+parallel`` processes several store-days in parallel.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import Any

import psutil
import psycopg

from include.config import settings
from include.errors import TransientError
from include.ingestion import pipeline, workers
from include.ingestion.checks import suite
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from include.warehouse.statements import statement
from tests.checks.counting import count_broken
from tests.ingestion.rich_nights import LIMITS, decide

#: The step reported that the server was gone.
SERVER_GONE = 75


def end(victim: str, pid: int) -> None:
    """End this process, or the server."""
    if victim == "process":
        os.kill(os.getpid(), signal.SIGKILL)
    with suppress(psutil.NoSuchProcess):
        server = psutil.Process(pid)
        family = [server, *server.children(recursive=True)]
        for process in family if victim == "kill" else [server]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL if victim == "kill" else signal.SIGQUIT)


def main(url: str, root: str, retailer: str, step: str, name: str, victim: str = "process", pid: str = "0") -> int:
    """Run the step; the victim does not outlive the statement."""
    execute = psycopg.Connection.execute
    counts = name.startswith("#")
    fatal = None if counts or name == "never" else statement(name)
    left = int(name[1:]) if counts else -1
    suite.count_broken = count_broken  # importing Great Expectations takes longer than everything else
    victim, _, parallel = victim.partition("+")
    if parallel:
        workers.MIN_LINES_FOR_HELPERS = 0

    def execute_and_die(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        nonlocal left
        cursor = execute(self, query, *values, **options)
        left -= 1
        if (fatal is not None and query == fatal) or (counts and left == 0):
            end(victim, int(pid))
        return cursor

    psycopg.Connection.execute = execute_and_die  # type: ignore[method-assign]
    chosen = settings().model_copy(update=LIMITS | {"ingest_workers": 2 if parallel else 1})
    warehouse, storage = Warehouse(url, chosen), Storage(root)
    print("begin", flush=True)
    try:
        decide(warehouse, storage, retailer) if step == "decide" else getattr(pipeline, step)(warehouse, storage, retailer)
    except TransientError:
        return SERVER_GONE
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
