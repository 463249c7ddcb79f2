"""``aisleflow groups …``: the store groups, one maintenance pass, an operator's hand."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from include.cli.common import JsonOption, WideOption, domain, known_retailer, reported
from include.cli.output import print_json, print_table, progress, say
from include.cli.store_days import RetailerOption, StoreArgument, known_store
from include.retailer_names import RETAILERS

app = typer.Typer(help="Store groups: which stores of a retailer charge the same prices (docs/grouping.md).", no_args_is_help=True)

GROUP_COLUMNS = ("retailer", "anchor", "stores", "states", "unverified", "flagged", "oldest_verified_at")
WIDE_GROUP_COLUMNS = ("group_id", "is_pinned", "anchor_complete_at")
HISTORY_COLUMNS = ("since_at", "until_at", "cause", "anchor", "is_pinned", "changed_by", "reason")
WIDE_HISTORY_COLUMNS = ("group_id", "is_anchor", "verified_at", "flagged_at")

ReasonOption = Annotated[str, typer.Option("--why", help="The reason; it is kept in the history.")]
ByOption = Annotated[str | None, typer.Option(help="Who decides; by default the current user.")]


@app.command()
def show(
    store: Annotated[str | None, typer.Argument(help="Show the history of this store: retailer:store_id, e.g. aldi:G102.")] = None,
    retailer: RetailerOption = None,
    show_all: Annotated[bool, typer.Option("--all", help="Include groups of one store.")] = False,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Show the groups with their anchors, or the history of one store with the reason of each change."""
    from include.crawling import discovery
    from include.groups import hand

    with domain(as_json) as (warehouse, _):
        if store is not None:
            name, store_id = known_store(store, retailer)
            rows = hand.list_history(warehouse, name, store_id)
            if not rows:
                discovery.require_store(warehouse, name, store_id)
        else:
            if retailer is not None:
                known_retailer(retailer)
            rows = hand.list_groups(warehouse, retailer, 1 if show_all else 2)
    if as_json:
        print_json(rows)
    elif store is not None:
        if rows:
            print_table(rows, HISTORY_COLUMNS, wide=WIDE_HISTORY_COLUMNS, is_wide=wide)
        else:
            say(f"{store} was in no group yet: `aisleflow groups maintain` groups confirmed stores")
    elif rows:
        print_table([row | {"states": " ".join(row["states"])} for row in rows], GROUP_COLUMNS, wide=WIDE_GROUP_COLUMNS, is_wide=wide)
    else:
        say("no two stores are in one group yet: `aisleflow groups maintain` compares them")


@app.command()
def maintain(
    retailer: Annotated[str | None, typer.Option(help="Only this retailer.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one maintenance pass: check the groups, request crawls, compare anchors, merge. Safe to repeat and to stop at any moment."""
    from include.groups import maintenance

    if retailer is not None and retailer not in RETAILERS:
        raise typer.BadParameter(f"unknown retailer {retailer!r}. Known: {', '.join(RETAILERS)}.")
    done: dict[str, dict[str, Any]] = {}
    with domain(as_json) as (warehouse, storage), progress() as show_progress:
        for name in [retailer] if retailer else RETAILERS:
            show_progress(f"{name}: groups")
            health = maintenance.check_health(warehouse, name)
            compared = maintenance.compare(warehouse, storage, name)
            merged = maintenance.merge(warehouse, name, compared.matches)
            done[name] = asdict(health) | asdict(compared) | {"matches": len(compared.matches)} | asdict(merged)
    if as_json:
        print_json(done)
    else:
        columns = ("retailer", "stores", "groups", "joined", "ejected", "verified", "stale", "requests", "compared")
        print_table([{"retailer": name} | counts for name, counts in done.items()], columns)


@app.command()
def split(
    store: StoreArgument, reason: ReasonOption, retailer: RetailerOption = None, by: ByOption = None, as_json: JsonOption = False
) -> None:
    """Move a store into a group of its own. An anchor hands over to the member with the newest prices of its own; pin a store that must stay alone."""
    from include.groups import hand

    with domain(as_json) as (warehouse, _):
        name, store_id = known_store(store, retailer)
        changed = hand.split_store(warehouse, name, store_id, by or getpass.getuser(), reason)
    _report(as_json, changed, f"{name}:{store_id} has a group of its own" + ("" if changed else " already"))


@app.command()
def pin(
    store: StoreArgument,
    reason: ReasonOption,
    retailer: RetailerOption = None,
    release: Annotated[bool, typer.Option("--release", help="End the pin.")] = False,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pin a store: maintenance merges its group with no other. A member whose prices differ from its anchor's leaves all the same."""
    from include.groups import hand

    with domain(as_json) as (warehouse, _):
        name, store_id = known_store(store, retailer)
        changed = hand.pin_store(warehouse, name, store_id, by or getpass.getuser(), reason, is_pinned=not release)
    _report(as_json, changed, f"{name}:{store_id} is {'not pinned' if release else 'pinned'}" + ("" if changed else " already"))


@app.command()
def reset(
    reason: ReasonOption,
    retailer: Annotated[str, typer.Option(help=f"One of {', '.join(RETAILERS)}.")],
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make all groups of a retailer anew from nothing: every store is alone, and the next pass compares all pairs again."""
    from include.groups import hand

    with domain(as_json) as (warehouse, storage):
        left = hand.reset(warehouse, storage, known_retailer(retailer), by or getpass.getuser(), reason)
    _report(as_json, left > 0, f"stores of {retailer} that left their groups: {left}; every store is alone", stores=left)


@app.command()
def simulate(
    directory: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder with a directory of stores; without it an invented one.")
    ] = None,
    nights: Annotated[int, typer.Option(min=1, help="Nights to simulate.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same output.")] = 1,
    budget: Annotated[int, typer.Option(min=1, help="Stores crawled a night and retailer.")] = 200,
    verification_nights: Annotated[int, typer.Option(min=1, help="Each member is verified once in so many nights.")] = 14,
    failure_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of crawls that fail for a whole night, retries included.")
    ] = 0.01,
    split_night: Annotated[int, typer.Option(min=1, help="Night on which a price zone of Woolworths splits.")] = 20,
    chart: Annotated[Path | None, typer.Option(help="Draw the nights into this file: .html, .svg or .png.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate the groups of many stores over many nights, without network or warehouse, and judge them against the known truth."""
    from include.diagnostics.coverage import check_target, draw_nights
    from include.groups.simulated_world import World
    from include.groups.simulation import Simulation, summarise
    from include.groups.simulation import simulate as run

    with reported(as_json), progress() as show_progress:
        if chart is not None:
            check_target(chart)
        plan = Simulation(
            seed=seed, nights=nights, budget=budget, verification_nights=verification_nights, failure_share=failure_share, world=World(split_night=split_night)
        )  # fmt: skip
        rows = run(plan, _directory(directory) if directory else None, show_progress)
        result = asdict(summarise(rows, plan))
        if chart is not None:
            panels = (
                ("groups", "groups", "d", 1), ("crawled", "stores crawled", "d", 1), ("saved_share", "crawls saved", ".0%", 0.1),
                ("wrong_share", "inferred prices that are wrong", ".2%", 0.0001),
            )  # fmt: skip
            draw_nights([asdict(row) | {"night": row.night_on} for row in rows], panels, "Simulated store groups", chart)
    if as_json:
        print_json({"result": result, "nights": [asdict(row) for row in rows]})
        return
    columns = ("night", "retailer", "groups", "crawled", "deferred", "saved", "wrong", "false_merges", "mixed_nights")
    print_table([asdict(row) | {"saved": f"{row.saved_share:.1%}", "wrong": f"{row.wrong_share:.3%}"} for row in rows], columns)
    say(
        f"after night {result['settled_after']}: Coles, Woolworths and Aldi save {result['saved_share']:.1%} of the crawls, IGA {result['iga_saved_share']:.1%}"
    )
    say(f"{result['wrong_share']:.3%} of the inferred prices are wrong; {result['false_merges']} stores joined a group of another zone")
    if result["noticed_after"] is None:
        say(f"no store left its group after the split of night {split_night}")
    else:
        repaired = "not repaired yet" if result["repaired_after"] is None else f"repaired {result['repaired_after']} nights later"
        say(f"the split of night {split_night} was noticed after {result['noticed_after']} nights and {repaired}")


def _directory(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Return (store id, state) of the supermarkets of a directory, by retailer."""
    from include.crawling.directory import read_directory
    from include.crawling.runs import is_crawlable

    found: dict[str, list[tuple[str, str]]] = {}
    for store, _ in read_directory(folder, is_crawlable):
        if store.is_supermarket:
            found.setdefault(store.retailer, []).append((store.store_id, store.state or ""))
    return found


def _report(as_json: bool, changed: bool, text: str, **more: Any) -> None:
    if as_json:
        print_json({"changed": changed} | more)
    else:
        say(text)
