"""``aisleflow inspect …``: everything known about one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from include.cli import inspect_things
from include.cli.common import JsonOption, domain, known_retailer
from include.cli.output import print_json, print_sections, print_table, say

app = typer.Typer(no_args_is_help=True)
app.add_typer(inspect_things.app)

_VETOES = {
    "own_label": "a private label is sold by its own retailer only",
    "barcode": "both have valid barcodes, and none in common",
    "size": "their sizes differ",
}


@app.callback()
def _group() -> None:
    """Everything known about one thing, and where it came from."""


@app.command("match")
def match_(
    left: Annotated[str, typer.Argument(metavar="RETAILER:SKU", help="A SKU of the warehouse, e.g. coles:3091126.")],
    right: Annotated[str, typer.Argument(metavar="RETAILER:SKU", help="The other SKU.")],
    as_json: JsonOption = False,
) -> None:
    """Show why two SKUs are one product, or not: vetoes, score, what speaks for and against it, and the best rivals of either."""
    from include.catalogue.matching.inspecting import inspect_match
    from include.catalogue.sku_name import SkuName

    with domain(as_json) as (warehouse, _):
        found = inspect_match(warehouse, SkuName.read(left), SkuName.read(right))
    if as_json:
        print_json(found)
        return
    print_table([found["left"], found["right"]], ("retailer", "sku", "brand", "name", "size", "product_id", "joined_by"))
    say(*_sentences(found))
    print_table(found["features"], ("feature", "value", "log_odds"), title="What speaks for (positive) and against it")
    if found["rivals"]:
        print_table(found["rivals"], ("left", "right", "score", "reason"), title="Best rivals of either")


@app.command("sku")
def sku_(
    name: Annotated[str, typer.Argument(metavar="RETAILER:SKU", help="A SKU, e.g. coles:3091126.")],
    as_json: JsonOption = False,
) -> None:
    """Show a SKU: its product and the other SKUs of it, the barcodes claimed and their sources, look-ups, decisions, moves between products."""
    from include.catalogue.sku_name import SkuName
    from include.diagnostics.inspect_catalogue import inspect_sku

    wanted = SkuName.read(name)
    with domain(as_json) as (warehouse, _):
        found = inspect_sku(warehouse, known_retailer(wanted.retailer), wanted.sku)
    _print(found, f"SKU {wanted}", as_json)


@app.command("barcode")
def barcode_(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A barcode in any form: 8, 12, 13 or 14 digits.")],
    as_json: JsonOption = False,
) -> None:
    """Show a barcode: its product and SKUs, who claims it and where that was found, look-ups, decisions, moves between products."""
    from include.diagnostics.inspect_catalogue import inspect_barcode

    with domain(as_json) as (warehouse, _):
        found = inspect_barcode(warehouse, code)
    _print(found, f"barcode {code}", as_json)


def _print(found: Mapping[str, Sequence[Mapping[str, Any]]], name: str, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        print_sections(name, found)


def _sentences(found: dict[str, Any]) -> list[str]:
    state = "one product" if found["is_one_product"] else "two products"
    lines = [f"in the warehouse: {state}"]
    if found["shared_barcodes"]:
        lines.append(f"shared barcodes: {', '.join(found['shared_barcodes'])}")
    if found["veto"]:
        lines.append(f"never joined by text: {_VETOES[found['veto']]}")
    else:
        lines.append(f"by text: {found['tier']}, probability {found['score']:.3f}")
    return [*lines, f"texts: {found['reason']}"]
