"""Processes are found by their record, and end with everything they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from include.embedded.layout import PROJECT, locked
from include.embedded.processes import ProcessId, identify, read_record, session_members, spawn, terminate_sessions
from include.errors import TerminalError

pytestmark = pytest.mark.slow

#: A component with a child in a separate process group, like Airflow's tasks; prints when both are running.
PARENT = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('child', flush=True); time.sleep(600)"],
                 process_group=0)
time.sleep(600)
"""

Start = Callable[..., ProcessId]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start Python code as a component and end it after the test."""
    started: list[ProcessId] = []
    reaped: list[subprocess.Popen[bytes]] = []

    def run(code: str, *, until: str | None = None) -> ProcessId:
        log = tmp_path / "x.log"
        with locked(tmp_path / "lock") as lock:
            command = [sys.executable, "-c", code]
            reaped.append(spawn(command, record=tmp_path / "x.process", log=log, lock=lock, environment=dict(os.environ), folder=tmp_path))
        found = read_record(tmp_path / "x.process")
        assert found
        started.append(found)
        while until and until not in log.read_text():
            time.sleep(0.02)
        return found

    yield run
    terminate_sessions(started, grace_seconds=0)
    for process in reaped:
        process.wait(10)


def test_a_process_records_itself(start: Start) -> None:
    found = start("import time; time.sleep(600)")
    assert found == identify(found.pid)
    assert found.is_alive()
    assert session_members(found) == [found.pid]
    assert os.getsid(found.pid) == found.pid


def test_what_a_process_writes_is_its_owners_alone(start: Start, tmp_path: Path) -> None:
    start(
        "open('written', 'w').close(); import os; os.mkdir('made'); print('done', flush=True); import time; time.sleep(600)", until="done"
    )
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("written", "made")] == [0o600, 0o700]


def test_a_whole_session_ends_including_children_that_ignore_term(start: Start) -> None:
    leader = start(PARENT, until="child")
    assert len(session_members(leader)) == 2
    assert terminate_sessions([leader], grace_seconds=30) == 1  # TERM ended the leader, its child had to be killed
    assert session_members(leader) == []


def test_children_of_a_killed_leader_are_found_and_ended(start: Start) -> None:
    leader = start(PARENT, until="child")
    os.kill(leader.pid, signal.SIGKILL)
    while leader.is_alive():
        time.sleep(0.01)
    assert len(session_members(leader)) == 1
    terminate_sessions([leader], grace_seconds=30)
    assert session_members(leader) == []


def test_orphans_of_a_killed_leader_get_term_before_kill(start: Start) -> None:
    code = PARENT.replace("signal.signal(signal.SIGTERM, signal.SIG_IGN);", "")
    leader = start(code, until="child")
    os.kill(leader.pid, signal.SIGKILL)
    while leader.is_alive():
        time.sleep(0.01)
    assert terminate_sessions([leader], grace_seconds=30) == 0


def test_a_leader_that_ends_in_time_is_not_killed(start: Start) -> None:
    leader = start(
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('up', flush=True); time.sleep(600)",
        until="up",
    )
    assert terminate_sessions([leader], grace_seconds=30) == 0


def test_a_reused_process_id_is_another_process(start: Start) -> None:
    found = start("import time; time.sleep(600)")
    for other in (replace(found, start_ticks=found.start_ticks - 1), replace(found, boot_id="another boot")):
        assert not other.is_alive()
        assert session_members(other) == []
        terminate_sessions([other], grace_seconds=0)
    assert found.is_alive()


def test_a_zombie_is_not_alive(start: Start) -> None:
    found = start("pass")
    while psutil.Process(found.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not found.is_alive()
    assert session_members(found) == []


@pytest.mark.parametrize("text", ["", "boot\n", "boot\n12 (x", "half"])
def test_a_truncated_record_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.process"
    path.write_text(text)
    assert read_record(path) is None


def test_a_record_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with locked(tmp_path / "lock") as lock, pytest.raises(TerminalError, match="could not be started"):
        spawn(["true"], record=tmp_path / "absent" / "x", log=tmp_path / "log", lock=lock, environment=dict(os.environ), folder=tmp_path)


def test_a_process_is_recorded_even_if_its_parent_is_killed(tmp_path: Path) -> None:
    """The process writes its record and holds the lock until then: the next holder of the lock sees the record."""
    code = f"""
import os, signal, subprocess, sys
from pathlib import Path
from include.embedded import processes
from include.embedded.layout import locked
real = subprocess.Popen
def popen(*arguments, **named):
    started = real(*arguments, **named)
    print(started.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)   # before the parent could record anything
processes.subprocess.Popen = popen
folder = Path({str(tmp_path)!r})
with locked(folder / "lock") as lock:
    processes.spawn(["sleep", "600"], record=folder / "x.process", log=folder / "log", lock=lock, environment=dict(os.environ), folder=folder)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with locked(tmp_path / "lock"):
        found = read_record(tmp_path / "x.process")
    assert found and found.pid == int(done.stdout)
    terminate_sessions([found], grace_seconds=5)
    assert not found.is_alive()
