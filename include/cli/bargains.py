"""``aisleflow bargains``: products whose cheapest current price is far below their dearest."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from include.cli.common import JsonOption, domain
from include.cli.output import print_json, print_table, say

app = typer.Typer()

COLUMNS = ("product", "saving", "cheapest", "dearest")


@app.command()
def bargains(
    state: Annotated[str | None, typer.Option(help="Compare the stores of this state only (NSW …).")] = None,
    retailer: Annotated[str | None, typer.Option(help="Only where the cheapest store is this retailer's.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many, the largest saving first.")] = 20,
    publish: Annotated[bool, typer.Option("--publish", help="Publish them anew from the present prices first, with their files.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the published bargains: the cheapest and the dearest store of each product, with unit price and multi-buy offer.

    A price marked with * is inferred from the anchor of the store's group.
    """
    from include.bargains.reading import find_bargains

    with domain(as_json) as (warehouse, storage):
        if publish:
            from include import clock
            from include.bargains.exporting import export_bargains
            from include.bargains.publish import publish_bargains

            publish_bargains(warehouse, clock.night_of(clock.now()))
            export_bargains(warehouse, storage)
        found = find_bargains(warehouse, state, retailer, top)
    if as_json:
        print_json(found)
        return
    run, rows = found["publication"], found["bargains"]
    if run is None:
        say("no bargains are published yet: `aisleflow bargains --publish`, or the DAG publish_bargains")
        return
    if rows:
        print_table([_row(row) for row in rows], COLUMNS)
    else:
        where = "all stores" if state is None else f"the stores of {found['area']}"
        say(
            f"no product costs much less in one store than in another, of {where}"
            + (f" with {retailer} as the cheapest" if retailer else "")
        )
    for line in _about(run):
        say(line)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    name = row["name"] if not row["size"] or row["size"].lower() in row["name"].lower() else f"{row['name']} {row['size']}"
    return {
        "product": name, "saving": f"{row['saving_share']:.0%}", "cheapest": _side(row, "cheapest"), "dearest": _side(row, "dearest"),
    }  # fmt: skip


def _side(row: dict[str, Any], side: str) -> str:
    """Return price, unit price, multi-buy offer and store of one side."""
    of = {name.removeprefix(f"{side}_"): value for name, value in row.items() if name.startswith(f"{side}_")}
    price = f"${of['price_cents'] / 100:,.2f}" + ("" if of["price_basis"] == "each" else f" per {of['price_basis']}")
    price += "*" if of["source"] == "inferred" else ""
    unit = f"${of['unit_price']:,.2f}/{of['unit_of_measure']}" if of["unit_of_measure"] and of["unit_price"] is not None else None
    several = f"{of['multi_buy_quantity']} for ${of['multi_buy_cents'] / 100:,.2f}" if of["multi_buy_cents"] else None
    return f"{of['retailer']}:{of['store_id']} " + ", ".join(filter(None, (price, unit, several)))


def _about(run: dict[str, Any]) -> list[str]:
    lines = [
        f"published {run['published_at'].astimezone():%Y-%m-%d %H:%M %Z} for the night of {run['night']}: {run['bargains']:,} bargains in all areas, "
        f"of {run['products']:,} products with current prices"
    ]
    if run["implausible"]:
        lines.append(
            f"{run['implausible']:,} spreads are implausible and left out: rather a wrong price than a bargain (AISLEFLOW_BARGAIN_SAVING_MAX)"
        )
    if run["missing"]:
        lines.append(
            "missing in that night: " + ", ".join(f"{one['retailer']} ({one['state'].replace('_', ' ')})" for one in run["missing"])
        )
    return lines
