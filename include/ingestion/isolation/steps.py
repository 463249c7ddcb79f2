"""The steps of ingestion, which skip store-days whose lines the database rejects and report those lines.

A database error caused by lines (a constraint, a value out of range, a trigger) rolls its transaction back. Then dry runs of the step
on parts of the lines find all rejected ones (``include/ingestion/isolation/forensics.py``), the store-day is set aside with that
report in the ledger, and the others continue. Its file stays in the outbox, ``waiting``: the next run, a clear or the sweep
retries it. Errors not caused by lines are raised as transient or terminal (``include/warehouse/database_errors.py``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import psycopg

from include import clock
from include.catalogue.regroup import Resolution
from include.catalogue.resolve import resolve as resolve_skus
from include.errors import AisleflowError, TerminalError
from include.ingestion.checks.gate import CheckReport, CountBroken
from include.ingestion.checks.gate import check as check_batch
from include.ingestion.completeness import revise_completeness
from include.ingestion.copying import COLUMNS, copy_rows
from include.ingestion.isolation import forensics
from include.ingestion.isolation.dry_run import DryRunWarehouse, dry_run
from include.ingestion.isolation.forensics import SearchResult, SearchStopped
from include.ingestion.lines import LineReader
from include.ingestion.load import ensure_loaded, load_waiting
from include.ingestion.publish import PublishCounts, publish_checked, publish_file
from include.ledger.files import entries, entry, loaded_files
from include.ledger.rejections import clear_rejections, requeue_rejected, save_rejection
from include.ledger.settling import finish_load, keep_only
from include.staging.staged_file import open_staged
from include.staging.storage import Stage, Storage
from include.warehouse.database_errors import DatabaseErrorInfo, database_error, is_data_error, raise_unless_data_error
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

_ROUNDS_MAX = 3


@contextmanager
def _collect_data_errors(operation: str) -> Iterator[list[DatabaseErrorInfo]]:
    """Catch an error that lines can cause and put it into the list; others are raised as this project's errors."""
    errors: list[DatabaseErrorInfo] = []
    try:
        yield errors
    except AisleflowError:
        raise
    except Exception as error:
        cause = database_error(error)
        if cause is None:
            raise
        raise_unless_data_error(cause, operation)
        errors.append(DatabaseErrorInfo.of(cause))


def load(warehouse: Warehouse, storage: Storage, retailer: str, progress: Callable[[str], None]) -> list[int]:
    """Load every waiting file; set aside those whose lines the database rejects. Returns the ids now loaded."""
    clear_rejections(warehouse, retailer)
    with _collect_data_errors(f"load {retailer}") as found:
        return load_waiting(warehouse, storage, retailer, progress)
    assert found
    with warehouse.transaction() as connection:
        files = entries(connection, retailer, ["waiting", "loaded"])
    load_files(warehouse, storage, [file.file_id for file in files])
    with warehouse.transaction() as connection:
        return [file.file_id for file in entries(connection, retailer, ["loaded"])]


def load_files(warehouse: Warehouse, storage: Storage, file_ids: Sequence[int]) -> None:
    """Load files one by one; set aside those whose lines the database rejects."""
    deadline = _deadline(warehouse)
    for file_id in file_ids:
        with _collect_data_errors(f"load file {file_id}") as errors:
            ensure_loaded(warehouse, storage, file_id)
        if errors:
            _report_load(warehouse, storage, file_id, errors[0], deadline)
            requeue_rejected(warehouse, file_id)


def check(warehouse: Warehouse, retailer: str, count_broken: CountBroken | None = None) -> CheckReport:
    """Check the loaded store-days as one batch, without those whose lines the database rejects."""
    checked: CheckReport = _batch(
        warehouse, retailer, _Step("check", lambda dry_warehouse: check_batch(dry_warehouse, retailer, count_broken))
    )
    return checked


def resolve(warehouse: Warehouse, retailer: str) -> Resolution:
    """Give every SKU of the checked store-days its product, without those whose lines the database rejects."""
    resolved: Resolution = _batch(warehouse, retailer, _Step("resolve", lambda dry_warehouse: resolve_skus(dry_warehouse, retailer)))
    return resolved


def publish(warehouse: Warehouse, storage: Storage, retailer: str, progress: Callable[[str], None]) -> PublishCounts:
    """Publish the checked store-days, oldest first; leave out those whose lines the database rejects."""
    revise_completeness(warehouse, storage, retailer)
    before = _loaded(warehouse, retailer)
    with _collect_data_errors(f"publish {retailer}") as found:
        return publish_checked(warehouse, storage, retailer, progress)
    assert found
    deadline = _deadline(warehouse)
    # the counts of what was published before the error, or in parallel, are in the ledger
    done = _published(warehouse, before)
    for file_id in _loaded(warehouse, retailer, is_checked=True):
        with _collect_data_errors(f"publish {retailer}, file {file_id}") as errors:
            counts = publish_file(warehouse, storage, file_id)
            if counts is not None:
                done += counts
        if errors:
            step = _Step("publish", partial(_publish_dry_run, storage, file_id))
            _report_rejected_lines(warehouse, step, file_id, errors[0], deadline)
    return done


def _publish_dry_run(storage: Storage, file_id: int, dry_warehouse: Warehouse) -> None:
    publish_file(dry_warehouse, _ReadOnlyStorage(storage), file_id)


class _Step(NamedTuple):
    """A step, and how to run it once more."""

    name: str
    run: Callable[[Warehouse], Any]


def _batch(warehouse: Warehouse, retailer: str, step: _Step) -> Any:
    for _ in range(_ROUNDS_MAX):
        with _collect_data_errors(f"{step.name} {retailer}") as found:
            return step.run(warehouse)
        deadline = _deadline(warehouse)
        files = _loaded(warehouse, retailer)
        failing_files = _find_failing_files(warehouse, retailer, files, step.run, deadline)
        if not failing_files:
            continue  # not reproducible: run the step again
        for file_id in failing_files:
            _report_rejected_lines(warehouse, step, file_id, found[0], deadline, batch_of=retailer)
            requeue_rejected(warehouse, file_id)
    raise TerminalError(
        f"{step.name} {retailer}: the database rejects the batch, but no single store-day: {forensics.describe_error(found[0], None)}. Nothing of it was written. "
        "Look for a constraint or trigger that was added manually (aisleflow warehouse psql), fix it, then clear the task."
    )


def _find_failing_files(
    warehouse: Warehouse, retailer: str, files: Sequence[int], run: Callable[[Warehouse], Any], deadline: float
) -> list[int]:
    """Return the rejected store-days; when time runs out, all that were not accepted."""
    with dry_run(warehouse) as dry_warehouse:

        def attempt(part: Sequence[int]) -> DatabaseErrorInfo | None:
            return _attempt(
                dry_warehouse, lambda: keep_only(dry_warehouse.connection, retailer, part), lambda: run(dry_warehouse), deadline
            )

        found = forensics.search(files, attempt, _seconds_left(deadline))
    return sorted(found.rejected_lines) if found.is_finished else sorted(set(files) - found.accepted)


def _report_rejected_lines(
    warehouse: Warehouse, step: _Step, file_id: int, first: DatabaseErrorInfo, deadline: float, batch_of: str | None = None
) -> None:
    """Find the rejected lines of one staged store-day and record them in the ledger.

    Args:
        batch_of: the retailer of a step that runs on its whole batch: it runs on this file alone.
    """
    found, rejected_lines = SearchResult(is_finished=False), list[forensics.RejectedLine]()
    with _log_failed_search(file_id), dry_run(warehouse) as dry_warehouse:
        connection = dry_warehouse.connection
        if batch_of is not None:
            keep_only(connection, batch_of, [file_id])
        rows = {int(row["line_number"]): dict(row) for row in connection.run("isolation/list_lines", {"file_id": file_id}).fetchall()}
        is_check = step.name == "check"
        connection.run("isolation/keep_lines", {"file_id": file_id})
        connection.run("isolation/deactivate_lines", {"file_id": file_id, "is_check": is_check})

        def activate_lines(part: Sequence[int]) -> None:
            connection.run("isolation/activate_lines", {"file_id": -file_id if is_check else file_id, "lines": list(part)})

        def attempt(part: Sequence[int]) -> DatabaseErrorInfo | None:
            return _attempt(dry_warehouse, lambda: activate_lines(part), lambda: step.run(dry_warehouse), deadline)

        found = forensics.search(list(rows), attempt, _seconds_left(deadline))
        rejected_lines = forensics.describe(connection, found, rows)
    _save_report(warehouse, file_id, step.name, first, found, rejected_lines)


def _report_load(warehouse: Warehouse, storage: Storage, file_id: int, first: DatabaseErrorInfo, deadline: float) -> None:
    """Find the rejected lines of a file that could not be copied into staging and record them in the ledger."""
    with warehouse.transaction() as connection:
        manifest = entry(connection, file_id).manifest
    read = LineReader(file_id, manifest, clock.now())
    copied = {row[1]: row for row in map(read, open_staged(storage, manifest, Stage.OUTBOX, warehouse.settings.line_bytes_max))}
    found, rejected_lines = SearchResult(is_finished=False), list[forensics.RejectedLine]()
    with _log_failed_search(file_id), dry_run(warehouse) as dry_warehouse:

        def copy(part: Sequence[int]) -> None:
            copy_rows(dry_warehouse.connection, "staging.offer", (copied[number] for number in part))
            dry_warehouse.connection.run("loading/mark_duplicates", {"file_id": file_id})
            finish_load(dry_warehouse.connection, file_id, clock.now())

        def attempt(part: Sequence[int]) -> DatabaseErrorInfo | None:
            return _attempt(dry_warehouse, lambda: None, lambda: copy(part), deadline)

        found = forensics.search(sorted(copied), attempt, _seconds_left(deadline))
        rows = {number: dict(zip(COLUMNS, copied[number], strict=True)) for number in found.rejected_lines}
        rejected_lines = forensics.describe(dry_warehouse.connection, found, rows)
    _save_report(warehouse, file_id, "load", first, found, rejected_lines)


@contextmanager
def _log_failed_search(file_id: int) -> Iterator[None]:
    """Log a database failure that ends a search; results found before it are kept."""
    try:
        yield
    except psycopg.Error as error:
        log.warning("the search for the rejected lines of file %s failed: %s", file_id, DatabaseErrorInfo.of(error).message)


def _attempt(
    dry_warehouse: DryRunWarehouse, prepare: Callable[[], None], run: Callable[[], Any], deadline: float
) -> DatabaseErrorInfo | None:
    """Run a step and roll it back; return the database's error, if any."""
    try:
        with dry_warehouse.rolled_back() as connection:
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(max(1, int(_seconds_left(deadline) * 1000))),))
            prepare()
            run()
    except AisleflowError:
        return None  # this project's error: the database accepted the lines
    except (psycopg.Error, UnicodeEncodeError) as error:
        if not is_data_error(error):
            raise SearchStopped from error
        return DatabaseErrorInfo.of(error)
    return None


def _save_report(
    warehouse: Warehouse,
    file_id: int,
    step: str,
    first: DatabaseErrorInfo,
    found: SearchResult,
    rejected_lines: Sequence[forensics.RejectedLine],
) -> None:
    errors = list(found.rejected_lines.values()) or [first]
    rejection = forensics.report(step, first, found, rejected_lines, errors)
    save_rejection(warehouse, file_id, rejection)
    everything = "\n".join(rejected_line.text() for rejected_line in rejected_lines)
    log.error(
        "file %s: %s%s",
        file_id,
        rejection.text(),
        f"\nAll of them:\n{everything}" if len(rejected_lines) > forensics.REJECTED_LINES_SHOWN else "",
    )


class _ReadOnlyStorage(Storage):
    """The storage during a dry run: readable, writes are ignored."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage.url)

    def exists(self, path: str) -> bool:  # nothing to move
        return False

    def remove(self, path: str) -> None:
        return None

    def write(self, path: str, content: bytes) -> None:
        return None

    def put(self, local: str, path: str) -> None:
        return None


def _loaded(warehouse: Warehouse, retailer: str, *, is_checked: bool = False) -> list[int]:
    with warehouse.transaction() as connection:
        return [int(file["file_id"]) for file in loaded_files(connection, retailer, is_checked=is_checked)]


def _published(warehouse: Warehouse, file_ids: Sequence[int]) -> PublishCounts:
    with warehouse.transaction() as connection:
        row = connection.run("ledger/sum_published", {"file_ids": list(file_ids)}).fetchone()
    assert row is not None
    return PublishCounts(**{name: int(count) for name, count in row.items()})


def _deadline(warehouse: Warehouse) -> float:
    return time.monotonic() + warehouse.settings.error_search_seconds


def _seconds_left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
