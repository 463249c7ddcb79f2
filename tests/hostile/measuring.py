"""Runs a function in a process of its own, and says how much memory and CPU it took."""

from __future__ import annotations

import os
import pickle
import resource
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

#: A child that takes more CPU than this is ended by the system: a core was pinned.
CPU_SECONDS_MAX = 60


@dataclass(frozen=True)
class Measured:
    """What a function returned or raised (as the exception's classes and message), and the most memory it held beyond its start."""

    value: Any
    error: tuple[tuple[str, ...], str] | None
    grown_bytes: int
    cpu_seconds: float


def measured(function: Callable[[], Any]) -> Measured:
    """Run a function in a fork of this process.

    Raises:
        AssertionError: the process was ended, for example after :data:`CPU_SECONDS_MAX` of CPU.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads: the child uses none of theirs
        child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(pickle.dumps(_run(function)))
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the process ended with status {status} (signal {status & 127})"
    found: Measured = pickle.loads(told)  # noqa: S301 - from our own child
    return found


def _run(function: Callable[[], Any]) -> Measured:
    before = psutil.Process().memory_info().rss
    value, error = None, None
    try:
        value = function()
    except Exception as raised:
        error = tuple(kind.__name__ for kind in type(raised).__mro__), str(raised)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Measured(value, error, max(0, usage.ru_maxrss * 1024 - before), usage.ru_utime + usage.ru_stime)
