"""Where things lie below ``AISLEFLOW_HOME``, and the file lock that keeps two commands apart."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from include.errors import ConfigurationError

PROJECT = Path(__file__).parents[2]

#: Where the sandbox's ports begin.
FIRST_SANDBOX_PORT = 8700

#: Hears one line of text for a person about what is happening right now.
Progress = Callable[[str], None]


def hostname() -> str:
    """Return the name under which Airflow's components find one another: it needs no resolver, so it works offline."""
    return "127.0.0.1"


def no_progress(_message: str) -> None:
    """Be the progress listener of a caller that does not want any."""


@dataclass(frozen=True)
class Layout:
    """The files and folders of one home; a path here says nothing about its existence."""

    home: Path

    def __post_init__(self) -> None:
        """Make the home absolute: processes with other working directories meet in it."""
        object.__setattr__(self, "home", self.home.expanduser().resolve())

    @property
    def postgres_data(self) -> Path:
        """PostgreSQL's cluster (``PGDATA``)."""
        return self.home / "postgres"

    @property
    def airflow_home(self) -> Path:
        """``AIRFLOW_HOME``; task logs lie in its ``logs``."""
        return self.home / "airflow"

    @property
    def run(self) -> Path:
        """Who runs now: process records, locks, the port in use."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """One log file per component."""
        return self.home / "logs"

    @property
    def secrets_file(self) -> Path:
        """Airflow's keys (0600)."""
        return self.home / "secrets.json"

    @property
    def passwords_file(self) -> Path:
        """User name to password of Airflow's UI (0600)."""
        return self.home / "passwords.json"

    def create(self) -> None:
        """Create the folders that are missing.

        Raises:
            ConfigurationError: the home cannot be written.
        """
        try:
            for folder in (self.run, self.logs, self.airflow_home):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"cannot create {error.filename}: {error.strerror}. Set AISLEFLOW_HOME to a folder this user may write."
            ) from error
        if not os.access(self.run, os.W_OK):
            raise ConfigurationError(
                f"{self.home} belongs to another user. Run as its owner, or set AISLEFLOW_HOME to a folder of your own."
            )


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[TextIOWrapper]:
    """Hold an exclusive ``flock`` on ``path``; call ``waiting`` once when somebody else holds it.

    The lock ends with the last process that has the yielded file open, however that process ends.
    """
    with path.open("a+") as file:
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
    """Replace ``path`` by a file that only its owner may read, in one step."""
    temporary_path = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(temporary_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary_path.replace(path)


def rotate_log(log: Path) -> None:
    """Make room for a new log file; the one of the last start stays as ``<name>.log.1``."""
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))


def tail(path: Path, lines: int = 20, bytes_max: int = 64_000) -> str:
    """Return the last lines of a log file, or a sentence when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - bytes_max))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return f"(no log at {path})"
    return "\n".join(text.splitlines()[-lines:]) or f"({path} is empty)"
