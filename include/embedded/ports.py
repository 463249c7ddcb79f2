"""The ports of one home: chosen once per start, stored in ``run/ports.json``, never shared with another home."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path

from include.config import settings
from include.embedded.layout import Layout
from include.errors import TerminalError

#: Address of the API server, for this machine only. A host name may resolve to IPv6, where another process may listen.
HOST = "127.0.0.1"

#: Airflow's usual port for the logs of running tasks. Its server cannot be bound to one address; requests are signed.
LOGS_PORT = 8793

_PORTS_TRIED = 200


@dataclass(frozen=True)
class Ports:
    """``api``: Airflow's UI and API; ``logs``: the logs of tasks that run."""

    api: int
    logs: int


def known(home: Path) -> Ports | None:
    """Return the ports of the last start; ``None`` before the first one."""
    try:
        return Ports(**json.loads(_file(home).read_text()))
    except FileNotFoundError:
        return None


def ui_url(home: Path) -> str:
    """Return the address of Airflow's UI and API, as of the last start.

    Raises:
        TerminalError: this home was never started.
    """
    found = known(home)
    if found is None:
        raise TerminalError(f"Airflow was never started in {home}. Run: aisleflow up")
    return f"http://{HOST}:{found.api}"


def choose(home: Path, reservations: ExitStack) -> Ports:
    """Choose and store free ports; the API's candidates begin at ``AISLEFLOW_API_PORT``.

    They are reserved until ``reservations`` is closed (by then a component listens on them): two installations
    that start concurrently take different ports.

    Raises:
        TerminalError: all candidates are taken.
    """
    chosen = Ports(_first_free(settings().api_port, HOST, reservations), _first_free(LOGS_PORT, HOST, reservations))
    _file(home).write_text(json.dumps(asdict(chosen)))
    return chosen


def reserve_api_port(home: Path, reservations: ExitStack) -> bool:
    """Reserve the API's port of the last start again; return whether it was free."""
    found = known(home)
    return found is not None and _claim(found.api, HOST, reservations)


def _first_free(first: int, host: str, reservations: ExitStack) -> int:
    for port in range(first, min(first + _PORTS_TRIED, 65_536)):
        if _claim(port, host, reservations):
            return port
    raise TerminalError(
        f"no free port from {first} on. Stop the processes that use them, or set AISLEFLOW_API_PORT to the start of another range."
    )


def _claim(port: int, host: str, reservations: ExitStack) -> bool:
    """Reserve an unused port by a name in the kernel's abstract socket namespace.

    The namespace is common to all users of the machine, and a name is released with its holder.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0aisleflow-port-{port}")
    except OSError:
        claim.close()
        return False
    reservations.enter_context(closing(claim))
    return True


def _file(home: Path) -> Path:
    return Layout(home).run / "ports.json"
