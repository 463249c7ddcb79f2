"""``aisleflow night``: one complete night through Airflow on the embedded installation, then its summary."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from include import clock
from include.cli.barcode_report import print_gains
from include.cli.common import DAY, FAILED, NEEDS_PERSON, JsonOption, WideOption, domain, reported
from include.cli.output import ProgressDisplay, print_json, print_table, progress, say, say_error
from include.errors import ConfigurationError
from include.model.rules import reason_of
from include.retailer_names import RETAILERS

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.cli.night_records import NightRecord
    from include.embedded.sandbox import SandboxWorld
    from include.warehouse.engine import Warehouse
    from sandbox.verify import PriceRow

app = typer.Typer()

CRAWL_START = time(4, 0)
#: Exit code after Ctrl-C, as shells have it.
INTERRUPTED = 130
CRAWL_COLUMNS = ("retailer", "planned", "crawled", "incomplete", "failed", "blocked", "deferred", "requests")
INGEST_COLUMNS = ("retailer", "store_days", "offers", "created", "updated", "unchanged", "quarantined", "held")
WIDE_INGEST_COLUMNS = ("unavailable", "outdated", "folded", "delisted", "refused", "open")
STAGES = ("crawl", "to_ingestion", "load", "check", "publish")


@app.command()
def night(
    world: Annotated[
        str | None, typer.Option(help="`generated`, or a folder of recorded store-days; by default the last one (at first: generated).")
    ] = None,
    stores: Annotated[int | None, typer.Option(min=1, help="Supermarkets per retailer of a generated world.")] = None,
    products: Annotated[int | None, typer.Option(min=50, help="Products per retailer of a generated world.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed is another world.")] = None,
    day: Annotated[
        date | None,
        typer.Option("--date", **DAY, help="The night's Melbourne date; by default the one after the last night, at first today."),
    ] = None,
    show: Annotated[date | None, typer.Option("--show", **DAY, help="Run nothing: show the summary of this earlier night.")] = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Run one complete night: start what is needed, crawl the sandbox retailers, ingest, and compare every published price with the truth.

    Safe to repeat: each call is the next night; one that was aborted is taken up first, unless --date or another world is given.
    Exit code 1: something failed or a price is wrong; 3: an operator's decision is needed; 130: Ctrl-C, the night goes on in Airflow.
    """
    from include.config import settings

    if show is not None:
        report = _earlier(show, as_json)
    else:
        try:
            with reported(as_json), progress() as show_progress:
                report = _run(settings().home, _choice(settings().home, world, stores, products, seed, day), show_progress)
        except _Interrupted as interrupted:
            say_error(interrupted)
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(report)
    else:
        print_night(report, wide)
    raise typer.Exit(exit_code(report))


def _choice(
    home: Path, world: str | None, stores: int | None, products: int | None, seed: int | None, day: date | None
) -> tuple[SandboxWorld, date | None, NightRecord | None]:
    """Return the world, the date if one is given, and the record of the aborted night to take up."""
    from include.cli import night_records
    from include.embedded.sandbox import saved_sandbox

    wanted = _world(world, stores, products, seed, saved_sandbox(home))
    last = night_records.newest(home)
    is_open = last is not None and last.comparison is None and last.world == wanted and day in (None, last.night)
    return wanted, day, last if is_open else None


def _run(home: Path, choice: tuple[SandboxWorld, date | None, NightRecord | None], show_progress: ProgressDisplay) -> dict[str, Any]:
    """Run a night or the rest of one, and return its report."""
    from include.cli.night_records import NightRecord
    from include.cli.night_run import NightRun
    from include.config import settings
    from include.embedded import installation
    from include.embedded.airflow_api import client
    from include.embedded.sandbox import start_sandbox
    from include.readers.published import last_complete, stream_prices
    from include.warehouse.engine import Warehouse
    from sandbox.verify import HttpTruth, verify

    wanted, day, aborted = choice
    status = installation.up(home, show_progress)
    sandbox_url = start_sandbox(home, wanted, show_progress)
    warehouse = Warehouse(str(status.warehouse_url), settings())
    try:
        if aborted is not None:
            record = aborted
            show_progress(f"going on with the night of {record.night}, which was aborted")
        else:
            record = NightRecord(day or _next_night(warehouse), wanted, _served(sandbox_url))
            record.save(home)
            clock.set_sandbox_clock(datetime.combine(record.night, CRAWL_START, clock.MELBOURNE))
        run = NightRun(home, client(home, patience_seconds=installation.PATIENCE_SECONDS), warehouse, record, show_progress)
        try:
            run.run()
        except KeyboardInterrupt:
            raise _Interrupted(_what_goes_on(record.night, run.still_running(), str(status.ui_url))) from None
        show_progress("comparing every published price with the truth")
        comparison = verify(cast("list[PriceRow]", stream_prices(warehouse)), HttpTruth(sandbox_url), last_complete(warehouse))
        record.comparison = asdict(comparison) | {"is_right": comparison.is_right, "lines": list(comparison.lines())}
        record.save(home)
        return _report(warehouse, record, status.ui_url) | {"look_ups": _due_look_ups(warehouse, record)}
    finally:
        warehouse.close()


class _Interrupted(Exception):
    """Ctrl-C; the message says what still runs and how to stop it or go on."""


def _what_goes_on(night: date, dags: list[str], ui_url: str) -> str:
    return (
        f"Interrupted. The night of {night} goes on in Airflow ({', '.join(dags) if dags else 'no run is active'}): {ui_url}\n"
        "  wait for its end and its result: aisleflow night (or make run)\n"
        "  stop everything, to go on later: aisleflow down (or make down)"
    )


def _earlier(night: date, as_json: bool) -> dict[str, Any]:
    """Return the report of an earlier night: its numbers as the warehouse has them now, its comparison as it was made."""
    from include.cli import night_records
    from include.config import settings
    from include.embedded import installation

    with domain(as_json) as (warehouse, _):
        home = settings().home
        return _report(warehouse, night_records.read(home, night), installation.status(home).ui_url)


def _report(warehouse: Warehouse, record: NightRecord, ui_url: str | None) -> dict[str, Any]:
    from include.diagnostics import night as diagnostics
    from include.ledger.registering import list_unregistered
    from include.staging.storage import Storage

    found = diagnostics.summary(warehouse, record.night)
    unregistered = len(list_unregistered(warehouse, Storage(warehouse.settings.storage)))
    return {
        **found,
        "unregistered": unregistered,
        "served": record.served,
        "world": asdict(record.world),
        "ui_url": ui_url,
        "verify": record.comparison,
    }


def _due_look_ups(warehouse: Warehouse, record: NightRecord) -> list[dict[str, Any]]:
    """Queue what the night's listings left without a barcode; return how many SKUs are due by retailer. Nothing is asked."""
    from include.enrichment.lookup_queue import LookupQueue
    from include.enrichment.planning import retailers_with_sources

    served = [name for name in retailers_with_sources() if name in record.served]
    return [{"retailer": name, "due": LookupQueue(warehouse, name, record.night).rank().due} for name in served]


def exit_code(report: dict[str, Any]) -> int:
    """Return 0 for a complete and correct night, 3 if only an operator's decision is missing, else 1."""
    held = sum(row.get("held", 0) + row.get("refused", 0) for row in report["retailers"])
    unplanned = set(report["served"]) - {row["retailer"] for row in report["retailers"] if row.get("planned")}
    is_right = report["verify"] is not None and report["verify"]["is_right"]
    if not is_right or unplanned or any(row["state"] not in ("held", "refused", "blocked") for row in report["missing"]):
        return FAILED
    return NEEDS_PERSON if held or any(row["state"] == "blocked" for row in report["missing"]) else 0


def print_night(report: dict[str, Any], is_wide: bool = False) -> None:
    """Print the night's summary in human-readable form."""
    rows = report["retailers"]
    print_table(rows, CRAWL_COLUMNS, wide=("excluded",), is_wide=is_wide, title=f"The night of {report['night']}: crawl, in stores")
    say("")
    print_table(rows, INGEST_COLUMNS, wide=WIDE_INGEST_COLUMNS, is_wide=is_wide, title="Ingestion, in lines and prices")
    say("")
    print_table([{"retailer": row["retailer"], **row["seconds"]} for row in rows], ("retailer", *STAGES), title="Seconds per stage")
    print_gains([row["barcodes"] for row in rows if row.get("barcodes")], is_wide=is_wide)
    waiting = [f"{row['due']:,} of {row['retailer']}" for row in report.get("look_ups", ()) if row["due"]]
    if waiting:
        say(
            f"SKUs that wait for a look-up of their barcode: {', '.join(waiting)}. look_up_barcodes asks from 00:30 on; now: aisleflow barcodes look-up"
        )
    reconciled = report["reconciled"]
    say(
        f"Products joined by score: {reconciled['joined']:,} pair(s), {reconciled['ended']:,} no longer; {reconciled['proposed']:,} proposed; brands joined: {reconciled['brands_joined']:,}. "
        f"Review: aisleflow catalogue decisions --since {report['night']}, aisleflow catalogue proposals"
    )
    for row in rows:
        for rule_id, lines in list(row.get("reasons", {}).items())[:5]:
            say(f"{row['retailer']}: {lines} line(s) in quarantine, {rule_id}: {reason_of(rule_id)}")
    for item in report["missing"]:
        say(f"missing: {item['retailer']} {item['store_id']}: {item['state']} {item['reason'] or ''}")
    if report["unregistered"]:
        say(f"{report['unregistered']} file(s) in the outbox are not in the ledger: aisleflow doctor lists them; trigger ingest_prices")
    say("", "Comparison of every published price with the truth of its store and instant")
    if report["verify"] is None:
        say("it was not made: the night was aborted. `aisleflow night` goes on with it, unless a later one was begun")
    else:
        say(*report["verify"]["lines"])
    say("", f"Airflow: {report['ui_url'] or 'is not running'} (passwords: aisleflow status). Stop everything: aisleflow down")
    if shutil.which("aisleflow") is None:
        say("To have the command aisleflow in this shell: . .venv/bin/activate")


def _world(
    kind: str | None, stores: int | None, products: int | None, seed: int | None, previous: tuple[SandboxWorld, str] | None
) -> SandboxWorld:
    from include.embedded.sandbox import SandboxWorld

    last = previous[0] if previous else SandboxWorld()
    if kind is None and stores is None and products is None and seed is None:
        return last
    if kind is not None and kind != "generated":
        folder = Path(kind)
        if not folder.is_dir():
            raise ConfigurationError(f"--world {kind}: no such folder. Give `generated`, or a folder of store-days (*.jsonl.gz).")
        return SandboxWorld(kind="recorded", folder=str(folder.resolve()))
    base = last if last.kind == "generated" else SandboxWorld()
    return SandboxWorld("generated", base.seed if seed is None else seed, stores or base.stores, products or base.products)


def _next_night(warehouse: Warehouse) -> date:
    with warehouse.transaction() as connection:
        row = connection.run("diagnostics/find_newest_plan").fetchone()
    last: date | None = row["night"] if row else None
    return clock.night_of(clock.system_now()) if last is None else last + timedelta(days=1)


def _served(sandbox_url: str) -> list[str]:
    """Return the retailers with a store in the sandbox's world; a recorded world may lack some."""
    import requests

    return [retailer for retailer in RETAILERS if requests.get(f"{sandbox_url}/_sandbox/stores/{retailer}", timeout=60).json()]
