"""A separate PostgreSQL for the benchmark with any number of warehouses; removed afterwards, also after Ctrl-C or a SIGTERM."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from include.embedded.postgres import Cluster, ensure_postgres, stop_postgres
from include.warehouse.migrations import migrate

_EMPTY, _YARDSTICK = "empty_warehouse", "yardstick"


@dataclass(frozen=True, slots=True)
class ScratchWarehouse:
    """One warehouse and its storage root."""

    name: str
    url: str
    root: Path


@dataclass
class Scratch:
    """The server, the folder, and the warehouses created so far."""

    folder: Path
    cluster: Cluster
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def yardstick_url(self) -> str:
        """The database of the yardstick."""
        return self.cluster.url(_YARDSTICK)

    def execute(self, text: sql.SQL | sql.Composed, database: str = "postgres") -> None:
        """Run one statement as superuser, outside a transaction."""
        with psycopg.connect(self.cluster.superuser_url(database), autocommit=True) as connection:
            connection.execute(text)

    def configure(self, setting: str, value: str) -> None:
        """Set a parameter of the server for all sessions from now on."""
        self.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(setting), sql.Literal(value)))
        self.execute(sql.SQL("SELECT pg_reload_conf()"))

    def prepare(self) -> None:
        """Make the database of the yardstick and the empty warehouse."""
        for name in (_YARDSTICK, _EMPTY):
            self.execute(sql.SQL("CREATE DATABASE {} OWNER aisleflow").format(sql.Identifier(name)))
        migrate(self.cluster.url(_EMPTY))

    def create(self, like: ScratchWarehouse | None = None) -> ScratchWarehouse:
        """Make a warehouse: empty, or a copy of another one with its tables, statistics and files."""
        name = f"warehouse_{next(self._numbers)}"
        template = like.name if like else _EMPTY
        # the template is not in use; a session closed just before may still be ending
        self.execute(sql.SQL("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = {}").format(template))
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER aisleflow").format(sql.Identifier(name), sql.Identifier(template)))
        root = self.folder / name
        if like:
            shutil.copytree(like.root, root, copy_function=os.link)  # a data file is moved or removed, never changed
        else:
            root.mkdir()
        return ScratchWarehouse(name, self.cluster.url(name), root)

    def remove(self, warehouse: ScratchWarehouse) -> None:
        """Remove a warehouse."""
        self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(warehouse.name)))
        shutil.rmtree(warehouse.root)

    @contextmanager
    def warehouse(self, like: ScratchWarehouse | None = None) -> Iterator[ScratchWarehouse]:
        """Yield a new warehouse that is removed after the block."""
        made = self.create(like)
        try:
            yield made
        finally:
            self.remove(made)


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Yield a scratch server in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="aisleflow-bench-"))
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        made = Scratch(folder, ensure_postgres(folder / "home"))
        made.prepare()
        yield made
    finally:
        stop_postgres(folder / "home")
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


def _leave(*_: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)  # through every `finally`, as Ctrl-C does
