"""The circuit breaker of a run: after several stores in a row at which a site gave out or refused, no further store is asked for.

The site gets a rest; then one store tries whether it is back, and its first good answer closes the breaker. Stores not asked for
keep their place: after a refusal they wait for a person like those refused. The state stands in the warehouse, so it holds for all tasks on all workers.
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
    """A breaker's state in ``ops.crawl_breaker``, under a row lock: all tasks on all workers see the same."""

    def __init__(self, warehouse: Warehouse, retailer: str, scope: str) -> None:
        self._warehouse, self._key = warehouse, {"retailer": retailer, "scope": scope}

    @contextmanager
    def locked(self, now: datetime) -> Iterator[tuple[BreakerState, Callable[[BreakerState], None]]]:
        """Yield the state, which nobody else changes meanwhile, and a function that replaces it."""
        with self._warehouse.transaction() as connection:
            connection.run("crawl/create_breaker", self._key | {"now": now})
            row = connection.run("crawl/lock_breaker", self._key).fetchone()
            assert row is not None

            def save(state: BreakerState) -> None:
                connection.run("crawl/save_breaker", self._key | asdict(state))

            yield BreakerState(**row), save


class Attempt:
    """One store asked for behind a breaker."""

    def __init__(self, breaker: Breaker, store_id: str) -> None:
        self._breaker, self._store_id = breaker, store_id
        #: The store was crawled in part only, because the site did not answer any more.
        self.is_site_unavailable = False

    def record_first_response(self) -> None:
        """The site gave a good answer."""
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
        """Ask for a store inside, and count how it ends.

        Raises:
            RunAlreadyBlocked, BreakerOpen: the store must not be asked for, as :meth:`admit` says.
        """
        self.admit(store_id)
        attempt = Attempt(self, store_id)
        try:
            yield attempt
        except (Blocked, TransientError) as error:
            self.record_failure(store_id, error)
            raise
        except Exception:
            self.record_success(store_id)  # wrong, but the site answered
            raise
        if attempt.is_site_unavailable:
            self.record_failure(store_id, TransientError("the site did not answer any more, and the store is crawled in part"))
        else:
            self.record_success(store_id)

    def admit(self, store_id: str) -> None:
        """Let a store be asked for, or say why not.

        Raises:
            RunAlreadyBlocked: the site refused other stores of this run. BreakerOpen: it gave out and rests.
        """
        now = self._now()
        with self._breaker_store.locked(now) as (current, save):
            if current.state == "closed" or (current.state == "half_open" and current.probe_store == store_id):
                return
            pause = f"AISLEFLOW_BREAKER_OPEN_SECONDS={self._settings.breaker_open_seconds:g}"
            if now - current.changed_at < timedelta(seconds=self._settings.breaker_open_seconds):
                if current.state == "half_open":
                    raise BreakerOpen(
                        f"{self._retailer} {store_id}: not asked for yet. Store {current.probe_store} tries whether the site is back."
                    )
                if current.kind == "refused":
                    raise RunAlreadyBlocked(
                        f"{self._retailer} {store_id}: not asked for. {self._describe(current)} A person is needed: docs/manners.md."
                    )
                raise BreakerOpen(
                    f"{self._retailer} {store_id}: not asked for. {self._describe(current)} The site rests for {pause}, then one store tries; clear the task later."
                )
            save(replace(current, state="half_open", probe_store=store_id, changed_at=now))
        log.warning("%s: the breaker is half open, store %s tries whether the site is back", self._retailer, store_id)

    def record_first_response(self, store_id: str) -> None:
        """The site answered a store that tries: others need not wait for its end. One more failure opens the breaker again."""
        now = self._now()
        with self._breaker_store.locked(now) as (current, save):
            if current.state != "half_open" or current.probe_store != store_id:
                return
            save(replace(current, state="closed", failures=self._settings.breaker_stores - 1, probe_store=None, changed_at=now))
        log.warning("%s: store %s is answered, the breaker is closed again", self._retailer, store_id)

    def record_success(self, store_id: str) -> None:
        """A store was crawled to its end: the row of failures ends."""
        now = self._now()
        with self._breaker_store.locked(now) as (current, save):
            if current.state == "open" or (current.state == "closed" and not current.failures):
                return  # a store begun before the breaker opened does not close it: the probe decides
            save(BreakerState(now))
        if current.state != "closed":
            log.warning("%s: store %s was crawled, the breaker is closed again", self._retailer, store_id)

    def record_failure(self, store_id: str, error: Exception) -> None:
        """The site gave out at a store, or refused it."""
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
            log.error("%s: the breaker is open, no further store of this run is asked for. %s", self._retailer, self._describe(state))

    @staticmethod
    def _describe(state: BreakerState) -> str:
        what = "refused" if state.kind == "refused" else "gave out"
        return f"The site {what} at {state.failures} store{'s' if state.failures > 1 else ''} of this run in a row, the last time: {state.reason}"
