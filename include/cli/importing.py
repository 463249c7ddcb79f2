"""``aisleflow import``: store-day files from outside, through the outbox and the checks, to published prices."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.cli.common import FAILED, NEEDS_PERSON, JsonOption, WideOption, domain
from include.cli.output import print_json, print_table, progress, say, say_error
from include.cli.through_airflow import ingest_through_airflow
from include.errors import AisleflowError
from include.model.rules import reason_of

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.ingestion.checks.suite_helper import SuiteHelper
    from include.ingestion.importing import ImportedFile
    from include.warehouse.engine import Warehouse

app = typer.Typer()

FILE_COLUMNS = ("file_id", "retailer", "store_id", "night", "state", "rows", "created", "updated", "quarantined")
WIDE_FILE_COLUMNS = ("is_complete", "unchanged", "unavailable", "outdated", "folded", "delisted")
RETAILER_COLUMNS = ("retailer", "store_days", "offers", "created", "updated", "unchanged", "quarantined", "held")
WIDE_RETAILER_COLUMNS = ("unavailable", "outdated", "folded", "delisted", "refused")


@app.command("import")
def import_(
    paths: Annotated[list[Path] | None, typer.Argument(help="Store-day files (*.jsonl, *.jsonl.gz) or folders with such files.")] = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
    through_airflow: Annotated[
        bool, typer.Option("--through-airflow", help="Stage the files and let the running scheduler ingest them.")
    ] = False,
    stage_only: Annotated[
        bool, typer.Option("--stage-only", help="Only stage the files: the sweep or the next crawl has them ingested.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also bring back what was refused, discarded or retracted before; needs --why.")
    ] = False,
    file: Annotated[
        list[int] | None, typer.Option("--file", help="With --again: ledger id of a file to bring back from storage; may be repeated.")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", help="With --again: the reason; it is stored in the ledger.")] = None,
    by: Annotated[str | None, typer.Option(help="With --again: who decides; by default the current user.")] = None,
) -> None:
    """Stage store-day files in the outbox, check them and publish their prices. Safe to repeat: equal content counts once.

    With --again a file that was refused, discarded or retracted is ingested as if it came for the first time.
    Files are checked and published in order of time, not of the arguments. Exit code 3: something was held or refused.
    """
    from include.ingestion.checks.suite_helper import SuiteHelper

    if bool(again) != bool(why) or (file and not again) or not (paths or file):
        raise typer.BadParameter("give PATH…, or --again --why '…' with PATH… or --file ID.")
    wanted = Wanted(paths or [], file or [], by or getpass.getuser(), why)
    with SuiteHelper() as suite:
        if not (stage_only or through_airflow) and all(path.exists() for path in paths or ()):
            suite.start()  # its import takes longer than everything before the checks: first of all
        _import(wanted, as_json, wide, through_airflow, stage_only, suite)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The paths to import, and with ``why`` the files to bring back: ledger ids, who decides, the reason."""

    paths: list[Path]
    file_ids: list[int]
    by: str
    why: str | None


def _import(wanted: Wanted, as_json: bool, is_wide: bool, through_airflow: bool, stage_only: bool, suite: SuiteHelper) -> None:
    from include.ingestion import pipeline
    from include.ingestion.bring_back import bring_back, import_again
    from include.ingestion.importing import import_file, list_data_files
    from include.ingestion.isolation import rejected

    with domain(as_json) as (warehouse, storage), progress() as show_progress:
        imported = []
        failed: AisleflowError | None = None
        for file_id in wanted.file_ids:
            show_progress(f"bringing back file {file_id}")
            imported.append(bring_back(warehouse, storage, file_id, wanted.by, wanted.why or ""))
        for path in list_data_files(wanted.paths):
            show_progress(f"staging {path}")
            done = import_again(warehouse, storage, path, wanted.by, wanted.why) if wanted.why else import_file(warehouse, storage, path)
            imported.append(done)
        retailers = sorted({file.retailer for file in imported if file.retailer})
        if stage_only:
            show_progress("staged; nothing is ingested by this command")
        elif through_airflow:
            ingest_through_airflow(
                warehouse, [file.file_id for file in imported if file.file_id and file.outcome == "waiting"], show_progress
            )
            failed = _error_of(lambda: rejected.raise_if_rejected(warehouse, storage, retailers))
        else:
            failed = _error_of(lambda: pipeline.ingest_retailers(warehouse, storage, retailers, suite, show_progress))
        report = report_of(warehouse, imported)
    if as_json:
        print_json(report)
    else:
        print_report(report, is_wide)
    if failed is not None:
        say_error(f"error: {failed}")
    if failed is not None or (not stage_only and any(file["state"] in ("waiting", "loaded") for file in report["files"])):
        raise typer.Exit(FAILED)
    if any(file["state"] in ("held", "refused") for file in report["files"]) or report["refused"]:
        raise typer.Exit(NEEDS_PERSON)


def _error_of(run: Callable[[], object]) -> AisleflowError | None:
    """Run something; return its error, to be printed after the report of what was done all the same."""
    try:
        run()
    except AisleflowError as error:
        return error
    return None


def report_of(warehouse: Warehouse, imported: list[ImportedFile]) -> dict[str, Any]:
    """Return the result of every imported path, per file and per retailer."""
    from include.diagnostics.ingest_summary import list_files, summarise

    file_ids = [file.file_id for file in imported if file.file_id]
    return {
        "files": list_files(warehouse, file_ids),
        "retailers": summarise(warehouse, file_ids=file_ids),
        "known": [file.path for file in imported if file.outcome == "known"],
        "refused": [asdict(file) for file in imported if file.outcome == "refused"],
    }


def print_report(report: dict[str, Any], is_wide: bool = False) -> None:
    """Print the report in human-readable form."""
    if report["files"]:
        print_table(report["files"], FILE_COLUMNS, wide=WIDE_FILE_COLUMNS, is_wide=is_wide)
        say("")
        print_table(report["retailers"], RETAILER_COLUMNS, wide=WIDE_RETAILER_COLUMNS, is_wide=is_wide)
    for row in report["retailers"]:
        for rule_id, lines in list(row["reasons"].items())[:5]:
            say(f"{row['retailer']}: {lines} line(s) in quarantine, {rule_id}: {reason_of(rule_id)}")
    for file in report["files"]:
        if file["state"] in ("held", "refused"):
            say(
                f"{file['state']}: file {file['file_id']}, {file['retailer']} {file['store_id']} of {file['night']}: {file['state_reason']}"
            )
    for known in report["known"]:
        say(f"already known, nothing to do: {known}")
    for refused in report["refused"]:
        say(f"refused: {refused['reason']}")
    unconfirmed = sorted(
        {f"{file['retailer']} {file['store_id']}" for file in report["files"] if not file["is_confirmed"] and file["state"] == "published"}
    )
    if unconfirmed:
        say(f"published, but not confirmed by store discovery: {', '.join(unconfirmed)}")
