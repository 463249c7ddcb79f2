"""Ingests waiting files in a separate process, like a task, and reports the time of each step. ``python -m benchmarks.ingesting SERVER_PID``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from signal import SIG_IGN, SIGINT, signal
from types import TracebackType
from typing import Any, Self

from benchmarks.clocks import Clocks
from benchmarks.scratch import Scratch, ScratchWarehouse
from benchmarks.store_days import StoreDay, write_staged
from benchmarks.watching import PeakMemory, cpu_seconds, wal_position
from include.config import settings
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

_STEPS = ("load", "check", "resolve", "publish", "pages")
#: A process without a response for this number of statement timeouts is ended.
_TIMEOUTS_A_NIGHT = 10


@dataclass(frozen=True, slots=True)
class Order:
    """An order to ingest all waiting files of one retailer in a warehouse. ``store_days`` of them have to be published."""

    url: str
    root: str
    retailer: str
    now: str
    store_days: int


class Ingester:
    """One process that ingests. ``is_warm``: it has ingested a few lines elsewhere before, so the fixed costs of a process are excluded."""

    def __init__(self, scratch: Scratch, *, is_warm: bool, statement_seconds: int) -> None:
        self._server, self._limit = scratch.cluster.pid, _TIMEOUTS_A_NIGHT * statement_seconds
        self.statement_seconds = statement_seconds
        environment = os.environ | {
            "AISLEFLOW_HOME": str(scratch.folder / "home"),
            "AISLEFLOW_STATEMENT_TIMEOUT_SECONDS": str(statement_seconds),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.ingesting", str(self._server)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment,
        )  # fmt: skip
        if is_warm:
            try:
                self._warm_up(scratch)
            except BaseException:
                self._process.kill()
                raise

    def _warm_up(self, scratch: Scratch) -> None:
        with scratch.warehouse() as warehouse:
            day = StoreDay("woolworths", 0, lines=50)
            write_staged([day], warehouse.root)
            if error := self.ingest(warehouse, [day]).get("error"):
                raise SystemExit(f"a night of 50 lines does not get through: {error}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self._process.kill()
        self._process.communicate()

    def ingest(self, warehouse: ScratchWarehouse, days: list[StoreDay]) -> dict[str, Any]:
        """Ingest store-days of one retailer and night that wait in a warehouse.

        Returns:
            ``seconds``, ``cpu_seconds``, ``cores_used``, ``wal_mib``, and per step its seconds and ``cpu_<step>``;
            only ``seconds`` and ``error`` when it did not get through.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        now = max(day.at for day in days) + timedelta(hours=8)
        order = Order(warehouse.url, f"file://{warehouse.root}", days[0].retailer, now.isoformat(), len(days))
        watchdog, begun = threading.Timer(self._limit, self._process.kill), time.perf_counter()
        watchdog.start()
        try:
            with PeakMemory(self._process.pid, self._server) as memory:
                self._process.stdin.write(json.dumps(asdict(order)) + "\n")
                answer = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not answer:
            return {"seconds": time.perf_counter() - begun, "error": "the ingesting process ended; see its message"}
        measured: dict[str, Any] = json.loads(answer)
        return measured | {"peak_mib": memory.ours_mib, "server_peak_mib": memory.server_mib, "processes": len(memory.processes)}

    @property
    def is_alive(self) -> bool:
        """Whether it can take another order."""
        return self._process.poll() is None


def _ingest(order: Order, server: int, clocks: Clocks) -> dict[str, Any]:
    os.environ["AISLEFLOW_NOW"] = order.now
    warehouse, storage = Warehouse(order.url, settings()), Storage(order.root)
    clocks.reset(_STEPS)
    begun, worked, wal = time.perf_counter(), cpu_seconds(os.getpid(), server), wal_position(warehouse)
    try:
        did = pipeline.ingest(warehouse, storage, order.retailer).published
        if did.store_days != order.store_days:
            raise RuntimeError(f"{order.store_days} store-days were to be published, and this happened: {did}")
        whole, worked = time.perf_counter() - begun, cpu_seconds(os.getpid(), server) - worked
        wal = wal_position(warehouse) - wal
    except Exception as error:  # any error: a history continues with its next night, and the table shows the error
        return {"seconds": time.perf_counter() - begun, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
    finally:
        warehouse.close()
    took = {name: step["seconds"] for name, step in clocks.steps.items()}
    cpu = {f"cpu_{name}": step["cpu_seconds"] for name, step in clocks.steps.items()}
    return {"seconds": whole, **took, "cpu_seconds": worked, **cpu, "cores_used": worked / whole, "wal_mib": wal / 2**20}


def main() -> None:
    """Execute orders, one JSON object per line, until the input ends."""
    signal(SIGINT, SIG_IGN)  # Ctrl-C reaches the whole group: the process that started this one ends it
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    sys.stdout = sys.stderr  # output of the product is not a response
    clocks = Clocks(_STEPS)
    for line in sys.stdin:
        answers.write(json.dumps(_ingest(Order(**json.loads(line)), int(sys.argv[1]), clocks)) + "\n")


if __name__ == "__main__":
    main()
