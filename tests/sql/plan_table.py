"""Plays the history of :mod:`tests.sql.plan_world` at two sizes on a server of its own, and prints the worst growth and ratio of every statement.

``python -m tests.sql.plan_table [LINES]``, 3,000 lines unless said otherwise; the second size is four times as large.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from include.embedded.postgres import stop_postgres
from tests.conftest import start_server
from tests.sql import plan_world, plans


def main(n: int) -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp(prefix="aisle-plans-"))
    os.environ |= {"AISLEFLOW_NOW": plan_world.NOW, "AISLEFLOW_HOME": str(folder / "home")}
    try:
        server = start_server(folder)
        found = []
        for lines in (n, 4 * n):
            server.execute(f"CREATE DATABASE lines_{lines} TEMPLATE template_warehouse OWNER aisleflow")
            found.append(plan_world.play(server.cluster.url(f"lines_{lines}"), lines))
        print(plans.table(plans.verdicts(*found)))
    finally:
        stop_postgres(folder)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3_000)
