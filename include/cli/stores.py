"""``aisleflow store list|plan|import``: which stores are known, tonight's plan for them, and a directory as a starting list."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from include import clock
from include.cli.common import JsonOption, domain, print_json, print_table, progress
from include.errors import ConfigurationError, TerminalError
from include.retailer_names import RETAILERS

app = typer.Typer()

RetailerArgument = Annotated[str, typer.Argument(help=f"One of {', '.join(RETAILERS)}.")]
NightOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The night; without it tonight's.")]


@app.command("list")
def list_(
    retailer: RetailerArgument,
    state: Annotated[str | None, typer.Option(help="Only this state.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the stores of a retailer: confirmed, trading, taken for closed, and when each was last crawled whole."""
    from include.crawling import discovery

    with domain(as_json) as (warehouse, _):
        _known(retailer)
        rows = discovery.list_stores(warehouse, retailer, state)
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            rows,
            (
                "store_id",
                "name",
                "state",
                "postcode",
                "division",
                "is_supermarket",
                "is_trading",
                "closed_at",
                "discovered_at",
                "complete_at",
            ),
        )
    else:
        print(f"no store of {retailer} is known: run the DAG discover_stores, or `aisleflow store import` a directory")


@app.command()
def plan(
    retailer: RetailerArgument,
    night: NightOption = None,
    all_stores: Annotated[bool, typer.Option("--all", help="Show the stores that are not crawled one by one, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the plan of a night: which stores are crawled in which order, and why each other is not. A night that has none yet is planned now."""
    from include.crawling import crawl_plan

    with domain(as_json) as (warehouse, _):
        _known(retailer)
        when = _night(night)
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
        print(f"no store of {retailer} is known: run the DAG discover_stores, or `aisleflow store import` a directory")
        return
    shown = rows if all_stores else [row for row in rows if row["decision"] == "crawl"]
    print_table(shown, ("position", "decision", "store_id", "name", "state", "reason"), title=f"{retailer}, night of {when}")
    print(", ".join(f"{count} {decision.replace('_', ' ')}" for decision, count in crawl_plan.count_decisions(rows).items()))
    for reason, stores in crawl_plan.count_reasons(rows).items():
        print(f"{stores:>6}  {reason}")


@app.command("import")
def import_(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="Folder with store.json, company.json and division.json (.gz too).")
    ],
    as_json: JsonOption = False,
) -> None:
    """Take a directory of stores over as a starting list. Safe to repeat: what a store finder said later is never replaced."""
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


def _known(retailer: str) -> None:
    if retailer not in RETAILERS:
        raise ConfigurationError(f"no retailer {retailer!r}. Known: {', '.join(RETAILERS)}.")


def _night(given: datetime | None) -> date:
    return given.date() if given else clock.night_of(clock.now())
