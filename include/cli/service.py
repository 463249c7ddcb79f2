"""``aisleflow service``: the systemd unit that keeps this installation running."""

from __future__ import annotations

from typing import Annotated

import typer

from include.cli.common import reported
from include.cli.output import say

app = typer.Typer(no_args_is_help=True)

SystemOption = Annotated[bool, typer.Option("--system/--user", help="For the whole machine (needs root), or for this user's systemd.")]


@app.command()
def install(system: SystemOption = False) -> None:
    """Install and start the unit: it runs `aisleflow up --foreground` of this home, now and after every boot. Safe to repeat."""
    from include.config import settings
    from include.embedded.service import Service

    service = Service(settings().home, system)
    with reported():
        remaining = service.install()
    say(f"Installed {service.path}.")
    _print_remaining(remaining)
    if not system:
        say("A user's services end with the last login unless they may linger: loginctl enable-linger")


@app.command()
def remove(system: SystemOption = False) -> None:
    """Stop the service of this home and remove its unit; the data stay."""
    from include.config import settings
    from include.embedded.service import Service

    service = Service(settings().home, system)
    with reported():
        remaining = service.remove()
    say(f"Removed {service.path}.")
    _print_remaining(remaining)


@app.command()
def show(system: SystemOption = False) -> None:
    """Print the unit without installing it."""
    from include.config import settings
    from include.embedded.service import Service

    say(*Service(settings().home, system).text().splitlines())


def _print_remaining(commands: list[list[str]]) -> None:
    if commands:
        say("systemd does not run here; on the machine where it does, run:")
        for command in commands:
            say(f"  {' '.join(command)}")
