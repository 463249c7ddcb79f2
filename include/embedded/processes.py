"""Starts a process in its own session, finds it again, and ends its whole session.

Only the session is common to all processes of a component: Airflow's tasks have separate process groups,
and some processes overwrite their command line and environment. The session's id is
the process id of its first process, so one record (boot, process id, start time) identifies it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

import psutil

from include.errors import TerminalError

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

#: The new process writes its record before it executes the command, so it never runs unrecorded,
#: even if the caller is killed. Until then it holds the caller's lock (as its stdin).
#: What it writes (logs, staged files, caches) is its owner's alone.
_RECORD_AND_EXEC = """
umask 077
cat /proc/sys/kernel/random/boot_id "/proc/$$/stat" > "$0.new" && mv -f "$0.new" "$0" && exec "$@" < /dev/null
"""


@dataclass(frozen=True)
class ProcessId:
    """Identity of a process, distinct from a later one with the same id; the leader of its session.

    ``start_ticks`` is field 22 of ``/proc/<pid>/stat``: clock ticks between boot and the process' start.
    """

    pid: int
    start_ticks: int
    boot_id: str

    def is_alive(self) -> bool:
        """Return whether exactly this process is still running (a zombie is not)."""
        return identify(self.pid) == self


@dataclass(frozen=True)
class _Stat:
    state: str
    session: int
    start_ticks: int


def _stat_of(text: str) -> _Stat:
    """Read ``/proc/<pid>/stat``; the second field is a name in brackets that may contain any character.

    >>> _stat_of("7 (a) b) S 1 7 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 9 9")
    _Stat(state='S', session=5, start_ticks=4242)
    """
    fields = text.rpartition(")")[2].split()
    return _Stat(fields[0], int(fields[3]), int(fields[19]))


def _stat(pid: int) -> _Stat | None:
    try:
        return _stat_of(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


def identify(pid: int) -> ProcessId | None:
    """Return the identity of a running process; ``None`` for no process or a zombie."""
    found = _stat(pid)
    if found is None or found.state in "ZX":
        return None
    return ProcessId(pid, found.start_ticks, _BOOT_ID.read_text().strip())


def read_record(path: Path) -> ProcessId | None:
    """Read the record of a started process; ``None`` if it is missing or truncated."""
    try:
        boot_id, stat = path.read_text().splitlines()[:2]
        return ProcessId(int(stat.split(maxsplit=1)[0]), _stat_of(stat).start_ticks, boot_id)
    except (FileNotFoundError, ValueError, IndexError):
        return None


def session_members(leader: ProcessId) -> list[int]:
    """Return the process ids of the leader's session, without zombies; also if the leader has ended.

    Empty after a reboot, and if the leader's id belongs to another process: the kernel reuses an
    id only when no session with that id is left.
    """
    if leader.boot_id != _BOOT_ID.read_text().strip():
        return []
    present = _stat(leader.pid)
    if present is not None and present.start_ticks != leader.start_ticks:
        return []
    stats = ((pid, _stat(pid)) for pid in psutil.pids())
    return [pid for pid, found in stats if found and found.session == leader.pid and found.state not in "ZX"]


def spawn(
    command: Sequence[str], *, record: Path, log: Path, lock: TextIOWrapper, environment: dict[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    """Start ``command`` as leader of a new session, its output appended to ``log``, its identity in ``record``.

    ``lock`` is the lock the caller holds: the new process shares it until its record is written.

    Raises:
        TerminalError: the process ended before it wrote its record.
    """
    record.unlink(missing_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _RECORD_AND_EXEC, str(record), *command],
            stdin=lock, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=environment, cwd=folder,
        )  # fmt: skip
    while not record.exists():
        if process.poll() is not None:
            raise TerminalError(f"{command[0]} could not be started (exit code {process.returncode}). Read {log}.")
        time.sleep(0.005)
    return process


def terminate_sessions(leaders: Sequence[ProcessId], *, grace_seconds: float) -> int:
    """End whole sessions: TERM, wait, then KILL what is left; return the number of killed processes.

    Only the leader gets TERM, because it stops its children itself; without a leader all processes get TERM.
    After the leader has ended, remaining processes get two more seconds.
    """
    for leader in leaders:
        for pid in [leader.pid] if leader.is_alive() else session_members(leader):
            _signal(pid, signal.SIGTERM)
    deadlines = {leader: time.monotonic() + grace_seconds for leader in leaders}
    killed: set[int] = set()
    remaining = list(leaders)
    while remaining:
        for leader in list(remaining):
            members = session_members(leader)
            if not members:
                remaining.remove(leader)
                continue
            if leader.pid not in members:
                deadlines[leader] = min(deadlines[leader], time.monotonic() + 2)
            if time.monotonic() >= deadlines[leader]:
                killed.update(members)
                for pid in members:
                    _signal(pid, signal.SIGKILL)
        time.sleep(0.1 if remaining else 0)
    return len(killed)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it may have ended in between
        os.kill(pid, number)
