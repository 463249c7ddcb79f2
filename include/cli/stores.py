"""``aisleflow store list|plan|import``: the known stores, tonight's plan, and the import of a directory."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from include import clock
from include.cli.common import DAY, JsonOption, WideOption, domain, known_retailer
from include.cli.output import print_json, print_table, progress, say
from include.errors import TerminalError
from include.retailer_names import RETAILERS

app = typer.Typer()

STORE_COLUMNS = ("store_id", "name", "state", "postcode", "complete_at")
WIDE_STORE_COLUMNS = ("division", "is_supermarket", "is_trading", "closed_at", "discovered_at")
PLAN_COLUMNS = ("position", "decision", "store_id", "name", "state", "reason")

RetailerArgument = Annotated[str, typer.Argument(help=f"One of {', '.join(RETAILERS)}.")]
NightOption = Annotated[date | None, typer.Option(**DAY, help="The night; by default tonight.")]


@app.command("list")
def list_(
    retailer: RetailerArgument,
    state: Annotated[str | None, typer.Option(help="Only this state.")] = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Show the stores of a retailer: confirmed, trading, treated as closed, and the last complete crawl of each."""
    from include.crawling import discovery

    with domain(as_json) as (warehouse, _):
        known_retailer(retailer)
        rows = discovery.list_stores(warehouse, retailer, state)
    if as_json:
        print_json(rows)
    elif rows:
        print_table(rows, STORE_COLUMNS, wide=WIDE_STORE_COLUMNS, is_wide=wide)
    else:
        say(f"no store of {retailer} is known: run the DAG discover_stores, or `aisleflow store import` a directory")


@app.command()
def plan(
    retailer: RetailerArgument,
    night: NightOption = None,
    all_stores: Annotated[bool, typer.Option("--all", help="Include each store that is not crawled.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the plan of a night: which stores are crawled in which order, and why each other store is not. A night without a plan is planned now."""
    from include.crawling import crawl_plan

    with domain(as_json) as (warehouse, _):
        known_retailer(retailer)
        when = night or clock.night_of(clock.now())
        with warehouse.transaction() as connection:
            rows = crawl_plan.plan_rows(connection, retailer, when)
        if not rows:
            rows, _ = crawl_plan.decide(warehouse, retailer, when)
    report = {
        "retailer": retailer, "night": when, "stores": crawl_plan.count_decisions(rows), "reasons": crawl_plan.count_reasons(rows), "plan": rows
    }  # fmt: skip
    if as_json:
        print_json(report)
        return
    if not rows:
        say(f"no store of {retailer} is known: run the DAG discover_stores, or `aisleflow store import` a directory")
        return
    listed = rows if all_stores else [row for row in rows if row["decision"] == "crawl"]
    print_table(listed, PLAN_COLUMNS, title=f"{retailer}, night of {when}")
    say(", ".join(f"{count} {decision.replace('_', ' ')}" for decision, count in crawl_plan.count_decisions(rows).items()))
    for reason, stores in crawl_plan.count_reasons(rows).items():
        say(f"{stores:>6}  {reason}")


@app.command("import")
def import_(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="Folder with store.json, company.json and division.json (.gz too).")
    ],
    as_json: JsonOption = False,
) -> None:
    """Import a directory of stores. Safe to repeat: newer store-finder data is never replaced."""
    from include.crawling import runs

    with domain(as_json) as (warehouse, _), progress() as show_progress:
        show_progress(f"reading {folder}")
        done = runs.import_directory(warehouse, folder)
    if not done:
        raise TerminalError(f"{folder}: no store of {', '.join(RETAILERS)} in it.")
    if as_json:
        print_json({retailer: asdict(counts) for retailer, counts in done.items()})
    else:
        print_table(
            [{"retailer": retailer, **asdict(counts)} for retailer, counts in done.items()], ("retailer", "stores", "supermarkets", "new")
        )
