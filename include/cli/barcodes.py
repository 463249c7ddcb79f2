"""``aisleflow barcodes …``: look-ups on demand, contested barcodes, and how many there are."""

from __future__ import annotations

import os
from datetime import date
from typing import Annotated

import typer

from include import clock
from include.cli import barcode_report, conflicts
from include.cli.common import DAY, JsonOption, domain, known_retailer
from include.cli.output import print_json, print_table, progress, say

app = typer.Typer(help="Barcodes: look-ups of unknown ones, contested ones, how many there are.", no_args_is_help=True)
app.add_typer(barcode_report.app)
app.add_typer(conflicts.app, name="conflicts")

COLUMNS = (
    "retailer",
    "requests",
    "asked",
    "found",
    "learned",
    "contested",
    "none",
    "unknown",
    "failed",
    "joined",
    "due",
    "requests_per_sku",
)


@app.command("look-up")
def look_up(
    retailer: Annotated[str | None, typer.Option(help="Only this retailer; by default all whose sites show barcodes.")] = None,
    requests: Annotated[
        int | None, typer.Option(min=1, help="Requests at most; by default what is left of the night's AISLEFLOW_LOOK_UP_REQUESTS.")
    ] = None,
    night: Annotated[date | None, typer.Option(**DAY, help="The night that the requests count for.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the retailers' sites for barcodes that no listing has, now and without Airflow; prints the night's figures.

    Only SKUs of published store-days are asked for. No request is sent to a live site unless AISLEFLOW_ALLOW_LIVE is set.
    """
    from include.crawling import sessions
    from include.enrichment import planning
    from include.enrichment.look_up import LookupRun
    from include.enrichment.look_up import look_up as ask
    from include.retailers.registry import retailer_of

    on = night or clock.night_of(clock.now())
    chosen = [known_retailer(retailer)] if retailer else planning.retailers_with_sources()
    with domain(as_json) as (warehouse, _), progress() as show_progress:
        figures = []
        for name in chosen:
            if not retailer_of(name).barcode_sources():
                say(f"{name}: its site shows no barcodes beside the listing")
                continue
            planned = planning.plan_look_ups(warehouse, name, on, requests)
            scope = f"cli_look_up_{os.getpid()}_{clock.now():%Y%m%dT%H%M%S}"
            if planned.workers:
                session = sessions.in_force(name, sessions.find(warehouse.settings.home, name))
                run = LookupRun(
                    retailer=retailer_of(name), night=on, worker=scope, scope=scope, requests_max=planned.requests_max, session=session,
                    progress=show_progress,
                )  # fmt: skip
                ask(warehouse, run)
            figures.append(planning.night_figures(warehouse, name, on))
    if as_json:
        print_json(figures)
    else:
        print_table(figures, COLUMNS)
