"""The shared crawl: walks a store's categories, lands each page, reads it with the adapter, writes the store-day.

An error in a category fails that category, not the store. A category is finished when as many products were read
as it announces; otherwise it is walked a second time, because lists change while they are read. The store-day is
complete when every expected category is finished. A refusal stops the store immediately and keeps its progress: the next
attempt continues from the landed pages, with the translation tables that the store-day began with.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from include.crawling.cleaning import tables_in_force, tables_of
from include.crawling.client import PoliteClient
from include.crawling.crawl_run import CrawlRun
from include.crawling.outcomes import CrawlOutcome
from include.crawling.page_source import Source
from include.crawling.walk import Walk
from include.model.store import StoreRecord
from include.retailers.base import Retailer
from include.retailers.fields import reading
from include.staging.landing import Landing
from include.staging.manifest import Categories
from include.staging.staged_file import StoreDayWriter

log = logging.getLogger(__name__)


def crawl_store(run: CrawlRun, on_first_response: Callable[[], None] | None = None) -> CrawlOutcome:
    """Crawl one store and publish its store-day.

    Args:
        on_first_response: called once, after the first valid response.

    Raises:
        Blocked: the site refuses. WrongStore: a page is for another store. Nothing is published, landed pages stay.
        EmptyCrawl, RetryableEmptyCrawl: no offer, with the reasons of the categories.
        TransientError, TerminalError: the category tree is not available.
    """
    return _stage(run, on_first_response=on_first_response)


def reread_store(run: CrawlRun, landed_by: str) -> CrawlOutcome:
    """Read a landed store-day again with the present adapter, without a request, and publish it under its night.

    Args:
        landed_by: key of the run that landed the pages.

    Raises:
        TerminalError: no page was landed, or none can be read; otherwise as :func:`crawl_store`.
    """
    return _stage(run, landed_by=landed_by)


def _stage(run: CrawlRun, *, landed_by: str | None = None, on_first_response: Callable[[], None] | None = None) -> CrawlOutcome:
    """Read the store from the site, or from the landed pages of a run, and publish its store-day."""
    client = PoliteClient.of_run(run, on_first_response) if landed_by is None else None
    source, started = Source(run, client), time.monotonic()
    stage, version, is_part = run.retailer.stage, run.retailer.version, run.subset.is_part
    with closing(source), StoreDayWriter(run.storage, stage, run.store, run.night, run.run_key, version) as writer:
        if landed_by is not None:
            source.landing = Landing.open_existing(run.storage, run.store, run.night, landed_by)
        else:
            source.landing = begin_landing(run)
        tables = tables_of(run.storage, source.landing.table_etags)
        walk = Walk(run, source, tables)
        walk.run(writer.write)
        reason = _incomplete_reason(walk)
        if writer.rows:
            writer.publish(
                complete=reason is None,
                incomplete_reason=reason,
                is_partial_on_request=reason is not None and is_part,
                categories=_categories(walk),
                pages=source.pages,
                etags=tables.etags,
            )
    log.info(
        "%s %s: %s offers from %s pages with %s requests: %s",
        run.store.retailer, run.store.store_id, writer.rows, source.pages, source.requests, reason or "complete",
    )  # fmt: skip
    return CrawlOutcome(
        retailer=run.store.retailer,
        store_id=run.store.store_id,
        night=run.night.isoformat(),
        run_key=run.run_key,
        manifest=writer.manifest_path,
        rows=writer.rows,
        pages=source.pages,
        requests=source.requests,
        complete=reason is None,
        incomplete_reason=reason,
        is_retryable=walk.is_retryable,
        seconds=round(time.monotonic() - started, 3),
        site_unavailable=source.site_unavailable,
        categories=tuple(walk.outcomes),
        rows_skipped={name: rows for name, rows in sorted(walk.skipped.items()) if rows},
        notes=dict(sorted(walk.notes.items())),
    )


def begin_landing(run: CrawlRun) -> Landing:
    """Begin or resume the landing of a store-day; a new one records the translation tables in force."""
    hours, etags = run.settings.landing_resume_hours, tables_in_force(run.storage).etags
    return Landing.resume(run.storage, run.store, run.night, run.run_key, hours=hours, table_etags=etags)


def _incomplete_reason(walk: Walk) -> str | None:
    failed = [outcome for outcome in walk.outcomes if outcome.status == "failed"]
    if not failed:
        return None
    expected = sum(outcome.status != "skipped" for outcome in walk.outcomes)
    names_with_status = "; ".join(f"{outcome.name}: {outcome.reason}" for outcome in failed[:3])
    return f"{len(failed)} of {expected} categories not finished: {names_with_status}{' …' if len(failed) > 3 else ''}"


def _categories(walk: Walk) -> Categories:
    """Return the manifest's categories by name; the key is added if two have the same name."""
    names_with_status = Counter(outcome.name for outcome in walk.outcomes)
    labels = {
        outcome.key: outcome.name if names_with_status[outcome.name] == 1 else f"{outcome.name} ({outcome.key})"
        for outcome in walk.outcomes
    }
    return Categories(
        expected=[labels[outcome.key] for outcome in walk.outcomes if outcome.status != "skipped"],
        finished=[labels[outcome.key] for outcome in walk.outcomes if outcome.status == "finished"],
        skipped={labels[outcome.key]: outcome.reason or "" for outcome in walk.outcomes if outcome.status == "skipped"},
    )


def find_stores(retailer: Retailer, client: PoliteClient) -> Iterator[StoreRecord]:
    """Yield every store of a retailer's store finder once, including liquor shops and petrol stations, marked as such.

    Raises:
        All errors of :meth:`PoliteClient.fetch`, and ShapeChanged.
    """
    values: Mapping[str, str] = {}
    if session_page := retailer.session_page_for(None):
        response, html = client.fetch(session_page)
        with reading(retailer.name, response.url):
            values = retailer.session(html, response.url)
    seen: set[str] = set()
    waiting = list(retailer.store_pages())[::-1]
    while waiting:
        page = waiting.pop()
        response, body = client.fetch(page, values)
        with reading(retailer.name, response.url):
            found = list(retailer.stores(body))
            waiting.extend(retailer.next_store_pages(page, body))
        for store in found:
            if store.store_id not in seen:
                seen.add(store.store_id)
                yield store
