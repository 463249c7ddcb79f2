"""What ``aisleflow night`` remembers of each night, so that the next call takes up an aborted one and an earlier one can be shown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from include.embedded.sandbox import SandboxWorld
from include.errors import TerminalError
from include.files import replace_text


@dataclass
class NightRecord:
    """One night: its world, the Airflow runs by DAG, and the comparison with the truth once it was made."""

    night: date
    world: SandboxWorld
    served: list[str] = field(default_factory=list)
    runs: dict[str, str] = field(default_factory=dict)
    comparison: dict[str, Any] | None = None

    def save(self, home: Path) -> None:
        """Write the record; a reader never sees half of it."""
        path = _path(home, self.night)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json.dumps(asdict(self) | {"night": self.night.isoformat()}, indent=2, default=str))


def read(home: Path, night: date) -> NightRecord:
    """Return the record of a night.

    Raises:
        TerminalError: there is none; names the newest ones.
    """
    try:
        content = json.loads(_path(home, night).read_text())
    except FileNotFoundError as error:
        known = ", ".join(path.stem for path in _paths(home)[-5:])
        raise TerminalError(f"no night of {night} was run here. The last ones: {known or 'none; aisleflow night runs one'}.") from error
    return NightRecord(**content | {"night": night, "world": SandboxWorld(**content["world"])})


def newest(home: Path) -> NightRecord | None:
    """Return the record of the night that was begun last, ``None`` before the first."""
    paths = sorted(_paths(home), key=lambda path: path.stat().st_mtime_ns)
    return read(home, date.fromisoformat(paths[-1].stem)) if paths else None


def _path(home: Path, night: date) -> Path:
    return home / "nights" / f"{night.isoformat()}.json"


def _paths(home: Path) -> list[Path]:
    return sorted((home / "nights").glob("????-??-??.json"))
