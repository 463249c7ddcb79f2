"""``aisleflow``: one console command, its subcommands by subject.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 held or needs a person.
"""

from __future__ import annotations

import logging
import warnings

import typer

from include.cli import (
    alerts,
    barcodes,
    bargains,
    catalogue,
    crawl,
    enrichment,
    groups,
    importing,
    inspect,
    night,
    prices,
    quality,
    quarantine,
    sandbox,
    service,
    services,
    session,
    store_days,
    stores,
    warehouse,
)
from include.cli.output import LogFormatter

app = typer.Typer(
    help="Aisleflow: the shelf prices of four supermarkets, every night. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 held or needs a person.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def _prepare(verbose: bool = typer.Option(False, "--verbose", "-v", help="Log every step to stderr.")) -> None:
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(LogFormatter("%(levelname)s %(name)s: %(message)s"))
        handler.setLevel(level)  # Great Expectations sets its own levels
    if not verbose:
        warnings.filterwarnings("ignore", module="platformdirs")


app.add_typer(night.app)
app.add_typer(services.app)
app.add_typer(service.app, name="service", help="The systemd unit that keeps this installation running.")
app.add_typer(importing.app)
app.add_typer(crawl.app)
app.add_typer(session.app, name="session")
app.add_typer(alerts.app, name="alerts", help="The alerts of this installation, and where they go.")
app.add_typer(prices.app)
app.add_typer(bargains.app)
app.add_typer(warehouse.app, name="warehouse")
app.add_typer(quality.app, name="quality")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(enrichment.app)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(barcodes.app, name="barcodes")
app.add_typer(inspect.app, name="inspect")
stores.app.add_typer(store_days.app)
app.add_typer(stores.app, name="store", help="Stores: known ones, tonight's plan, import of a directory.")
app.add_typer(groups.app, name="groups")
app.add_typer(sandbox.app, name="sandbox")
