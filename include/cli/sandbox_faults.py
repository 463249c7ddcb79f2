"""``aisleflow sandbox fault|latency|requests``: faults and request counts of the running sandbox."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from include.cli.common import JsonOption, WideOption, reported
from include.cli.output import print_json, print_table, say
from include.embedded.layout import FIRST_SANDBOX_PORT
from sandbox.faults import KINDS

app = typer.Typer(help="Fault injection into the running sandbox.", no_args_is_help=True)

REQUEST_COLUMNS = ("retailer", "purpose", "store_id", "status", "requests")

UrlOption = Annotated[str | None, typer.Option(help="Address of the running sandbox; by default this installation's.")]


def sandbox_url(url: str | None = None) -> str:
    """Return the given address, else that of this installation's sandbox, else the default one."""
    from include.config import settings
    from include.embedded.sandbox import saved_sandbox

    before = saved_sandbox(settings().home)
    return url or (before[1] if before else f"http://127.0.0.1:{FIRST_SANDBOX_PORT}")


@app.command()
def add(
    kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(KINDS)}.")],
    retailer: Annotated[str | None, typer.Option(help="Only this retailer's site.")] = None,
    store: Annotated[str | None, typer.Option(help="Only requests for this store id.")] = None,
    purpose: Annotated[
        str | None, typer.Option(help="Only home, tree, listing, search, detail, barcodes, promotions or stores, or a handler's name.")
    ] = None,
    nth: Annotated[int | None, typer.Option(help="Only the n-th of these requests.")] = None,
    since: Annotated[int | None, typer.Option(help="The n-th of these requests and all later ones.")] = None,
    times: Annotated[int | None, typer.Option(help="At most this number of times.")] = None,
    share: Annotated[float | None, typer.Option(help="This part of the requests, e.g. 0.1.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the selection by share.")] = None,
    seconds: Annotated[float | None, typer.Option(help="slow, trickle: duration.")] = None,
    status: Annotated[int | None, typer.Option(help="error, wall: the status.")] = None,
    retry_after: Annotated[int | None, typer.Option(help="too_many, error: seconds in Retry-After.")] = None,
    http_date: Annotated[bool | None, typer.Option("--http-date", help="Write Retry-After as a date.")] = None,
    field: Annotated[str | None, typer.Option(help="renamed_field, price_text, price_times_100: the field.")] = None,
    to: Annotated[str | None, typer.Option(help="renamed_field: the new name.")] = None,
    rows: Annotated[float | None, typer.Option(help="The same: the share of the products.")] = None,
    category: Annotated[str | None, typer.Option(help="category_gone: part of its name.")] = None,
    part: Annotated[float | None, typer.Option(help="cut, tenth: the remaining part.")] = None,
    content_type: Annotated[str | None, typer.Option(help="content_type: the value to send.")] = None,
    session: Annotated[str | None, typer.Option(help="wall: the cookie that passes it, name=value.")] = None,
    form: Annotated[str | None, typer.Option(help="wall, Coles: page or script.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Activate a fault until it is cleared. docs/sandbox.md describes the kinds."""
    from sandbox.remote import FaultClient

    given: dict[str, Any] = {
        "retailer": retailer, "store": store, "purpose": purpose, "nth": nth, "since": since, "times": times, "share": share, "seed": seed,
        "seconds": seconds, "status": status, "retry_after": retry_after, "http_date": http_date, "field": field, "to": to, "rows": rows,
        "category": category, "part": part, "content_type": content_type, "session": session, "form": form,
    }  # fmt: skip
    with reported(as_json):
        key = FaultClient(sandbox_url(url)).add(kind, **{name: value for name, value in given.items() if value is not None})
    if as_json:
        print_json({"key": key})
    else:
        say(f"{key} is active; clear it with: aisleflow sandbox fault clear {key}")


@app.command("list")
def list_faults(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show the active faults, each with the numbers of matched and of affected requests."""
    from sandbox.remote import FaultClient

    with reported(as_json):
        found = FaultClient(sandbox_url(url)).active_faults()
    if as_json:
        print_json(found)
        return
    columns = ("key", "kind", "retailer", "store", "purpose", "matched", "applied")
    rows = [entry | {"options": " ".join(f"{name}={value}" for name, value in entry.items() if name not in columns)} for entry in found]
    print_table(rows, [*columns[:5], "options", *columns[5:]])


@app.command()
def clear(
    keys: Annotated[list[str] | None, typer.Argument(help="Keys as `list` shows them; by default all.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Clear faults."""
    from sandbox.remote import FaultClient

    with reported(as_json):
        ended = FaultClient(sandbox_url(url)).clear(*(keys or ()))
    if as_json:
        print_json({"cleared": ended})
    else:
        say(f"{ended} fault(s) cleared")


def latency(
    seconds: Annotated[float, typer.Argument(min=0, help="0 = no delay.")], url: UrlOption = None, as_json: JsonOption = False
) -> None:
    """Set the minimum duration of every response of the sites."""
    from sandbox.remote import FaultClient

    with reported(as_json):
        FaultClient(sandbox_url(url)).latency_seconds = seconds
    if as_json:
        print_json({"seconds": seconds})
    else:
        say(f"every response takes at least {seconds:g} s")


def requests(
    reset: Annotated[bool, typer.Option("--reset", help="Reset the counts afterwards.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Show the request counts per retailer, purpose, store and status, the most in flight, and the shortest gap."""
    from sandbox.remote import FaultClient

    with reported(as_json):
        remote = FaultClient(sandbox_url(url))
        report = remote.report()
        if reset:
            remote.reset()
    if as_json:
        print_json(report)
        return
    print_table(report["requests"], REQUEST_COLUMNS, wide=("route",), is_wide=wide)
    sites = [
        {"retailer": name, "most_in_flight": most, "shortest_gap_seconds": report["gap_seconds_min"].get(name)}
        for name, most in report["in_flight_max"].items()
    ]
    print_table(sites, ("retailer", "most_in_flight", "shortest_gap_seconds"))
