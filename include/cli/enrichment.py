"""``aisleflow prefill``: a dry run of barcode prefill."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from include.cli.common import JsonOption, domain, known_retailer
from include.cli.output import print_json, say

app = typer.Typer()


@app.command()
def prefill(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A store-day file, packed or plain.")],
    retailer: Annotated[str, typer.Option(help="The retailer of the SKUs.")] = "coles",
    as_json: JsonOption = False,
) -> None:
    """Show which barcodes of the warehouse would be filled into a store-day file. Writes nothing."""
    from include.enrichment.prefill import preview_prefill

    with domain(as_json) as (warehouse, _):
        counts = preview_prefill(warehouse, known_retailer(retailer), file)
    if as_json:
        print_json(asdict(counts))
    else:
        say(
            f"{counts.lines} lines: {counts.with_barcode} have a barcode, {counts.filled} would be filled, {counts.without} are known to have none, "
            f"{counts.contested} are contested, {counts.unknown} are unknown"
        )
