"""``aisleflow barcodes report``: how many SKUs have a barcode, and what each night gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from include.cli.common import JsonOption, WideOption, domain, known_retailer
from include.cli.output import print_json, print_table, say

app = typer.Typer()

_NIGHT_COLUMNS = ("night", "retailer", "share", "from_lines", "from_look_ups", "joined", "requests_per_sku")
_WIDE_NIGHT_COLUMNS = ("skus", "with_barcode", "requests", "asked", "requests_per_barcode")
#: Part of the report → its columns, further ones with --wide, and its title.
_PARTS = {
    "retailers": (
        ("retailer", "skus", "with_barcode", "share", "product_with_barcode", "open_conflicts"),
        ("conflicts",),
        "SKUs with a barcode of their own",
    ),
    "nights": (_NIGHT_COLUMNS, _WIDE_NIGHT_COLUMNS, "What each night gained, in SKUs"),
    "categories": (("retailer", "category", "skus", "with_barcode", "share"), (), "Categories with most SKUs without a barcode"),
    "stores": (("retailer", "store_id", "name", "skus", "with_barcode", "share"), (), "Stores with the lowest share"),
}
#: Rows of a part without --wide.
_ROWS = 20


@app.command()
def report(
    retailer: Annotated[str | None, typer.Option(help="Only this retailer.")] = None,
    nights: Annotated[int, typer.Option(min=1, max=1000, help="How many nights, the newest first.")] = 14,
    chart: Annotated[Path | None, typer.Option(help="Also draw the nights into this file: .html, .svg or .png.")] = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Show how many SKUs have a barcode, by retailer, category and store, and what each night gained, asked and joined."""
    from include.diagnostics.barcodes import draw_barcodes, report_barcodes

    with domain(as_json) as (warehouse, _):
        found = report_barcodes(warehouse, known_retailer(retailer) if retailer else None, nights)
        if chart is not None:
            draw_barcodes(found["nights"], chart)
    if as_json:
        print_json(found)
        return
    print_report(found, is_wide=wide)
    if chart is not None:
        say(f"drawn into {chart}")


def print_report(found: Mapping[str, Sequence[Mapping[str, Any]]], *, is_wide: bool) -> None:
    """Print the parts of a report that have rows."""
    if not found["retailers"]:
        say("no SKU is known yet")
    for part, (columns, more, title) in _PARTS.items():
        rows = [row | {"share": None if row["share"] is None else f"{row['share']:.1%}"} for row in map(dict, found[part])]
        if rows:
            print_table(rows if is_wide else rows[:_ROWS], columns, wide=more, is_wide=is_wide, title=title)
            say(*([] if is_wide or len(rows) <= _ROWS else [f"… and {len(rows) - _ROWS} more: --wide"]), "")


def print_gains(rows: Sequence[Mapping[str, Any]], *, is_wide: bool) -> None:
    """Print what one night gained."""
    if rows:
        say("")
        shown = [dict(row) | {"share": f"{row['share'] or 0:.1%}"} for row in rows]
        print_table(shown, _NIGHT_COLUMNS[1:], wide=_WIDE_NIGHT_COLUMNS, is_wide=is_wide, title="Barcodes, in SKUs")
