"""``aisleflow sandbox``: the four retailers' sites on localhost, and published prices against their truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec
import typer

from include.errors import AisleflowError, ConfigurationError
from include.sandbox.generated import WorldSize
from include.sandbox.serve import open_world, run
from include.sandbox.verify import PriceRow, StoreKey, TruthOverHttp, verify

#: Returns the published rows, ordered by retailer and store, and the instant of each store's last complete store-day.
ReadRows = Callable[[], tuple[Iterable[PriceRow], Mapping[StoreKey, datetime]]]

DEFAULT_PORT = 8700


def _no_warehouse() -> NoReturn:
    raise ConfigurationError("no warehouse is connected to this command. Run it as: aisleflow sandbox verify.")


def app_with(read_rows: ReadRows) -> typer.Typer:
    """Return the commands, with ``read_rows`` as the way to the published prices."""
    commands = typer.Typer(help="The four retailers' sites on localhost, over a world whose prices are known.", no_args_is_help=True)

    @commands.command("serve")
    def serve(
        world: Annotated[
            Literal["generated", "recorded"], typer.Option(help="prices from a seed, or from recorded store-days")
        ] = "generated",
        port: Annotated[int, typer.Option(help="port on this machine")] = DEFAULT_PORT,
        host: Annotated[str, typer.Option(help="address to listen on; only this machine by default")] = "127.0.0.1",
        seed: Annotated[int, typer.Option(help="another seed is another world")] = 7,
        stores: Annotated[int, typer.Option(help="supermarkets per retailer")] = 4,
        products: Annotated[int, typer.Option(help="products per retailer (Aldi has at most 2600)")] = 1500,
        silent_stores: Annotated[int, typer.Option(help="Aldi stores that are listed but answer nothing")] = 0,
        folder: Annotated[Path | None, typer.Option(help="store-days of a recorded world")] = None,
    ) -> None:
        """Serve the sites until stopped. The installation's clock moves the prices."""
        with _errors_in_words():
            opened = open_world(world, seed=seed, size=WorldSize(stores, products, silent_stores), folder=folder)
            typer.echo(f"serving http://{host}:{port}/{{coles,woolworths,aldi,iga}}, the truth below /_sandbox; Ctrl-C stops", err=True)
            run(opened, port, host)

    @commands.command("verify")
    def verify_prices(
        url: Annotated[str, typer.Option(help="address of the running sandbox")] = f"http://127.0.0.1:{DEFAULT_PORT}",
        samples: Annotated[int, typer.Option(min=0, help="how many faults of each kind to show")] = 5,
        as_json: Annotated[bool, typer.Option("--json", help="print the verdict as JSON")] = False,
    ) -> None:
        """Compare every published price with the truth of its store and instant. Exit code 1: they differ."""
        with _errors_in_words():
            rows, observed = read_rows()
            verdict = verify(rows, TruthOverHttp(url), observed, samples=samples)
        if as_json:
            typer.echo(msgspec.json.encode(asdict(verdict) | {"is_right": verdict.is_right}).decode())
        else:
            typer.echo("\n".join(verdict.lines()))
        raise typer.Exit(0 if verdict.is_right else 1)

    return commands


@contextmanager
def _errors_in_words() -> Iterator[None]:
    """End the command with the error's own words: exit code 2 for a wrong setting, else 1."""
    try:
        yield
    except AisleflowError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2 if isinstance(error, ConfigurationError) else 1) from error


app = app_with(_no_warehouse)
