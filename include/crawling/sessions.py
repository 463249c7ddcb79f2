"""An operator's browser session for a site with a bot wall: stored in a file that only its owner may read, never logged, never landed.

An operator stores it with ``aisleflow session set``, and it expires. Tasks read the Airflow
connection ``aisleflow_session_<retailer>`` first (``include/orchestration/sessions.py``), then this file; the command line reads this file.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from include import clock
from include.errors import ConfigurationError
from include.files import replace_text

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """The identity of a browser towards a site. ``repr`` omits the secrets."""

    cookie: str = field(repr=False)
    user_agent: str | None = field(repr=False)
    expires_at: datetime

    def __post_init__(self) -> None:
        for name, value in (("cookie", self.cookie), ("User-Agent", self.user_agent or "")):
            if any(ord(letter) < 32 or ord(letter) > 126 for letter in value):
                raise ConfigurationError(
                    f"the {name} contains a line break or a character outside ASCII. Copy the value of the request header, on one line."
                )
        if not any("=" in pair for pair in self.cookie.split(";")):
            raise ConfigurationError("the cookie is not of the form name=value; name=value. Copy the value of the request header `Cookie`.")

    @property
    def headers(self) -> dict[str, str]:
        """The request headers of the session."""
        return {"Cookie": self.cookie} | ({"User-Agent": self.user_agent} if self.user_agent else {})

    def is_over(self, now: datetime) -> bool:
        """Whether the session has ended."""
        return now >= self.expires_at

    def to_json(self) -> str:
        """Return the session as text. It is a secret."""
        return json.dumps({"cookie": self.cookie, "user_agent": self.user_agent, "expires_at": self.expires_at.isoformat()})


def connection_id(retailer: str) -> str:
    """Return the name of the Airflow connection that holds a retailer's session."""
    return f"aisleflow_session_{retailer}"


def read(text: str, source: str) -> Session:
    """Read :meth:`Session.to_json`.

    Raises:
        ConfigurationError: it is not a session; the message omits the text.
    """
    try:
        given = json.loads(text)
        return Session(given["cookie"], given["user_agent"], datetime.fromisoformat(given["expires_at"]))
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{source} contains no valid session. Set it again with `aisleflow session set`.") from None


def put(home: Path, retailer: str, session: Session) -> Path:
    """Store a session; return the file (mode 0600)."""
    path = _path(home, retailer)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_text(path, session.to_json(), mode=0o600)
    return path


def find(home: Path, retailer: str) -> Session | None:
    """Return the stored session, even if it has expired."""
    path = _path(home, retailer)
    with suppress(FileNotFoundError):
        return read(path.read_text(), str(path))
    return None


def forget(home: Path, retailer: str) -> bool:
    """Remove the stored session; return whether there was one."""
    path = _path(home, retailer)
    known = path.exists()
    path.unlink(missing_ok=True)
    return known


def in_force(retailer: str, *found: Session | None) -> Session | None:
    """Return the first session that has not expired, ``None`` if there is none."""
    now = clock.system_now()  # a browser's session expires in real time, regardless of the simulated night
    for session in found:
        if session is not None and not session.is_over(now):
            log.info("%s: requests use the operator's session, valid until %s", retailer, session.expires_at)
            return session
        if session is not None:
            log.warning("%s: the operator's session expired at %s and is not used", retailer, session.expires_at)
    return None


def _path(home: Path, retailer: str) -> Path:
    return home / "sessions" / f"{retailer}.json"
