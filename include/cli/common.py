"""Helpers of the commands: exit codes, error messages, progress on stderr, tables and JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from include.errors import AisleflowError, ConfigurationError, NeedsPersonError

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

DONE, FAILED, WRONG_USAGE, NEEDS_PERSON = 0, 1, 2, 3

Progress = Callable[[str], None]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@contextmanager
def reported(as_json: bool = False) -> Iterator[None]:
    """Convert this project's errors into a message and an exit code."""
    try:
        yield
    except AisleflowError as error:
        print(json.dumps({"error": str(error)}) if as_json else f"error: {error}", file=sys.stdout if as_json else sys.stderr)
        code = NEEDS_PERSON if isinstance(error, NeedsPersonError) else WRONG_USAGE if isinstance(error, ConfigurationError) else FAILED
        raise typer.Exit(code) from error


@contextmanager
def progress() -> Iterator[Progress]:
    """Yield a progress callback: a status line on a terminal, otherwise one line per message; on stderr."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("") as spinner:
            yield spinner.update
        return
    last: list[str] = []

    def line(message: str) -> None:
        if last != [message]:
            print(message, file=sys.stderr, flush=True)
        last[:] = [message]

    yield line


def stdout() -> Console:
    """Return a console that does not wrap or truncate unless the output is a terminal."""
    return Console() if sys.stdout.isatty() else Console(width=10_000)


def print_json(value: object) -> None:
    """Print one JSON value; dates and instants in ISO 8601."""
    print(json.dumps(value, indent=2, default=str))


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, title: str | None = None) -> None:
    """Print rows as a table with the given columns; numbers right-aligned, null as an empty cell."""
    table = Table(box=None, title=title, title_justify="left", pad_edge=False)
    for column in columns:
        is_number = any(isinstance(row.get(column), int | float) and not isinstance(row.get(column), bool) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*[_cell(row.get(column)) for column in columns])
    stdout().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def domain(as_json: bool = False) -> Iterator[tuple[Warehouse, Storage]]:
    """Yield the warehouse and the storage of this installation; the embedded PostgreSQL starts on demand, the schema is migrated."""
    from include.config import settings
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse
    from include.warehouse.migrations import ensure_migrated

    with reported(as_json):
        url = warehouse_url()
        ensure_migrated(url)
        warehouse = Warehouse(url, settings())
        try:
            yield warehouse, Storage(settings().storage)
        finally:
            warehouse.close()


def warehouse_url() -> str:
    """Return the libpq URL in use: ``AISLEFLOW_WAREHOUSE_URL``, else the embedded PostgreSQL, started on demand."""
    from include.config import settings
    from include.embedded.postgres import warehouse_url as embedded_url

    return settings().warehouse_url or embedded_url(settings().home)
