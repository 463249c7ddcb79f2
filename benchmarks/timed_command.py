"""The command ``aisleflow`` with a clock around each of its steps. ``python -m benchmarks.timed_command RESULT.json ARGUMENTS…``."""

from __future__ import annotations

import atexit
import os
import sys
import time
from importlib.metadata import entry_points
from json import dumps
from pathlib import Path

from benchmarks.clocks import STEPS, Clocks, client_cpu, server_cpu


def main(result: Path) -> None:
    """Run the command; write the time of its steps when it ends, also after an error."""
    clocks = Clocks(list(STEPS))

    def write() -> None:
        ended = {"ended_at": time.monotonic(), "ended_cpu": client_cpu(), "server_cpu": server_cpu() - clocks.server_cpu_before}
        first = {"first_step_at": clocks.first_step_at or ended["ended_at"], "first_step_cpu": clocks.first_step_cpu}
        result.write_text(dumps({"steps": clocks.steps} | first | ended))

    def leave(code: int) -> None:
        write()
        really_leave(code)

    # the command may end its process with or without running the registered exit handlers
    atexit.register(write)
    really_leave, os._exit = os._exit, leave  # type: ignore[assignment]
    [command] = entry_points(group="console_scripts", name="aisleflow")
    command.load()()


if __name__ == "__main__":
    result_ = Path(sys.argv[1])
    sys.argv[:] = ["aisleflow", *sys.argv[2:]]
    main(result_)
