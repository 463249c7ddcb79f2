"""Measures the costs of a step other than time: processor seconds and peak memory of the client's and the server's processes, write-ahead log."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from include.warehouse.engine import Warehouse

_EVERY_SECONDS = 0.1


def wal_position(warehouse: Warehouse) -> int:
    """Return the bytes of write-ahead log the server has ever written."""
    with warehouse.transaction() as connection:
        row = connection.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS bytes").fetchone()
    assert row is not None
    return int(row["bytes"])


def cpu_seconds(*roots: int) -> float:
    """Return the processor seconds of these processes and their descendants, including ended ones."""
    seconds = 0.0
    for root in roots:
        for pid in _tree(root):
            try:
                times = psutil.Process(pid).cpu_times()
            except psutil.NoSuchProcess:
                continue
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def _tree(root: int) -> list[int]:
    """Return a process and its descendants, from the kernel's lists of children: scanning every process would cost more than the measured step."""
    found = [root]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):  # it has ended
                found += map(int, task.read_text().split())
    return found


@dataclass
class PeakMemory:
    """Peak memory in MiB of any one client process and any one server process, sampled while the block runs.

    For the client all resident memory counts; for the server only private memory: shared buffers are common to all.
    """

    ours: int
    server: int
    ours_mib: int = 0
    server_mib: int = 0
    processes: set[int] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_EVERY_SECONDS):
            for pid in _tree(self.ours):
                self.processes.add(pid)
                self.ours_mib = max(self.ours_mib, _kib(pid, "VmHWM") // 1024)
            for pid in _tree(self.server):
                self.server_mib = max(self.server_mib, _kib(pid, "RssAnon") // 1024)


def _kib(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
