"""Runs maintenance passes in processes of their own, which kill themselves at a given moment.

Reads one JSON object a line: ``url``, ``storage``, ``now``, ``settings``, ``kill_at`` (number of the event, null: never), ``at_once`` (processes that run the same pass). Prints for each
one how its processes ended (``-9``: killed, 0: done) and how many events a whole pass has.

Events are the moments at which a kill can leave something behind: before each statement, at each commit, and around and within each write of a file.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from fsspec.implementations.local import LocalFileSystem

from include.config import settings
from include.groups import maintenance
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse


def run_pass(order: dict[str, Any], event: Callable[[], None]) -> None:
    """Run one pass as the DAG's three tasks do."""
    os.environ["AISLEFLOW_NOW"] = order["now"]
    warehouse = Warehouse(order["url"], settings().model_copy(update=order["settings"]))
    storage = Storage(order["storage"])
    _interrupt(event)
    maintenance.check_health(warehouse, "aldi")
    compared = maintenance.compare(warehouse, storage, "aldi")
    maintenance.merge(warehouse, "aldi", compared.matches)
    event()


def _interrupt(event: Callable[[], None]) -> None:
    """Call ``event`` at every moment that counts."""
    run, transaction, write, opened, move = Connection.run, Warehouse.transaction, Storage.write, Storage.open, LocalFileSystem.mv

    def run_one(connection: Connection, name: str, values: Any = None) -> Any:
        event()
        return run(connection, name, values)

    @contextmanager
    def begin(warehouse: Warehouse) -> Iterator[Connection]:
        with transaction(warehouse) as connection:
            yield connection
            event()  # before the commit
        event()  # after it

    def write_file(storage: Storage, path: str, content: bytes) -> None:
        event()
        write(storage, path, content)
        event()

    def open_file(storage: Storage, path: str, mode: str = "rb") -> Any:
        file: Any = opened(storage, path, mode)
        if "w" in mode:
            whole = file.write

            def write_halves(content: bytes) -> None:
                whole(content[: len(content) // 2])
                file.flush()
                event()
                whole(content[len(content) // 2 :])

            file.write = write_halves
        return file

    def rename(filesystem: LocalFileSystem, *paths: Any, **options: Any) -> Any:
        event()
        return move(filesystem, *paths, **options)

    changed: list[tuple[type, str, Any]] = [
        (Connection, "run", run_one), (Warehouse, "transaction", begin), (Storage, "write", write_file), (Storage, "open", open_file), (LocalFileSystem, "mv", rename),
    ]  # fmt: skip
    for owner, name, made in changed:
        patch.object(owner, name, made).start()


def main() -> None:
    """Serve the orders on stdin."""
    for line in sys.stdin:
        order = json.loads(line)
        read, sent = os.pipe()
        children = []
        for _ in range(order.get("at_once", 1)):
            child = os.fork()
            if not child:
                _be_the_pass(order, sent)
            children.append(child)
        ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        os.close(sent)
        with os.fdopen(read) as told:
            counts = [int(count) for count in told.read().split()]
        print(json.dumps({"ends": ends, "events": max(counts, default=0)}), flush=True)


def _be_the_pass(order: dict[str, Any], sent: int) -> None:
    count = 0

    def event() -> None:
        nonlocal count
        if count == order["kill_at"]:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    code = 1
    try:
        run_pass(order, event)
        os.write(sent, f"{count}\n".encode())
        code = 0
    except BaseException:
        traceback.print_exc()
    os._exit(code)


if __name__ == "__main__":
    main()
