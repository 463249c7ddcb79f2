"""The outcome of a store's crawl: plain values that convert to JSON, and one row per run and store in ``ops.crawl_outcome``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from include import clock
from include.crawling.crawl_run import CrawlRun
from include.retailers import errors
from include.warehouse.engine import Warehouse

Status = Literal["finished", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CategoryOutcome:
    """The outcome of one category. ``announced`` and ``products`` count distinct products, without advertisements."""

    key: str
    name: str
    status: Status
    reason: str | None = None
    pages: int = 0
    announced: int | None = None
    products: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOutcome:
    """The outcome of one crawl of one store.

    ``manifest``: the staged manifest's path below the storage root, ``None`` for a store that may be empty.
    ``is_retryable``: at least one failure is transient; a retry requests only the missing pages.
    ``site_unavailable``: requests to the site ended before the store was finished.
    ``rows_skipped``: counts by reason of the rows that are not offers; ``notes``: counts by kind of the offers with inconsistent values.
    """

    retailer: str
    store_id: str
    night: str
    run_key: str
    manifest: str | None
    rows: int
    pages: int
    requests: int
    complete: bool
    incomplete_reason: str | None
    is_retryable: bool
    seconds: float
    site_unavailable: bool = False
    categories: tuple[CategoryOutcome, ...] = ()
    rows_skipped: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    def names_with_status(self, status: Status) -> list[str]:
        """Return the names of the categories with a status."""
        return [category.name for category in self.categories if category.status == status]

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain JSON values."""
        return asdict(self) | {"categories": [asdict(category) for category in self.categories]}


#: Kinds of errors that end an attempt, the first match counts: the values of ops.crawl_outcome.error_kind.
_ERROR_KINDS: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("blocked", (errors.Blocked,)),
    ("robots", (errors.RobotsDisallowed,)),
    ("not_allowed", (errors.LiveRequestsDisabled,)),
    ("wrong_store", (errors.WrongStore,)),
    ("shape_changed", (errors.ShapeChanged, errors.UnexpectedStatus, errors.ErrorResponse)),
    ("empty", (errors.EmptyCrawl,)),
    ("site_unavailable", (errors.SiteError, errors.BreakerOpen, errors.RetryableEmptyCrawl, errors.RetryableIncompleteCrawl)),
)


def error_kind(error: BaseException) -> str:
    """Return the kind of an error that ended an attempt at a store; ``other`` for an error that is not a site's.

    >>> error_kind(errors.RobotsDisallowed("…"))
    'robots'
    >>> error_kind(ValueError("…"))
    'other'
    """
    return next((kind for kind, classes in _ERROR_KINDS if isinstance(error, classes)), "other")


@contextmanager
def recording(warehouse: Warehouse, run: CrawlRun) -> Iterator[list[CrawlOutcome]]:
    """Record the crawl inside: that it begins, then the outcome appended to the yielded list, or the error that ends it."""
    started_at = clock.now()
    with warehouse.transaction() as connection:
        connection.execute(  # without effect for a store that is not planned
            "UPDATE ops.crawl_plan SET begun_at = %s WHERE (retailer, night, store_id) = (%s, %s, %s)",
            (started_at, run.store.retailer, run.night, run.store.store_id),
        )
    found: list[CrawlOutcome] = []
    try:
        yield found
    except Exception as error:
        record(warehouse, run, started_at, error)
        raise
    record(warehouse, run, started_at, *found)


def record(warehouse: Warehouse, run: CrawlRun, started_at: datetime, result: CrawlOutcome | Exception) -> None:
    """Record the result of one attempt; a complete store-day also removes the store's crawl request."""
    values: dict[str, Any] = {
        "retailer": run.store.retailer, "store_id": run.store.store_id, "night": run.night, "run_key": run.run_key,
        "started_at": started_at, "finished_at": clock.now(), "recorded_at": clock.system_now(),
    } | (_of_error(result) if isinstance(result, Exception) else _of_outcome(result))  # fmt: skip
    with warehouse.transaction() as connection:
        connection.run("stores/record_outcome", values)
        if values["is_complete"]:
            connection.execute(
                "DELETE FROM ops.crawl_request WHERE retailer = %s AND store_id = %s AND requested_at <= %s",
                (run.store.retailer, run.store.store_id, started_at),
            )


def _of_outcome(outcome: CrawlOutcome) -> dict[str, Any]:
    detail = {name: value for name, value in outcome.to_json().items() if name in ("categories", "rows_skipped", "notes")}
    return {
        "state": "crawled", "error_kind": None, "reason": outcome.incomplete_reason, "is_complete": outcome.complete, "rows": outcome.rows, "pages": outcome.pages,
        "requests": outcome.requests, "manifest": outcome.manifest, "detail": Jsonb(detail),
    }  # fmt: skip


def _of_error(error: Exception) -> dict[str, Any]:
    return {
        "state": "blocked" if isinstance(error, errors.Blocked) else "failed", "error_kind": error_kind(error), "reason": str(error)[:2000],
        "is_complete": False, "rows": 0, "pages": 0, "requests": 0, "manifest": None, "detail": Jsonb({}),
    }  # fmt: skip


def of_run(warehouse: Warehouse, retailer: str, run_key: str) -> list[dict[str, Any]]:
    """Return the outcome of each store of a run so far: store_id, state, is_complete, error_kind, manifest, rows, reason."""
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("crawl/list_outcomes", {"retailer": retailer, "run_key": run_key}).fetchall()]


def staged(warehouse: Warehouse, retailer: str, run_key: str) -> list[dict[str, Any]]:
    """Return those of :func:`of_run` with a staged store-day, also if the last attempt failed."""
    return [row for row in of_run(warehouse, retailer, run_key) if row["manifest"]]
