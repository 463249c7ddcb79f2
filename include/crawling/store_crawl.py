"""The shared crawl: walks a store's categories, lands each page, has it read, writes the store-day.

A failing category fails that category, not the store. A category is finished when the goods read are as many
as it announces; where they are not, it is walked once more, for lists move while they are read. The store-day is
complete when every expected category is finished. A refusal stops the store at once and keeps its place: the next
attempt goes on from the landed pages.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import date
from typing import NoReturn

from include.config import Settings
from include.crawling.client import PoliteClient
from include.crawling.limiter import RequestLimiter
from include.crawling.outcome import CrawlOutcome
from include.crawling.page_source import Source
from include.crawling.walk import CrawlSubset, Progress, Walk
from include.model.offer import StoreRef
from include.retailers.base import Retailer, StoreRecord
from include.retailers.errors import EmptyCrawl, RetryableEmptyCrawl
from include.retailers.fields import reading
from include.staging.landing import Landing
from include.staging.manifest import Categories
from include.staging.staged_file import StoreDayWriter
from include.staging.storage import Stage, Storage

log = logging.getLogger(__name__)


def crawl_store(
    retailer: Retailer,
    store: StoreRef,
    *,
    night: date,
    run_key: str,
    storage: Storage,
    settings: Settings,
    stage: Stage | None = None,
    progress: Progress | None = None,
    session_headers: Mapping[str, str] | None = None,
    etags: Mapping[str, str] | None = None,
    limiter: RequestLimiter | None = None,
    subset: CrawlSubset | None = None,
    on_first_response: Callable[[], None] | None = None,
) -> CrawlOutcome:
    """Crawl one store and publish its store-day.

    Args:
        stage: where the store-day goes; without it where the retailer's belong.
        limiter: shared with everybody who asks this site; without it they are kept in this crawl alone.
        subset: read only a part of the store, and stage it as incomplete.
        on_first_response: called once, when the site has given a good answer.
        session_headers: a person's browser session (``Cookie``, ``User-Agent``) for a walled site.
        etags: of the translation tables in use, for the manifest.

    Raises:
        Blocked: the site refuses us. WrongStore: it shows another store. Nothing is published, landed pages stay.
        EmptyCrawl, RetryableEmptyCrawl: no offer at all, with the reasons of the categories.
        TransientError, TerminalError: the category tree cannot be had.
    """
    with PoliteClient(retailer, settings, session_headers=session_headers, limiter=limiter, on_first_response=on_first_response) as client:
        landing = Landing.resume(storage, store, night, run_key, hours=settings.landing_resume_hours)
        with closing(Source(retailer, store, landing, client, connections=settings.connections_per_store)) as source:
            return _store_day(retailer, store, source, night, run_key, storage, settings, stage, progress, etags, subset)


def reread_store(
    retailer: Retailer,
    store: StoreRef,
    *,
    night: date,
    run_key: str,
    storage: Storage,
    settings: Settings,
    stage: Stage | None = None,
    progress: Progress | None = None,
    etags: Mapping[str, str] | None = None,
    new_run_key: str | None = None,
) -> CrawlOutcome:
    """Read a landed store-day again through the present adapter, without a request, and publish it under its night.

    Args:
        run_key: of the run that landed the pages.
        new_run_key: the staged file's; without it ``run_key``.

    Raises:
        TerminalError: nothing was landed, or nothing can be read of it; otherwise as :func:`crawl_store`.
    """
    source = Source(retailer, store, Landing.open_existing(storage, store, night, run_key), None)
    return _store_day(retailer, store, source, night, new_run_key or run_key, storage, settings, stage, progress, etags, None)


def discover(retailer: Retailer, client: PoliteClient) -> Iterator[StoreRecord]:
    """Yield every store of a retailer's store finder once: liquor shops and petrol stations too, marked as such.

    Raises:
        Everything :meth:`PoliteClient.fetch` raises, and ShapeChanged.
    """
    values: Mapping[str, str] = {}
    if session_page := retailer.session_page_for(None):
        answer, html = client.fetch(session_page)
        with reading(retailer.name, answer.url):
            values = retailer.session(html, answer.url)
    seen: set[str] = set()
    waiting = list(retailer.store_pages())[::-1]
    while waiting:
        page = waiting.pop()
        answer, body = client.fetch(page, values)
        with reading(retailer.name, answer.url):
            found = list(retailer.stores(body))
            waiting.extend(retailer.next_store_pages(page, body))
        for store in found:
            if store.store_id not in seen:
                seen.add(store.store_id)
                yield store


def _store_day(
    retailer: Retailer,
    store: StoreRef,
    source: Source,
    night: date,
    run_key: str,
    storage: Storage,
    settings: Settings,
    stage: Stage | None,
    progress: Progress | None,
    etags: Mapping[str, str] | None,
    subset: CrawlSubset | None,
) -> CrawlOutcome:
    started, stage = time.monotonic(), stage or retailer.stage
    with StoreDayWriter(storage, stage, store, night, run_key) as writer:
        walk = Walk(retailer, store, source, writer.write, settings, subset)
        walk.run(progress)
        if writer.rows == 0 and not retailer.may_be_empty(store):
            _raise_empty_crawl(retailer, store, walk)
        reason = _incomplete_reason(walk)
        path = None
        if writer.rows:
            manifest = writer.publish(
                complete=reason is None,
                incomplete_reason=reason,
                categories=_categories(walk),
                pages=source.pages,
                adapter_version=retailer.version,
                etags=dict(etags or {}),
            )
            path = manifest.path(stage)
        seconds = round(time.monotonic() - started, 3)
        log.info(
            "%s %s: %s offers from %s pages with %s requests in %.1f s: %s",
            retailer.name, store.store_id, writer.rows, source.pages, source.requests, seconds, reason or "complete",
        )  # fmt: skip
        return CrawlOutcome(
            retailer=retailer.name,
            store_id=store.store_id,
            night=night.isoformat(),
            run_key=run_key,
            manifest=path,
            rows=writer.rows,
            pages=source.pages,
            requests=source.requests,
            complete=reason is None,
            incomplete_reason=reason,
            is_retryable=walk.is_retryable,
            seconds=seconds,
            site_unavailable=source.site_unavailable,
            categories=tuple(walk.outcomes),
            rows_skipped={name: rows for name, rows in sorted(walk.skipped.items()) if rows},
            notes=dict(sorted(walk.notes.items())),
        )


def _incomplete_reason(walk: Walk) -> str | None:
    failed = [outcome for outcome in walk.outcomes if outcome.status == "failed"]
    if not failed:
        return None
    expected = sum(outcome.status != "skipped" for outcome in walk.outcomes)
    named = "; ".join(f"{outcome.name}: {outcome.reason}" for outcome in failed[:3])
    return f"{len(failed)} of {expected} categories not finished: {named}{' …' if len(failed) > 3 else ''}"


def _categories(walk: Walk) -> Categories:
    """Return what the manifest says about categories, by name; a key is added where two have one name."""
    named = Counter(outcome.name for outcome in walk.outcomes)
    labels = {outcome.key: outcome.name if named[outcome.name] == 1 else f"{outcome.name} ({outcome.key})" for outcome in walk.outcomes}
    return Categories(
        expected=[labels[outcome.key] for outcome in walk.outcomes if outcome.status != "skipped"],
        finished=[labels[outcome.key] for outcome in walk.outcomes if outcome.status == "finished"],
        skipped={labels[outcome.key]: outcome.reason or "" for outcome in walk.outcomes if outcome.status == "skipped"},
    )


def _raise_empty_crawl(retailer: Retailer, store: StoreRef, walk: Walk) -> NoReturn:
    """Raise for a crawl without an offer, the errors of its categories together."""
    empty_tree = "The site shows no category at all: its tree is empty, or has another shape; look at the landed page `tree`."
    reasons = " ".join(dict.fromkeys(map(str, walk.errors[:5]))) or (
        empty_tree
        if not walk.outcomes
        else "Every category answered without goods. A listed store may have no shelf online: then leave it out of the crawl plan."
    )
    kind = RetryableEmptyCrawl if walk.is_retryable else EmptyCrawl
    cause = ExceptionGroup("errors of the categories", walk.errors) if walk.errors else None
    raise kind(f"{retailer.name} {store.store_id}: the crawl yielded nothing. {reasons}") from cause
