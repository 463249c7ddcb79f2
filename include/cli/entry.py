"""The way into the console command ``aisleflow``, and the way out of its process."""

from __future__ import annotations

import atexit
import os
import sys


def main() -> None:
    """Run the command, and leave without tearing the interpreter down.

    Every handler of ``atexit`` runs, what was printed is flushed, and the operating system takes the rest back at once:
    freeing the modules one by one takes up to a second.
    """
    code = 1  # what an error that nobody caught ends with
    # before anything else is imported and registers a handler: what is registered first runs last
    atexit.register(lambda: _leave(code))
    from include.cli.main import app

    try:
        app()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        raise
    code = 0


def _leave(code: int) -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads what was printed: a plain ending would say so
        return
    os._exit(code)
