"""Limits the requests of all workers of an installation: reserved instants and robots.txt in the warehouse, connections as its advisory locks.

A connection of a killed worker becomes free: the lock ends with the worker's session. Reserved instants follow the machines'
clocks, so the workers' clocks should be synchronised (NTP).
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row

from include import clock
from include.crawling.robots import RobotsFile
from include.errors import TransientError
from include.warehouse.engine import Connection, Warehouse

_SLOT_POLL_SECONDS = 0.05
#: The server detects a lost worker machine within about two minutes and frees its connections.
_OPTIONS = "-c TimeZone=UTC -c synchronous_commit=off -c tcp_keepalives_idle=60 -c tcp_keepalives_interval=20 -c tcp_keepalives_count=3"


class PostgresRequestLimiter:
    """Limits the requests to one retailer's site; connects when first used. May be shared between threads."""

    def __init__(
        self,
        warehouse: Warehouse,
        retailer: str,
        scope: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = clock.system_now,
    ) -> None:
        """``scope`` is the run's key: robots.txt is requested once per scope. ``now`` is the machine's clock: pauses are real time."""
        self._warehouse, self._retailer, self._scope, self._sleep, self._now = warehouse, retailer, scope, sleep, now
        self._slots = warehouse.settings.requests_in_flight
        self._lock = threading.Lock()
        self._held_slots: set[int] = set()
        self._session: Connection | None = None
        self._is_paused = False

    @contextmanager
    def acquire(self, min_interval_seconds: float) -> Iterator[None]:
        slot = self._acquire_slot()
        try:
            if min_interval_seconds or self._is_paused:
                self._sleep(self._wait(min_interval_seconds))
            yield
        finally:
            self._release_slot(slot)

    def pause(self, seconds: float) -> None:
        self._is_paused = True
        self._execute("crawl/delay_requests", {"retailer": self._retailer, "not_before": self._now() + timedelta(seconds=seconds)})

    def robots(self, fetch: Callable[[], RobotsFile]) -> RobotsFile:
        key: dict[str, Any] = {"retailer": self._retailer, "scope": self._scope}
        row = self._execute("crawl/find_robots", key)
        if row is None:
            response = fetch()
            if response.is_unavailable:
                return response  # requested again next time
            self._execute(
                "crawl/save_robots",
                key | {"address": response.address, "status": response.status, "body": response.body, "now": self._now()},
            )
            row = self._execute("crawl/find_robots", key)
        assert row is not None
        return RobotsFile(row["address"], row["status"], row["body"])

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
            self._session = None
            self._held_slots.clear()

    def _wait(self, min_interval_seconds: float) -> float:
        now = self._now()
        values = {"retailer": self._retailer, "request_id": uuid.uuid4().hex, "now": now, "min_interval_seconds": min_interval_seconds}
        row = self._execute("crawl/reserve_request", values)
        assert row is not None
        wait: float = (row["next_request_at"] - now).total_seconds()
        return max(0.0, wait)

    def _acquire_slot(self) -> int:
        while True:
            for slot in random.sample(range(self._slots), self._slots):
                with self._lock:
                    if slot in self._held_slots:  # the server would grant one session the same lock twice
                        continue
                    row = self._lock_slot("pg_try_advisory_lock", slot)
                    if row is not None and row["got"]:
                        self._held_slots.add(slot)
                        return slot
            self._sleep(random.uniform(_SLOT_POLL_SECONDS / 2, _SLOT_POLL_SECONDS))  # noqa: S311 - no secret

    def _release_slot(self, slot: int) -> None:
        with self._lock:
            if slot in self._held_slots:
                self._held_slots.discard(slot)
                self._lock_slot("pg_advisory_unlock", slot)

    def _lock_slot(self, function: LiteralString, slot: int) -> DictRow | None:
        name = f"aisleflow:crawl:{self._retailer}:{slot}"
        return self._query(lambda session: session.execute(f"SELECT {function}(hashtextextended(%s, 0)) AS got", (name,)))

    def _execute(self, name: str, values: dict[str, Any]) -> DictRow | None:
        with self._lock:
            return self._query(lambda session: session.run(name, values))

    def _query(self, query: Callable[[Connection], psycopg.Cursor[DictRow]]) -> DictRow | None:
        try:
            if self._session is None:
                self._session = Connection.connect(
                    self._warehouse.url,
                    autocommit=True,
                    row_factory=dict_row,
                    options=_OPTIONS,
                    connect_timeout=10,
                    application_name=f"aisleflow crawl {self._retailer}",
                )
            cursor = query(self._session)
            return cursor.fetchone() if cursor.description else None
        except psycopg.OperationalError as error:
            self._session = None
            self._held_slots.clear()
            raise TransientError(
                f"{self._retailer}: the warehouse, which stores the limits of all crawlers, does not respond ({error}). "
                "Check that it runs (`aisleflow status`), then clear the task: it continues from its landed pages."
            ) from error


def delete_old_runs(warehouse: Warehouse, days: int) -> None:
    """Delete the crawl state of runs that ended more than ``days`` days ago."""
    with warehouse.transaction() as connection:
        connection.run("crawl/delete_old_runs", {"before": clock.system_now() - timedelta(days=days)})
