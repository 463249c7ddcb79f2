"""``make bench``: the way from waiting file to published price against a yardstick.

Yardstick = gunzip, parse and bare ``COPY`` of the staged columns into an index-free unlogged table, by one process.
Measured, each in a process of its own: a first load, an unchanged night and a Wednesday on which a third of the
prices changed, checks included. Great Expectations is told apart, its import as a figure of its own.

    make bench ARGS="--store-days 20 --offers 5000"
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.nights import NIGHTS, RETAILER, write_night
from benchmarks.watching import PeakMemory, cpu_seconds
from include.cli.common import print_table, progress
from include.config import settings
from include.embedded.postgres import Cluster, ensure_postgres, stop_postgres
from include.ingestion.copying import copy_rows
from include.ingestion.lines import LineReader
from include.staging.manifest import Manifest
from include.staging.staged_file import open_staged
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from include.warehouse.migrations import migrate

_TIMES = ("what", "seconds", "ratio", "load", "import_expectations", "check", "expectations", "resolve", "publish")
_COSTS = (
    "what",
    "cores_used",
    "cpu_seconds",
    "cpu_load",
    "cpu_check",
    "cpu_resolve",
    "cpu_publish",
    "wal_mib",
    "peak_mib",
    "server_peak_mib",
    "processes",
)


def main(
    store_days: Annotated[int, typer.Option(min=1, help="Store-days a night.")] = 10,
    offers: Annotated[int, typer.Option(min=10, help="Offers a store-day.")] = 5_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure ingestion against the yardstick."""
    folder = Path(tempfile.mkdtemp(prefix="aisleflow-bench-"))
    try:
        with progress() as show_progress:
            cluster = ensure_postgres(folder / "home")
            url = cluster.url("warehouse")
            migrate(url)
            rows = _measure(cluster, Warehouse(url, settings()), f"file://{folder / 'storage'}", store_days, offers, show_progress)
    finally:
        stop_postgres(folder / "home")
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    typer.echo(f"{store_days} store-days of {offers} offers, {rows[0]['line_bytes']} bytes a line")
    print_table([_rounded(row) for row in rows], _TIMES)
    typer.echo("")
    print_table([_rounded(row) for row in rows], _COSTS)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in row.items()}


def _measure(
    cluster: Cluster, warehouse: Warehouse, root: str, store_days: int, offers: int, show_progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, what in enumerate(NIGHTS):
        show_progress(f"writing: {what}")
        manifests = write_night(root, number, store_days, offers)
        show_progress(f"measuring: yardstick of {what}")
        # right before what it is held against: the machine may not be ours alone
        yardstick = _yardstick(cluster, warehouse, Storage(root), manifests)
        show_progress(f"measuring: {what}")
        measured = _ingest(cluster, warehouse.url, root, store_days)
        rows.append({"what": "yardstick", "ratio": 1.0} | yardstick)
        rows.append({"what": what, "ratio": measured["seconds"] / yardstick["seconds"]} | measured)
    return rows


def _yardstick(cluster: Cluster, warehouse: Warehouse, storage: Storage, manifests: list[Manifest]) -> dict[str, Any]:
    with warehouse.transaction() as connection:
        connection.execute("CREATE UNLOGGED TABLE staging.yardstick (LIKE staging.offer INCLUDING DEFAULTS)")
    bytes_read = rows = 0
    begun, worked = time.perf_counter(), cpu_seconds(os.getpid(), cluster.pid)
    for manifest in manifests:
        read = LineReader(0, manifest, datetime(2026, 12, 1, tzinfo=UTC))
        with warehouse.transaction() as connection:
            copy_rows(connection, "staging.yardstick", map(read, open_staged(storage, manifest, Stage.OUTBOX, 1_000_000)))
    took, worked = time.perf_counter() - begun, cpu_seconds(os.getpid(), cluster.pid) - worked
    for line in open_staged(storage, manifests[0], Stage.OUTBOX, 1_000_000):
        bytes_read, rows = bytes_read + len(line.raw), rows + 1
    with warehouse.transaction() as connection:
        connection.execute("DROP TABLE staging.yardstick")
    return {"seconds": took, "cores_used": worked / took, "cpu_seconds": worked, "line_bytes": round(bytes_read / rows)}


def _ingest(cluster: Cluster, url: str, root: str, store_days: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.one_night", url, root, RETAILER, str(cluster.pid), str(store_days)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        with PeakMemory(process.pid, cluster.pid) as memory:
            output, _ = process.communicate()
        if process.returncode:
            raise SystemExit(process.returncode)
    measured: dict[str, Any] = json.loads(output)
    return measured | {"peak_mib": memory.ours_mib, "server_peak_mib": memory.server_mib, "processes": len(memory.processes)}


if __name__ == "__main__":
    typer.run(main)
