"""Runs one step of ingestion in a process of its own and kills it (SIGKILL) right after a statement: ``URL STORAGE RETAILER STEP STATEMENT``."""

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


def main(url: str, root: str, retailer: str, step: str, name: str) -> None:
    """Run the step; the process does not outlive the statement."""
    execute = psycopg.Connection.execute
    fatal = statement(name)

    def execute_and_die(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        cursor = execute(self, query, *values, **options)
        if query == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return cursor

    psycopg.Connection.execute = execute_and_die  # type: ignore[method-assign]
    getattr(flows, step)(Warehouse(url, settings()), Storage(root), retailer)


if __name__ == "__main__":
    main(*sys.argv[1:])
