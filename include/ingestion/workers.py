"""Several files at once: this process loads, and beside it helper processes, as many as there are further cores.

A helper is a program of its own (``include/ingestion/load_worker.py``), not a fork: an Airflow task may be forbidden to have
children of ``multiprocessing``, and forking a process that has threads is not safe. It is told file ids through its standard
input, one at a time, and answers each. Its input ends with this process, however that ends, and so does the helper; a
transaction it leaves behind is rolled back by the server. What a helper could not load, this process tries itself, so that an
error is raised where it is understood.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from include.ledger.ledger import LedgerEntry
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

Load = Callable[[Warehouse, Storage, int], bool]
Item = TypeVar("Item")

#: A helper takes most of a second to start: for fewer lines it is not worth it.
MIN_LINES_FOR_HELPERS = 60_000
_MAX_CORES = 4
_PROJECT = Path(__file__).parents[2]


def workers_for(warehouse: Warehouse, lines: int) -> int:
    """Return how many store-days to work on at once: the setting, else the cores this process may use, at most four.

    One for a few lines, and in a rehearsal, which has a single connection and must not be committed by others.
    """
    if lines < MIN_LINES_FOR_HELPERS or warehouse.is_dry_run:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return warehouse.settings.ingest_workers or min(cores, _MAX_CORES)


def run_parallel(items: Iterable[Item], workers: Sequence[Callable[[Item], None]], stop: Callable[[], None] = lambda: None) -> None:
    """Let several hands take items in their order until none is left: the first hand in this thread, each other in its own.

    Raises:
        What a hand raised first: nothing further is begun, ``stop`` is called, and the other hands end what they are at.
    """
    queue, errors = deque(items), list[BaseException]()

    def run_worker(worker: Callable[[Item], None]) -> None:
        try:
            while True:
                try:
                    item = queue.popleft()
                except IndexError:
                    return
                worker(item)
        except BaseException as error:  # whatever it is, it is raised in the calling thread
            errors.append(error)
            queue.clear()
            stop()

    threads = [threading.Thread(target=run_worker, args=(worker,)) for worker in workers[1:]]
    for thread in threads:
        thread.start()
    run_worker(workers[0])
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def load_parallel(
    warehouse: Warehouse, storage: Storage, files: Sequence[LedgerEntry], load: Load, on_loaded: Callable[[LedgerEntry], None]
) -> None:
    """Load files, oldest first, with helpers where they are worth their start; ``on_loaded`` is called after each, by one thread at a time.

    Raises:
        What ``load`` raises: files already loaded stay loaded.
    """
    failed, progress_lock = list[LedgerEntry](), threading.Lock()

    def load_in_process(file: LedgerEntry) -> None:
        load(warehouse, storage, file.file_id)
        with progress_lock:
            on_loaded(file)

    def load_in_helper(helper: Helper, file: LedgerEntry) -> None:
        if helper.load(file.file_id):
            with progress_lock:
                on_loaded(file)
        else:
            failed.append(file)

    workers = min(workers_for(warehouse, sum(file.manifest.rows for file in files)), len(files))
    if storage.url.startswith("memory:"):  # what stands in this process's memory no other process sees
        workers = 1
    with ExitStack() as stack:
        helpers = [stack.enter_context(Helper(warehouse, storage)) for _ in range(workers - 1)]

        def stop() -> None:
            for helper in helpers:
                helper.kill()

        run_parallel(files, [load_in_process, *(partial(load_in_helper, helper) for helper in helpers)], stop)
    run_parallel(failed, [load_in_process])


class Helper:
    """One helper process. It ends with the block, and with this process."""

    def __init__(self, warehouse: Warehouse, storage: Storage) -> None:
        begin = {"url": warehouse.url, "storage": storage.url, "settings": warehouse.settings.model_dump(mode="json")}
        path = os.pathsep.join(filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "include.ingestion.load_worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=os.environ | {"PYTHONPATH": path},
        )  # fmt: skip
        self._send(json.dumps(begin))  # not as arguments: the URL may hold a password

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._send("end")
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]

    @property
    def pid(self) -> int:
        """The helper's process id."""
        return self._process.pid

    def kill(self) -> None:
        """End it now; the server rolls back what it was doing."""
        self._process.kill()

    def load(self, file_id: int) -> bool:
        """Let it load one file; False if it did not, for whatever reason (it has logged which)."""
        assert self._process.stdout is not None
        self._send(str(file_id))
        answer = self._process.stdout.readline().strip()
        if answer != f"done {file_id}":
            log.warning("a loading helper did not load file %s (%s): this process tries it itself", file_id, answer or "it has ended")
        return answer == f"done {file_id}"

    def _send(self, text: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended: the missing answer says so
            self._process.stdin.write(f"{text}\n")
            self._process.stdin.flush()
