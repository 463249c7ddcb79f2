"""``aisleflow crawl`` and ``reread``: one store without Airflow, and landed pages again with the current adapter."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include import clock
from include.cli.common import DAY, FAILED, JsonOption, WideOption, domain
from include.cli.output import print_json, print_table, progress, say
from include.errors import TerminalError

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.staging.landing import LandedRun
    from include.staging.storage import Storage

app = typer.Typer()

RetailerArgument = Annotated[str, typer.Argument(help="The retailer's slug, e.g. coles.")]
NightOption = Annotated[date | None, typer.Option(**DAY, help="The night the store-day belongs to.")]
COLUMNS = ("store_id", "night", "rows", "pages", "requests", "complete")


@app.command()
def crawl(
    retailer: RetailerArgument,
    store: Annotated[str, typer.Argument(help="The store's id, as `aisleflow store list` shows it.")],
    pages: Annotated[int | None, typer.Option(min=1, help="Development: at most this number of pages per category.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="Only this category, by name or key; may be repeated.")] = None,
    night: NightOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Request all pages again, including recently landed ones.")] = False,
    state: Annotated[
        str | None, typer.Option(help="State of a store that discovery has not found (NSW …); without it an unknown store is an error.")
    ] = None,
    online_store_id: Annotated[str | None, typer.Option(help="Web shop id of a store that discovery has not found.")] = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Crawl one store and stage its store-day; the sweep has it ingested. No request is sent to a live site unless AISLEFLOW_ALLOW_LIVE is set.

    A second call within six hours resumes from the landed pages. With --pages or --category the store-day is incomplete:
    its prices are valid, and it delists nothing.
    """
    from include.crawling import discovery, runs, sessions
    from include.crawling.crawl_run import CrawlRun, CrawlSubset
    from include.crawling.postgres_limiter import PostgresRequestLimiter
    from include.model.store import StoreRef
    from include.retailers.registry import retailer_of

    with domain(as_json) as (warehouse, storage), progress() as show_progress:
        adapter = retailer_of(retailer)
        known = (discovery.known_store if state else discovery.require_store)(warehouse, adapter.name, store)
        on = night or clock.night_of(clock.now())
        run_key = f"cli_{clock.now():%Y%m%dT%H%M%S}" if fresh else "cli"
        scope = f"{run_key}_{on.isoformat()}"
        run = CrawlRun(
            retailer=adapter,
            store=known or StoreRef(adapter.name, store, None, state.upper() if state else None, online_store_id),
            night=on,
            run_key=run_key,
            scope=scope,
            limiter=PostgresRequestLimiter(warehouse, adapter.name, scope),
            session=sessions.in_force(adapter.name, sessions.find(warehouse.settings.home, adapter.name)),
            storage=storage,
            settings=warehouse.settings,
            subset=CrawlSubset(pages, tuple(category or ())),
            progress=show_progress,
        )
        outcome = runs.crawl(warehouse, run)
    _report([outcome], as_json, wide)
    if not outcome["complete"] and not (pages or category):
        raise typer.Exit(FAILED)


@app.command()
def reread(
    retailer: RetailerArgument,
    store: Annotated[str | None, typer.Argument(help="Only this store; by default every store with landed pages of the night.")] = None,
    night: NightOption = None,
    run: Annotated[
        str | None, typer.Option(help="Only pages of this run, by its key; by default the last run of each store and night.")
    ] = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Read landed pages again with the current adapter, without a request, and stage the store-days again.

    A reread keeps the instants of its pages: it corrects the prices of that crawl, never a newer one. Without --night the last
    landed night of each store is read.
    """
    from include.crawling import discovery, runs
    from include.crawling.crawl_run import CrawlRun
    from include.model.store import StoreRef
    from include.retailers.registry import retailer_of
    from include.staging.storage import run_key_of

    with domain(as_json) as (warehouse, storage), progress() as show_progress:
        adapter = retailer_of(retailer)
        done = []
        for landed in _chosen(storage, adapter.name, store, night, run):
            again = CrawlRun(
                retailer=adapter,
                store=discovery.known_store(warehouse, adapter.name, landed.store_id) or StoreRef(adapter.name, landed.store_id),
                night=landed.night,
                run_key=run_key_of(landed.run_key[-60:], "reread", adapter.version),
                limiter=None,
                storage=storage,
                settings=warehouse.settings,
                progress=show_progress,
            )
            done.append(runs.reread(warehouse, again, landed.run_key))
    _report(done, as_json, wide)


def _chosen(storage: Storage, retailer: str, store: str | None, night: date | None, run_key: str | None) -> list[LandedRun]:
    """Return the landed store-days to read: the newest matching one of each store."""
    from include.staging.landing import landed_runs

    newest: dict[str, LandedRun] = {}
    for found in landed_runs(storage, retailer, store, night):
        if run_key is None or found.run_key == run_key:
            before = newest.get(found.store_id)
            if before is None or (found.night, _started_at(storage, retailer, found)) >= (
                before.night,
                _started_at(storage, retailer, before),
            ):
                newest[found.store_id] = found
    if not newest:
        asked = ", ".join(part for part in (store, f"night {night}" if night else None, f"run {run_key}" if run_key else None) if part)
        raise TerminalError(
            f"{retailer}: nothing is landed{f' for {asked}' if asked else ''}. Pages are kept for AISLEFLOW_LANDING_DAYS; "
            f"landed are: {', '.join(f'{one.store_id} {one.night} {one.run_key}' for one in list(landed_runs(storage, retailer))[-5:]) or 'none'}."
        )
    return list(newest.values())


def _started_at(storage: Storage, retailer: str, run: LandedRun) -> datetime:
    from include.model.store import StoreRef
    from include.staging.landing import Landing

    return Landing.open_existing(storage, StoreRef(retailer, run.store_id), run.night, run.run_key).started_at


def _report(done: list[dict[str, Any]], as_json: bool, is_wide: bool) -> None:
    if as_json:
        print_json(done[0] if len(done) == 1 else done)
        return
    print_table(done, COLUMNS, wide=("manifest",), is_wide=is_wide)
    for outcome in done:
        if outcome["incomplete_reason"]:
            say(f"{outcome['store_id']} is incomplete: {outcome['incomplete_reason']}")
