"""One store asked for among others: under the installation's manners, behind the run's breaker, with a person's session if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from include.crawling import sessions
from include.crawling.breaker import Breaker, PostgresBreakerStore
from include.crawling.canary import CanaryReport, crawl_canary
from include.crawling.outcome import CrawlOutcome
from include.crawling.shared_limiter import PostgresRequestLimiter
from include.crawling.store_crawl import crawl_store
from include.crawling.walk import CrawlSubset, Progress
from include.errors import TransientError
from include.model.offer import StoreRef
from include.retailers.errors import Blocked
from include.retailers.registry import retailer_of
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse


def crawl_store_in_run(
    warehouse: Warehouse,
    storage: Storage,
    store: StoreRef,
    night: date,
    run_key: str,
    *,
    scope_suffix: str = "",
    session: sessions.Session | None = None,
    subset: CrawlSubset | None = None,
    progress: Progress | None = None,
) -> CrawlOutcome:
    """Crawl one store of a run.

    Args:
        scope_suffix: of the stores crawled after a person was asked; each round has a breaker of its own.
        session: a person's browser session; without it the one kept in the installation's home.

    Raises:
        RunAlreadyBlocked, BreakerOpen: the store was not asked for. Otherwise as :func:`crawl_store`.
    """
    retailer = store.retailer
    breaker = Breaker(retailer, PostgresBreakerStore(warehouse, retailer, run_key + scope_suffix), warehouse.settings)
    breaker.admit(store.store_id)
    try:
        outcome = crawl_store(
            retailer_of(retailer),
            store,
            night=night,
            run_key=run_key,
            storage=storage,
            settings=warehouse.settings,
            progress=progress,
            session_headers=_headers(warehouse, retailer, session),
            limiter=PostgresRequestLimiter(warehouse, retailer, run_key + scope_suffix),
            subset=subset,
            on_first_response=lambda: breaker.record_first_response(store.store_id),
        )
    except (Blocked, TransientError) as error:
        breaker.record_failure(store.store_id, error)
        raise
    except Exception:
        breaker.record_success(store.store_id)  # wrong, but it answered
        raise
    if outcome.site_unavailable:
        breaker.record_failure(store.store_id, TransientError(outcome.incomplete_reason or "the site gave out"))
    else:
        breaker.record_success(store.store_id)
    return outcome


def run_canary(
    warehouse: Warehouse, storage: Storage, store: StoreRef, night: date, run_key: str, session: sessions.Session | None = None
) -> CanaryReport:
    """Open a run with one category of one store; as :func:`include.crawling.canary.crawl_canary`."""
    return crawl_canary(
        retailer_of(store.retailer),
        store,
        night=night,
        run_key=run_key,
        storage=storage,
        settings=warehouse.settings,
        limiter=PostgresRequestLimiter(warehouse, store.retailer, run_key),
        session_headers=_headers(warehouse, store.retailer, session),
    )


def _headers(warehouse: Warehouse, retailer: str, session: sessions.Session | None) -> Mapping[str, str]:
    return sessions.headers(retailer, session, sessions.find(warehouse.settings.home, retailer))
