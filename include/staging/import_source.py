"""Opens a file to import: only a regular one, and never what a link points to.

The command reads with its user's rights and keeps a copy of what it refuses. Whoever may put a link into a folder of store-days
would otherwise have any file of that user copied.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: A larger manifest is none: real ones have a few kilobytes.
MANIFEST_BYTES_MAX = 10_000_000


class UnusableSource(OSError):
    """A path that is no regular file, or one that changes while it is read. Nothing of it is kept."""


@contextmanager
def opened(path: Path) -> Iterator[io.BufferedReader]:
    """Open a regular file to read it to its end; compare its size and time of change afterwards.

    Raises:
        UnusableSource: a link, a pipe, a device or a folder; or it was changed meanwhile.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe without a writer would block
    except OSError as error:
        if path.is_symlink():
            raise UnusableSource(f"{path} is a symbolic link, which is not followed. Give the file itself.") from error
        raise
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise UnusableSource(f"{path} is no regular file (a pipe, a device or a folder). Give a file on a disk.")
        yield file
        after = os.fstat(descriptor)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise UnusableSource(f"{path} was changed while it was read. Import it when it is complete.")


def read_small(path: Path) -> bytes:
    """Read a manifest.

    Raises:
        UnusableSource: as :func:`opened`, or it is larger than :data:`MANIFEST_BYTES_MAX`.
    """
    with opened(path) as file:
        content = file.read(MANIFEST_BYTES_MAX + 1)
    if len(content) > MANIFEST_BYTES_MAX:
        raise UnusableSource(f"{path} is larger than {MANIFEST_BYTES_MAX:,} bytes, which is no manifest. Export the store-day again.")
    return content
