"""``aisleflow quarantine …``: refused lines and held store-days."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from include import flows
from include.cli.common import JsonOption, domain, print_json, print_table, progress
from include.quality import quarantine

app = typer.Typer(help="Refused lines and held store-days: list, show, release, discard.", no_args_is_help=True)

RetailerOption = Annotated[str | None, typer.Option(help="Only this retailer.")]
FileArgument = Annotated[int, typer.Argument(help="Ledger id of the file, as listed.")]
WhyOption = Annotated[str, typer.Option(help="The reason; it is kept in the ledger.")]
ByOption = Annotated[str | None, typer.Option(help="Who decides; without it the user logged in.")]


@app.command("list")
def list_(retailer: RetailerOption = None, as_json: JsonOption = False) -> None:
    """Show what waits for a person: held store-days, then refused lines per file and rule."""
    with domain(as_json) as (warehouse, _):
        held, lines = quarantine.list_undecided(warehouse, retailer), quarantine.list_refused_lines(warehouse, retailer)
    if as_json:
        print_json({"held": held, "lines": lines})
        return
    if held:
        print_table(
            held, ("file_id", "retailer", "store_id", "night", "rows", "state", "state_reason"), title="files that wait for a decision"
        )
    if lines:
        print_table(lines, ("file_id", "retailer", "store_id", "night", "lines", "rule_id", "reason"), title="refused lines")
    if not held and not lines:
        print("nothing waits")


@app.command()
def show(file_id: FileArgument, limit: Annotated[int, typer.Option(help="Lines at most.")] = 20, as_json: JsonOption = False) -> None:
    """Show one file: what became of it, what the checks found, which lines were refused and how they read."""
    with domain(as_json) as (warehouse, _):
        found = quarantine.show(warehouse, file_id, limit)
    if as_json:
        print_json(found)
        return
    file = found["file"]
    print(f"file {file_id}: {file['retailer']} {file['store_id']} of {file['night']}, {file['rows']} lines, {file['state']}")
    if file["state_reason"]:
        print(f"  {file['state_reason']}")
    if file["released_by"]:
        print(f"  decided by {file['released_by']}: {file['released_why']}")
    if found["results"]:
        print_table(found["results"], ("rule_id", "severity", "is_passed", "checked", "failed", "detail"), title="checks")
    for line in found["lines"]:
        print(f"line {line['line_number']}, SKU {line['sku']}: {'; '.join(line['why'])}\n    {line['raw_text']}")


@app.command()
def release(file_id: FileArgument, why: WhyOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Let a held store-day through its store-level checks and publish it; row rules still apply."""
    with domain(as_json) as (warehouse, storage), progress() as told:
        retailer = quarantine.release(warehouse, file_id, by or getpass.getuser(), why)
        told(f"publishing what is free of {retailer}")
        flows.ingest(warehouse, storage, retailer, told)
        state = quarantine.show(warehouse, file_id, 0)["file"]
    if as_json:
        print_json(state)
    else:
        print(
            f"file {file_id} is {state['state']}: {state['created']} created, {state['updated']} updated, {state['unchanged']} unchanged, {state['quarantined']} in quarantine"
        )


@app.command()
def discard(file_id: FileArgument, why: WhyOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Never publish a held store-day, or take note of a refused file. It stays in the refused stage, the decision in the ledger."""
    with domain(as_json) as (warehouse, storage):
        flows.discard(warehouse, storage, file_id, by or getpass.getuser(), why)
    if as_json:
        print_json({"file_id": file_id, "state": "discarded"})
    else:
        print(f"file {file_id} is discarded; it stays in the refused stage")
