"""``aisleflow store …``: the store-days of one store, and their retraction."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from include.cli.common import NEEDS_PERSON, JsonOption, WideOption, domain
from include.cli.output import local_time, print_json, print_table, say
from include.errors import ConfigurationError
from include.retailer_names import RETAILERS

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.ingestion.retract import RetractionResult

#: Joins the group ``aisleflow store`` (``include/cli/stores.py``).
app = typer.Typer()

StoreArgument = Annotated[
    str, typer.Argument(help="The store as retailer:store_id, e.g. aldi:G102 or coles:COL:401; or its id with --retailer.")
]
RetailerOption = Annotated[str | None, typer.Option(help="Its retailer, if only the store id is given.")]
_SHOWN = 20
FILE_COLUMNS = ("file_id", "night", "rows", "is_complete", "state", "created", "state_reason")
WIDE_FILE_COLUMNS = ("observed_at", "updated", "delisted")


@app.command()
def files(store: StoreArgument, retailer: RetailerOption = None, as_json: JsonOption = False, wide: WideOption = False) -> None:
    """List the store-days of a store with their states, the newest first."""
    from include.crawling import discovery
    from include.ledger.files import list_store

    with domain(as_json) as (warehouse, _):
        name, store_id = known_store(store, retailer)
        found = list_store(warehouse, name, store_id)
        if not found:
            discovery.require_store(warehouse, name, store_id)
    if as_json:
        print_json(found)
    elif found:
        print_table(found, FILE_COLUMNS, wide=WIDE_FILE_COLUMNS, is_wide=wide)
    else:
        say(f"the ledger has no store-day of {name}:{store_id}")


@app.command()
def retract(
    store: StoreArgument,
    file_id: Annotated[int, typer.Argument(help="Ledger id of the published store-day, as `aisleflow store files` lists it.")],
    reason: Annotated[str, typer.Option("--why", help="The reason; it is stored in the ledger.")],
    retailer: RetailerOption = None,
    by: Annotated[str | None, typer.Option(help="Who decides; by default the current user.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Retract a published store-day: its prices are restored from the archive as if it had never been published.

    Products, SKUs and barcodes stay. A price without a known predecessor is delisted and marked (exit code 3).
    """
    from include.ingestion.retract import retract as retract_store_day

    with domain(as_json) as (warehouse, storage):
        name, store_id = known_store(store, retailer)
        done = retract_store_day(warehouse, storage, name, store_id, file_id, by or getpass.getuser(), reason)
    if as_json:
        print_json(asdict(done))
    else:
        _print(f"{name}:{store_id}", done)
    raise typer.Exit(NEEDS_PERSON if done.unknown else 0)


def known_store(store: str, retailer: str | None) -> tuple[str, str]:
    """Return (retailer, store id) of a store given on the command line.

    Raises:
        ConfigurationError: it names no known retailer.
    """
    first, colon, rest = store.partition(":")
    name, store_id = (retailer, store) if retailer else (first, rest)
    if retailer and first == retailer and colon:
        store_id = rest
    if name not in RETAILERS or not store_id:
        raise ConfigurationError(f"store {store!r}: give it as retailer:store_id, e.g. aldi:G102; retailers: {', '.join(RETAILERS)}.")
    return name, store_id


@app.command()
def request(
    store: StoreArgument,
    reason: Annotated[str, typer.Option("--why", help="The reason; the plan shows it.")],
    retailer: RetailerOption = None,
    by: Annotated[str | None, typer.Option(help="Who requests it; by default the current user.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Request that a store is crawled first: the next night's plan begins with it, until a crawl of it is complete."""
    from include.crawling import discovery
    from include.crawling.crawl_requests import request_stores

    with domain(as_json) as (warehouse, _):
        name, store_id = known_store(store, retailer)
        discovery.require_store(warehouse, name, store_id)
        with warehouse.transaction() as connection:
            is_new = request_stores(connection, name, {store_id: reason}, by or getpass.getuser()) > 0
    if as_json:
        print_json({"requested": is_new})
    else:
        say(f"{name}:{store_id} is requested" if is_new else f"{name}:{store_id} was requested before; that request stays")


def _print(store: str, done: RetractionResult) -> None:
    if done.earlier_retraction:
        say(f"file {done.file_id} of {store} was already retracted: {done.earlier_retraction}")
        return
    newest = (
        f"its newest complete store-day is of {local_time(done.complete_at)}" if done.complete_at else "it has no complete store-day now"
    )
    say(f"file {done.file_id} of {store} is retracted; {newest}")
    say(
        f"  {done.restored} prices restored from the archive, {done.relisted} listed as before, {done.withdrawn} first seen in it withdrawn"
    )
    if done.unknown:
        skus = ", ".join(done.unknown_skus[:_SHOWN]) + (f" and {done.unknown - _SHOWN} more" if done.unknown > _SHOWN else "")
        say(f"  {done.unknown} withdrawn: the previous price is no longer in the archive: SKU {skus}")
        say(f"  no longer archived: file {', '.join(map(str, done.missing_files))}. The store's next crawl restores these prices.")
    if done.outdated_files:
        say(f"  file {', '.join(map(str, done.outdated_files))} were older than this one and published no prices; the next crawl will.")
