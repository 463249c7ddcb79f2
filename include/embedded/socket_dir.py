"""The folder of PostgreSQL's unix socket: in the home if its path is short and plain, else a private one in ``/tmp``."""

from __future__ import annotations

import os
import pwd
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from include.embedded.layout import Layout

#: ``sockaddr_un`` takes 107 bytes; ``/.s.PGSQL.5432.lock`` is the longest name below the folder.
_BYTES_MAX = 85


def choose_socket_dir(layout: Layout, account: pwd.struct_passwd | None) -> Path:
    """Return a folder that only the server's user may enter, short and plain enough for every driver's URL."""
    uid = account.pw_uid if account else os.geteuid()
    inside = layout.run / "postgres"
    if len(os.fsencode(inside)) <= _BYTES_MAX and re.fullmatch(r"[A-Za-z0-9/._-]+", str(inside)):
        inside.mkdir(exist_ok=True)
        chosen = inside
    else:
        record = _recorded_path(layout)
        chosen = Path(record.read_text()) if record.exists() else Path()
        if not _is_private(chosen, uid):
            chosen = Path(tempfile.mkdtemp(prefix="aisleflow-", dir="/tmp"))
            record.write_text(str(chosen))
    chosen.chmod(0o700)
    if account:
        os.chown(chosen, account.pw_uid, account.pw_gid)
    return chosen


def _recorded_path(layout: Layout) -> Path:
    """Return the file that records the socket's folder if it is not in the home."""
    return layout.run / "postgres.socket_dir"


def remove_outer_socket_dir(layout: Layout) -> None:
    """Remove the folder outside the home unless it contains other files."""
    record = _recorded_path(layout)
    if record.exists():
        with suppress(OSError):
            Path(record.read_text()).rmdir()
        record.unlink()


def _is_private(folder: Path, uid: int) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and stat.S_IMODE(found.st_mode) == 0o700
