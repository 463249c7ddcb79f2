"""Paths below ``AISLEFLOW_HOME``, and the file lock that serialises commands."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from include.errors import ConfigurationError
from include.files import replace_text

PROJECT = Path(__file__).parents[2]

#: The first port of sandboxes.
FIRST_SANDBOX_PORT = 8700

#: Receives one human-readable progress message.
Progress = Callable[[str], None]


def hostname() -> str:
    """Return the host name that Airflow's components use for one another; it needs no resolver, so it works offline."""
    return "127.0.0.1"


def no_progress(_message: str) -> None:
    """Ignore progress messages."""


@dataclass(frozen=True)
class Layout:
    """The paths of one home, existing or not."""

    home: Path

    def __post_init__(self) -> None:
        """Make the home absolute: it is used by processes with other working directories."""
        object.__setattr__(self, "home", self.home.expanduser().resolve())

    @property
    def postgres_data(self) -> Path:
        """PostgreSQL's cluster (``PGDATA``)."""
        return self.home / "postgres"

    @property
    def airflow_home(self) -> Path:
        """``AIRFLOW_HOME``; task logs are in its ``logs``."""
        return self.home / "airflow"

    @property
    def run(self) -> Path:
        """Process records, locks, ports in use."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """One log file per component."""
        return self.home / "logs"

    @property
    def storage(self) -> Path:
        """Staged files, unless ``AISLEFLOW_STORAGE_ROOT`` is set."""
        return self.home / "storage"

    @property
    def secrets_file(self) -> Path:
        """Airflow's keys (0600)."""
        return self.home / "secrets.json"

    @property
    def passwords_file(self) -> Path:
        """User name → password of Airflow's UI (0600)."""
        return self.home / "passwords.json"

    def create(self) -> None:
        """Create missing folders.

        Raises:
            ConfigurationError: the home cannot be written.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.airflow_home, self.storage):
                _make_private(folder)
            for folder in (self.run, self.logs):
                _make_private(folder, others_may_pass=True)
        except OSError as error:
            raise ConfigurationError(
                f"cannot create {error.filename}: {error.strerror}. Set AISLEFLOW_HOME to a folder this user may write."
            ) from error
        if not os.access(self.run, os.W_OK):
            raise ConfigurationError(
                f"{self.home} belongs to another user. Run as its owner, or set AISLEFLOW_HOME to a folder of your own."
            )


def _make_private(folder: Path, *, others_may_pass: bool = False) -> None:
    """Create a folder of the home for its owner alone; an existing one loses the rights of others.

    With ``others_may_pass`` an existing one keeps the right to pass through: as root, PostgreSQL's user needs it where it was granted.
    """
    folder.mkdir(exist_ok=True, mode=0o700)
    found, rights = folder.stat(), 0o066 if others_may_pass else 0o077
    if found.st_uid == os.geteuid() and found.st_mode & rights:
        folder.chmod(stat.S_IMODE(found.st_mode) & ~rights)


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[TextIOWrapper]:
    """Hold an exclusive ``flock`` on ``path``; call ``waiting`` once if another process holds it.

    Only the owner may open the file: reading rights would suffice to take the lock.

    The lock is released when the last process that has the yielded file open ends, in any way.
    """
    with open(path, "a+", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield file
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def write_private(path: Path, text: str) -> None:
    """Atomically replace ``path`` by a file that only its owner may read."""
    replace_text(path, text, mode=0o600)


def rotate_log(log: Path) -> None:
    """Begin a new log file, its owner's alone; the one of the last start is kept as ``<name>.log.1``."""
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    log.touch(mode=0o600)


def tail(path: Path, lines: int = 20, bytes_max: int = 64_000) -> str:
    """Return the last lines of a log file, or a message if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - bytes_max))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return f"(no log at {path})"
    return "\n".join(text.splitlines()[-lines:]) or f"({path} is empty)"
