"""The secret of an installation's sandbox: who can read the home may command faults, other users of the machine may not."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

HEADER = "X-Sandbox-Token"
_FILE = "sandbox.token"


def make_token(home: Path) -> str:
    """Return the token in a home; made once, readable by its owner only."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    writing = home / f".{_FILE}.{os.getpid()}"
    with os.fdopen(os.open(writing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
    with suppress(FileExistsError):  # made before, also by a process that started at the same time
        os.link(writing, home / _FILE)
    writing.unlink()
    return (home / _FILE).read_text()


def known_token(home: Path) -> str | None:
    """Return the token in a home, ``None`` where no sandbox has been served from it or the home is another user's."""
    try:
        return (home / _FILE).read_text()
    except (FileNotFoundError, PermissionError):
        return None
