"""The sandbox's admin routes: faults, latency, the request log. Other machines may only read the request counts.

What changes something needs the token of the home (``sandbox/token.py``), and its body has to be JSON by its type: a web page in a browser
on this machine can send neither.

``GET /faults``               the faults in force        ``POST`` one object or a list of them     ``DELETE`` all
``DELETE /faults/{key}``      one of them
``GET|POST /latency``         ``{"seconds": 0.1}``
``GET|POST /requests``        request counts; POST resets them
``GET /requests/log``         the newest requests, one JSON object per line; ``?after=`` a number, ``?retailer=``
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.errors import ConfigurationError
from sandbox.faults import Fault, FaultRegistry, fault_of
from sandbox.request_log import Traffic
from sandbox.site import BODY_BYTES_MAX, json_response, number
from sandbox.token import HEADER
from sandbox.world import RETAILERS, World

LATENCY_SECONDS_MAX = 60.0
_STORES_NAMED = 5

Handler = Callable[[Request], Awaitable[Response]]


def routes(world: World, faults: FaultRegistry, traffic: Traffic, token: str | None = None) -> list[Route]:
    """Return the routes, relative to the sandbox's own prefix; with a token, changes need it."""

    async def list_or_add(request: Request) -> Response:
        if request.method == "DELETE":
            return json_response({"cleared": faults.clear()})
        if request.method == "POST":
            given = await _json(request)
            wanted = [fault_of(_object(one)) for one in (given if isinstance(given, list) else [given])]
            for one in wanted:
                _check_store(world, one)
            return json_response({"keys": [faults.put(one) for one in wanted]}, 201)
        return json_response({"faults": faults.active_faults(), "latency_seconds": faults.latency_seconds})

    async def clear_one(request: Request) -> Response:
        return json_response({"cleared": faults.clear(request.path_params["key"])})

    async def latency(request: Request) -> Response:
        if request.method == "POST":
            given = await _json(request)
            seconds = given.get("seconds") if isinstance(given, dict) else None
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LATENCY_SECONDS_MAX:
                raise ConfigurationError(f'give {{"seconds": …}} between 0 and {LATENCY_SECONDS_MAX:g}.')
            faults.latency_seconds = float(seconds)
        return json_response({"seconds": faults.latency_seconds})

    async def counted(request: Request) -> Response:
        return json_response(traffic.report())

    async def reset(request: Request) -> Response:
        traffic.reset()
        return json_response(traffic.report())

    async def log(request: Request) -> Response:
        found = traffic.arrivals(request.query_params.get("retailer"), after=number(request.query_params.get("after"), 0))
        return Response(b"".join(msgspec.json.encode(entry) + b"\n" for entry in found), media_type="application/jsonl")

    def guarded(handler: Handler) -> Handler:
        return _local_only(_owners_only(handler, token))

    return [
        Route("/faults", guarded(list_or_add), methods=["GET", "POST", "DELETE"]),
        Route("/faults/{key}", guarded(clear_one), methods=["DELETE"]),
        Route("/latency", guarded(latency), methods=["GET", "POST"]),
        Route("/requests", counted),
        Route("/requests", guarded(reset), methods=["POST"]),
        Route("/requests/log", _local_only(log)),
    ]


def _check_store(world: World, fault: Fault) -> None:
    """Refuse a fault that no request can meet: its store is not in this world."""
    retailers = [fault.retailer] if fault.retailer else RETAILERS
    known = {store.store_id for retailer in retailers for store in world.stores(retailer)}
    if fault.store is not None and fault.store not in known:
        some = ", ".join(sorted(known)[:_STORES_NAMED])
        raise ConfigurationError(f"no store {fault.store!r} of {' or '.join(retailers)} in this world, which has {some} and others.")


def _local_only(handler: Handler) -> Handler:
    """Reject requests from other machines."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        host = request.client.host if request.client else "127.0.0.1"
        try:
            is_local = ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_local = host in ("localhost", "testclient")
        if not is_local:
            return json_response({"error": "this route is only open to the machine the sandbox runs on"}, 403)
        return await handler(request)

    return guarded


def _owners_only(handler: Handler, token: str | None) -> Handler:
    """Reject changes without the token, and bodies that are not JSON by their type."""

    @wraps(handler)
    async def checked(request: Request) -> Response:
        if token is not None and request.method != "GET":
            if not secrets.compare_digest(request.headers.get(HEADER, "").encode(), token.encode()):
                return json_response(
                    {"error": "this needs the token of the sandbox's home: run the command as its owner, with its AISLEFLOW_HOME"}, 403
                )
            kind = request.headers.get("content-type", "").partition(";")[0].strip()
            if kind != "application/json" and request.headers.get("content-length", "0") != "0":
                return json_response({"error": f"the body is {kind or 'of no type'}, application/json was expected"}, 400)
        return await handler(request)

    return checked


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
        raise ConfigurationError("give a fault as a JSON object, several as a list of objects.")
    return value
