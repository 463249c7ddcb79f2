"""``make bench``: plain nights, histories and the import command against a yardstick. ``make bench ARGS="histories --only doubles"`` runs a part.

docs/benchmarks.md describes the measurements and the figures.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import catalogue_speed, groups, importing, nights, prefilling
from benchmarks.histories import HISTORIES, Sizes
from benchmarks.measuring import Bench, PreparationFailed
from benchmarks.scratch import scratch
from include.cli.output import Progress, print_table, progress

app = typer.Typer(add_completion=False, help=__doc__)

Rows = list[dict[str, Any]]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
StatementOption = Annotated[int, typer.Option("--statement-seconds", min=1, help="A statement that takes longer ends its night.")]

_NIGHT = ("what", "seconds", "ratio", "cpu_ratio", "load", "check", "resolve", "publish", "pages", "error")
_NIGHT_COSTS = (
    "what", "cores_used", "cpu_seconds", "cpu_load", "cpu_check", "cpu_resolve", "cpu_publish", "cpu_pages", "wal_mib", "peak_mib", "server_peak_mib", "processes",
)  # fmt: skip
_HISTORY = ("history", "what", "lines", "yardstick", "seconds", "ratio", "plain_ratio", "times_plain", "cpu_times_plain", "goal")
_GROWTH = ("what", "seconds", "tables_mib", "indexes_mib", "live_rows", "dead_rows", "autovacuums")
_GROUPS = (
    "stores",
    "prices",
    "pairs",
    "reading",
    "seconds",
    "ratio",
    "cpu_ratio",
    "cooldown",
    "cooldown_share",
    "exponent",
    "peak_mib",
    "goal",
)
_IMPORT = (
    "what", "files", "lines", "seconds", "lines_per_second", "yardstick", "ratio", "cpu_seconds", "cpu_client", "cpu_server", "peak_mib", "exit_code",
)  # fmt: skip


@app.callback(invoke_without_command=True)
def everything(context: typer.Context, as_json: JsonOption = False) -> None:
    """Without a command: all parts at their default sizes, in under ten minutes on two free cores."""
    if context.invoked_subcommand:
        return
    found: dict[str, Rows] = {}
    with progress() as show_progress:
        found["nights"] = _nights(10, 5_000, 60, show_progress)
        if not as_json:
            _print_nights(found["nights"])
        found["histories"] = _histories(list(HISTORIES), Sizes(), 30, show_progress)
        if not as_json:
            _print_histories(found["histories"])
        found["importing"] = _importing([], 20, 2_600, False, False, show_progress)
        if not as_json:
            _print_importing(found["importing"])
    if as_json:
        typer.echo(json.dumps(found, indent=2))


@app.command("nights")
def nights_(
    store_days: Annotated[int, typer.Option(min=1, help="Store-days per night.")] = 10,
    lines: Annotated[int, typer.Option(min=10, help="Lines per store-day.")] = 5_000,
    statement_seconds: StatementOption = 60,
    as_json: JsonOption = False,
) -> None:
    """A first load, an unchanged night and a Wednesday."""
    with progress() as show_progress:
        rows = _nights(store_days, lines, statement_seconds, show_progress)
    if as_json:
        typer.echo(json.dumps({"nights": rows}, indent=2))
    else:
        _print_nights(rows)


@app.command("histories")
def histories_(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(HISTORIES)}; may be repeated.")] = None,
    lines: Annotated[int, typer.Option(min=100, help="Lines of a store in the histories of whole stores.")] = 15_000,
    share: Annotated[float, typer.Option(min=0.001, help="Scales the histories whose sizes come from real crawls.")] = 1.0,
    nights: Annotated[int, typer.Option(min=2, help="Nights in a row.")] = 100,
    prices: Annotated[
        int, typer.Option(min=1, help="Prices in the large warehouse; 20000000 corresponds to the whole country.")
    ] = 2_000_000,
    statement_seconds: StatementOption = 30,
    fail: Annotated[bool, typer.Option("--fail", help="End with exit code 1 when a night is over its goal or not finished.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Nights in a warehouse with existing data, each compared with a plain one."""
    chosen = only or list(HISTORIES)
    if unknown := sorted(set(chosen) - set(HISTORIES)):
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}; known: {', '.join(HISTORIES)}", param_hint="--only")
    with progress() as show_progress:
        rows = _histories(chosen, Sizes(lines, share, nights, prices), statement_seconds, show_progress)
    if as_json:
        typer.echo(json.dumps({"histories": rows}, indent=2))
    else:
        _print_histories(rows)
    if fail and any(row["goal"] != "pass" for row in rows):
        raise typer.Exit(1)


@app.command("importing")
def importing_(
    paths: Annotated[list[Path] | None, typer.Argument(exists=True, help="Imported one after the other; none: generated folders.")] = None,
    together: Annotated[bool, typer.Option("--together", help="Import all paths by one command.")] = False,
    empty_home: Annotated[bool, typer.Option("--empty-home", help="The first command also creates and starts PostgreSQL.")] = False,
    stores: Annotated[int, typer.Option(min=1, help="Stores of a generated folder.")] = 20,
    lines: Annotated[int, typer.Option(min=10, help="Lines of a generated file.")] = 2_600,
    as_json: JsonOption = False,
) -> None:
    """`aisleflow import` as a user runs it, by step: first, next and unchanged files."""
    with progress() as show_progress:
        rows = _importing(paths or [], stores, lines, together, empty_home, show_progress)
    if as_json:
        typer.echo(json.dumps({"importing": rows}, indent=2))
    else:
        _print_importing(rows)


@app.command("prefilling")
def prefilling_(
    skus: Annotated[int, typer.Option(min=100, help="SKUs in the warehouse.")] = 1_000_000,
    asked: Annotated[int, typer.Option(min=10, help="SKUs of the store-day.")] = 15_000,
    as_json: JsonOption = False,
) -> None:
    """Barcodes filled into one store-day in a large warehouse."""
    with progress() as show_progress, scratch() as server:
        rows = prefilling.measure(server, skus, asked, show_progress)
    if as_json:
        typer.echo(json.dumps({"prefilling": rows}, indent=2))
    else:
        _print("Prefill: seconds, and their ratio to a yardstick", rows, ("what", "seconds", "yardstick", "yardstick_seconds", "ratio"))


@app.command("groups")
def groups_(
    stores: Annotated[
        list[int] | None, typer.Option(min=2, help="Stores of the retailer; may be repeated, in growing order. None: 250, 500, 1000.")
    ] = None,
    products: Annotated[int, typer.Option(min=200, help="Products of a store.")] = 15_000,
    own_percent: Annotated[float, typer.Option(min=0, max=100, help="Percent of a store's prices that are its own.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """A maintenance pass of store groups against only reading the prices, and with every pair in cooldown."""
    with progress() as show_progress, scratch() as server:
        rows = groups.measure(server, stores or [250, 500, 1_000], products, own_percent, show_progress)
    if as_json:
        typer.echo(json.dumps({"groups": rows}, indent=2))
    else:
        _print("Store groups: a pass against only reading the prices", rows, _GROUPS)


@app.command("catalogue")
def catalogue_(
    skus: Annotated[int, typer.Option(min=1_000, help="SKUs in the warehouse.")] = 20_000,
    merges: Annotated[
        int, typer.Option(min=10, help="Pairs of them that learned barcodes join; as many more are joined by score.")
    ] = 1_000,
    statement_seconds: StatementOption = 3_600,
    as_json: JsonOption = False,
) -> None:
    """A large catalogue: texts read again by new rules, merges, translation tables, against a bare UPDATE of the same rows."""
    os.environ["AISLEFLOW_STATEMENT_TIMEOUT_SECONDS"] = str(statement_seconds)
    with progress() as show_progress, scratch() as server:
        rows = catalogue_speed.measure(server, skus, merges, show_progress)
    if as_json:
        typer.echo(json.dumps({"catalogue": rows}, indent=2))
    else:
        _print(
            "A large catalogue: seconds, and their ratio to a bare UPDATE",
            rows,
            ("what", "rows", "seconds", "rows_per_second", "bare_update_seconds", "ratio", "peak_mib"),
        )


def _nights(store_days: int, lines: int, statement_seconds: int, show_progress: Progress) -> Rows:
    with scratch() as server:
        return nights.measure(server, store_days, lines, statement_seconds, show_progress)


def _histories(chosen: Sequence[str], sizes: Sizes, statement_seconds: int, show_progress: Progress) -> Rows:
    with scratch() as server, Bench(server, statement_seconds, show_progress) as bench:
        rows: Rows = []
        for name in chosen:
            try:
                rows.extend(HISTORIES[name](bench, sizes))
            except PreparationFailed as error:
                rows.append({"history": name, "what": "preparation", "goal": "not finished", "error": str(error)})
        return rows


def _importing(paths: Sequence[Path], stores: int, lines: int, is_together: bool, is_empty_home: bool, show_progress: Progress) -> Rows:
    with scratch() as server:
        commands: list[tuple[str, Sequence[Path], str | None]]
        if not paths:
            commands = [
                (name, [folder], now) for name, folder, now in importing.generated(server.folder / "files", stores, lines, show_progress)
            ]
        elif is_together:
            commands = [(" + ".join(path.name for path in paths), paths, None)]
        else:
            commands = [(path.name, [path], None) for path in paths]
        return importing.measure(server, commands, is_empty_home, show_progress)


def _print_nights(rows: Rows) -> None:
    _print("Plain nights: seconds, and their ratio to the yardstick of as many processes as the product uses", rows, _NIGHT)
    _print("Their costs", rows, _NIGHT_COSTS)


def _print_histories(rows: Rows) -> None:
    _print("Histories: the ratio to the yardstick, compared with that of a plain night", rows, _HISTORY)
    if growth := [row for row in rows if "tables_mib" in row]:
        _print("Growth", growth, _GROWTH)
    for row in rows:
        if "error" in row:
            typer.echo(f"{row['history']}, {row['what']}: {row['error']}")


def _print_importing(rows: Rows) -> None:
    _print("aisleflow import: the whole command", rows, _IMPORT)
    for key, title in (("seconds", "Its seconds by step"), ("cpu_seconds", "Its processor seconds by step, the server's included")):
        split = [{"what": row["what"]} | {step: took[key] for step, took in row["steps"].items()} for row in rows]
        _print(title, split, list(split[0]))


def _print(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    shown = [column for column in columns if any(row.get(column) is not None for row in rows)]
    rounded = [{name: round(value, 2) if isinstance(value, float) else value for name, value in row.items()} for row in rows]
    typer.echo("")
    print_table(rounded, shown, title=title)


if __name__ == "__main__":
    app()
