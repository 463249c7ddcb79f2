"""``aisleflow alerts``: the alerts of this installation, from the local inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from include.cli.common import JsonOption, reported
from include.cli.output import local_time, print_json, print_table, say
from include.errors import TerminalError

app = typer.Typer()

COLUMNS = ("number", "at", "severity", "title")


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
        say(f"{local_time(datetime.fromisoformat(chosen[0]['at']))}  {chosen[0]['title']}", "", *chosen[0]["body"].splitlines())
    elif chosen:
        print_table([alert | {"at": datetime.fromisoformat(alert["at"])} for alert in chosen], COLUMNS)
        say("", "aisleflow alerts NUMBER shows one in full")
    else:
        say("the inbox is empty")
