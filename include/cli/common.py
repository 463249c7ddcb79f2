"""Helpers of the commands: exit codes, common options, errors as messages, the installation's warehouse and storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from include.cli.output import print_json, say_error
from include.errors import AisleflowError, ConfigurationError, NeedsPersonError
from include.retailer_names import RETAILERS

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

DONE, FAILED, WRONG_USAGE, NEEDS_PERSON = 0, 1, 2, 3

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
WideOption = Annotated[bool, typer.Option("--wide", help="Show every column; by default those that fit 80 characters.")]


def read_day(text: str) -> date:
    """Read a date given on the command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date: write year-month-day, e.g. 2026-11-18.") from None


#: A date option: year-month-day.
DAY = {"parser": read_day, "metavar": "YYYY-MM-DD"}


@contextmanager
def reported(as_json: bool = False) -> Iterator[None]:
    """Convert this project's errors into a message and an exit code."""
    try:
        yield
    except AisleflowError as error:
        if as_json:
            print_json({"error": str(error)})
        else:
            say_error(f"error: {error}")
        code = NEEDS_PERSON if isinstance(error, NeedsPersonError) else WRONG_USAGE if isinstance(error, ConfigurationError) else FAILED
        raise typer.Exit(code) from error


def known_retailer(name: str) -> str:
    """Return a retailer's slug given on the command line.

    Raises:
        ConfigurationError: there is no such retailer.
    """
    if name not in RETAILERS:
        raise ConfigurationError(f"unknown retailer {name!r}. Known: {', '.join(RETAILERS)}.")
    return name


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


def superuser_url() -> str:
    """Return the libpq URL of the embedded warehouse for its server's superuser; the server starts on demand.

    Raises:
        ConfigurationError: the warehouse is on another server.
    """
    from include.config import settings
    from include.embedded.postgres import ensure_postgres
    from include.embedded.postgres_roles import WAREHOUSE

    if settings().warehouse_url:
        raise ConfigurationError("AISLEFLOW_WAREHOUSE_URL is set: use a URL of that server's administrator with psql.")
    return ensure_postgres(settings().home).superuser_url(WAREHOUSE)
