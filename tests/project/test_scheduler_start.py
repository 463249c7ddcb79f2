"""Tasks are forks of the scheduler: it has Great Expectations imported when Airflow begins, and nothing that only some tasks need."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow


def test_airflow_begins_with_the_library_imported() -> None:
    program = """
import runpy, sys, threading
def begin(name, **named):
    print(name, sys.argv, "great_expectations" in sys.modules, type(sys.modules["scipy.stats"]).__name__, threading.active_count())
    print(sorted(name for name in sys.modules if name.startswith("include.")))
runpy.run_module = begin
from include.embedded.scheduler import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    begun, imported = done.stdout.splitlines()
    assert begun == "airflow ['airflow', 'scheduler', '--skip-serve-logs'] True _LazyModule 1", "one thread: it is forked"
    # a module of ours that is imported here stays as it was when the scheduler began, whatever is changed on disk
    assert "include.ingestion.checks.library" in imported and len(eval(imported)) <= 6  # noqa: S307 a list of names, printed above


def test_the_log_server_listens_on_loopback(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-c", "from include.embedded.scheduler import serve_logs; serve_logs()"], env=environment
    ) as server:
        try:
            while not (listening := [found.laddr for found in psutil.Process(server.pid).net_connections() if found.status == "LISTEN"]):
                assert server.poll() is None
                time.sleep(0.1)
        finally:
            server.terminate()
    assert listening == [("127.0.0.1", port)]
