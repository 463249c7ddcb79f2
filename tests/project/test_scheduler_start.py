"""Tasks are forks of the scheduler: it has Great Expectations imported when Airflow begins, and nothing that only some tasks need."""

from __future__ import annotations

import subprocess
import sys

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
    assert begun == "airflow ['airflow', 'scheduler'] True _LazyModule 1", "one thread: it is forked"
    # a module of ours that is imported here stays as it was when the scheduler began, whatever is changed on disk
    assert "include.ingestion.checks.library" in imported and len(eval(imported)) <= 6  # noqa: S307 a list of names, printed above
