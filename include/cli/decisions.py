"""``aisleflow catalogue decisions``: which SKUs and brands were joined or kept apart, by the matcher, by barcodes or by a person."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Annotated

import typer

from include.cli.common import DAY, JsonOption, WideOption, domain
from include.cli.output import print_json, print_table, say

COLUMNS = ("decision_id", "score", "one", "other", "decision_reason")
WIDE_COLUMNS = ("kind", "choice", "decided_via", "decided_by", "decided_at", "pairs", "moves", "ended_at", "ended_by", "end_reason")


class Via(StrEnum):
    """Who or what decided, for the option ``--via``."""

    SCORE = "score"
    BRANDS = "brands"
    RELEASE = "release"
    PERSON = "person"


#: What each stands for in ``ops.match_decision.decided_via``.
_VIAS = {via: [via.value] for via in Via} | {Via.PERSON: ["command line", "Airflow"]}


def list_decisions(
    via: Annotated[
        Via | None,
        typer.Option(help="Only those of the matcher (score), of brands on the same barcodes, of released new numbers, or of persons."),
    ] = None,
    since: Annotated[date | None, typer.Option(help="Only those made on this day or later, Melbourne time.", **DAY)] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Include decisions that have ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of decisions.")] = 50,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """List the decisions that SKUs or brands are one, or are not, with score and reason: the newest first, of those made at once the least sure first.

    To review the joins of last night: --via score --since DAY. Those that are wrong: aisleflow catalogue undo N... --why '…'. --json has all evidence.
    """
    from include.alerts.proposal_question import sku_line
    from include.catalogue.merges import list_made
    from include.model.timetable import at

    with domain(as_json) as (warehouse, _):
        rows = list_made(warehouse, _VIAS[via] if via else None, at(since, time.min) if since else None, is_all=show_all, rows_max=limit)
    if as_json:
        print_json({"listed": rows})
        return
    if not rows:
        say("no such decision")
        return
    shown = [row | {"one": sku_line(row), "other": sku_line(row, "other_")} for row in rows]
    print_table(shown, COLUMNS, wide=WIDE_COLUMNS, is_wide=wide, title="Decisions about SKUs and brands")
    if len(rows) == limit:
        say(f"the first {limit:,}: --limit shows more")
    say("Wrong ones: aisleflow catalogue undo N... --why '…'. All evidence: --json")
