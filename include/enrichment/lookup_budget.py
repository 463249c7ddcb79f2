"""The nightly budget of look-up requests: every request that is sent counts, over all workers of a night."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from include import clock
from include.crawling.limiter import RequestLimiter
from include.crawling.robots import RobotsFile
from include.warehouse.engine import Warehouse


class BudgetSpent(Exception):
    """The night's look-ups may send no further request. Not an error: the rest of the queue waits for the next night."""


class BudgetedLimiter:
    """Limits requests like the limiter inside, and counts each one in ``ops.lookup_night`` before it is sent."""

    def __init__(self, inside: RequestLimiter, warehouse: Warehouse, retailer: str, night: date, requests_max: int) -> None:
        """``requests_max``: requests of this retailer's night, those sent before included."""
        self._inside, self._warehouse, self._requests_max = inside, warehouse, requests_max
        self._key = {"retailer": retailer, "night": night}

    @contextmanager
    def acquire(self, min_interval_seconds: float) -> Iterator[None]:
        """As the limiter inside.

        Raises:
            BudgetSpent: as many requests were sent as the night allows.
        """
        with self._inside.acquire(min_interval_seconds):
            self._count()
            yield

    def _count(self) -> None:
        values = self._key | {"request_id": uuid.uuid4().hex, "requests_max": self._requests_max, "now": clock.now()}
        with self._warehouse.transaction() as connection:
            if self._requests_max <= 0 or connection.run("enrichment/count_request", values).fetchone() is None:
                raise BudgetSpent

    def pause(self, seconds: float) -> None:
        """As the limiter inside."""
        self._inside.pause(seconds)

    def robots(self, fetch: Callable[[], RobotsFile]) -> RobotsFile:
        """As the limiter inside."""
        return self._inside.robots(fetch)

    def close(self) -> None:
        """As the limiter inside."""
        self._inside.close()
