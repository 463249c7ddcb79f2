"""The sandbox's own routes that change it: faults, latency, the request log. Only counts are told to other machines.

``GET /faults``               the faults in force        ``POST`` one object or a list of them     ``DELETE`` all
``DELETE /faults/{key}``      one of them
``GET|POST /latency``         ``{"seconds": 0.1}``
``GET|POST /requests``        what was asked, counted; POST sets it back to nothing
``GET /requests/log``         the newest requests, one JSON object a line; ``?after=`` a number, ``?retailer=``
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.errors import ConfigurationError
from sandbox.counting import Traffic
from sandbox.faults import FaultRegistry, fault_of
from sandbox.site import BODY_BYTES_MAX, answer, number

LATENCY_SECONDS_MAX = 60.0

Handler = Callable[[Request], Awaitable[Response]]


def routes(faults: FaultRegistry, traffic: Traffic) -> list[Route]:
    """Return the routes, below the sandbox's own prefix."""

    async def list_or_add(request: Request) -> Response:
        if request.method == "DELETE":
            return answer({"cleared": faults.clear()})
        if request.method == "POST":
            given = await _json(request)
            wanted = [fault_of(_object(one)) for one in (given if isinstance(given, list) else [given])]
            return answer({"keys": [faults.put(one) for one in wanted]}, 201)
        return answer({"faults": faults.active_faults(), "latency_seconds": faults.latency_seconds})

    async def clear_one(request: Request) -> Response:
        return answer({"cleared": faults.clear(request.path_params["key"])})

    async def latency(request: Request) -> Response:
        if request.method == "POST":
            given = await _json(request)
            seconds = given.get("seconds") if isinstance(given, dict) else None
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LATENCY_SECONDS_MAX:
                raise ConfigurationError(f'give {{"seconds": …}} between 0 and {LATENCY_SECONDS_MAX:g}.')
            faults.latency_seconds = float(seconds)
        return answer({"seconds": faults.latency_seconds})

    async def counted(request: Request) -> Response:
        return answer(traffic.report())

    async def reset(request: Request) -> Response:
        traffic.reset()
        return answer(traffic.report())

    async def log(request: Request) -> Response:
        found = traffic.arrivals(request.query_params.get("retailer"), after=number(request.query_params.get("after"), 0))
        return Response(b"".join(msgspec.json.encode(entry) + b"\n" for entry in found), media_type="application/jsonl")

    return [
        Route("/faults", _from_here(list_or_add), methods=["GET", "POST", "DELETE"]),
        Route("/faults/{key}", _from_here(clear_one), methods=["DELETE"]),
        Route("/latency", _from_here(latency), methods=["GET", "POST"]),
        Route("/requests", counted),
        Route("/requests", _from_here(reset), methods=["POST"]),
        Route("/requests/log", _from_here(log)),
    ]


def _from_here(handler: Handler) -> Handler:
    """Refuse a route to other machines."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        host = request.client.host if request.client else "127.0.0.1"
        try:
            is_here = ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_here = host in ("localhost", "testclient")
        if not is_here:
            return answer({"error": "faults are commanded from the machine the sandbox runs on"}, 403)
        return await handler(request)

    return guarded


async def _json(request: Request) -> object:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise HTTPException(413, f"the request body is larger than {BODY_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(bytes(body))
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"the request body is not JSON: {error}") from error


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError("a fault is a JSON object, and several are a list of objects.")
    return value
