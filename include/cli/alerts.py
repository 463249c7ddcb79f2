"""``aisleflow alerts``: the alerts of this installation, and where they go."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Annotated

import typer

from include.cli.common import FAILED, JsonOption, reported
from include.cli.output import local_time, print_json, print_table, say
from include.errors import ConfigurationError, TerminalError

app = typer.Typer(invoke_without_command=True)

COLUMNS = ("number", "at", "severity", "title")


@app.callback()
def alerts(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number, the newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Without a command: list the alerts in the local inbox (<home>/inbox), newest first."""
    if context.invoked_subcommand:
        return
    from include.alerts import inbox
    from include.config import settings

    with reported(as_json):
        found = inbox.read(settings().home, limit)
    if as_json:
        print_json({"alerts": found})
    elif found:
        print_table([alert | {"at": datetime.fromisoformat(alert["at"])} for alert in found], COLUMNS)
        say("", "One in full: aisleflow alerts show 1")
    else:
        say("No alert: the inbox is empty.")


@app.command()
def show(number: Annotated[int, typer.Argument(min=1, help="1 is the newest.")], as_json: JsonOption = False) -> None:
    """Show one alert of the local inbox in full."""
    from include.alerts import inbox
    from include.config import settings

    with reported(as_json):
        found = inbox.read(settings().home, number)
        if number > len(found):
            raise TerminalError(f"there is no alert {number}: the inbox has {len(found)}. `aisleflow alerts` lists them.")
    chosen = found[number - 1]
    if as_json:
        print_json(chosen)
    else:
        say(f"{local_time(datetime.fromisoformat(chosen['at']))}  {chosen['title']}", "", *chosen["body"].splitlines())


@app.command()
def address(
    urls: Annotated[list[str] | None, typer.Argument(help="Apprise URLs (appriseit.com); every alert goes to all of them.")] = None,
    heartbeat: Annotated[str | None, typer.Option(help="Address of an outside monitor, requested every 15 minutes; '' for none.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show or set where alerts go. It is kept with the installation and counts at once, without a restart."""
    from include.alerts.address import AlertAddress, read_address, save_address
    from include.alerts.delivery import display
    from include.config import settings

    home = settings().home
    with reported(as_json):
        try:
            known = read_address(home) or AlertAddress()
        except ConfigurationError:
            if not urls:
                raise
            known = AlertAddress()
        if heartbeat and not heartbeat.startswith(("http://", "https://")):
            raise ConfigurationError("--heartbeat is not an http or https address.")
        chosen = AlertAddress(tuple(urls) if urls else known.urls, known.heartbeat_url if heartbeat is None else heartbeat or None)
        where = display(chosen.urls)  # an unusable URL ends the command before it is saved
        if urls or heartbeat is not None:
            save_address(home, chosen)
    if as_json:
        print_json({"urls": where.split(", "), "has_heartbeat": chosen.heartbeat_url is not None})
    else:
        say(f"Alerts go to {where}.")
        say("A sign of life goes to an outside monitor every 15 minutes." if chosen.heartbeat_url else "No outside monitor is set up.")
        if urls:
            say("Try it: aisleflow alerts test")


@app.command("test")
def send_test(as_json: JsonOption = False) -> None:
    """Send a test alert to the address of this installation, and a sign of life to its monitor. Exit code 1 if one is not accepted."""
    from include.alerts.address import AlertAddress, read_address
    from include.alerts.alerts import Alert
    from include.alerts.delivery import deliver, display, services_of
    from include.alerts.heartbeat import beat
    from include.config import settings

    with reported(as_json):
        known = read_address(settings().home) or AlertAddress()
        logging.getLogger("apprise").setLevel(logging.WARNING)  # it logs why a service refused
        body = "This is a test: `aisleflow alerts test` was run. Nothing has happened and nothing is to be done."
        is_delivered = deliver(Alert("test", "warning", "test: alerts of Aisleflow arrive here", body, "test"), services_of(known.urls))
        is_monitored = beat(known.heartbeat_url) if known.heartbeat_url else None
    if as_json:
        print_json({"is_delivered": is_delivered, "is_monitor_reached": is_monitored})
    else:
        say(f"{'Delivered to' if is_delivered else 'NOT delivered to'} {display(known.urls)}.")
        if is_monitored is not None:
            say("The monitor was reached." if is_monitored else "The monitor was NOT reached.")
    if not is_delivered or is_monitored is False:
        raise typer.Exit(FAILED)
