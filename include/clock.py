"""The one clock. Nothing else in the project reads the machine's time; a test checks this.

Three sources, the first that is set wins:

1. ``AISLEFLOW_NOW``: an ISO 8601 instant; the clock stops there.
2. the sandbox's clock: the file ``clock.json`` in ``AISLEFLOW_HOME``, written by :func:`set_sandbox_clock`.
   It holds every simulated instant and the real one at which it was set, and runs on from the last,
   so that all processes of an installation have the same time.
3. the machine's clock.

SQL gets the instant as a parameter. External readers (``psql``, a BI tool) use the SQL function
``core.clock()``, which reads the session setting ``aisleflow.now`` if it is set, as in this project's connections.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from include.errors import ConfigurationError
from include.files import replace_text

MELBOURNE = ZoneInfo("Australia/Melbourne")

#: The time zone in which a store of each state keeps its price week.
STATE_ZONES = {
    "NSW": ZoneInfo("Australia/Sydney"),
    "ACT": ZoneInfo("Australia/Sydney"),
    "VIC": ZoneInfo("Australia/Melbourne"),
    "QLD": ZoneInfo("Australia/Brisbane"),
    "SA": ZoneInfo("Australia/Adelaide"),
    "WA": ZoneInfo("Australia/Perth"),
    "TAS": ZoneInfo("Australia/Hobart"),
    "NT": ZoneInfo("Australia/Darwin"),
}

CLOCK_FILE = "clock.json"


def home() -> Path:
    """Return the folder that holds all state of this installation (``AISLEFLOW_HOME``)."""
    given = os.environ.get("AISLEFLOW_HOME")
    return Path(given).expanduser().resolve() if given else Path(__file__).parents[1] / ".aisleflow"


def now() -> datetime:
    """Return the current instant, aware, in UTC.

    Raises:
        ConfigurationError: ``AISLEFLOW_NOW`` is not an aware ISO 8601 instant, or the file of the sandbox's clock is damaged.
    """
    return at_machine_time(system_now())


def at_machine_time(instant: datetime) -> datetime:
    """Return the time this clock showed, or shows, at an instant of the machine's clock: a later setting changes no earlier time.

    Raises:
        ConfigurationError: as :func:`now`.
    """
    fixed = os.environ.get("AISLEFLOW_NOW")
    if fixed:
        return parse_instant(fixed, "AISLEFLOW_NOW")
    setting = next((one for one in reversed(_settings()) if datetime.fromisoformat(one["set_at"]) <= instant), None)
    if setting is None or setting["now"] is None:
        return instant.astimezone(UTC)
    return datetime.fromisoformat(setting["now"]) + (instant - datetime.fromisoformat(setting["set_at"]))


def _settings() -> list[dict[str, Any]]:
    """Return the settings of the sandbox's clock, oldest first: ``set_at`` by the machine's clock, ``now`` (``None``: the machine's time)."""
    path = home() / CLOCK_FILE
    try:
        return list(json.loads(path.read_text())["settings"])
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is damaged or of another version. Remove it: the clock shows the machine's time then.") from error


def system_now() -> datetime:
    """Return the machine's time, regardless of the clock: to compare with times of the file system."""
    return datetime.now(UTC)


def set_sandbox_clock(instant: datetime | None) -> None:
    """Set the installation's clock to a simulated instant, or back to the machine's (``None``)."""
    path = home() / CLOCK_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    setting = {"now": instant.astimezone(UTC).isoformat() if instant else None, "set_at": system_now().isoformat()}
    replace_text(path, json.dumps({"settings": [*_settings(), setting]}))


def parse_instant(text: str, source: str) -> datetime:
    """Read an aware ISO 8601 instant, e.g. ``2026-11-18T04:00:00+11:00``; ``source`` names it in the error.

    >>> parse_instant("2026-11-18T04:00:00+11:00", "--as-of").isoformat()
    '2026-11-17T17:00:00+00:00'
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"{source}={text!r} is not an ISO 8601 instant. Write e.g. 2026-11-18T04:00:00+11:00.") from error
    if instant.tzinfo is None:
        raise ConfigurationError(f"{source}={text!r} has no UTC offset. Write e.g. {text}+11:00.")
    return instant.astimezone(UTC)


def zone_of(state: str | None) -> ZoneInfo:
    """Return a state's time zone (any case); Melbourne's if the state is unknown.

    >>> zone_of("qld").key
    'Australia/Brisbane'
    """
    return STATE_ZONES.get((state or "").strip().upper(), MELBOURNE)


def night_of(instant: datetime) -> date:
    """Return the night an instant belongs to: its Melbourne date.

    >>> night_of(parse_instant("2026-11-17T17:00:00+00:00", "x")).isoformat()
    '2026-11-18'
    """
    return instant.astimezone(MELBOURNE).date()


def in_melbourne(instant: datetime) -> str:
    """Return an instant as a person reads it: the time of day in Melbourne with its zone, and UTC beside it.

    >>> in_melbourne(parse_instant("2026-11-17T17:00:00+00:00", "x"))
    'Wed 18 Nov 04:00 AEDT (17:00 UTC)'
    """
    return f"{instant.astimezone(MELBOURNE):%a %d %b %H:%M %Z} ({instant.astimezone(UTC):%H:%M} UTC)"


def in_words(duration: timedelta) -> str:
    """Return a duration in its largest unit, rounded down.

    >>> in_words(timedelta(hours=3, minutes=40)), in_words(timedelta(minutes=59)), in_words(timedelta(days=2, hours=1))
    ('3 hours', '59 minutes', '2 days')
    """
    minutes = int(duration.total_seconds() // 60)
    for count, unit in ((minutes // 1440, "day"), (minutes // 60, "hour"), (minutes, "minute")):
        if count:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def price_week_start(instant: datetime, state: str | None) -> datetime:
    """Return the start of an instant's price week: Wednesday 00:00 in the store's time zone, in UTC.

    >>> price_week_start(parse_instant("2026-11-17T14:30:00+00:00", "x"), "WA").isoformat()
    '2026-11-10T16:00:00+00:00'
    """
    zone = zone_of(state)
    local = instant.astimezone(zone)
    wednesday = local.date() - timedelta(days=(local.weekday() - 2) % 7)
    return datetime(wednesday.year, wednesday.month, wednesday.day, tzinfo=zone).astimezone(UTC)
