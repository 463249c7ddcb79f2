"""A person's browser session for a walled site: kept for a while in a file only its owner may read, never shown, never landed.

There is none until a person puts one with ``aisleflow session set``, and it ends by itself. Tasks look into the Airflow
connection ``aisleflow_session_<retailer>`` first (``include/orchestration/sessions.py``), then here; the command line looks here.
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
    """What a browser shows a site. ``repr`` keeps it to itself."""

    cookie: str = field(repr=False)
    user_agent: str | None = field(repr=False)
    expires_at: datetime

    def __post_init__(self) -> None:
        for name, value in (("cookie", self.cookie), ("User-Agent", self.user_agent or "")):
            if any(ord(letter) < 32 or ord(letter) > 126 for letter in value):
                raise ConfigurationError(
                    f"the {name} holds a line break or a letter beyond ASCII. Copy the value of the request header, on one line."
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
        ConfigurationError: it is none; the text itself is not repeated.
    """
    try:
        given = json.loads(text)
        return Session(given["cookie"], given["user_agent"], datetime.fromisoformat(given["expires_at"]))
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{source} holds no session. Put it again with `aisleflow session set`.") from None


def put(home: Path, retailer: str, session: Session) -> Path:
    """Keep a session; returns the file (mode 0600)."""
    path = _path(home, retailer)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_text(path, session.to_json(), mode=0o600)
    return path


def find(home: Path, retailer: str) -> Session | None:
    """Return what is kept, even when it is over."""
    path = _path(home, retailer)
    with suppress(FileNotFoundError):
        return read(path.read_text(), str(path))
    return None


def forget(home: Path, retailer: str) -> bool:
    """Remove what is kept; returns whether there was something."""
    path = _path(home, retailer)
    known = path.exists()
    path.unlink(missing_ok=True)
    return known


def in_force(retailer: str, *found: Session | None) -> Session | None:
    """Return the first session that has not ended, ``None`` where there is none."""
    now = clock.system_now()  # a browser's session ends in real time, whatever night is played
    for session in found:
        if session is not None and not session.is_over(now):
            log.info("%s: asked with the session a person put, until %s", retailer, session.expires_at)
            return session
        if session is not None:
            log.warning("%s: the session a person put ended at %s and is not used", retailer, session.expires_at)
    return None


def _path(home: Path, retailer: str) -> Path:
    return home / "sessions" / f"{retailer}.json"
