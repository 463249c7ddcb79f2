"""``aisleflow night``: one complete night through Airflow on the embedded installation, then its summary."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import sleep as pause
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from include import clock
from include.cli.common import FAILED, NEEDS_PERSON, JsonOption, reported
from include.cli.output import Progress, print_json, print_table, progress, say
from include.errors import ConfigurationError, TerminalError
from include.model.rules import reason_of
from include.retailer_names import RETAILERS

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.embedded.airflow_api import AirflowApi
    from include.embedded.sandbox import SandboxWorld
    from include.warehouse.engine import Warehouse
    from sandbox.verify import PriceComparison, PriceRow

app = typer.Typer()

CRAWL_START = time(4, 0)
_RUN_SECONDS = 3 * 3600
#: Task states that change without manual action.
_ACTIVE_STATES = frozenset({"scheduled", "queued", "running", "restarting", "up_for_retry", "up_for_reschedule", "deferred"})
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
        datetime | None,
        typer.Option(
            "--date", formats=["%Y-%m-%d"], help="The night's Melbourne date; by default the one after the last night, at first today."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one complete night: start what is needed, crawl the sandbox retailers, ingest, and compare every published price with the truth.

    Safe to repeat: each call is the next night. Exit code 1: something failed or a price is wrong; 3: an operator's decision is needed.
    """
    from include.config import settings
    from include.diagnostics import night as diagnostics
    from include.embedded import installation
    from include.embedded.airflow_api import client
    from include.embedded.sandbox import saved_sandbox, start_sandbox
    from include.readers.published import last_complete, stream_prices
    from include.warehouse.engine import Warehouse
    from sandbox.verify import HttpTruth, verify

    home = settings().home
    with reported(as_json), progress() as show_progress:
        wanted = _world(world, stores, products, seed, saved_sandbox(home))
        status = installation.up(home, show_progress)
        sandbox_url = start_sandbox(home, wanted, show_progress)
        warehouse = Warehouse(str(status.warehouse_url), settings())
        tonight = day.date() if day else _next_night(warehouse)
        clock.set_sandbox_clock(datetime.combine(tonight, CRAWL_START, clock.MELBOURNE))
        served = _served(sandbox_url)
        _run_night(client(home), warehouse, tonight, served, show_progress)
        show_progress("comparing every published price with the truth")
        comparison = verify(cast("list[PriceRow]", stream_prices(warehouse)), HttpTruth(sandbox_url), last_complete(warehouse))
        found = diagnostics.summary(warehouse, tonight)
        warehouse.close()
    report = {
        **found,
        "served": served,
        "world": asdict(wanted),
        "ui_url": status.ui_url,
        "verify": asdict(comparison) | {"is_right": comparison.is_right},
    }
    if as_json:
        print_json(report)
    else:
        print_night(report, comparison)
    raise typer.Exit(exit_code(report, comparison))


def exit_code(report: dict[str, Any], comparison: PriceComparison) -> int:
    """Return 0 for a complete and correct night, 3 if only an operator's decision is missing, else 1."""
    held = sum(row.get("held", 0) + row.get("refused", 0) for row in report["retailers"])
    unplanned = set(report["served"]) - {row["retailer"] for row in report["retailers"] if row.get("planned")}
    if not comparison.is_right or unplanned or any(row["state"] not in ("held", "refused", "blocked") for row in report["missing"]):
        return FAILED
    return NEEDS_PERSON if held or any(row["state"] == "blocked" for row in report["missing"]) else 0


def print_night(report: dict[str, Any], comparison: PriceComparison) -> None:
    """Print the night's summary in human-readable form."""
    rows = report["retailers"]
    print_table(rows, CRAWL_COLUMNS, title=f"The night of {report['night']}: crawl, in stores")
    say()
    print_table(rows, INGEST_COLUMNS, wide=WIDE_INGEST_COLUMNS, title="Ingestion, in lines and prices")
    say()
    print_table([{"retailer": row["retailer"], **row["seconds"]} for row in rows], ("retailer", *STAGES), title="Seconds per stage")
    for row in rows:
        for rule_id, lines in list(row.get("reasons", {}).items())[:5]:
            say(f"{row['retailer']}: {lines} line(s) in quarantine, {rule_id}: {reason_of(rule_id)}")
    for item in report["missing"]:
        say(f"missing: {item['retailer']} {item['store_id']}: {item['state']} {item['reason'] or ''}")
    say("\nComparison of every published price with the truth of its store and instant")
    say("\n".join(comparison.lines()))
    say(f"\nAirflow: {report['ui_url']} (passwords: aisleflow status). Stop everything: aisleflow down")


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


def _run_night(api: AirflowApi, warehouse: Warehouse, tonight: date, served: list[str], show_progress: Progress) -> None:
    if set(served) - _discovered(warehouse):
        run_id = api.trigger("discover_stores")["dag_run_id"]
        _wait(api, "discover_stores", run_id, show_progress)
        if missing_retailers := sorted(set(served) - _discovered(warehouse)):
            raise TerminalError(
                f"no store of {', '.join(missing_retailers)} was discovered. Open {api.run_url('discover_stores', run_id)} and read the failed task."
            )
    runs = {f"scrape_{retailer}": api.trigger(f"scrape_{retailer}", partition_key=tonight.isoformat())["dag_run_id"] for retailer in served}
    for dag_id, run_id in runs.items():
        _wait(api, dag_id, run_id, show_progress)
    _wait_for_consumers(api, warehouse, tonight, show_progress)


def _discovered(warehouse: Warehouse) -> set[str]:
    with warehouse.transaction() as connection:
        return {row["retailer"] for row in connection.run("diagnostics/list_discovered_retailers").fetchall()}


class _WaitingForOperator(Exception):
    """A run makes no progress until an operator decides."""


def _wait(api: AirflowApi, dag_id: str, run_id: str, show_progress: Progress) -> None:
    def on_progress(state: str, tasks: dict[str, int]) -> None:
        show_progress(f"{dag_id}: {state}, {', '.join(f'{count} {name}' for name, count in sorted(tasks.items()))}")
        if tasks.get("awaiting_input") and not _ACTIVE_STATES & tasks.keys():
            raise _WaitingForOperator

    try:
        api.wait_for_run(dag_id, run_id, timeout_seconds=_RUN_SECONDS, progress=on_progress)
    except _WaitingForOperator:  # the decision may take hours; other work continues
        show_progress(f"{dag_id} waits for an operator: {api.run_url(dag_id, run_id)}")


def _wait_for_consumers(api: AirflowApi, warehouse: Warehouse, tonight: date, show_progress: Progress) -> None:
    """Wait until enrichment and ingestion of the night are done: no active run, no undecided staged file."""
    for _ in range(_RUN_SECONDS):
        busy = [
            (dag_id, run["dag_run_id"])
            for dag_id in ("enrich_barcodes", "ingest_prices")
            for state in ("queued", "running")
            for run in api.list_runs(dag_id, limit=20, state=state)
        ]
        if busy:
            for dag_id, run_id in busy:
                _wait(api, dag_id, run_id, show_progress)
            continue
        waiting = _waiting(warehouse, tonight)
        failed = _failed(api, tonight)
        if not waiting - failed:  # failed runs are not repeated; the summary lists what is missing
            return
        show_progress(f"staged store-days of {', '.join(sorted(waiting))} wait for ingestion")
        pause(2)  # a triggered run appears after a short delay


def _waiting(warehouse: Warehouse, tonight: date) -> set[str]:
    """Return the retailers with a store-day of tonight that is staged and not decided."""
    with warehouse.transaction() as connection:
        rows = connection.run("diagnostics/list_waiting_retailers", {"night": tonight}).fetchall()
    return {row["retailer"] for row in rows}


def _failed(api: AirflowApi, tonight: date) -> set[str]:
    """Return the retailers whose enrichment or ingestion of tonight failed; failed runs of other nights are ignored."""
    keys = [
        str(run["partition_key"])
        for dag_id in ("enrich_barcodes", "ingest_prices")
        for run in api.list_runs(dag_id, limit=50, state="failed")
    ]
    return {retailer for retailer, _, night in (key.partition("|") for key in keys) if night == tonight.isoformat()}
