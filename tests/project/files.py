"""The project's own files: those tracked by git, and new ones that are not ignored."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def project_files() -> tuple[Path, ...]:
    """Return every file that is or would be tracked, sorted; nothing that git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for path in sorted({ROOT / name for name in listed.split("\0") if name}) if path.is_file())


def sources(*folders: str, suffix: str = ".py") -> list[Path]:
    """Return the files with a suffix below some top folders.

    >>> sources("include")[0].name
    '__init__.py'
    """
    return [path for path in project_files() if path.suffix == suffix and path.relative_to(ROOT).parts[0] in folders]


def name_of(path: Path) -> str:
    """Return a file's path from the project's root: the name of a parametrised test."""
    return path.relative_to(ROOT).as_posix()
