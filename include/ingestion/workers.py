"""Parallel loading: this process and one helper process per further core.

A helper (``include/ingestion/helper.py``, program ``load_worker.py``) gets one file id at a time. The server rolls back a transaction
that it leaves open. Files that a helper failed to load are loaded in this process, which raises their errors.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

from include.ingestion.helper import Helper
from include.ledger.files import LedgerEntry
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

Load = Callable[[Warehouse, Storage, int], bool]
Item = TypeVar("Item")

#: A helper takes almost a second to start, so fewer lines are loaded without helpers.
MIN_LINES_FOR_HELPERS = 60_000
_MAX_CORES = 4


def workers_for(warehouse: Warehouse, lines: int | None = None) -> int:
    """Return how many store-days to process in parallel: the setting, else the cores this process may use, at most four.

    One in a dry run, which has a single connection and must not be committed by others, and, where helper processes are to work on ``lines``
    (``None``: threads work, which cost nothing to start), for fewer than :data:`MIN_LINES_FOR_HELPERS`.
    """
    if warehouse.is_dry_run or (lines is not None and lines < MIN_LINES_FOR_HELPERS):
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return warehouse.settings.ingest_workers or min(cores, _MAX_CORES)


def run_parallel(items: Iterable[Item], workers: Sequence[Callable[[Item], None]], stop: Callable[[], None] = lambda: None) -> None:
    """Distribute items to workers in their order: the first worker runs in this thread, each other in a separate one.

    Raises:
        The first error of a worker: no further item is started, ``stop`` is called, and the other workers finish their current item.
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
        except BaseException as error:  # raised again in the calling thread
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
    """Load files, oldest first, with helpers if there are enough lines; ``on_loaded`` is called after each, by one thread at a time.

    Raises:
        What ``load`` raises: files already loaded stay loaded.
    """
    failed, progress_lock = list[LedgerEntry](), threading.Lock()

    def load_in_process(file: LedgerEntry) -> None:
        load(warehouse, storage, file.file_id)
        with progress_lock:
            on_loaded(file)

    def load_in_helper(helper: Helper, file: LedgerEntry) -> None:
        if helper.call(file.file_id):
            with progress_lock:
                on_loaded(file)
        else:
            log.warning("a loading helper did not load file %s: this process retries it", file.file_id)
            failed.append(file)

    workers = min(workers_for(warehouse, sum(file.manifest.rows for file in files)), len(files))
    if storage.url.startswith("memory:"):  # other processes cannot read this process's memory
        workers = 1
    with ExitStack() as stack:
        setup = {"url": warehouse.url, "storage": storage.url, "settings": warehouse.settings.model_dump(mode="json")}
        helpers = [stack.enter_context(Helper("include.ingestion.load_worker", setup)) for _ in range(workers - 1)]

        def stop() -> None:
            for helper in helpers:
                helper.kill()

        run_parallel(files, [load_in_process, *(partial(load_in_helper, helper) for helper in helpers)], stop)
    run_parallel(failed, [load_in_process])
