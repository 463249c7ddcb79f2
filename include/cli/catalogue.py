"""``aisleflow catalogue …``: which products are one."""

from __future__ import annotations

import getpass
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from include.catalogue.sku_name import SkuName
from include.cli import decisions, proposals
from include.cli.choices import ByOption, WhyOption
from include.cli.common import JsonOption, domain, known_retailer, reported
from include.cli.output import print_json, print_sections, print_table, progress, say
from include.errors import ConfigurationError

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.catalogue.sku_decisions import Decided

app = typer.Typer(no_args_is_help=True)
app.add_typer(proposals.app, name="proposals")
app.command("decisions")(decisions.list_decisions)


@app.callback()
def _group() -> None:
    """Which products are one."""


@app.command("match")
def match_(
    left: Annotated[
        Path, typer.Argument(help="A CSV file: columns id, name, and where known brand, size, price, unit_price, barcode, retailer.")
    ],
    right: Annotated[Path, typer.Argument(help="The other list, in the same form.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The CSV file to write: left_id, right_id, score, tier, method, reason.")],
    as_json: JsonOption = False,
) -> None:
    """Match two lists of products by brand, name and size. Needs no warehouse.

    Tier "automatic" may be joined as it is, "waiting" is worth a person's look. Each product is in one pair at most, and the order of rows does not matter.
    """
    with reported(as_json), progress() as show_progress:
        from include.catalogue.matching.csv_lists import read_list, write_matches
        from include.catalogue.matching.match import match

        if out.exists() and any(path.exists() and out.samefile(path) for path in (left, right)):
            raise ConfigurationError(f"{out} is one of the lists: give another file to write.")
        show_progress("reading the lists")
        lists = read_list(left), read_list(right)
        matches = match(*lists, progress=lambda name, done, total: show_progress.bar(name, done, total, f"{done:,} of {total:,}"))
        write_matches(out, matches)
    counts = Counter((found.tier.value, found.method.value) for found in matches)
    found = {
        "left": len(lists[0]), "right": len(lists[1]), "automatic_by_key": counts["automatic", "key"],
        "automatic_by_words": counts["automatic", "words"],
        "automatic_by_score": counts["automatic", "score"], "waiting": counts["waiting", "score"], "out": str(out),
    }  # fmt: skip
    if as_json:
        print_json(found)
        return
    say(
        f"{found['left']:,} and {found['right']:,} products: {found['automatic_by_key']:,} pairs by key, {found['automatic_by_words']:,} by words, {found['automatic_by_score']:,} by score, "
        f"{found['waiting']:,} wait for a person; written to {out}"
    )


@app.command()
def reconcile(
    all_: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Look at all SKUs, not only at those that changed since the last time, and end joins by score that are not found again.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find products that are one although no barcode says so: sure pairs are joined, unsure ones proposed; then write the translation tables.

    The DAG reconcile_catalogue does the same after each published night. Safe to repeat.
    """
    from include.catalogue.reconcile import reconcile as reconcile_
    from include.catalogue.tables import write_tables

    with domain(as_json) as (warehouse, storage):
        found = reconcile_(warehouse, is_complete=all_)
        tables = [str(table.name) for table in write_tables(warehouse, storage) if table.is_changed]
    if as_json:
        print_json(asdict(found) | {"tables": tables})
        return
    if not found.is_due:
        say("nothing has changed since the last reconciliation (--all looks at all SKUs)")
        return
    say(
        f"{found.joined:,} pair(s) joined by score, {found.ended:,} no longer, {found.proposed:,} proposed, {found.brands_joined:,} brand(s) joined; {found.moved:,} SKU(s) moved to another product",
        "review them: aisleflow catalogue decisions, aisleflow catalogue proposals",
        f"translation tables written: {', '.join(tables) or 'none has changed'}",
    )


@app.command("join")
def join_(
    left: Annotated[str, typer.Argument(metavar="RETAILER:SKU", help="A SKU, e.g. coles:3091126.")],
    right: Annotated[str, typer.Argument(metavar="RETAILER:SKU", help="The other SKU.")],
    reason: WhyOption,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the products of two SKUs one, in spite of different barcodes or sizes. `catalogue undo` takes it back."""
    from include.catalogue.sku_decisions import join

    one, other = _read(left), _read(right)
    with domain(as_json) as (warehouse, _):
        done = join(warehouse, one, other, by or getpass.getuser(), reason)
    _print(done, f"{one} and {other} are one product", as_json)


@app.command("separate")
def separate_(
    name: Annotated[str, typer.Argument(metavar="RETAILER:SKU", help="The SKU that is another good.")],
    reason: WhyOption,
    others: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RETAILER:SKU]...", help="The SKUs it differs from; by default all others of its product."),
    ] = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a SKU out of its product for ever, or keep two products apart: nothing joins or proposes the pair again. `catalogue undo` takes it back."""
    from include.catalogue.sku_decisions import separate

    wanted, rivals = _read(name), list(map(_read, others or ()))
    with domain(as_json) as (warehouse, _):
        done = separate(warehouse, wanted, rivals, by or getpass.getuser(), reason)
    _print(done, f"{wanted} is another good than {', '.join(map(str, rivals)) or 'all others of its product'}", as_json)


@app.command()
def undo(
    numbers: Annotated[
        list[int],
        typer.Argument(help="Numbers of decisions, as `catalogue decisions` lists them.", metavar="N..."),
    ],
    reason: WhyOption,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Undo decisions that SKUs or brands are one, or are not: every row is as without them, and their proposals wait again.

    A pair that the matcher joined is neither joined nor proposed by it again.
    """
    from include.catalogue.merges import undo as undo_

    with domain(as_json) as (warehouse, _):
        done = undo_(warehouse, numbers, by or getpass.getuser(), reason)
    if as_json:
        print_json(asdict(done))
        return
    say(f"{len(done.undone)} decision(s) undone; {done.moved} SKU(s) moved to another product", *done.undone_before)


@app.command("tables")
def tables_(
    write: Annotated[bool, typer.Option("--write", help="First write the tables that have changed.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the entries: variation and canonical.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the translation tables that crawlers use: brand and product key, each variation with its canonical.

    reconcile_catalogue writes them when a join or its undo has changed them; without a change nothing is written.
    """
    from include.catalogue.tables import list_entries, list_tables, write_tables

    with domain(as_json) as (warehouse, storage):
        changed = [str(table.name) for table in write_tables(warehouse, storage) if table.is_changed] if write else []
        found = list_tables(storage)
        entries = list_entries(storage) if show else []
    if as_json:
        print_json({"tables": found} | ({"changed": changed} if write else {}) | ({"entries": entries} if show else {}))
        return
    print_table(found, ("name", "entry_count", "rule_version", "written_at", "etag", "path"))
    if write:
        say(f"written: {', '.join(changed) or 'nothing, no table has changed'}")
    if show:
        print_table(entries, ("table", "variation", "canonical"), title="Entries")


@app.command("duplicates")
def duplicates_(
    rows: Annotated[int, typer.Option(min=1, help="Rows of each section.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Report what looks doubled or mixed up: products that share everything, barcodes of several products, reused and renumbered SKUs, products with several keys."""
    from include.diagnostics.duplicates import find_duplicates

    with domain(as_json) as (warehouse, _):
        found = find_duplicates(warehouse, rows)
    if as_json:
        print_json(found)
    else:
        print_sections("counts of everything; the sections below show a part", found)
        say(
            "One product after all (equal products, a renumbered SKU): aisleflow catalogue join A B --why '…'. Two goods in one: aisleflow catalogue separate A --why '…'.",
            "A barcode of several products: aisleflow barcodes conflicts. A reused SKU has left its former product by itself.",
        )


def _read(text: str) -> SkuName:
    name = SkuName.read(text)
    return SkuName(known_retailer(name.retailer), name.sku)


def _print(done: Decided, what: str, as_json: bool) -> None:
    if as_json:
        print_json(asdict(done))
    elif done.decision_id is None:
        say(f"nothing new: {what}, by an earlier decision")
    else:
        say(
            f"decision {done.decision_id}: {what}; {done.moved} SKU(s) moved to another product",
            f"To take it back: aisleflow catalogue undo {done.decision_id} --why '…'",
        )
