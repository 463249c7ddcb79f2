"""Entry point of the console command ``aisleflow``."""

from __future__ import annotations

import atexit
import os
import sys


def main() -> None:
    """Run the command, and exit without the interpreter's teardown.

    Every ``atexit`` handler runs and the output is flushed; the operating system frees the memory.
    The teardown of all modules takes up to a second.
    """
    code = 1  # exit code of an uncaught error
    # before any other import registers a handler: the handler registered first runs last
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
    except OSError:  # the output has no reader: a regular exit would report it
        return
    os._exit(code)
