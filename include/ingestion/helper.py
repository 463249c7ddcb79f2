"""Helper processes: programs of this project that a process starts beside itself, asks by lines and ends with its own end.

A helper is a program of its own, not a fork: an Airflow task may be forbidden to have children of ``multiprocessing``, and forking
a process that has threads is not safe. Its first line of input is JSON, what it begins with; every further line is a command, and
it answers each with one line of JSON. Its input ends with the process that started it, however that ends, and so does the helper.
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
    """One helper process, from the side of who started it. It ends with the block, and with this process."""

    def __init__(self, program: str, setup: Mapping[str, Any]) -> None:
        """``program`` is the module to run; ``setup`` what it is told first. Not as arguments: a URL may hold a password."""
        path = os.pathsep.join(filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=os.environ | {"PYTHONPATH": path},
        )  # fmt: skip
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
        """End it now; the server rolls back what it was doing."""
        self._process.kill()

    def send(self, command: Any) -> None:
        """Send a command, without waiting for its response."""
        self._write(json.dumps(command))

    def receive(self) -> Any:
        """Wait for the next response; ``None``: it has ended, or could not carry out the command (it has logged why)."""
        assert self._process.stdout is not None
        try:
            response = json.loads(self._process.stdout.readline() or "null")
        except json.JSONDecodeError:  # it was killed in the middle of a line
            return None
        return response["response"] if response else None

    def ask(self, command: Any) -> Any:
        """Send a command and wait for its response."""
        self.send(command)
        return self.receive()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended: the missing response says so
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()


def serve(prepare: Callable[[Any], Handler]) -> None:
    """Be a helper: prepare with what the first line says, then carry out commands until told to end.

    A command that fails is answered with nothing: the process that asked does the work itself, and raises what there is to raise.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the process that started this one decides
    responses = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no response
    setup = json.loads(sys.stdin.readline())
    inbox: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin, inbox), daemon=True).start()
    handle = prepare(setup)
    while (command := inbox.get()) != _END:
        try:
            response = {"response": handle(json.loads(command))}
        except Exception:  # whatever it is: see above
            log.exception("a helper could not carry out its command %s", command[:200])
            response = {"response": None}
        print(json.dumps(response), file=responses, flush=True)
    sys.stderr.flush()
    os._exit(0)  # taking the interpreter down takes longer than some commands


def _listen(commands: TextIO, inbox: queue.SimpleQueue[str]) -> None:
    for line in commands:
        inbox.put(line.strip())
        if line.strip() == _END:
            return
    # the input broke off without an end: whoever started this process is gone, and nobody may work on unseen
    os._exit(1)
