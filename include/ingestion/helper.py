"""Helper processes: child programs of this project that exchange JSON lines with their parent.

A helper is a separate program, not a fork: an Airflow task may not be allowed ``multiprocessing`` children, and forking a process
with threads is unsafe. Its first input line is its setup, every further line a command with one line as response, all in JSON. When the
parent ends, for any reason, the helper's input ends and the helper exits.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

log = logging.getLogger(__name__)

_PROJECT = Path(__file__).parents[2]
_END = "end"

#: Executes one command and returns its response, JSON values.
Handler = Callable[[Any], Any]


class Helper:
    """The parent's handle of one helper process, which ends with the ``with`` block or with the parent."""

    def __init__(self, program: str, setup: Mapping[str, Any] | None = None) -> None:
        """``program`` is the module to run; ``setup`` goes through its input, not its arguments: a URL may hold a password.

        Without ``setup`` it waits for one with :meth:`send` and imports what it needs until then.
        """
        path = os.pathsep.join(filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=os.environ | {"PYTHONPATH": path},
        )  # fmt: skip
        if setup is not None:
            self.send(dict(setup))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self.kill()
        self._write(_END)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]

    @property
    def pid(self) -> int:
        """The helper's process id."""
        return self._process.pid

    def kill(self) -> None:
        """Kill the process; the server rolls back its transaction."""
        self._process.kill()

    def send(self, command: Any) -> None:
        """Send a command, without waiting for its response."""
        self._write(json.dumps(command))

    def receive(self) -> Any:
        """Wait for the next response; ``None``: the helper ended, or the command failed (the helper logged why)."""
        assert self._process.stdout is not None
        try:
            response = json.loads(self._process.stdout.readline() or "null")
        except json.JSONDecodeError:  # killed in the middle of a line
            return None
        return response["response"] if response else None

    def call(self, command: Any) -> Any:
        """Send a command and wait for its response."""
        self.send(command)
        return self.receive()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the helper ended: receive() returns None
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()


def serve(prepare: Callable[[Any], Handler], preload: Callable[[], object] = lambda: None) -> None:
    """Run as a helper: preload what takes long to import, prepare with the setup, then execute commands until the end command.

    A failed command has an empty response: the parent then does the work itself and raises the error.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.WARNING)  # Great Expectations sets its own levels
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group: the parent decides
    responses = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # output of libraries is not a response
    inbox: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin, inbox), daemon=True).start()
    preload()
    setup = inbox.get()
    handle = prepare(json.loads(setup)) if setup != _END else None
    while handle is not None and (command := inbox.get()) != _END:
        try:
            response = {"response": handle(json.loads(command))}
        except Exception:  # logged here, raised by the parent: see the docstring
            log.exception("a helper failed to execute its command %s", command[:200])
            response = {"response": None}
        print(json.dumps(response), file=responses, flush=True)
    sys.stderr.flush()
    os._exit(0)  # the interpreter's shutdown takes longer than some commands


def _listen(commands: TextIO, inbox: queue.SimpleQueue[str]) -> None:
    for line in commands:
        inbox.put(line.strip())
        if line.strip() == _END:
            return
    # end of input without the end command: the parent died, so this process must not go on working
    os._exit(1)
