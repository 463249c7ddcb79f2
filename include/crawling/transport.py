"""The transport below the client: one request, one response, both within the limits of time and size.

``requests`` bounds the silence between two packets, not a response; it unpacks before it counts, and reads the body of a redirect whole,
also if told not to follow it. Here a response ends after ``AISLEFLOW_RESPONSE_SECONDS_MAX``, headers included, whatever
arrives until then, a body ends at its limit, unpacked, and a redirect is a response like any other.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import logging
import socket
import time
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from include.config import Settings
from include.retailers.bounds import COOKIES_BYTES_MAX
from include.retailers.errors import LiveRequestsDisabled, RedirectRefused, SiteError

log = logging.getLogger(__name__)

_CHUNK = 1 << 16
#: Packings that are unpacked within a limit. Several in a row are not: each could multiply the last.
_PACKINGS = ("", "identity", "gzip", "deflate")
_REDIRECTS = (301, 302, 303, 307, 308)


def is_this_machine(url: str) -> bool:
    """Return whether a URL's host is a loopback address.

    >>> is_this_machine("http://127.0.0.1:8800/coles"), is_this_machine("https://127.0.0.1.example.com/")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_allowed(url: str, settings: Settings) -> None:
    """Refuse a URL outside this machine unless live requests are allowed.

    Raises:
        LiveRequestsDisabled: they are not allowed.
    """
    if not settings.allow_live and not is_this_machine(url):
        raise LiveRequestsDisabled(
            f"no request to {urlsplit(url).hostname}: live requests are off. Set AISLEFLOW_ALLOW_LIVE=true to crawl the real site, "
            "or point AISLEFLOW_<RETAILER>_URL at the sandbox (`aisleflow sandbox serve`)."
        )


class SiteSession(requests.Session):
    """The connections and cookies of one site. Certificates are always verified, and no redirect is followed."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        guard = _Guard(settings)
        self.mount("http://", guard)
        self.mount("https://", guard)
        self.headers.update(
            {"User-Agent": settings.user_agent, "Accept-Language": "en-AU,en", "Accept-Encoding": "gzip, deflate"},
        )

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request and keep the cookies of its response, up to :data:`~include.retailers.bounds.COOKIES_BYTES_MAX` in total."""
        response = super().send(request, **kwargs)
        if sum(len(cookie.name) + len(cookie.value or "") for cookie in self.cookies) > COOKIES_BYTES_MAX:
            log.warning("%s set more than %s bytes of cookies: all are forgotten", response.url, COOKIES_BYTES_MAX)
            self.cookies.clear()
        return response

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return no target: the client decides, and requests would read the body first."""


def redirect_target(response: requests.Response, base_url: str) -> str | None:
    """Return the address that a response redirects to, ``None`` if it does not redirect.

    Raises:
        RedirectRefused: the target is not on the site of ``base_url``; from ``http`` to ``https`` is allowed, not the other way.
    """
    location = response.headers.get("location")
    if response.status_code not in _REDIRECTS or location is None:
        return None
    try:
        target = urljoin(response.url, location.encode("latin-1", "replace").decode("utf-8", "replace")).partition("#")[0]
        parts, current = urlsplit(target), urlsplit(response.url)
        is_same_site = (
            parts.username is None
            and parts.hostname == current.hostname == urlsplit(base_url).hostname
            and (_place(parts) == _place(current) or (_place(current), _place(parts)) == (("http", 80), ("https", 443)))
        )
    except ValueError:
        is_same_site, target = False, location
    if not is_same_site:
        raise RedirectRefused(
            f"{response.url} redirects to {target[:200]!r}, which is not on the same site; it was not requested. Open the address in a browser. If the site "
            "has moved, set its base URL in its adapter under include/retailers/, or AISLEFLOW_<RETAILER>_URL; if it is a bot wall, wait."
        )
    return target


def _place(parts: SplitResult) -> tuple[str, int | None]:
    return parts.scheme, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def read_body(response: requests.Response, bytes_max: int) -> bytes:
    """Read and unpack a body in chunks as they arrive.

    Raises:
        SiteError: it is larger than ``bytes_max`` unpacked, or packed more than once.
    """
    if (packing := response.headers.get("content-encoding", "").strip().lower()) not in _PACKINGS:
        raise SiteError(f"the response of {response.url} is packed as {packing[:80]!r}, gzip or deflate were requested.")
    received = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        received += chunk
        if len(received) > bytes_max:
            raise SiteError(f"the response of {response.url} is larger than AISLEFLOW_RESPONSE_BYTES_MAX={bytes_max}.")
    return bytes(received)


class _TimedSocket(io.RawIOBase):
    """The reading side of a socket, until a deadline: no read may wait beyond it."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock, self._silence_seconds, self._ends_at = sock, sock.gettimeout(), time.monotonic() + seconds
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response did not end in time")
        self._sock.settimeout(left if self._silence_seconds is None else min(left, self._silence_seconds))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """A response of which headers and body together take at most ``seconds``."""

    def __init__(self, sock: socket.socket, *args: Any, seconds: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedSocket(sock, seconds))


def _timed(pool: type[HTTPConnectionPool], seconds: float) -> type[HTTPConnectionPool]:
    class TimedPool(pool):  # type: ignore[valid-type,misc]
        def _new_conn(self) -> Any:
            connection = super()._new_conn()
            connection.response_class = partial(_TimedResponse, seconds=seconds)
            return connection

    return TimedPool


class _Guard(HTTPAdapter):
    """Checks each request's host, and limits the time of its response."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        pools = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
        self._pools = {scheme: _timed(pool, settings.response_seconds_max) for scheme, pool in pools.items()}
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        check_allowed(request.url or "", self._settings)
        return super().send(request, *args, **kwargs)
