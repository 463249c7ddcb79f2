"""The folder of PostgreSQL's unix socket: in the home where that is short and plain, else a private one in ``/tmp``."""

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
        noted = _recorded_path(layout)
        chosen = Path(noted.read_text()) if noted.exists() else Path()
        if not _is_private(chosen, uid):
            chosen = Path(tempfile.mkdtemp(prefix="aisleflow-", dir="/tmp"))
            noted.write_text(str(chosen))
    chosen.chmod(0o700)
    if account:
        os.chown(chosen, account.pw_uid, account.pw_gid)
    return chosen


def _recorded_path(layout: Layout) -> Path:
    """Return the file that names the socket's folder, when that is not in the home."""
    return layout.run / "postgres.socket_dir"


def remove_outer_socket_dir(layout: Layout) -> None:
    """Leave nothing outside the home behind; a folder that somebody else has put files into stays."""
    noted = _recorded_path(layout)
    if noted.exists():
        with suppress(OSError):
            Path(noted.read_text()).rmdir()
        noted.unlink()


def _is_private(folder: Path, uid: int) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and stat.S_IMODE(found.st_mode) == 0o700
