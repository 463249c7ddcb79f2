"""The sandbox retailers as a component of an installation.

``sandbox.json`` in the home stores the world; while it exists, the retailers' base URLs of this home are the
sandbox's (``include/config.py`` reads it), so every process of the installation crawls localhost only.
"""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from include.config import SANDBOX_FILE
from include.embedded import components
from include.embedded.components import Component
from include.embedded.layout import FIRST_SANDBOX_PORT, Progress, no_progress
from include.errors import ConfigurationError

_PORTS_TRIED = 200


@dataclass(frozen=True)
class SandboxWorld:
    """Which world is served: ``generated`` from a seed at a size, or ``recorded`` from a folder of store-days."""

    kind: str = "generated"
    seed: int = 7
    stores: int = 4
    products: int = 1500
    folder: str | None = None


def start_sandbox(home: Path, world: SandboxWorld, progress: Progress = no_progress) -> str:
    """Serve a world, replacing another one; return the sandbox's base URL. Safe to repeat.

    Raises:
        TerminalError: it does not start; the message contains the end of its log.
        ConfigurationError: a recorded world without a folder.
    """
    if world.kind == "recorded" and not world.folder:
        raise ConfigurationError("a recorded world needs the folder of its store-days: --world DIR.")
    before = saved_sandbox(home)
    if before is not None and before[0] != world:
        components.stop(home, ["sandbox"], progress)
        before = None
    url = before[1] if before is not None else f"http://127.0.0.1:{_free_port()}"
    component = _component(world, url)
    if before is not None and components.state_of(home, component).state != "running" and not _is_free(int(url.rpartition(":")[2])):
        url = f"http://127.0.0.1:{_free_port()}"
        component = _component(world, url)
    home.mkdir(parents=True, exist_ok=True)
    (home / SANDBOX_FILE).write_text(json.dumps({"url": url, "world": asdict(world)}, indent=2))
    components.start_component(home, component, progress)
    return url


def saved_sandbox(home: Path) -> tuple[SandboxWorld, str] | None:
    """Return the last world and base URL of this home, if any."""
    try:
        known = json.loads((home / SANDBOX_FILE).read_text())
    except FileNotFoundError:
        return None
    return SandboxWorld(**known["world"]), known["url"]


def _component(world: SandboxWorld, url: str) -> Component:
    command = [sys.executable, "-m", "sandbox.serve", "--port", url.rpartition(":")[2], "--world", world.kind]
    if world.kind == "recorded":
        command += ["--folder", str(world.folder)]
    else:
        command += ["--seed", str(world.seed), "--stores", str(world.stores), "--products", str(world.products), "--silent-stores", "0"]
    return Component("sandbox", tuple(command), f"{url}/_sandbox/health")


def _free_port() -> int:
    for port in range(FIRST_SANDBOX_PORT, FIRST_SANDBOX_PORT + _PORTS_TRIED):
        if _is_free(port):
            return port
    raise ConfigurationError(
        f"no free port between {FIRST_SANDBOX_PORT} and {FIRST_SANDBOX_PORT + _PORTS_TRIED} for the sandbox. Stop the processes that use them."
    )


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
