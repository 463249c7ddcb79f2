"""``aisleflow alerts``: the alerts of this installation, from the local inbox."""

from __future__ import annotations

from typing import Annotated

import typer

from include.cli.common import JsonOption, print_json, print_table, reported
from include.errors import TerminalError

app = typer.Typer()


@app.command()
def alerts(
    number: Annotated[int | None, typer.Argument(help="Show this one in full; 1 is the newest.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number, the newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the alerts in the local inbox (<home>/inbox), newest first, or show one.

    Alerts go there unless the Airflow connection aisleflow_alerts has another destination.
    """
    from include.alerts import inbox
    from include.config import settings

    with reported(as_json):
        found = inbox.read(settings().home, max(limit, number or 0))
        if number is not None and not 1 <= number <= len(found):
            raise TerminalError(f"there is no alert {number}: the inbox has {len(found)}. `aisleflow alerts` lists them.")
    chosen = found[:limit] if number is None else [found[number - 1]]
    if as_json:
        print_json({"alerts": chosen} if number is None else chosen[0])
    elif number is not None:
        print(f"{chosen[0]['at']}  {chosen[0]['title']}\n\n{chosen[0]['body']}")
    elif chosen:
        print_table(chosen, ("number", "at", "severity", "title"))
        print("\naisleflow alerts NUMBER shows one in full")
    else:
        print("the inbox is empty")
