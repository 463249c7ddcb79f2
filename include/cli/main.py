"""``aisleflow``: one console command, its subcommands by subject.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 held or needs a person.
"""

from __future__ import annotations

import logging
import warnings

import typer

from include.cli import enrichment, importing, night, quarantine, sandbox, services, warehouse

app = typer.Typer(
    help="Aisleflow: the shelf prices of four supermarkets, every night. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 held or needs a person.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def _prepare(verbose: bool = typer.Option(False, "--verbose", "-v", help="Log every step to stderr.")) -> None:
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if not verbose:
        warnings.filterwarnings("ignore", module="platformdirs")


app.add_typer(night.app)
app.add_typer(services.app)
app.add_typer(importing.app)
app.add_typer(warehouse.app, name="warehouse")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(enrichment.app)
app.add_typer(sandbox.app, name="sandbox")
