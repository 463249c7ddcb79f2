"""Limits the requests to a site: their number in flight, a pause between them, its robots.txt requested once.

:class:`RequestLimiter` is the interface for the client. :class:`InProcessRequestLimiter` limits the requests of one process;
``include/crawling/postgres_limiter.py`` those of all workers, through the warehouse.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from include.config import Settings
from include.crawling.robots import RobotsFile


class RequestLimiter(Protocol):
    """The limits shared by all requests to one site."""

    def acquire(self, min_interval_seconds: float) -> AbstractContextManager[None]:
        """Wait for a free connection and for the next slot, at least ``min_interval_seconds`` after the last; hold the connection inside."""
        ...

    def pause(self, seconds: float) -> None:
        """Block all requests for a number of seconds, as required by the site (Retry-After)."""
        ...

    def robots(self, fetch: Callable[[], RobotsFile]) -> RobotsFile:
        """Return the site's robots.txt, requested once per run."""
        ...

    def close(self) -> None:
        """Release all connections."""
        ...


class InProcessRequestLimiter:
    """Limits the requests of one process."""

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

    def robots(self, fetch: Callable[[], RobotsFile]) -> RobotsFile:
        with self._lock:
            known = self._robots
        if known is None:
            known = self._robots = fetch()
        return known

    def close(self) -> None:
        """Release nothing: there is no connection."""


def min_interval_seconds(settings: Settings, is_local: bool) -> float:
    """Return the pause before a request: the sandbox needs none, a live site gets the delay and some jitter."""
    if is_local:
        return settings.local_delay_seconds
    return settings.crawl_delay_seconds + random.uniform(0, settings.crawl_jitter_seconds)  # noqa: S311 - no secret
