"""The middleware that lets faults strike: it hears what a site would answer, and answers something else.

The site is asked first, because only then it is known what the request was for and which store it chose.
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
from sandbox import asked, seeded_random
from sandbox.counting import request_line, transport_of
from sandbox.fault_answers import edited, page_before, shelf_filter_of
from sandbox.faults import Fault, FaultRegistry, SandboxRequest
from sandbox.site import BODY_BYTES_MAX
from sandbox.walls import refusal
from sandbox.world import Shelf

_REPLACING = ("wall", "too_many", "error")
_SHELF_FILTERS = ("category_gone", "tenth")
_REPEATED = {"same_page", "wrong_store", "new_build", *_SHELF_FILTERS}
_EDITS = ("renamed_field", "price_text", "price_times_100", "empty_tree", "no_rows")
_PIECES = 20

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Answer:
    """A whole answer of a site."""

    status: int
    headers: Headers
    body: bytes

    def with_header(self, name: bytes, value: str) -> _Answer:
        others = [(known, old) for known, old in self.headers if known != name]
        return replace(self, headers=[*others, (name, value.encode("latin-1"))])


class FaultMiddleware:
    """Middleware around one site. Without a fault in force it passes requests on as they are."""

    def __init__(self, app: ASGIApp, retailer: str, faults: FaultRegistry) -> None:
        self.app = app
        self.retailer = retailer
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the site does, or as the faults in force want it."""
        if self.faults.latency_seconds:
            send = _not_before(asyncio.get_running_loop().time() + self.faults.latency_seconds, send)
        if self.faults.has_no_faults:
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        before = dict(scope)
        answer = await _ask(self.app, scope, body)
        handler = getattr(scope.get("endpoint"), "__name__", "unknown")
        what = request_line(scope, f"{seeded_random.random_int(body):x}" if body else None)
        is_later_page = page_before(self.retailer, scope["query_string"], body) is not None
        request = SandboxRequest(
            self.retailer, handler, asked.purpose_of(handler), asked.store_id.get(), what, _cookies(scope), is_later_page
        )
        kinds = {fault.kind: fault for fault in self.faults.matching_faults(request)}
        if kinds:
            answer = await self._apply_faults(before, body, answer, kinds, request)
            # Whatever was asked in between: the request was for this.
            asked.store_id.set(request.store_id)
            asked.purpose.set(request.purpose)
            asked.faults.set(tuple(kinds))
        await _deliver(answer, kinds, receive, send)

    async def _apply_faults(
        self, scope: Scope, body: bytes, answer: _Answer, kinds: Mapping[str, Fault], request: SandboxRequest
    ) -> _Answer:
        for kind in _REPLACING:
            if kind in kinds:
                return _replacement_response(kinds[kind], request)
        if "new_build" in kinds:
            self.faults.on_new_build()
        if _REPEATED & kinds.keys():
            answer = await self._request_again_changed(scope, body, kinds)
        for kind in _EDITS:
            if kind in kinds and answer.status == 200:
                answer = replace(answer, body=edited(answer.body, self.retailer, kinds[kind]))
        return answer

    async def _request_again_changed(self, scope: Scope, body: bytes, kinds: Mapping[str, Fault]) -> _Answer:
        scope = dict(scope)
        if "same_page" in kinds and (found := page_before(self.retailer, scope["query_string"], body)):
            scope["query_string"], body = found
        lenses = [shelf_filter_of(kinds[kind]) for kind in _SHELF_FILTERS if kind in kinds]

        def filtered_shelf(shelf: Shelf) -> Shelf:
            for lens in lenses:
                shelf = lens(shelf)
            return shelf

        seen = asked.lens.set(filtered_shelf if lenses else None)
        wrong = asked.is_wrong_store.set("wrong_store" in kinds)
        try:
            return await _ask(self.app, scope, body)
        finally:
            asked.lens.reset(seen)
            asked.is_wrong_store.reset(wrong)


def _not_before(instant: float, send: Send) -> Send:
    """Hold the first byte of an answer back until the loop's clock shows ``instant``: making the answer is part of its latency."""

    async def held_back(message: Message) -> None:
        await asyncio.sleep(instant - asyncio.get_running_loop().time())
        await send(message)

    return held_back


async def _read(receive: Receive) -> bytes:
    """Read the body of a request, one byte more than a site accepts at most."""
    body = bytearray()
    while len(body) <= BODY_BYTES_MAX:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    return bytes(body)


async def _ask(app: ASGIApp, scope: Scope, body: bytes) -> _Answer:
    messages: list[Message] = []
    questions = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return questions.pop() if questions else {"type": "http.disconnect"}

    async def keep(message: Message) -> None:
        messages.append(message)

    try:
        await app(scope, receive, keep)
    except HTTPException as error:  # no such route
        return _Answer(error.status_code, [(b"content-type", b"text/plain")], error.detail.encode())
    start, *parts = messages
    return _Answer(start["status"], list(start.get("headers", ())), b"".join(part.get("body", b"") for part in parts))


def _cookies(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                found |= {key: morsel.value for key, morsel in SimpleCookie(value.decode("latin-1")).items()}
            except CookieError:
                continue  # a cookie nobody can read opens no wall
    return found


def _replacement_response(fault: Fault, request: SandboxRequest) -> _Answer:
    if fault.kind == "wall":
        page, status = refusal(request.retailer, request.what, fault.form, fault.status)
        return _Answer(status, [(b"content-type", b"text/html")], page.encode())
    status = 429 if fault.kind == "too_many" else fault.status or 500
    answer = _Answer(status, [(b"content-type", b"application/json")], f'{{"statusCode":{status},"message":"a fault on command"}}'.encode())
    if fault.retry_after is None:
        return answer
    until = format_datetime(clock.now() + timedelta(seconds=fault.retry_after), usegmt=True)
    return answer.with_header(b"retry-after", until if fault.http_date else str(fault.retry_after))


async def _deliver(answer: _Answer, kinds: Mapping[str, Fault], receive: Receive, send: Send) -> None:
    if "slow" in kinds:
        await asyncio.sleep(_seconds(kinds["slow"], 2.0))
    if "reset" in kinds:
        await _reset(receive)
        return
    if "content_type" in kinds:
        answer = answer.with_header(b"content-type", kinds["content_type"].content_type or "text/plain")
    if "garbage" in kinds:
        noise = b"".join(seeded_random.random_int("garbage", place).to_bytes(8) for place in range(max(1, len(answer.body) // 8)))
        answer = replace(answer, body=noise).with_header(b"content-encoding", "gzip")
    answer = answer.with_header(b"content-length", str(len(answer.body)))
    body, part = answer.body, kinds["cut"].part if "cut" in kinds else None
    if "cut" in kinds:
        body = body[: int(len(body) * (0.5 if part is None else part))]
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    pieces = _PIECES if "trickle" in kinds else 1
    step = len(body) // pieces + 1
    for at in range(0, len(body), step):
        if "trickle" in kinds:
            await asyncio.sleep(_seconds(kinds["trickle"], 5.0) / pieces)
        await send({"type": "http.response.body", "body": body[at : at + step], "more_body": True})
    if "cut" in kinds:
        await _close(receive)
    else:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _seconds(fault: Fault, usual: float) -> float:
    return usual if fault.seconds is None else fault.seconds


async def _close(receive: Receive) -> None:
    """End the connection after what was sent, and wait until it has ended."""
    transport = transport_of(receive)
    if transport is None:  # an in-process client
        raise ConnectionAbortedError("the sandbox cut the answer: a fault on command")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(receive: Receive) -> None:
    """Reset the connection: the other end gets no last word."""
    transport = transport_of(receive)
    if transport is None:
        raise ConnectionResetError("the sandbox reset the connection: a fault on command")
    # Lingering for no time makes the close a reset.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
