"""``aisleflow quality …``: what the checks said."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from include.cli.common import JsonOption, domain, print_json, print_table, progress

app = typer.Typer(help="What the checks said: results of a night, and where the pages about them are.", no_args_is_help=True)


@app.command("results")
def results_(
    retailer: Annotated[str | None, typer.Option(help="Only this retailer.")] = None,
    night: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The night; without it the newest that was checked.")] = None,
    show_passed: Annotated[bool, typer.Option("--all", help="Passed rules too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the checks of a night found: what holds store-days first, then refused lines and warnings per store-day and rule."""
    from include.ingestion.checks import results

    with domain(as_json) as (warehouse, _):
        chosen: date | None = night.date() if night else results.newest_night(warehouse, retailer)
        found = results.results(warehouse, chosen, retailer, is_all=show_passed) if chosen else {"night": None, "checks": [], "results": []}
    if as_json:
        print_json(found)
        return
    if not found["checks"] and not found["results"]:
        print(f"nothing was checked{f' for the night of {chosen}' if chosen else ' yet'}{f' at {retailer}' if retailer else ''}")
        return
    checks = [
        {**check, "broken": ", ".join(f"{rule} {lines}" for rule, lines in sorted(check["broken"].items()))} for check in found["checks"]
    ]
    print_table(checks, ("check_id", "retailer", "files", "lines", "held", "broken", "checked_at"), title=f"checks of {chosen}")
    if found["results"]:
        columns = ("retailer", "store_id", "file_id", "state", "severity", "scope", "rule_id", "failed", "checked", "detail")
        print_table(found["results"], columns, title="what they said" if show_passed else "what they found")
    else:
        print("every rule passed")


@app.command()
def docs(as_json: JsonOption = False) -> None:
    """Publish Great Expectations' own pages of the newest checks again, and say where they are."""
    from include.ingestion.checks import data_docs

    with domain(as_json) as (warehouse, storage), progress() as show_progress:
        show_progress("building the pages")
        url = data_docs.publish(warehouse, storage)
    if as_json:
        print_json({"url": url, "path": url.removeprefix("file://") if url and url.startswith("file://") else None})
    elif url:
        print(url)
    else:
        print("nothing was checked yet")
