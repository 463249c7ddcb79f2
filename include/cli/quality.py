"""``aisleflow quality …``: results of the checks."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from include.cli.common import DAY, JsonOption, WideOption, domain
from include.cli.output import print_json, print_table, progress, say

app = typer.Typer(help="Results of the checks of a night, and the location of their pages.", no_args_is_help=True)

CHECK_COLUMNS = ("check_id", "retailer", "files", "lines", "held", "broken")
RESULT_COLUMNS = ("retailer", "store_id", "file_id", "rule_id", "failed", "detail")
WIDE_RESULT_COLUMNS = ("state", "severity", "scope", "checked")


@app.command("results")
def results_(
    retailer: Annotated[str | None, typer.Option(help="Only this retailer.")] = None,
    night: Annotated[date | None, typer.Option(**DAY, help="The night; by default the newest checked one.")] = None,
    show_passed: Annotated[bool, typer.Option("--all", help="Include passed rules.")] = False,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Show the results of a night's checks: rules that hold store-days first, then refused lines and warnings per store-day and rule."""
    from include.ingestion.checks import results

    with domain(as_json) as (warehouse, _):
        chosen = night or results.newest_night(warehouse, retailer)
        found = results.results(warehouse, chosen, retailer, is_all=show_passed) if chosen else {"night": None, "checks": [], "results": []}
    if as_json:
        print_json(found)
        return
    if not found["checks"] and not found["results"]:
        say(f"nothing was checked{f' for the night of {chosen}' if chosen else ' yet'}{f' at {retailer}' if retailer else ''}")
        return
    checks = [
        {**check, "broken": ", ".join(f"{rule} {lines}" for rule, lines in sorted(check["broken"].items()))} for check in found["checks"]
    ]
    print_table(checks, CHECK_COLUMNS, wide=("checked_at",), is_wide=wide, title=f"Checks of {chosen}")
    if found["results"]:
        title = "All rules" if show_passed else "Broken rules"
        print_table(found["results"], RESULT_COLUMNS, wide=WIDE_RESULT_COLUMNS, is_wide=wide, title=title)
    else:
        say("all rules passed")


@app.command()
def docs(as_json: JsonOption = False) -> None:
    """Build Great Expectations' pages of the newest checks again, and print their location."""
    from include.ingestion.checks import data_docs

    with domain(as_json) as (warehouse, storage), progress() as show_progress:
        show_progress("building the pages")
        url = data_docs.publish(warehouse, storage)
    if as_json:
        print_json({"url": url, "path": url.removeprefix("file://") if url and url.startswith("file://") else None})
    elif url:
        say(url)
    else:
        say("nothing was checked yet")
