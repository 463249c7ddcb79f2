"""``aisleflow inspect product|store|file``: everything known about one thing, by section."""

from __future__ import annotations

from typing import Annotated

import typer

from include.cli.common import JsonOption, domain
from include.cli.output import print_json, print_sections
from include.cli.store_days import known_store

#: Joins the group ``aisleflow inspect`` (``include/cli/inspect.py``).
app = typer.Typer()


@app.command()
def product(
    which: Annotated[
        str, typer.Argument(metavar="ID|RETAILER:SKU|TEXT", help="A product's number, one of its SKUs, or words of its name.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Show a product: its SKUs with what joined them, barcodes and keys with where they come from, prices, and what moved."""
    from include.diagnostics.inspect_product import inspect_product

    with domain(as_json) as (warehouse, _):
        found = inspect_product(warehouse, which)
    if as_json:
        print_json(found)
    elif "products" in found:
        print_sections("several products; give the number of one", found)
    else:
        print_sections(f"product {found['product']['product_id']}: {found['product']['name']}", found)


@app.command()
def store(
    which: Annotated[str, typer.Argument(metavar="RETAILER:STORE", help="The store, e.g. aldi:G102 or coles:COL:401.")],
    as_json: JsonOption = False,
) -> None:
    """Show a store: what is known of it, its prices, groups, last crawls and store-days."""
    from include.diagnostics.inspect_store import inspect_store

    with domain(as_json) as (warehouse, _):
        found = inspect_store(warehouse, *known_store(which, None))
    if as_json:
        print_json(found)
    else:
        print_sections(f"{found['store']['retailer']}:{found['store']['store_id']}: {found['store']['name'] or 'no name'}", found)


@app.command("file")
def file_(
    which: Annotated[
        str, typer.Argument(metavar="ID|PATH|HASH", help="A staged file: its number in the ledger, its path, or 12 digits of its hash.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Show a staged file: its state and counts, manifest, checks, refused lines and decisions."""
    from include.diagnostics.inspect_file import inspect_file

    with domain(as_json) as (warehouse, _):
        found = inspect_file(warehouse, which)
    if as_json:
        print_json(found)
    elif "files" in found:
        print_sections("several files with this content; give the number of one", found)
    else:
        print_sections(f"file {found['file']['file_id']} of {found['file']['retailer']}:{found['file']['store_id']}", found)
