"""What a hostile site answers to the request of one page, and what must come of it."""

from __future__ import annotations

import functools
import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from include.errors import AisleflowError
from include.retailers.errors import RedirectRefused, SiteError, SiteUnavailable, UnexpectedStatus
from tests.hostile.server import Asked, Send, head, whole

#: Zero bytes behind a bomb, in its small form and in its whole one; a response may have 20 MB.
SMALL_BYTES, WHOLE_BYTES = 150_000_000, 2_000_000_000


@dataclass(frozen=True)
class Answer:
    """One hostile answer.

    Attributes:
        send: writes it, given the number of bytes behind a bomb.
        error: what the client raises; ``None`` where the page is read all the same.
        said: part of the error's message.
        requests: how many are sent for the page, with one attempt.
        settings: settings that keep a test of slowness short.
    """

    name: str
    send: Callable[[int], Send]
    error: type[AisleflowError] | None
    said: str = ""
    requests: int = 1
    settings: dict[str, Any] = field(default_factory=dict)


def plain(data: bytes) -> Callable[[int], Send]:
    """Send these bytes and hang up."""
    return lambda _: lambda connection, asked: connection.sendall(data)


def body(text: bytes) -> Callable[[int], Send]:
    return plain(whole(text))


def first_then_good(first: Callable[[int], Send]) -> Callable[[int], Send]:
    """Send the hostile answer for the page, and a good one for what it leads to."""

    def made(size: int) -> Send:
        hostile = first(size)
        return lambda connection, asked: connection.sendall(whole(b"{}")) if asked.path == "/good" else hostile(connection, asked)

    return made


@functools.lru_cache
def bomb(size: int, wbits: int) -> bytes:
    packer, chunk = zlib.compressobj(9, wbits=wbits), bytes(1 << 20)
    return b"".join(packer.compress(chunk) for _ in range(size >> 20)) + packer.flush()


def packed(coding: str, wbits: int, **more: str) -> Callable[[int], Send]:
    def made(size: int) -> Send:
        data = bomb(size, wbits)
        status = more.pop("status", "200 OK")
        return lambda connection, asked: connection.sendall(whole(data, status, Content_Encoding=coding, **more))

    return made


def endless(start: bytes, piece: bytes, pause: float = 0.0) -> Callable[[int], Send]:
    """Send a piece again and again until the reader hangs up or the size of a bomb is reached."""

    def made(size: int) -> Send:
        def send(connection: socket.socket, asked: Asked) -> None:
            connection.sendall(start)
            for _ in range(size // len(piece)):
                connection.sendall(piece)
                if pause:
                    time.sleep(pause)

        return send

    return made


def redirect(location: str, status: str = "302 Found") -> Callable[[int], Send]:
    return plain(whole(b"", status, Location=location))


def objects(count: int) -> bytes:
    return b"[" + b",".join([b"{}"] * count) + b"]"


_SLOW: dict[str, Any] = {"response_seconds_max": 0.5}
_TOO_LONG = r"took longer than AISLEFLOW_RESPONSE_SECONDS_MAX=0\.5"


def answers() -> Iterator[Answer]:
    """Yield every answer."""
    yield Answer("a redirect with a bomb", first_then_good(packed("gzip", 31, status="302 Found", Location="/good")), None, requests=2)
    endless_redirect = endless(head("302 Found", Location="/good", Content_Length=10**12), b"x" * 65_536)
    yield Answer("a redirect with an endless body", first_then_good(endless_redirect), None, requests=2)
    yield Answer("a redirect to itself", redirect("/list"), RedirectRefused, "more than 3 redirects in a row", requests=4)
    yield Answer("redirects without an end", _count_up, RedirectRefused, "more than 3 redirects", requests=4)
    for location in (
        "http://localhost:1/", "//example.org/x", "https://example.org/", "http://[", "javascript:alert(1)", "file:///etc/passwd",
        "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "http://user:pass@127.0.0.1/",
    ):  # fmt: skip
        yield Answer(f"a redirect to {location!r}", redirect(location), RedirectRefused, "not on the same site")
    yield Answer("a redirect to bytes", redirect("\x80\xff://"), RedirectRefused, "more than 3 redirects", requests=4)
    yield Answer("a 302 without a target", plain(whole(b"{}", "302 Found")), UnexpectedStatus, "status 302")
    yield Answer("not modified", plain(head("304 Not Modified")), UnexpectedStatus, "status 304")

    yield Answer("headers that trickle", endless(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", 0.02), SiteError, _TOO_LONG, settings=_SLOW)
    yield Answer("a status that trickles", endless(b"HTTP/1.1 ", b"2", 0.02), SiteError, _TOO_LONG, settings=_SLOW)
    yield Answer("100 Continue for ever", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001), SiteError, _TOO_LONG, settings=_SLOW)
    yield Answer("a body that trickles", endless(head(Content_Length=10**6), b" ", 0.02), SiteError, _TOO_LONG, settings=_SLOW)
    chunked = head(Transfer_Encoding="chunked")
    yield Answer("chunks of a byte that trickle", endless(chunked, b"1\r\n \r\n", 0.02), SiteError, _TOO_LONG, settings=_SLOW)
    yield Answer(
        "silence", lambda _: lambda connection, asked: time.sleep(2), SiteError, "ReadTimeout", settings={"read_timeout_seconds": 0.3}
    )

    yield Answer("headers without an end", endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1_000), SiteError, "no complete response")
    yield Answer("a header without an end", endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65_536), SiteError, "no complete response")
    yield Answer("a body without an end", endless(head(), b" " * 65_536), SiteError, "larger than AISLEFLOW_RESPONSE_BYTES_MAX")
    yield Answer("chunks without an end", endless(chunked, b"10000\r\n" + b" " * 65_536 + b"\r\n"), SiteError, "larger than")
    yield Answer("a chunk of any size", plain(chunked + b"f" * 40 + b"\r\n{}"), SiteError, "no complete response")
    yield Answer("a chunk's size without an end", endless(chunked, b"1" * 65_536), SiteError, "no complete response")
    yield Answer("a body shorter than said", plain(head(Content_Length=10**15) + b"{}"), SiteError, "no complete response")
    yield Answer("no HTTP", plain(b"\x00\xff" * 1_000), SiteError, "no complete response")
    yield Answer("nothing at all", plain(b""), SiteError, "no complete response")
    yield Answer("a bomb", packed("gzip", 31), SiteError, "larger than AISLEFLOW_RESPONSE_BYTES_MAX")
    yield Answer("a deflated bomb", packed("deflate", 15), SiteError, "larger than AISLEFLOW_RESPONSE_BYTES_MAX")
    yield Answer("a bomb in a bomb", _nested, SiteError, "is packed as 'gzip, gzip'")
    yield Answer("a packing that was not asked for", plain(whole(b"x", Content_Encoding="br")), SiteError, "is packed as 'br'")

    yield Answer("an array nested too deep", body(b"[" * 1_000_000), SiteError, "nested too deep")
    yield Answer("an object nested too deep", body(b'{"a":' * 200_000), SiteError, "nested too deep")
    yield Answer("more values than any page", body(objects(3_000_000)), SiteError, "more than 2,000,000 values")
    yield Answer("as many values as allowed", body(objects(950_000)), None)
    yield Answer("a key twice", body(b'{"price": 1, "price": 2}'), SiteError, "key 'price' occurs twice")
    yield Answer(
        "many keys twice", body(b"{" + b",".join(b'"%d":0' % (n % 400_000) for n in range(800_000)) + b"}"), SiteError, "occurs twice"
    )
    yield Answer("not UTF-8", body(b'{"a": "\xff"}'), SiteError, "are not JSON")
    for number in (b"1e400000", b"1e99999999999999999999", b"9" * 4_000_000, b"0." + b"1" * 4_000_000, b"NaN", b"-Infinity", b"1E-400000"):
        yield Answer(f"the number {number[:12].decode()}", body(b'{"total": ' + number + b"}"), None)
    yield Answer("NUL and half a character", body(rb'{"name": "a\u0000b\ud800c\\ud800"}'), None)

    years = {"Retry_After": "315360000"}
    yield Answer("come back in ten years", plain(whole(b"", "429 Busy", **years)), SiteUnavailable, "requires a wait of 3.1536e")
    later = {"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}
    yield Answer("come back in 9999", plain(whole(b"", "503 Busy", **later)), SiteUnavailable, "requires a wait of")
    yield Answer("come back in 10**5000 s", plain(whole(b"", "503 Busy", Retry_After="9" * 5_000)), SiteUnavailable, "a wait of inf s")
    for unreadable in ("\xb2", "-1", "1e9", "Fri, 99 Foo 0000", "Thu, 01 Jan 1970 00:00:00 +9999999999"):
        yield Answer(f"come back {unreadable!r}", plain(whole(b"", "503 Busy", Retry_After=unreadable)), SiteError, "status 503")
    cookies = b"".join(b"Set-Cookie: c%d=%s\r\n" % (n, b"x" * 60_000) for n in range(90))
    yield Answer("five megabytes of cookies", plain(b"HTTP/1.1 200 OK\r\n" + cookies + b"Content-Length: 2\r\n\r\n{}"), None)


def _count_up(_: int) -> Send:
    def send(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(whole(b"", "307 Again", Location=f"{asked.path}x"))

    return send


def _nested(size: int) -> Send:
    data = gzip.compress(bomb(size, 31))
    return lambda connection, asked: connection.sendall(whole(data, Content_Encoding="gzip, gzip"))


def json_body(value: object) -> bytes:
    return json.dumps(value).encode()
