"""``aisleflow catalogue proposals …``: pairs of products that may be one, with evidence, and the decisions about them."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from include.cli.choices import ByOption, NumbersArgument, WhyOption, print_sides, say_decision, say_end
from include.cli.common import JsonOption, WideOption, domain
from include.cli.output import local_time, print_json, print_table, say

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.catalogue.proposals import Choice

app = typer.Typer(help="Products that may be one: list, show, approve, reject.")

COLUMNS = ("proposal_id", "score", "reason", "one", "other")
WIDE_COLUMNS = ("state", "gtins", "other_gtins", "left_product_id", "right_product_id", "proposed_at", "decision_id")

AllOption = Annotated[bool, typer.Option("--all", help="Include proposals that are decided or settled.")]
LimitOption = Annotated[int, typer.Option(min=1, help="Maximum number of proposals.")]


@app.callback(invoke_without_command=True)
def proposals(
    context: typer.Context, show_all: AllOption = False, limit: LimitOption = 50, as_json: JsonOption = False, wide: WideOption = False
) -> None:
    """List the proposals that wait, the surest first; with a number and a verb, decide about them."""
    if context.invoked_subcommand is None:
        _list(show_all, limit, as_json, wide)


@app.command("list")
def list_(show_all: AllOption = False, limit: LimitOption = 50, as_json: JsonOption = False, wide: WideOption = False) -> None:
    """List the proposals that wait, the surest first."""
    _list(show_all, limit, as_json, wide)


@app.command()
def show(number: Annotated[int, typer.Argument(help="Number of the proposal, as listed.")], as_json: JsonOption = False) -> None:
    """Show one proposal with its evidence: score and features, the SKUs of both products with barcodes and prices, the decisions so far."""
    from include.catalogue.proposals import show_proposal

    with domain(as_json) as (warehouse, _):
        found = show_proposal(warehouse, number)
    if as_json:
        print_json(found)
        return
    row = found["proposal"]
    score = "" if row["score"] is None else f", score {row['score']}"
    say(f"proposal {number}: {row['reason']}{score}; {row['state']}; proposed {local_time(row['proposed_at'])}")
    say(*(f"  {name}: {value}" for name, value in row["evidence"].items()))
    print_sides(found["sides"])
    for one in found["decisions"]:
        say_decision(one)
        say_end(one)
    if row["state"] == "waiting":
        say(f"  aisleflow catalogue proposals approve {number} --why '…', or reject")
    elif row["decision_id"]:
        say(f"  aisleflow catalogue undo {row['decision_id']} --why '…'")


@app.command()
def approve(numbers: NumbersArgument, reason: WhyOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Approve proposals: the two products are one, in spite of different barcodes or sizes."""
    _decide(numbers, "join", reason, by, as_json)


@app.command()
def reject(numbers: NumbersArgument, reason: WhyOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Reject proposals: the two products stay apart, whatever would join them, and are never proposed again."""
    _decide(numbers, "apart", reason, by, as_json)


def _list(show_all: bool, limit: int, as_json: bool, wide: bool) -> None:
    from include.alerts.proposal_question import sku_line
    from include.catalogue.proposals import count_proposals, list_proposals

    with domain(as_json) as (warehouse, _):
        rows = list_proposals(warehouse, is_all=show_all, rows_max=limit)
        counts = count_proposals(warehouse)
    if as_json:
        print_json({**counts, "listed": rows})
        return
    if not rows:
        say(f"no proposal waits ({counts['joined']:,} joined, {counts['rejected']:,} rejected, {counts['settled']:,} settled: --all)")
        return
    shown = [row | {"one": sku_line(row), "other": sku_line(row, "other_")} for row in rows]
    print_table(shown, COLUMNS, wide=WIDE_COLUMNS, is_wide=wide, title="Products that may be one")
    total = sum(counts.values()) if show_all else counts["waiting"]
    if len(rows) < total:
        say(f"{len(rows):,} of {total:,}: --limit {total}")
    say("Look at one: aisleflow catalogue proposals show N. Then approve or reject N, with --why '…'.")


def _decide(numbers: Sequence[int], choice: Choice, reason: str, by: str | None, as_json: bool) -> None:
    from include.catalogue.proposals import decide_proposals

    with domain(as_json) as (warehouse, _):
        decided = decide_proposals(warehouse, dict.fromkeys(numbers, choice), by or getpass.getuser(), reason, "command line")
    if as_json:
        print_json(asdict(decided))
        return
    for number, decision in decided.applied.items():
        say(f"proposal {number}: decision {decision}; to undo: aisleflow catalogue undo {decision} --why '…'")
    say(f"{len(decided.applied)} proposal(s) decided; {decided.moved} SKU(s) moved to another product", *decided.decided_before)
