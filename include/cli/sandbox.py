"""``aisleflow sandbox``: the four retailers' sites on localhost, and the comparison of published prices with their truth."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from include.cli import sandbox_faults
from include.cli.common import FAILED, JsonOption, domain, reported
from include.cli.output import print_json, say, say_error
from include.cli.sandbox_faults import UrlOption, sandbox_url
from include.embedded.layout import FIRST_SANDBOX_PORT
from sandbox.faults import FaultRegistry, read_scenario

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from sandbox.verify import PriceRow

app = typer.Typer(help="The retailers' sites on localhost, over a world whose prices are known.", no_args_is_help=True)
app.add_typer(sandbox_faults.app, name="fault")
app.command()(sandbox_faults.latency)
app.command()(sandbox_faults.requests)


@app.command()
def serve(
    world: Annotated[Literal["generated", "recorded"], typer.Option(help="Prices from a seed, or from recorded store-days.")] = "generated",
    port: Annotated[int, typer.Option(help="Port on this machine.")] = FIRST_SANDBOX_PORT,
    host: Annotated[str, typer.Option(help="Address to listen on; by default only this machine can connect.")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="Another seed is another world.")] = 7,
    stores: Annotated[int, typer.Option(help="Supermarkets per retailer.")] = 4,
    products: Annotated[int, typer.Option(help="Products per retailer, at most 33,000 (Aldi: 2,600).")] = 1500,
    silent_stores: Annotated[int, typer.Option(help="Aldi stores that are listed but list no products.")] = 0,
    folder: Annotated[Path | None, typer.Option(help="Store-days of a recorded world.")] = None,
    faults: Annotated[Path | None, typer.Option(help="A scenario of faults, TOML or JSON; see docs/sandbox.md.")] = None,
    latency_seconds: Annotated[float | None, typer.Option(min=0, help="Minimum duration of every response of a site.")] = None,
) -> None:
    """Serve the sites until stopped. Prices follow the installation's clock. `aisleflow night` starts a sandbox automatically."""
    from sandbox.generated import WorldSize
    from sandbox.serve import open_world, run

    with reported():
        opened = open_world(world, seed=seed, size=WorldSize(stores, products, silent_stores), folder=folder)
        book = read_scenario(faults) if faults else FaultRegistry()
        if latency_seconds is not None:
            book.latency_seconds = latency_seconds
        say_error(f"serving http://{host}:{port}/{{coles,woolworths,aldi,iga}}, the truth below /_sandbox; Ctrl-C stops")
        run(opened, port, host, book)


@app.command("verify")
def verify_prices(
    url: UrlOption = None,
    samples: Annotated[int, typer.Option(min=0, help="How many faults of each kind to show.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Compare every published price with the truth of its store and instant, and every barcode with the good. Exit code 1: they differ."""
    from include.readers.published import last_complete, stream_prices
    from sandbox.verify import HttpTruth, verify

    with domain(as_json) as (warehouse, _):
        truth = HttpTruth(sandbox_url(url))
        comparison = verify(cast("list[PriceRow]", stream_prices(warehouse)), truth, last_complete(warehouse), samples=samples)
    if as_json:
        print_json(asdict(comparison) | {"is_right": comparison.is_right})
    else:
        say(*comparison.lines())
    if not comparison.is_right:
        raise typer.Exit(FAILED)
