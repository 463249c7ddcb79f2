"""The sandbox's server: the four sites and the truth, on one local port.

``/coles`` ``/woolworths`` ``/aldi`` ``/iga``   the sites, each in its own format
``/_sandbox/health``                         ``{"status": "ok"}``
``/_sandbox/world``                          kind, seed, sizes, the clock
``/_sandbox/stores/{retailer}``              all stores, with the hidden price zone
``/_sandbox/truth/{retailer}/{store_id}``    a store's true prices (``?at=`` an instant), one JSON object per line
``/_sandbox/requests``                       request counts; POST resets them
``/_sandbox/faults`` ``/latency`` ``/requests/log``  fault injection (``sandbox/admin.py``)

    python -m sandbox.serve --port 8700 --world generated --seed 7 --stores 4 --products 1500
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from include import clock
from include.errors import ConfigurationError
from sandbox import admin
from sandbox.aldi import Aldi
from sandbox.coles import Coles
from sandbox.fault_effects import FaultMiddleware
from sandbox.faults import FaultRegistry, read_scenario
from sandbox.generated import GeneratedWorld, WorldSize
from sandbox.iga import Iga
from sandbox.recorded import RecordedWorld
from sandbox.request_log import RequestCounter, Traffic
from sandbox.site import json_response
from sandbox.token import make_token
from sandbox.woolworths import Woolworths
from sandbox.world import RETAILERS, TruthOffer, UnknownStoreError, World

LINES_A_CHUNK = 500
_TRUTH_FIELDS = TruthOffer.__dataclass_fields__


def open_world(kind: str, *, seed: int = 7, size: WorldSize | None = None, folder: Path | None = None) -> World:
    """Open a world by its kind.

    Raises:
        ConfigurationError: an unknown kind, a recorded world without a usable folder, an impossible size.
    """
    if kind == "generated":
        return GeneratedWorld(seed, size)
    if kind != "recorded":
        raise ConfigurationError(f"unknown world {kind!r}. Give --world generated or --world recorded.")
    if folder is None:
        raise ConfigurationError("a recorded world needs the folder of its store-days. Give --folder DIR.")
    return RecordedWorld(folder)


def create_app(
    world: World,
    site_middleware: Sequence[Middleware] = (),
    *,
    faults: FaultRegistry | None = None,
    traffic: Traffic | None = None,
    token: str | None = None,
) -> Starlette:
    """Return the application over one world.

    Args:
        site_middleware: wrapped around each of the four sites only. It sees every request of a
            site, with its prefix in ``scope["root_path"]``, before faults apply.
        faults: the fault registry; by default an empty one, open to the admin routes.
        traffic: the request log.
        token: needed to change faults, latency or the log; without one, this machine may.
    """
    registry, log = faults or FaultRegistry(), traffic or Traffic()
    coles = Coles(world)
    registry.on_new_build = coles.deploy
    sites: dict[str, Coles | Woolworths | Aldi | Iga] = {
        "coles": coles,
        "woolworths": Woolworths(world),
        "aldi": Aldi(world),
        "iga": Iga(world),
    }
    mounts = [
        Mount(
            f"/{name}",
            routes=[Route("/robots.txt", robots), *site.routes()],
            middleware=[
                Middleware(RequestCounter, retailer=name, traffic=log),
                *site_middleware,
                Middleware(FaultMiddleware, retailer=name, faults=registry),
            ],
        )
        for name, site in sites.items()
    ]

    async def health(request: Request) -> Response:
        return json_response({"status": "ok"})

    async def describe(request: Request) -> Response:
        return json_response(world.describe() | {"now": clock.now().isoformat()})

    async def stores(request: Request) -> Response:
        return json_response(world.stores(_retailer(request)))

    async def truth(request: Request) -> Response:
        given = request.query_params.get("at")
        # A plus sign that was not encoded arrives as a blank.
        at = clock.parse_instant(given.replace(" ", "+"), "at") if given else clock.now()
        shelf = world.shelf(_retailer(request), request.path_params["store_id"], at)
        return StreamingResponse(
            _json_lines(shelf.offers()), media_type="application/jsonl", headers={"x-sandbox-at": quote(at.isoformat())}
        )

    own = [
        Route("/health", health),
        Route("/world", describe),
        Route("/stores/{retailer}", stores),
        Route("/truth/{retailer}/{store_id}", truth),
        *admin.routes(world, registry, log, token),
    ]
    return Starlette(
        routes=[
            *mounts,
            Route("/robots.txt", robots),
            Mount("/_sandbox", routes=own, middleware=[Middleware(GZipMiddleware, minimum_size=2048, compresslevel=4)]),
        ],
        exception_handlers={UnknownStoreError: _not_found, ConfigurationError: _bad_request},
    )


async def robots(request: Request) -> Response:
    """Return a site's robots.txt: browsing is allowed, checkout and account are not."""
    return PlainTextResponse("User-agent: *\nDisallow: /checkout\nDisallow: /account\n")


def truth_row(offer: TruthOffer) -> dict[str, object]:
    """Return an offer in the truth route's format, without the retailer-specific fields."""
    return {name: getattr(offer, name) for name in _TRUTH_FIELDS}


def _json_lines(offers: Iterator[TruthOffer]) -> Iterator[bytes]:
    lines: list[bytes] = []
    for offer in offers:
        lines.append(msgspec.json.encode(truth_row(offer)))
        if len(lines) == LINES_A_CHUNK:
            yield b"\n".join(lines) + b"\n"
            lines = []
    if lines:
        yield b"\n".join(lines) + b"\n"


def _retailer(request: Request) -> str:
    retailer = str(request.path_params["retailer"])
    if retailer not in RETAILERS:
        raise UnknownStoreError(f"unknown retailer {retailer!r}; known: {', '.join(RETAILERS)}")
    return retailer


async def _not_found(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 404)


async def _bad_request(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


def run(world: World, port: int, host: str = "127.0.0.1", faults: FaultRegistry | None = None) -> None:
    """Serve a world until the process is stopped (on SIGTERM, after the requests in flight)."""
    app = create_app(world, faults=faults, token=make_token(clock.home()))
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=5)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line of ``python -m sandbox.serve`` and serve."""
    usual = WorldSize()
    parser = argparse.ArgumentParser(prog="python -m sandbox.serve", description="The four retailers' sites on localhost.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; by default only this machine can connect")
    parser.add_argument("--world", choices=["generated", "recorded"], default="generated")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--stores", type=int, default=usual.stores, help="supermarkets per retailer")
    parser.add_argument("--products", type=int, default=usual.products, help="products per retailer")
    parser.add_argument("--silent-stores", type=int, default=usual.silent_stores, help="Aldi stores that are listed but list no products")
    parser.add_argument("--folder", type=Path, help="store-days of a recorded world")
    parser.add_argument("--faults", type=Path, help="a scenario of faults (TOML or JSON)")
    parser.add_argument("--latency-seconds", type=float, help="minimum duration of every response of a site")
    given = parser.parse_args(arguments)
    size = WorldSize(given.stores, given.products, given.silent_stores)
    try:
        world = open_world(given.world, seed=given.seed, size=size, folder=given.folder)
        faults = read_scenario(given.faults) if given.faults else FaultRegistry()
    except ConfigurationError as error:
        parser.error(str(error))
    if given.latency_seconds is not None:
        faults.latency_seconds = given.latency_seconds
    run(world, given.port, given.host, faults)


if __name__ == "__main__":
    main()
