"""Middleware that applies faults to the responses of a site.

The site handles the request first, because only then its purpose and its store are known.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from http.cookies import CookieError, SimpleCookie

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include import clock
from sandbox import request_context, seeded_random
from sandbox.bot_walls import refusal
from sandbox.fault_edits import edited, page_before, shelf_filter_of
from sandbox.faults import Fault, FaultRegistry, SandboxRequest
from sandbox.request_log import request_line, transport_of
from sandbox.site import BODY_BYTES_MAX
from sandbox.world import Shelf

_REPLACING = ("wall", "too_many", "error")
_SHELF_FILTERS = ("category_gone", "tenth")
_REPEATED = {"same_page", "wrong_store", "new_build", *_SHELF_FILTERS}
_EDITS = ("renamed_field", "price_text", "price_times_100", "empty_tree", "no_rows")
_PIECES = 20

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _SiteResponse:
    """A complete response of a site."""

    status: int
    headers: Headers
    body: bytes

    def with_header(self, name: bytes, value: str) -> _SiteResponse:
        others = [(known, old) for known, old in self.headers if known != name]
        return replace(self, headers=[*others, (name, value.encode("latin-1"))])


class FaultMiddleware:
    """Middleware around one site. Without an active fault it passes requests on unchanged."""

    def __init__(self, app: ASGIApp, retailer: str, faults: FaultRegistry) -> None:
        self.app = app
        self.retailer = retailer
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the site's response, changed by the matching faults."""
        if self.faults.latency_seconds:
            send = _not_before(asyncio.get_running_loop().time() + self.faults.latency_seconds, send)
        if self.faults.has_no_faults:
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        before = dict(scope)
        response = await _call_site(self.app, scope, body)
        handler = getattr(scope.get("endpoint"), "__name__", "unknown")
        line = request_line(scope, f"{seeded_random.random_int(body):x}" if body else None)
        is_later_page = page_before(self.retailer, scope["query_string"], body) is not None
        request = SandboxRequest(
            self.retailer,
            handler,
            request_context.purpose_of(handler),
            request_context.store_id.get(),
            line,
            _cookies(scope),
            is_later_page,
        )
        kinds = {fault.kind: fault for fault in self.faults.matching_faults(request)}
        if kinds:
            response = await self._apply_faults(before, body, response, kinds, request)
            # A repeated call may have changed the context.
            request_context.store_id.set(request.store_id)
            request_context.purpose.set(request.purpose)
            request_context.faults.set(tuple(kinds))
        await _deliver(response, kinds, receive, send)

    async def _apply_faults(
        self, scope: Scope, body: bytes, response: _SiteResponse, kinds: Mapping[str, Fault], request: SandboxRequest
    ) -> _SiteResponse:
        for kind in _REPLACING:
            if kind in kinds:
                return _replacement(kinds[kind], request)
        if "new_build" in kinds:
            self.faults.on_new_build()
        if _REPEATED & kinds.keys():
            response = await self._repeat_changed(scope, body, kinds)
        for kind in _EDITS:
            if kind in kinds and response.status == 200:
                response = replace(response, body=edited(response.body, self.retailer, kinds[kind]))
        return response

    async def _repeat_changed(self, scope: Scope, body: bytes, kinds: Mapping[str, Fault]) -> _SiteResponse:
        scope = dict(scope)
        if "same_page" in kinds and (found := page_before(self.retailer, scope["query_string"], body)):
            scope["query_string"], body = found
        shelf_filters = [shelf_filter_of(kinds[kind]) for kind in _SHELF_FILTERS if kind in kinds]

        def filtered_shelf(shelf: Shelf) -> Shelf:
            for shelf_filter in shelf_filters:
                shelf = shelf_filter(shelf)
            return shelf

        previous = request_context.shelf_filter.set(filtered_shelf if shelf_filters else None)
        previous_store = request_context.uses_other_store.set("wrong_store" in kinds)
        try:
            return await _call_site(self.app, scope, body)
        finally:
            request_context.shelf_filter.reset(previous)
            request_context.uses_other_store.reset(previous_store)


def _not_before(instant: float, send: Send) -> Send:
    """Delay the first byte of a response until ``instant`` (loop clock): the latency includes the time to build the response."""

    async def delayed(message: Message) -> None:
        await asyncio.sleep(instant - asyncio.get_running_loop().time())
        await send(message)

    return delayed


async def _read(receive: Receive) -> bytes:
    """Read the body of a request, one byte more than a site accepts at most."""
    body = bytearray()
    while len(body) <= BODY_BYTES_MAX:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    return bytes(body)


async def _call_site(app: ASGIApp, scope: Scope, body: bytes) -> _SiteResponse:
    messages: list[Message] = []
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return pending.pop() if pending else {"type": "http.disconnect"}

    async def keep(message: Message) -> None:
        messages.append(message)

    try:
        await app(scope, receive, keep)
    except HTTPException as error:  # unknown route
        return _SiteResponse(error.status_code, [(b"content-type", b"text/plain")], error.detail.encode())
    start, *parts = messages
    return _SiteResponse(start["status"], list(start.get("headers", ())), b"".join(part.get("body", b"") for part in parts))


def _cookies(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                found |= {key: morsel.value for key, morsel in SimpleCookie(value.decode("latin-1")).items()}
            except CookieError:
                continue  # an unreadable cookie does not pass the bot wall
    return found


def _replacement(fault: Fault, request: SandboxRequest) -> _SiteResponse:
    if fault.kind == "wall":
        page, status = refusal(request.retailer, request.line, fault.form, fault.status)
        return _SiteResponse(status, [(b"content-type", b"text/html")], page.encode())
    status = 429 if fault.kind == "too_many" else fault.status or 500
    response = _SiteResponse(
        status, [(b"content-type", b"application/json")], f'{{"statusCode":{status},"message":"injected fault"}}'.encode()
    )
    if fault.retry_after is None:
        return response
    until = format_datetime(clock.now() + timedelta(seconds=fault.retry_after), usegmt=True)
    return response.with_header(b"retry-after", until if fault.http_date else str(fault.retry_after))


async def _deliver(response: _SiteResponse, kinds: Mapping[str, Fault], receive: Receive, send: Send) -> None:
    if "slow" in kinds:
        await asyncio.sleep(_seconds(kinds["slow"], 2.0))
    if "reset" in kinds:
        await _reset(receive)
        return
    if "content_type" in kinds:
        response = response.with_header(b"content-type", kinds["content_type"].content_type or "text/plain")
    if "garbage" in kinds:
        noise = b"".join(seeded_random.random_int("garbage", position).to_bytes(8) for position in range(max(1, len(response.body) // 8)))
        response = replace(response, body=noise).with_header(b"content-encoding", "gzip")
    response = response.with_header(b"content-length", str(len(response.body)))
    body, part = response.body, kinds["cut"].part if "cut" in kinds else None
    if "cut" in kinds:
        body = body[: int(len(body) * (0.5 if part is None else part))]
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    pieces = _PIECES if "trickle" in kinds else 1
    step = len(body) // pieces + 1
    starts = range(0, len(body) or 1, step)
    for at in starts:
        if "trickle" in kinds:
            await asyncio.sleep(_seconds(kinds["trickle"], 5.0) / pieces)
        is_last = at == starts[-1] and "cut" not in kinds  # a client that has all bytes has the last message: the log records it before
        await send({"type": "http.response.body", "body": body[at : at + step], "more_body": not is_last})
    if "cut" in kinds:
        await _close(receive)


def _seconds(fault: Fault, usual: float) -> float:
    return usual if fault.seconds is None else fault.seconds


async def _close(receive: Receive) -> None:
    """Close the connection after the sent bytes, and wait until it is closed."""
    transport = transport_of(receive)
    if transport is None:  # an in-process client
        raise ConnectionAbortedError("the sandbox cut the response: injected fault")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(receive: Receive) -> None:
    """Reset the connection without a closing handshake."""
    transport = transport_of(receive)
    if transport is None:
        raise ConnectionResetError("the sandbox reset the connection: injected fault")
    # With a linger time of zero a close is a reset.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
