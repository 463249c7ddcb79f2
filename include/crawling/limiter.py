"""Manners towards a site: few requests at once, a pause between them, its robots.txt asked for once.

:class:`RequestLimiter` is what the client needs. :class:`InProcessRequestLimiter` keeps them inside one process;
``include/crawling/shared_limiter.py`` keeps them over all workers, in the warehouse.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from include.config import Settings
from include.retailers.errors import RobotsDisallowed, SiteError

#: RFC 9309: at least 500 kB of a robots.txt are read.
ROBOTS_BYTES_MAX = 500_000


@dataclass(frozen=True, slots=True)
class RobotsFile:
    """An answer to ``/robots.txt``."""

    address: str
    status: int
    body: str


class RequestLimiter(Protocol):
    """What all requests to one site share."""

    def acquire(self, min_interval_seconds: float) -> AbstractContextManager[None]:
        """Wait for a free connection and for the turn, at least ``min_interval_seconds`` after the last; hold the connection inside."""
        ...

    def pause(self, seconds: float) -> None:
        """Give nobody a turn for so long: the site asked for it (Retry-After)."""
        ...

    def robots(self, ask: Callable[[], RobotsFile]) -> RobotsFile:
        """Return the site's robots.txt, asked for once a run."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class InProcessRequestLimiter:
    """Manners among the requests of one process."""

    def __init__(self, requests_in_flight: int = 4, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep, self._slots, self._lock = sleep, threading.BoundedSemaphore(requests_in_flight), threading.Lock()
        self._next_request_at = float("-inf")
        self._robots: RobotsFile | None = None

    @contextmanager
    def acquire(self, min_interval_seconds: float) -> Iterator[None]:
        with self._slots:
            if min_interval_seconds or self._next_request_at > time.monotonic():
                with self._lock:
                    now = time.monotonic()
                    self._next_request_at = max(self._next_request_at + min_interval_seconds, now)
                    wait = self._next_request_at - now
                self._sleep(wait)
            yield

    def pause(self, seconds: float) -> None:
        with self._lock:
            self._next_request_at = max(self._next_request_at, time.monotonic() + seconds)

    def robots(self, ask: Callable[[], RobotsFile]) -> RobotsFile:
        with self._lock:
            known = self._robots
        if known is None:
            known = self._robots = ask()
        return known

    def close(self) -> None:
        """There is nothing to give back."""


class RobotsRule:
    """Whether a site's robots.txt allows an address.

    Raises:
        SiteError: the site could not say (5xx, 429): RFC 9309 then allows nothing.
    """

    def __init__(self, retailer: str, file: RobotsFile, user_agent: str) -> None:
        if file.status >= 500 or file.status == 429:
            raise SiteError(f"{retailer}: status {file.status} at {file.address}: a site that cannot say what is allowed is not crawled.")
        self._retailer, self._file, self._user_agent = retailer, file, user_agent
        self._rules = RobotFileParser(file.address)
        # a page in place of the file, or none at all, is no rule (RFC 9309); 401 and 403 are taken for a no
        is_file = file.status < 400 and not file.body.lstrip().startswith("<")
        self._rules.parse(file.body.splitlines() if is_file else ["User-agent: *", "Disallow: /"] if file.status in (401, 403) else [])

    @property
    def delay_seconds(self) -> float:
        """The pause the file asks for (``Crawl-delay``)."""
        return float(self._rules.crawl_delay(self._user_agent) or 0)

    def check(self, url: str) -> None:
        """Refuse an address the file forbids.

        Raises:
            RobotsDisallowed: it does.
        """
        if not self._rules.can_fetch(self._user_agent, url):
            raise RobotsDisallowed(
                f"{self._retailer}: {self._file.address} forbids {urlsplit(url).path} to us (status {self._file.status}). It is not asked for. "
                "Ask the site's owner, or answer for it yourself with AISLEFLOW_ROBOTS=never (docs/manners.md)."
            )


def obeys_robots(setting: Literal["live", "always", "never"], is_local: bool) -> bool:
    """Whether a site's robots.txt is asked for.

    >>> obeys_robots("live", is_local=True), obeys_robots("live", is_local=False), obeys_robots("always", is_local=True)
    (False, True, True)
    """
    return setting == "always" or (setting == "live" and not is_local)


def min_interval_seconds(settings: Settings, is_local: bool) -> float:
    """Return the pause before a request: the sandbox is ours and needs none, a live site gets the delay and some jitter."""
    if is_local:
        return settings.local_delay_seconds
    return settings.crawl_delay_seconds + random.uniform(0, settings.crawl_jitter_seconds)  # noqa: S311 - no secret
