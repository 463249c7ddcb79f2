"""One running installation for all live tests, with its own home and ports; always stopped at the end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from include.embedded.airflow_api import AirflowApi, client

AISLEFLOW = Path(sys.executable).parent / "aisleflow"


@dataclass(frozen=True)
class Installation:
    """A running installation and its user interfaces: the command line, Airflow's REST API, SQL."""

    home: Path

    def run(self, *arguments: str, expect: int | None = 0) -> dict[str, Any]:
        """Run a command with --json, check its exit code (``None``: any), return its output."""
        done = subprocess.run(
            [AISLEFLOW, *arguments, "--json"], env=self.environment, capture_output=True, text=True, timeout=1500, check=False
        )
        assert expect is None or done.returncode == expect, (
            f"aisleflow {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
        output: dict[str, Any] = json.loads(done.stdout)
        return output

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("AISLEFLOW_")} | {"AISLEFLOW_HOME": str(self.home)}

    @property
    def api(self) -> AirflowApi:
        return client(self.home)

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        """Open a connection to the warehouse; the caller ends its transaction."""
        url = subprocess.run(
            [AISLEFLOW, "warehouse", "url"], env=self.environment, capture_output=True, text=True, check=True
        ).stdout.strip()
        return psycopg.connect(url, row_factory=dict_row)

    def query(self, text: str, *values: Any) -> list[dict[str, Any]]:
        with self.connect() as connection:
            return connection.execute(text, values).fetchall()

    def prices(self) -> list[dict[str, Any]]:
        """Return every published price without surrogate keys: a re-run must not change them."""
        return self.query(
            "SELECT to_jsonb(p) - 'product_id' - 'is_current' AS row FROM core.store_price AS p ORDER BY retailer, store_id, sku"
        )


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 180) -> Any:
    """Return the condition's value once it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")


@contextmanager
def fresh_installation(name: str) -> Iterator[Installation]:
    """Yield an installation in its own home; it is stopped and removed at the end."""
    # short: a socket's path may have 107 bytes; outside the project: git and linters look there
    home = Path(tempfile.mkdtemp(prefix=f"aisleflow-{name}-"))
    made = Installation(home)
    try:
        yield made
    finally:
        subprocess.run([AISLEFLOW, "down"], env=made.environment, capture_output=True, timeout=180, check=False)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """The installation of the nights."""
    with fresh_installation("live") as made:
        yield made
