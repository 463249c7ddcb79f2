"""``aisleflow session set|show|clear``: your own browser session for a site that refuses automatic requests."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from include import clock
from include.cli.common import JsonOption, reported
from include.cli.output import local_time, print_json, say
from include.errors import AisleflowError, ConfigurationError

if TYPE_CHECKING:  # ``--help`` imports nothing heavy
    from include.crawling import sessions
    from include.embedded.airflow_api import AirflowApi

app = typer.Typer(help="Your browser session for a site with a bot wall: set, show its expiry, clear.", no_args_is_help=True)

RetailerArgument = Annotated[str, typer.Argument(help="The retailer's slug, e.g. coles.")]


@app.command("set")
def set_(
    retailer: RetailerArgument,
    hours: Annotated[float, typer.Option(min=0.1, max=72, help="Lifetime in hours; the site may end the session earlier.")] = 6,
    user_agent: Annotated[
        bool, typer.Option("--user-agent/--no-user-agent", help="Also prompt for the browser's User-Agent; sites tie a session to it.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Store a session: the request header `Cookie` (and `User-Agent`) of your own browser, prompted for or read from stdin, one per line.

    In the browser: open the site, solve its challenge, open the developer tools, and copy both headers of any request to it. They are stored in
    a file only you may read and, where this installation's Airflow runs, in its connection aisleflow_session_RETAILER; never printed, never landed.
    """
    from include.config import settings
    from include.crawling import sessions
    from include.retailers.registry import retailer_of

    with reported(as_json):
        name = retailer_of(retailer).name
        cookie, agent = _read(user_agent)
        session = sessions.Session(cookie, agent, clock.system_now() + timedelta(hours=hours))
        sessions.put(settings().home, name, session)
        in_airflow = _save_connection(name, session)
    _print_session({"retailer": name, "expires_at": session.expires_at.isoformat(), "in_airflow": in_airflow}, as_json)


@app.command()
def show(retailer: RetailerArgument, as_json: JsonOption = False) -> None:
    """Show whether there is a session and when it expires, never its content."""
    from include.config import settings
    from include.crawling import sessions
    from include.retailers.registry import retailer_of

    with reported(as_json):
        name = retailer_of(retailer).name
        found = sessions.find(settings().home, name)
    is_over = found is not None and found.is_over(clock.system_now())
    _print_session({"retailer": name, "expires_at": found.expires_at.isoformat() if found else None, "is_over": is_over}, as_json)


@app.command()
def clear(retailer: RetailerArgument, as_json: JsonOption = False) -> None:
    """Remove the session, here and in Airflow."""
    from include.config import settings
    from include.crawling import sessions
    from include.retailers.registry import retailer_of

    with reported(as_json):
        name = retailer_of(retailer).name
        was_there = sessions.forget(settings().home, name)
        api = _airflow()
        if api is not None:
            was_there = api.delete_connection(sessions.connection_id(name)) or was_there
    _print_session({"retailer": name, "removed": was_there}, as_json)


def _read(wants_agent: bool) -> tuple[str, str | None]:
    if sys.stdin.isatty():
        cookie = typer.prompt("Cookie", hide_input=True)
        agent = typer.prompt("User-Agent", hide_input=True, default="", show_default=False) if wants_agent else ""
    else:
        lines = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
        if not lines or len(lines) > 2:
            raise ConfigurationError("stdin must have the cookie on its first line and may have the User-Agent on the second.")
        cookie, agent = lines[0], lines[1] if len(lines) > 1 and wants_agent else ""
    return _value(cookie, "cookie"), _value(agent, "user-agent") or None


def _value(text: str, header: str) -> str:
    """Strip a copied header name."""
    name, colon, value = text.partition(":")
    return value.strip() if colon and name.strip().lower() == header else text.strip()


def _airflow() -> AirflowApi | None:
    """Return the API of this installation's Airflow, if it responds."""
    from include.config import settings
    from include.embedded.airflow_api import client

    with suppress(AisleflowError):
        api = client(settings().home)
        api.health()
        return api
    return None


def _save_connection(retailer: str, session: sessions.Session) -> bool:
    from include.crawling import sessions

    api = _airflow()
    if api is None:
        return False
    api.put_connection(
        sessions.connection_id(retailer),
        "http",
        session.to_json(),
        f"Browser session, until {session.expires_at:%Y-%m-%d %H:%M} UTC",
    )
    return True


def _print_session(found: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(found)
    elif "removed" in found:
        say(f"{found['retailer']}: the session is removed" if found["removed"] else f"{found['retailer']}: there was no session")
    elif found["expires_at"] is None:
        say(f"{found['retailer']}: there is no session")
    else:
        say(
            f"{found['retailer']}: a session {'that ended at' if found.get('is_over') else 'until'} {local_time(datetime.fromisoformat(str(found['expires_at'])))}"
        )
