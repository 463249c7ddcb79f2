"""The sites in a thread of this process, on a free port of this machine: for tests and measurements.

with running(GeneratedWorld(7)) as sandbox:
    sandbox.faults.add("error", retailer="aldi", nth=2)
    requests.get(f"{sandbox.url}/aldi/v2/product-category-tree", params={"servicePoint": "G100"})
    sandbox.traffic.count("aldi")
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from sandbox.faults import FaultRegistry
from sandbox.request_log import Traffic
from sandbox.serve import create_app
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """The address, faults and request log of the running sites."""

    url: str
    faults: FaultRegistry
    traffic: Traffic

    def site(self, retailer: str) -> str:
        """Return the address of a retailer's site, for ``AISLEFLOW_<RETAILER>_URL``."""
        return f"{self.url}/{retailer}"


@contextmanager
def running(world: World, faults: FaultRegistry | None = None) -> Iterator[RunningSandbox]:
    """Serve a world until the block ends."""
    registry, traffic = faults or FaultRegistry(), Traffic()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            create_app(world, faults=registry, traffic=traffic),
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=1,
            lifespan="off",
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="sandbox", daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.01)
        try:
            yield RunningSandbox(f"http://127.0.0.1:{listening.getsockname()[1]}", registry, traffic)
        finally:
            server.should_exit = True
            thread.join()
