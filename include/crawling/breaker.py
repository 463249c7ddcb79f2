"""The circuit breaker of a run: after several stores in a row at which a site was unavailable or refused, no further store is crawled.

After a pause one store checks whether the site is available again, and its first valid response closes the breaker. Stores not crawled
keep their progress; after a refusal they wait for an operator like the refused ones. The state is stored in the warehouse and shared by all tasks on all workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from include import clock
from include.config import Settings
from include.crawling.crawl_run import CrawlRun
from include.errors import TransientError
from include.retailers.errors import Blocked, BreakerOpen, RunAlreadyBlocked
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

FailureKind = Literal["refused", "site_unavailable"]


@dataclass(frozen=True, slots=True)
class BreakerState:
    """One row of ``ops.crawl_breaker``."""

    changed_at: datetime
    state: Literal["closed", "open", "half_open"] = "closed"
    failures: int = 0
    kind: FailureKind | None = None
    reason: str | None = None
    probe_store: str | None = None


class PostgresBreakerStore:
    """A breaker's state in ``ops.crawl_breaker``, under a row lock: shared by all tasks on all workers."""

    def __init__(self, warehouse: Warehouse, retailer: str, scope: str) -> None:
        self._warehouse, self._key = warehouse, {"retailer": retailer, "scope": scope}

    @contextmanager
    def locked(self, now: datetime) -> Iterator[tuple[BreakerState, Callable[[BreakerState], None]]]:
        """Yield the state, locked against other changes, and a function that replaces it."""
        with self._warehouse.transaction() as connection:
            connection.run("crawl/create_breaker", self._key | {"now": now})
            row = connection.run("crawl/lock_breaker", self._key).fetchone()
            assert row is not None

            def save(state: BreakerState) -> None:
                connection.run("crawl/save_breaker", self._key | asdict(state))

            yield BreakerState(**row), save


class Attempt:
    """The crawl of one store under a breaker."""

    def __init__(self, breaker: Breaker, store_id: str) -> None:
        self._breaker, self._store_id = breaker, store_id
        #: The store was crawled only in part, because the site stopped responding.
        self.is_site_unavailable = False

    def record_first_response(self) -> None:
        """Record that the site gave a valid response."""
        self._breaker.record_first_response(self._store_id)


class Breaker:
    """Stops the run at a site that fails or refuses at several stores in a row."""

    def __init__(
        self, retailer: str, breaker_store: PostgresBreakerStore, settings: Settings, now: Callable[[], datetime] = clock.system_now
    ) -> None:
        """``now`` is the machine's clock: a pause is real time."""
        self._retailer, self._breaker_store, self._settings, self._now = retailer, breaker_store, settings, now

    @classmethod
    def of_run(cls, warehouse: Warehouse, run: CrawlRun) -> Breaker:
        """Return the breaker that all stores of a run share."""
        return cls(run.retailer.name, PostgresBreakerStore(warehouse, run.retailer.name, run.scope), run.settings)

    @contextmanager
    def attempt(self, store_id: str) -> Iterator[Attempt]:
        """Crawl a store inside, and record the result.

        Raises:
            RunAlreadyBlocked, BreakerOpen: as :meth:`admit`.
        """
        self.admit(store_id)
        attempt = Attempt(self, store_id)
        try:
            yield attempt
        except (Blocked, TransientError) as error:
            self.record_failure(store_id, error)
            raise
        except Exception:
            self.record_success(store_id)  # an error, but the site responded
            raise
        if attempt.is_site_unavailable:
            self.record_failure(store_id, TransientError("the site stopped responding, the store is crawled in part"))
        else:
            self.record_success(store_id)

    def admit(self, store_id: str) -> None:
        """Permit the crawl of a store, or raise.

        Raises:
            RunAlreadyBlocked: the site refused other stores of this run. BreakerOpen: it is unavailable and not requested for now.
        """
        now = self._now()
        with self._breaker_store.locked(now) as (current, save):
            if current.state == "closed" or (current.state == "half_open" and current.probe_store == store_id):
                return
            pause = f"AISLEFLOW_BREAKER_OPEN_SECONDS={self._settings.breaker_open_seconds:g}"
            if now - current.changed_at < timedelta(seconds=self._settings.breaker_open_seconds):
                if current.state == "half_open":
                    raise BreakerOpen(
                        f"{self._retailer} {store_id}: not crawled yet. Store {current.probe_store} checks whether the site is available; clear the task later."
                    )
                if current.kind == "refused":
                    raise RunAlreadyBlocked(
                        f"{self._retailer} {store_id}: not crawled. {self._describe(current)} An operator has to act: see docs/crawling-policy.md."
                    )
                raise BreakerOpen(
                    f"{self._retailer} {store_id}: not crawled. {self._describe(current)} No request is sent for {pause}, then one store checks the site; clear the task later."
                )
            save(replace(current, state="half_open", probe_store=store_id, changed_at=now))
        log.warning("%s: the breaker is half open, store %s checks whether the site is available", self._retailer, store_id)

    def record_first_response(self, store_id: str) -> None:
        """Close the breaker when the probing store gets a valid response, without waiting for its end. One more failure opens it again."""
        now = self._now()
        with self._breaker_store.locked(now) as (current, save):
            if current.state != "half_open" or current.probe_store != store_id:
                return
            save(replace(current, state="closed", failures=self._settings.breaker_stores - 1, probe_store=None, changed_at=now))
        log.warning("%s: the site responds to store %s, the breaker is closed again", self._retailer, store_id)

    def record_success(self, store_id: str) -> None:
        """Record that a store was crawled to its end: resets the count of failures."""
        now = self._now()
        with self._breaker_store.locked(now) as (current, save):
            if current.state == "open" or (current.state == "closed" and not current.failures):
                return  # a store begun before the breaker opened does not close it: the probe decides
            save(BreakerState(now))
        if current.state != "closed":
            log.warning("%s: store %s was crawled, the breaker is closed again", self._retailer, store_id)

    def record_failure(self, store_id: str, error: Exception) -> None:
        """Record that the site was unavailable at a store, or refused it."""
        now = self._now()
        kind: FailureKind = "refused" if isinstance(error, Blocked) else "site_unavailable"
        with self._breaker_store.locked(now) as (current, save):
            failures = current.failures + 1
            must_open = current.state == "half_open" or failures >= self._settings.breaker_stores
            state = replace(
                current,
                state="open" if must_open else "closed",
                failures=failures,
                kind=kind,
                reason=str(error)[:1000],
                probe_store=None,
                changed_at=now,
            )
            save(state)
        if must_open:
            log.error("%s: the breaker is open, no further store of this run is crawled. %s", self._retailer, self._describe(state))

    @staticmethod
    def _describe(state: BreakerState) -> str:
        what = "refused" if state.kind == "refused" else "was unavailable"
        return f"The site {what} at {state.failures} store{'s' if state.failures > 1 else ''} of this run in a row, the last time: {state.reason}"
