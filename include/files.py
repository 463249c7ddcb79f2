"""Writing a file so that no reader ever sees half of it: under another name beside it, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replaced_file(path: Path, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """Yield a file to write; it takes the place of ``path`` when the block succeeds, and is removed when it does not.

    Args:
        path: a file in a folder that is there.
        mode: rights of the new file, less what the process's umask takes away.
    """
    writing = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        with os.fdopen(os.open(writing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        writing.replace(path)
    finally:
        writing.unlink(missing_ok=True)


def replace_text(path: Path, text: str, mode: int = 0o666) -> None:
    """Replace the whole text of a file; see :func:`replaced_file`."""
    with replaced_file(path, mode) as file:
        file.write(text.encode())
