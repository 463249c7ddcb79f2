"""``aisleflow prices`` and ``coverage``: what a thing costs where, and how much of the world is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from include.cli.common import JsonOption, WideOption, domain, known_retailer
from include.cli.output import print_json, print_table, say

app = typer.Typer()

COVERAGE_COLUMNS = ("night", "retailer", "stores", "stores_inferred", "stores_known", "offers", "quarantine_share", "age_hours")
WIDE_COVERAGE_COLUMNS = ("held", "stores_newest")
PRICE_COLUMNS = ("product", "retailer", "price", "unit", "special", "stores", "age")
WIDE_PRICE_COLUMNS = ("inferred", "product_id", "stores_available", "oldest_at")


@app.command()
def prices(
    text: Annotated[str, typer.Argument(help='Words of the name and brand, and a size: "full cream milk 2l". -word leaves a word out.')],
    state: Annotated[str | None, typer.Option(help="Only stores of this state (NSW …).")] = None,
    near: Annotated[
        str | None, typer.Option(metavar="POSTCODE|STORE", help="Only stores around a postcode or a store (aldi:G102).")
    ] = None,
    within_km: Annotated[float, typer.Option(min=0, help="How far around --near, in kilometres.")] = 10,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of products.")] = 10,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Show what a product costs at every retailer: the price (from the cheapest to the dearest store), unit price, specials, and the age of the oldest price; with --wide also how many of the stores have it inferred from another one.

    Products that most retailers have come first. Prices older than AISLEFLOW_CURRENT_HOURS are shown only where there are no newer ones.
    """
    from include.readers.search import search_prices

    with domain(as_json) as (warehouse, _):
        found = search_prices(warehouse, text, state=state, near=near, within_km=within_km, products=limit)
    if as_json:
        print_json(found)
        return
    if found["stores"] is not None:
        say(f"{len(found['stores'])} stores within {within_km:g} km of {near}")
    if not found["products"]:
        about = ", ".join(filter(None, (found["words"], found["size"], found["state"])))
        say(f"no listed price of {about}: give fewer words, or no size")
        return
    print_table(
        [_row(product, price, is_first=price is product["prices"][0]) for product in found["products"] for price in product["prices"]],
        PRICE_COLUMNS, wide=WIDE_PRICE_COLUMNS, is_wide=wide,
    )  # fmt: skip


@app.command()
def coverage(
    retailer: Annotated[str | None, typer.Option(help="Only this retailer.")] = None,
    nights: Annotated[int, typer.Option(min=1, max=1000, help="How many nights, the newest first.")] = 14,
    chart: Annotated[Path | None, typer.Option(help="Also draw them into this file: .html, .svg or .png.")] = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Show per retailer and night how many stores of the known ones were published, their offers, the share of lines in quarantine, and the age of the prices."""
    from include.diagnostics.coverage import draw_coverage, summarise_coverage

    with domain(as_json) as (warehouse, _):
        rows = summarise_coverage(warehouse, known_retailer(retailer) if retailer else None, nights)
        if chart is not None:
            draw_coverage(rows, chart)
    if as_json:
        print_json(rows)
        return
    if rows:
        shown = [row | {"quarantine_share": f"{row['quarantine_share']:.1%}"} for row in rows]
        print_table(shown, COVERAGE_COLUMNS, wide=WIDE_COVERAGE_COLUMNS, is_wide=wide)
    else:
        say(f"nothing was staged in the last {nights} nights")
    if chart is not None:
        say(f"drawn into {chart}")


def _row(product: dict[str, Any], price: dict[str, Any], *, is_first: bool) -> dict[str, Any]:
    unit = price["unit_of_measure"]
    return price | {
        "product": _with_size(product["name"], product["size"]) if is_first else None,
        "product_id": product["product_id"],
        "price": _range(price["price_cents_min"] / 100, price["price_cents_max"] / 100)
        + ("" if price["price_basis"] == "each" else f" per {price['price_basis']}"),
        "unit": f"{_range(price['unit_price_min'], price['unit_price_max'])} / {unit}" if unit else None,
        "special": _special(price),
        "inferred": price["stores_inferred"] or None,
        "age": _age(price["age_hours"]) + ("" if price["is_current"] else ", old"),
    }  # fmt: skip


def _with_size(name: str, size: str | None) -> str:
    """Name and size of a product; a size that the name states is not repeated, however it is written."""
    from include.wording.size import split_size

    if not size or size.lower() in name.lower():
        return name
    stated = split_size(name)[1]
    return name if stated and stated == split_size(size)[1] else f"{name} {size}"


def _range(least: float, most: float) -> str:
    return f"${least:,.2f}" if f"{least:.2f}" == f"{most:.2f}" else f"${least:,.2f}-{most:,.2f}"


def _special(price: dict[str, Any]) -> str | None:
    """Return the reduced price's earlier one, and the best multi-buy offer of the stores."""
    several = f"{price['multi_buy_quantity']} for ${price['multi_buy_cents'] / 100:,.2f}" if price["multi_buy_cents"] else None
    return ", ".join(filter(None, (_reduced(price), several))) or None


def _reduced(price: dict[str, Any]) -> str | None:
    if not price["stores_on_special"]:
        return None
    was = f"was ${price['was_price_cents'] / 100:,.2f}" if price["was_price_cents"] else "yes"
    return was if price["stores_on_special"] == price["stores"] else f"{was} in {price['stores_on_special']}"


def _age(hours: float) -> str:
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
