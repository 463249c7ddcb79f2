"""``aisleflow quarantine …``: refused lines and held store-days."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.cli.common import FAILED, NEEDS_PERSON, JsonOption, WideOption, domain
from include.cli.output import local_time, print_json, print_table, progress, say
from include.errors import ConfigurationError

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.ingestion.release_lines import LineDecisionResult

app = typer.Typer(help="Refused lines and held store-days: list, show, release, discard, recheck.", no_args_is_help=True)

HELD_COLUMNS = ("file_id", "retailer", "store_id", "night", "state", "state_reason")
LINE_COLUMNS = ("file_id", "retailer", "store_id", "lines", "rule_id", "reason")

RetailerOption = Annotated[str | None, typer.Option(help="Only this retailer.")]
FileArgument = Annotated[int, typer.Argument(help="Ledger id of the file, as listed.")]
ReasonOption = Annotated[str, typer.Option("--why", help="The reason; it is stored in the ledger.")]
ByOption = Annotated[str | None, typer.Option(help="Who decides; by default the current user.")]
LineOption = Annotated[list[int] | None, typer.Option("--line", help="This refused line of the file; may be repeated.")]
RuleOption = Annotated[str | None, typer.Option("--rule", help="All lines of the file that this rule refused.")]
BatchOption = Annotated[bool, typer.Option("--batch", help="All store-days held together by a retailer rule of the same check.")]


@app.command("list")
def list_(retailer: RetailerOption = None, as_json: JsonOption = False, wide: WideOption = False) -> None:
    """Show the open decisions: held store-days and refused files, then refused lines per file and rule."""
    from include.ledger import quarantine

    with domain(as_json) as (warehouse, _):
        held, lines = quarantine.list_undecided(warehouse, retailer), quarantine.list_refused_lines(warehouse, retailer)
    if as_json:
        print_json({"held": held, "lines": lines})
        return
    if held:
        print_table(held, HELD_COLUMNS, wide=("rows",), is_wide=wide, title="Files that wait for a decision")
        say("Inspect one: aisleflow quarantine show ID. Then release ID or discard ID, with --why '…'.", "")
    if lines:
        print_table(lines, LINE_COLUMNS, wide=("night",), is_wide=wide, title="Refused lines")
        say("Read them: aisleflow quarantine show ID. Then release or discard ID with --line N or --rule RULE, and --why '…';")
        say("after a rule or the reader was fixed: aisleflow quarantine recheck.")
    if not held and not lines:
        say("nothing waits")


@app.command()
def show(
    file_id: FileArgument, limit: Annotated[int, typer.Option(help="Maximum number of lines.")] = 20, as_json: JsonOption = False
) -> None:
    """Show one file: its state, its check results, its refused lines with their text, and the possible decisions."""
    from include.ledger import quarantine

    with domain(as_json) as (warehouse, _):
        found = quarantine.show(warehouse, file_id, limit)
    if as_json:
        print_json(found)
        return
    file = found["file"]
    say(f"file {file_id}: {file['retailer']} {file['store_id']} of {file['night']}, {file['rows']} lines, {file['state']}")
    if file["state_reason"]:
        say(f"  {file['state_reason']}")
    for one in found["decisions"]:
        about = f" {one['lines']} line(s)" if one["lines"] is not None else ""
        say(
            f"  {local_time(one['decided_at'])}, {one['decided_by'] or 'no user'} ({one['decided_via']}): {one['choice']}{about}: {one['decision_reason']}"
        )
    if found["results"]:
        print_table(found["results"], ("rule_id", "severity", "is_passed", "checked", "failed", "detail"), title="Checks")
    if pairs := found["renumbered"]:
        title = f"{len(pairs):,} SKU(s) with the name, size and price of a vanished one; a release joins them"
        print_table(pairs[:limit], ("old_sku", "new_sku", "name", "size", "decision_id"), title=title)
    for line in found["lines"]:
        became = "" if line["state"] == "quarantined" else f" [{line['state']} by {line['decided_by']}: {line['decision_reason']}]"
        say(f"line {line['line_number']}, SKU {line['sku']}: {'; '.join(line['why'])}{became}", f"    {line['raw_text']}")
    if found["more_lines"]:
        say(f"… and {found['more_lines']} more: --limit {limit + found['more_lines']}")
    say(*found["next"])


@app.command()
def release(
    file_id: FileArgument,
    reason: ReasonOption,
    line: LineOption = None,
    rule: RuleOption = None,
    batch: BatchOption = False,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Release and publish a held store-day (line rules still apply), a whole held batch, or refused lines of a published file.

    A released line is published despite its rule if it is readable, has an SKU, a name and a valid price; it never
    replaces newer data. Exit code 3: some lines cannot be published and stay, each with the reason.
    """
    from include.ingestion import pipeline, release_lines
    from include.ledger import quarantine
    from include.ledger.decisions import decide_files

    decided_by = by or getpass.getuser()
    with domain(as_json) as (warehouse, storage), progress() as show_progress:
        _check_choice(line, rule, batch)
        if line or rule:
            decided = release_lines.release_lines(warehouse, storage, file_id, decided_by, reason, lines=line or (), rule_id=rule)
        else:
            ids = quarantine.batch_of(warehouse, file_id) if batch else [file_id]
            [retailer] = decide_files(warehouse, storage, ids, "release", decided_by, reason, "command line").retailers
            show_progress(f"publishing the released store-days of {retailer}")
            pipeline.ingest(warehouse, storage, retailer, show_progress)
            files = [quarantine.show(warehouse, one, 0)["file"] for one in ids]
    if line or rule:
        _print_lines(decided, "released", as_json)
    elif as_json:
        print_json(files if batch else files[0])
    else:
        for state in files:
            say(
                f"file {state['file_id']} is {state['state']}: {state['created']} created, {state['updated']} updated, {state['unchanged']} unchanged, {state['quarantined']} in quarantine"
            )


@app.command()
def discard(
    file_id: FileArgument,
    reason: ReasonOption,
    line: LineOption = None,
    rule: RuleOption = None,
    batch: BatchOption = False,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Never publish a held store-day, a whole held batch or refused lines; or acknowledge a refused file. The data and the decision are kept."""
    from include.ingestion.release_lines import LineDecisionResult
    from include.ledger import quarantine
    from include.ledger.decisions import decide_files, discard_lines

    decided_by = by or getpass.getuser()
    with domain(as_json) as (warehouse, storage):
        _check_choice(line, rule, batch)
        if line or rule:
            decided = LineDecisionResult(file_id, discard_lines(warehouse, file_id, decided_by, reason, lines=line or (), rule_id=rule))
        else:
            ids = quarantine.batch_of(warehouse, file_id) if batch else [file_id]
            decide_files(warehouse, storage, ids, "discard", decided_by, reason, "command line")
    if line or rule:
        _print_lines(decided, "discarded", as_json)
    elif as_json:
        print_json([{"file_id": one, "state": "discarded"} for one in ids] if batch else {"file_id": file_id, "state": "discarded"})
    else:
        for one in ids:
            say(f"file {one} is discarded; it stays in the refused stage")


@app.command()
def recheck(
    retailer: RetailerOption = None,
    file: Annotated[int | None, typer.Option(help="Only this file (its ledger id).")] = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check held store-days and undecided refused lines again, after a rule or the reader was fixed; publish what passes.

    Lines are read from the archived file, else from the text in quarantine, and checked as of the time they were refused. Exit code 3:
    store-days are still held.
    """
    from include.ingestion import deciding

    with domain(as_json) as (warehouse, storage), progress() as show_progress:
        found = deciding.recheck(warehouse, storage, by or getpass.getuser(), retailer, file, show_progress)
    still_held = [one for one in found["held"] if one["state"] == "held"]
    if as_json:
        print_json(found)
    elif not found["lines"] and not found["held"]:
        say("nothing waits")
    else:
        for one in found["lines"]:
            say(f"file {one['file_id']}: {one['decided']} line(s) pass now{_counts(one['outcomes'])}, {len(one['refused'])} stay refused")
        for one in found["held"]:
            say(f"file {one['file_id']}: {one['state']} {one['state_reason'] or ''}".rstrip())
    raise typer.Exit(NEEDS_PERSON if still_held else 0)


def _check_choice(line: Sequence[int] | None, rule: str | None, batch: bool) -> None:
    if batch and (line or rule):
        raise ConfigurationError("--batch applies to whole store-days, --line and --rule to lines of one file. Give one of them.")


def _print_lines(decided: LineDecisionResult, word: str, as_json: bool) -> None:
    if as_json:
        print_json(asdict(decided))
    else:
        say(f"file {decided.file_id}: {decided.decided} line(s) {word}{_counts(decided.outcomes)}")
        for number, reason in decided.refused.items():
            say(f"  line {number} stays in quarantine: {reason}")
        if not decided.decided and not decided.refused:
            say("  no undecided lines")
    if decided.refused:
        raise typer.Exit(NEEDS_PERSON if decided.decided else FAILED)


def _counts(outcomes: dict[str, Any]) -> str:
    return f" ({', '.join(f'{count} {name}' for name, count in sorted(outcomes.items()))})" if outcomes else ""
