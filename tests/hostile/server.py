"""A site that wants to hurt its reader: it writes whatever bytes an answer says, on a socket of loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request as it arrived: method, path with query, headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]


Send = Callable[[socket.socket, Asked], None]


@dataclass
class HostileServer:
    """Answers each request on a connection of its own by ``send``; counts requests, connections and the bytes that it could send.

    With ``tls`` the present context is used for each new connection, so a test can change the certificate.
    """

    send: Send
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> HostileServer:
        self._listening = socket.create_server((self.host, 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):  # the client hung up: that is what many answers are about
            connection.settimeout(30)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                received = b""
                while b"\r\n\r\n" not in received:
                    if not (chunk := connection.recv(65_536)):
                        return
                    received += chunk
                first, *lines = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
                method, path, _ = first.split(" ", 2)
                asked = Asked(method, path, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)})
                self.asked.append(asked)
                self.send(connection, asked)


def head(status: str = "200 OK", **headers: object) -> bytes:
    """Return the head of a response whose connection ends with it."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def whole(body: bytes, status: str = "200 OK", **headers: object) -> bytes:
    """Return a whole response."""
    return head(status, **({"Content-Type": "application/json", "Content-Length": len(body)} | headers)) + body
