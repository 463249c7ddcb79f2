"""The complete command ``aisleflow import``, from the start of its process to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import yardstick
from benchmarks.scratch import Scratch
from benchmarks.store_days import StoreDay, write_plain
from benchmarks.watching import cpu_seconds
from include.embedded.postgres import running_postgres, stop_postgres

#: The default imports: a Monday, the following Wednesday, and the unchanged Thursday.
NIGHTS = {"first": 0, "next, a third changed": 2, "unchanged": 3}


def generated(folder: Path, stores: int, lines: int, progress: Callable[[str], None]) -> list[tuple[str, Path, str]]:
    """Write the default folders, nineteen stores of Aldi to one of Coles; return name, folder and the clock's instant of each."""
    made = []
    for name, night in NIGHTS.items():
        progress(f"writing: {name}")
        days = [StoreDay("coles" if store % 20 == 19 else "aldi", store, lines, night) for store in range(stores)]
        write_plain(days, folder / str(night))
        made.append((name, folder / str(night), (days[0].at + timedelta(hours=8)).isoformat()))
    return made


def measure(
    scratch: Scratch, commands: Sequence[tuple[str, Sequence[Path], str | None]], is_empty_home: bool, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Run one command after the other on one home.

    Args:
        scratch: its server serves the yardstick, and the commands unless the home is empty.
        commands: name, the folders or files to import, and the instant at which the clock is stopped, if any.
        is_empty_home: the first command starts with an empty home: it creates the cluster and starts PostgreSQL.
        progress: called with a message at each step.

    Returns:
        Per command: ``lines``, ``seconds``, ``lines_per_second``, ``ratio``, processor seconds and ``steps``.
    """
    home = scratch.folder / ("empty" if is_empty_home else "home")
    try:
        if not is_empty_home:
            migrate = [str(Path(sys.executable).with_name("aisleflow")), "warehouse", "migrate"]
            subprocess.run(migrate, env=_environment(home, None), stdout=subprocess.DEVNULL, check=True)
        return [_measure(scratch, home, name, paths, now, progress) for name, paths, now in commands]
    finally:
        if is_empty_home:
            stop_postgres(home)


def _measure(
    scratch: Scratch, home: Path, name: str, paths: Sequence[Path], now: str | None, progress: Callable[[str], None]
) -> dict[str, Any]:
    files = [file for path in paths for file in (sorted(path.rglob("*.jsonl.gz")) if path.is_dir() else [path])]
    progress(f"measuring: yardstick of {name}")
    baseline = yardstick.measure(files, scratch.yardstick_url, scratch.cluster.pid)
    progress(f"measuring: import of {name}")
    timings = scratch.folder / "steps.json"
    command = [sys.executable, "-m", "benchmarks.timed_command", str(timings), "import", *map(str, paths)]
    server_before = _server_cpu(home)
    log = scratch.folder / "import.log"
    with log.open("w") as output:
        begun = time.monotonic()
        process = subprocess.Popen(command, env=_environment(home, now), stdout=output, stderr=subprocess.STDOUT)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        took = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):  # 3: data were held or refused
        raise SystemExit(f"`aisleflow import` of {name} ended with {process.returncode}:\n{log.read_text()[-4_000:]}")
    client, server = used.ru_utime + used.ru_stime, _server_cpu(home) - server_before
    row = {
        "what": name, "files": len(files), "lines": baseline.lines, "seconds": took, "lines_per_second": round(baseline.lines / took), "yardstick": baseline.seconds,
        "ratio": took / baseline.seconds, "cpu_seconds": client + server, "cpu_client": client, "cpu_server": server,
        "peak_mib": used.ru_maxrss // 1024, "exit_code": process.returncode,
    }  # fmt: skip
    return row | {"steps": _split(json.loads(timings.read_text()), begun, took, client)}


def _split(timings: dict[str, Any], begun: float, took: float, client: float) -> dict[str, dict[str, float]]:
    """Return wall and processor seconds of the command's steps in order; the time between them is a step, too."""
    steps: dict[str, dict[str, float]] = {"start": {"seconds": timings["first_step_at"] - begun, "cpu_seconds": timings["first_step_cpu"]}}
    steps |= timings["steps"]
    leaving = {"seconds": begun + took - timings["ended_at"], "cpu_seconds": client - timings["ended_cpu"]}
    spent = {key: sum(step[key] for step in steps.values()) + leaving[key] for key in leaving}
    whole = {"seconds": took, "cpu_seconds": client + timings["server_cpu"]}
    return steps | {"between": {key: whole[key] - spent[key] for key in leaving}, "leaving": leaving}


def _server_cpu(home: Path) -> float:
    server = running_postgres(home)
    return cpu_seconds(server.pid) if server else 0.0


def _environment(home: Path, now: str | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AISLEFLOW_")}
    return kept | {"AISLEFLOW_HOME": str(home)} | ({"AISLEFLOW_NOW": now} if now else {})
