"""The circuit breaker of a run: after several stores in a row at which a site gave out or refused, no further store is asked for.

The site gets a rest; then one store tries whether it is back, and its first good answer closes the breaker. Stores not asked for
keep their place: after a refusal they wait for a person like those refused. The state stands in the warehouse, so it holds for all tasks on all workers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from include import clock
from include.config import Settings
from include.retailers.errors import Blocked, BreakerOpen, RefusedBefore
from include.warehouse.engine import Warehouse
from include.warehouse.statements import statement

log = logging.getLogger(__name__)

Trouble = Literal["refused", "gave_out"]


@dataclass(frozen=True, slots=True)
class BreakerState:
    """One row of ``ops.crawl_breaker``."""

    changed_at: datetime
    state: Literal["closed", "open", "half_open"] = "closed"
    failures: int = 0
    kind: Trouble | None = None
    reason: str | None = None
    probe_store: str | None = None


class Kept(Protocol):
    """Where a breaker's state is kept: inside, nobody else changes it."""

    def locked(self, now: datetime) -> AbstractContextManager[tuple[BreakerState, Callable[[BreakerState], None]]]:
        """Yield the state and a function that replaces it."""
        ...


class KeptHere:
    """A breaker's state inside one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: BreakerState | None = None

    @contextmanager
    def locked(self, now: datetime) -> Iterator[tuple[BreakerState, Callable[[BreakerState], None]]]:
        def keep(state: BreakerState) -> None:
            self._state = state

        with self._lock:
            yield self._state or BreakerState(now), keep


class KeptInWarehouse:
    """A breaker's state in ``ops.crawl_breaker``, under a row lock."""

    def __init__(self, warehouse: Warehouse, retailer: str, scope: str) -> None:
        self._warehouse, self._key = warehouse, {"retailer": retailer, "scope": scope}

    @contextmanager
    def locked(self, now: datetime) -> Iterator[tuple[BreakerState, Callable[[BreakerState], None]]]:
        with self._warehouse.transaction() as connection:
            connection.execute(statement("crawl/make_breaker"), self._key | {"now": now})
            row = connection.execute(statement("crawl/lock_breaker"), self._key).fetchone()
            assert row is not None

            def keep(state: BreakerState) -> None:
                connection.execute(statement("crawl/keep_breaker"), self._key | asdict(state))

            yield BreakerState(**row), keep


class Breaker:
    """Asked before each store, told after it."""

    def __init__(self, retailer: str, kept: Kept, settings: Settings, now: Callable[[], datetime] = clock.machine_now) -> None:
        """``now`` is the machine's clock: a rest is real time."""
        self._retailer, self._kept, self._settings, self._now = retailer, kept, settings, now

    def admit(self, store_id: str) -> None:
        """Let a store be asked for, or say why not.

        Raises:
            RefusedBefore: the site refused other stores of this run. BreakerOpen: it gave out and rests.
        """
        now = self._now()
        with self._kept.locked(now) as (found, keep):
            if found.state == "closed" or (found.state == "half_open" and found.probe_store == store_id):
                return
            rest = f"AISLEFLOW_BREAKER_REST_SECONDS={self._settings.breaker_rest_seconds:g}"
            if now - found.changed_at < timedelta(seconds=self._settings.breaker_rest_seconds):
                if found.state == "half_open":
                    raise BreakerOpen(
                        f"{self._retailer} {store_id}: not asked for yet. Store {found.probe_store} tries whether the site is back."
                    )
                if found.kind == "refused":
                    raise RefusedBefore(
                        f"{self._retailer} {store_id}: not asked for. {self._said(found)} A person is needed: docs/manners.md."
                    )
                raise BreakerOpen(
                    f"{self._retailer} {store_id}: not asked for. {self._said(found)} The site rests for {rest}, then one store tries; clear the task later."
                )
            keep(replace(found, state="half_open", probe_store=store_id, changed_at=now))
        log.warning("%s: the breaker is half open, store %s tries whether the site is back", self._retailer, store_id)

    def first_answer(self, store_id: str) -> None:
        """The site answered a store that tries: others need not wait for its end. One more failure opens the breaker again."""
        now = self._now()
        with self._kept.locked(now) as (found, keep):
            if found.state != "half_open" or found.probe_store != store_id:
                return
            keep(replace(found, state="closed", failures=self._settings.breaker_stores - 1, probe_store=None, changed_at=now))
        log.warning("%s: store %s is answered, the breaker is closed again", self._retailer, store_id)

    def answered(self, store_id: str) -> None:
        """A store was crawled to its end: the row of failures ends."""
        now = self._now()
        with self._kept.locked(now) as (found, keep):
            if found.state == "open" or (found.state == "closed" and not found.failures):
                return  # a store begun before the breaker opened does not close it: the probe decides
            keep(BreakerState(now))
        if found.state != "closed":
            log.warning("%s: store %s was crawled, the breaker is closed again", self._retailer, store_id)

    def failed(self, store_id: str, error: Exception) -> None:
        """The site gave out at a store, or refused it."""
        now = self._now()
        kind: Trouble = "refused" if isinstance(error, Blocked) else "gave_out"
        with self._kept.locked(now) as (found, keep):
            failures = found.failures + 1
            opens = found.state == "half_open" or failures >= self._settings.breaker_stores
            state = replace(
                found,
                state="open" if opens else "closed",
                failures=failures,
                kind=kind,
                reason=str(error)[:1000],
                probe_store=None,
                changed_at=now,
            )
            keep(state)
        if opens:
            log.error("%s: the breaker is open, no further store of this run is asked for. %s", self._retailer, self._said(state))

    @staticmethod
    def _said(state: BreakerState) -> str:
        what = "refused" if state.kind == "refused" else "gave out"
        return f"The site {what} at {state.failures} store{'s' if state.failures > 1 else ''} of this run in a row, the last time: {state.reason}"
