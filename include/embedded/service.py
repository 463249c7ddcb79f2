"""The systemd unit that keeps one installation running across crashes and reboots."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from include.embedded.layout import PROJECT, Layout
from include.errors import ConfigurationError, TerminalError
from include.files import replace_text

_UNIT = """\
[Unit]
Description=Aisleflow ({home})
Documentation=file://{project}/docs/operating.md
After=network-online.target
Wants=network-online.target

[Service]
Type=simple
ExecStart={program} up --foreground
WorkingDirectory={project}
Environment={environment}
{user}Restart=always
RestartSec=10
# the command stops the components itself, running tasks first
KillMode=mixed
TimeoutStopSec=120
UMask=0077

[Install]
WantedBy={target}
"""


@dataclass(frozen=True, slots=True)
class Service:
    """The unit of one home: for all of the machine (``is_system``) or for the user's own systemd."""

    home: Path
    is_system: bool

    @property
    def name(self) -> str:
        """The unit's name; another home than the project's own has another one."""
        home = Layout(self.home).home
        suffix = (
            "" if home == PROJECT / ".aisleflow" else "-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in str(home)).strip("-")
        )
        return f"aisleflow{suffix}.service"

    @property
    def path(self) -> Path:
        """Where systemd looks for it."""
        folder = Path("/etc/systemd/system") if self.is_system else Path.home() / ".config/systemd/user"
        return folder / self.name

    def text(self) -> str:
        """Return the unit."""
        home = Layout(self.home).home
        program = Path(sys.executable).with_name("aisleflow")
        user = f"User={_owner(home)}\n" if self.is_system else ""
        return _UNIT.format(
            home=_escape(str(home)), project=_escape(str(PROJECT)), program=_quote(str(program)), environment=_quote(f"AISLEFLOW_HOME={home}"), user=user,
            target="multi-user.target" if self.is_system else "default.target",
        )  # fmt: skip

    def install(self) -> list[list[str]]:
        """Write the unit and have systemd start it, now and at every boot; return the commands that remain to be run by hand.

        Raises:
            ConfigurationError: this user may not write the unit.
            TerminalError: systemd refused it.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(self.path, self.text(), mode=0o644)
        except OSError as error:
            raise ConfigurationError(
                f"cannot write {self.path}: {error.strerror}. A system service needs root; --user does not."
            ) from error
        return self._systemctl(["daemon-reload"], ["enable", "--now", self.name])

    def remove(self) -> list[list[str]]:
        """Stop the service and remove its unit; return the commands that remain to be run by hand."""
        if not self.path.exists():
            raise ConfigurationError(f"there is no unit {self.path}.")
        remaining = self._systemctl(["disable", "--now", self.name])
        self.path.unlink()
        return remaining + self._systemctl(["daemon-reload"])

    def _systemctl(self, *commands: list[str]) -> list[list[str]]:
        full = [["systemctl", *([] if self.is_system else ["--user"]), *command] for command in commands]
        if shutil.which("systemctl") is None or not Path("/run/systemd/system").is_dir():
            return full
        for command in full:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise TerminalError(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}. The unit is {self.path}.")
        return []


def _owner(home: Path) -> str:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    return existing.owner()


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _quote(text: str) -> str:
    """Return a word of a unit file: percent signs are specifiers, backslashes and quotes end it."""
    return '"' + _escape(text).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'
