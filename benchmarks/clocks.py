"""Measures the product's steps at all their callers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from threading import current_thread, main_thread
from typing import Any

from benchmarks.watching import cpu_seconds
from include.config import settings
from include.embedded.postgres import running_postgres

#: The functions of the steps. The time of a nested step counts towards the outer one.
STEPS = {
    "staging": ("include.ingestion.importing", "import_file"),
    "load": ("include.ingestion.pipeline", "load"),
    "check": ("include.ingestion.pipeline", "check"),
    "resolve": ("include.ingestion.pipeline", "resolve"),
    "publish": ("include.ingestion.isolation.steps", "publish"),
    "pages": ("include.ingestion.pipeline", "publish_data_docs"),
}


class Clocks:
    """The measured time of the steps so far, on the main thread, one at a time.

    A step's processor seconds are those of this process, of the processes below it and of the home's server, whatever they were at.
    """

    def __init__(self, steps: Sequence[str]) -> None:
        """Wrap each step with a clock. Create this before other modules import the functions.

        Raises:
            AttributeError: a step's function does not exist: correct :data:`STEPS`.
        """
        self.first_step_at: float | None = None
        self.first_step_cpu = 0.0
        self.server_cpu_before = server_cpu()
        self.reset(steps)
        self._is_running = False
        for name in steps:
            module, function = STEPS[name]
            found = import_module(module)
            setattr(found, function, self._around(name, getattr(found, function)))

    def reset(self, steps: Sequence[str]) -> None:
        """Set the clocks of the steps to zero."""
        self.steps = {name: {"seconds": 0.0, "cpu_seconds": 0.0} for name in steps}

    def _around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*values: Any, **named: Any) -> Any:
            if self._is_running or current_thread() is not main_thread():
                return function(*values, **named)
            begun, worked = time.monotonic(), client_cpu() + server_cpu()
            if self.first_step_at is None:
                self.first_step_at, self.first_step_cpu = begun, worked - self.server_cpu_before
            self._is_running = True
            try:
                return function(*values, **named)
            finally:
                self._is_running = False
                self.steps[name]["seconds"] += time.monotonic() - begun
                self.steps[name]["cpu_seconds"] += client_cpu() + server_cpu() - worked

        return timed


def client_cpu() -> float:
    """Return the processor seconds of this process and its descendants."""
    return cpu_seconds(os.getpid())


def server_cpu() -> float:
    """Return the processor seconds of the home's server so far; 0 without a server."""
    server = running_postgres(settings().home)
    return cpu_seconds(server.pid) if server else 0.0
