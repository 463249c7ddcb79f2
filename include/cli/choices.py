"""What the commands about conflicts, proposals and other decisions share: options, both sides as a table, decisions in lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from include.cli.output import local_time, print_table, say

NumbersArgument = Annotated[list[int], typer.Argument(help="Numbers, as listed.", metavar="N...")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason; it is stored with the decision.")]
ByOption = Annotated[str | None, typer.Option(help="Who decides; by default the current user.")]

_SIDE_COLUMNS = ("side", "retailer", "sku", "name", "brand", "size", "accepted", "refused", "stores", "prices")


def print_sides(sides: Sequence[Mapping[str, Any]]) -> None:
    """Print the SKUs on both sides of a question, with barcodes and prices."""
    rows = [
        {**one, "accepted": ", ".join(one["accepted"] or ()), "refused": ", ".join(one["refused"] or ()), "prices": _prices(one)}
        for one in sides
    ]
    print_table(rows, _SIDE_COLUMNS, title="Both sides")


def say_decision(row: Mapping[str, Any]) -> None:
    """Print who decided what, when and why, in one line."""
    say(
        f"  decision {row['decision_id']}, {local_time(row['decided_at'])}, {row['decided_by']} ({row['decided_via']}): {row['choice']}: {row['decision_reason']}"
    )


def say_end(row: Mapping[str, Any]) -> None:
    """Print how a decision ended, if it did."""
    if row["ended_at"]:
        say(f"    ended {local_time(row['ended_at'])} by {row['ended_by']}: {row['end_reason']}")


def _prices(side: Mapping[str, Any]) -> str:
    low, high = side["price_cents_min"], side["price_cents_max"]
    if low is None:
        return ""
    return f"{low / 100:.2f}" if low == high else f"{low / 100:.2f}-{high / 100:.2f}"
