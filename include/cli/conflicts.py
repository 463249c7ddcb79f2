"""``aisleflow barcodes conflicts …``: contested barcodes with both sides, and the decisions about them."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.cli.choices import ByOption, NumbersArgument, WhyOption, print_sides, say_decision, say_end
from include.cli.common import JsonOption, WideOption, domain, known_retailer
from include.cli.output import local_time, print_json, print_table, say

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.catalogue.grouping import Choice

app = typer.Typer(help="Contested barcodes: list, show, accept, reject, split, undo.")

COLUMNS = ("conflict_id", "gtin", "reason", "claimed_by", "other_side")
WIDE_COLUMNS = ("source", "file_id", "first_seen_at", "detected_at", "choice", "reopened_because", "product_id", "owner_product_id")


@app.callback(invoke_without_command=True)
def conflicts(
    context: typer.Context,
    retailer: Annotated[str | None, typer.Option(help="Only SKUs of this retailer.")] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Include conflicts that are decided, or settled by another decision.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of conflicts.")] = 50,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """List contested barcodes with both sides, the newest first; with a number and a verb, decide about them."""
    if context.invoked_subcommand is not None:
        return
    from include.alerts.conflict_question import claimant, other_side
    from include.catalogue.conflicts import count_conflicts, list_conflicts

    with domain(as_json) as (warehouse, _):
        slug = known_retailer(retailer) if retailer else None
        rows = list_conflicts(warehouse, slug, is_all=show_all, rows_max=limit)
        counts = count_conflicts(warehouse, slug)
    if as_json:
        print_json({**counts, "listed": rows})
        return
    if not rows:
        say(f"no open conflict{f' at {slug}' if slug else ''} ({counts['conflicts']:,} decided or settled: --all)")
        return
    shown = [row | {"claimed_by": claimant(row), "other_side": other_side(row)} for row in rows]
    print_table(shown, COLUMNS, wide=WIDE_COLUMNS, is_wide=wide, title="Contested barcodes")
    if len(rows) < (total := counts["conflicts" if show_all else "open"]):
        say(f"{len(rows):,} of {total:,}: --limit {total}")
    say("Look at one: aisleflow barcodes conflicts show N. Then accept, reject or split N, with --why '…'.")


@app.command()
def show(number: Annotated[int, typer.Argument(help="Number of the conflict, as listed.")], as_json: JsonOption = False) -> None:
    """Show one conflict with its evidence: the SKUs of both sides, what they claim, their prices, and the decisions so far."""
    from include.alerts.conflict_question import EFFECTS, REASONS, REOPENED, claimant
    from include.catalogue.conflicts import CHOICES, show_conflict

    with domain(as_json) as (warehouse, _):
        found = show_conflict(warehouse, number)
    if as_json:
        print_json(found)
        return
    row = found["conflict"]
    state = "open" if row["is_open"] else f"decided: {row['choice']}" if row["choice"] else "settled by another decision"
    say(
        f"conflict {number}: barcode {row['gtin']}, claimed by {claimant(row)}; {state}",
        f"  why it is not accepted: {REASONS[row['reason']]}",
        f"  first seen {local_time(row['first_seen_at'])} in {_origin(row)}",
    )
    print_sides(found["sides"])
    for one in found["decisions"]:
        say_decision(one)
        if one["merge_ids"]:
            say(f"    moves in ops.merge_log: {', '.join(map(str, one['merge_ids']))}")
        if one["reopened_at"]:
            say(f"    opened again {local_time(one['reopened_at'])}: {REOPENED[one['reopened_because']]}")
        say_end(one)
    if row["is_open"]:
        say(*(f"  aisleflow barcodes conflicts {choice} {number} --why '…': {EFFECTS[choice]}" for choice in CHOICES))
    elif row["choice"]:
        say(f"  aisleflow barcodes conflicts undo {number} --why '…': the decision ends, the conflict is open")


@app.command()
def accept(numbers: NumbersArgument, reason: WhyOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Accept claimed barcodes: each is the SKU's. Who else claims it joins the SKU's product; where size or own label forbid that, the barcode moves."""
    _decide(numbers, "accept", reason, by, as_json)


@app.command()
def reject(numbers: NumbersArgument, reason: WhyOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Reject claimed barcodes: they are wrong for their SKUs, and are not asked about again while nothing changes."""
    _decide(numbers, "reject", reason, by, as_json)


@app.command()
def split(numbers: NumbersArgument, reason: WhyOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Split SKUs off: two goods share one product. Each SKU becomes a product of its own, with the claimed barcode if no other SKU has it."""
    _decide(numbers, "split", reason, by, as_json)


@app.command()
def undo(numbers: NumbersArgument, reason: WhyOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Undo the decisions about conflicts: products and barcodes are as without them, the conflicts are open again."""
    from include.catalogue.conflicts import undo_decisions

    with domain(as_json) as (warehouse, _):
        undone = undo_decisions(warehouse, numbers, by or getpass.getuser(), reason)
    if as_json:
        print_json(asdict(undone))
    elif undone.undone:
        say(f"{len(undone.undone)} conflict(s) undone; {undone.moved} SKU(s) moved to another product")
    else:
        say("nothing to undo: no decision is in force")


def _decide(numbers: Sequence[int], choice: Choice, reason: str, by: str | None, as_json: bool) -> None:
    from include.catalogue.conflicts import decide_conflicts

    with domain(as_json) as (warehouse, _):
        decided = decide_conflicts(warehouse, dict.fromkeys(numbers, choice), by or getpass.getuser(), reason, "command line")
    if as_json:
        print_json(asdict(decided))
        return
    if decided.applied:
        say(f"{len(decided.applied)} conflict(s) decided: {choice}; {decided.moved} SKU(s) moved to another product")
    say(*decided.decided_before)


def _origin(row: Mapping[str, Any]) -> str:
    return f"file {row['file_id']}" if row["file_id"] else f"look-up by {row['source']}"
