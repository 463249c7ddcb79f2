"""Runs one step of ingestion in a process of its own and kills it (SIGKILL): ``URL STORAGE RETAILER STEP WHEN``.

``WHEN`` is the name of a statement (right after it) or ``#N`` (right after the N-th thing the process asks of the database).
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import psycopg

from include import flows
from include.config import settings
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from include.warehouse.statements import statement
from tests.conftest import RELAXED


def main(url: str, root: str, retailer: str, step: str, name: str) -> None:
    """Run the step; the process does not outlive the statement."""
    execute = psycopg.Connection.execute
    fatal = None if name.startswith("#") else statement(name)
    left = int(name[1:]) if name.startswith("#") else 0

    def execute_and_die(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        nonlocal left
        cursor = execute(self, query, *values, **options)
        left -= 1
        if query == fatal or (fatal is None and left <= 0):
            os.kill(os.getpid(), signal.SIGKILL)
        return cursor

    psycopg.Connection.execute = execute_and_die  # type: ignore[method-assign]
    getattr(flows, step)(Warehouse(url, settings().model_copy(update=RELAXED)), Storage(root), retailer)


if __name__ == "__main__":
    main(*sys.argv[1:])
