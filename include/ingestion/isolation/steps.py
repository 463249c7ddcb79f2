"""Each step of ingestion goes on without the store-days whose lines the database rejects, and says which lines those are.

A database error that lines cause (a constraint, a value out of range, a trigger) rolls its transaction back. Then the step is
rehearsed on parts of the lines until all culprits are found (``include/ingestion/isolation/forensics.py``), the store-day is set aside with
that report in the ledger, and the others go on. Its file stays in the outbox, ``waiting``: the next run, a clear or the sweep
tries it again. Errors no line is to blame for pass as what they are: worth another try, or a person's (``include/warehouse/database_errors.py``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg

from include import clock
from include.catalogue.resolve import Resolution
from include.catalogue.resolve import resolve as resolve_skus
from include.errors import AisleflowError, TerminalError
from include.ingestion.checks.gate import CheckReport
from include.ingestion.checks.gate import check as check_batch
from include.ingestion.copying import COLUMNS, copy_rows
from include.ingestion.isolation import forensics, rejected
from include.ingestion.isolation.forensics import Found, SearchStopped
from include.ingestion.isolation.rehearsal import Rehearsal, rehearsal
from include.ingestion.lines import LineReader
from include.ingestion.load import ensure_loaded, load_waiting
from include.ingestion.publish import Published, publish_checked, publish_file
from include.ledger import ledger
from include.staging.staged_file import open_staged
from include.staging.storage import Stage, Storage
from include.warehouse.database_errors import ErrorFacts, database_error, is_about_data, raise_unless_about_data
from include.warehouse.engine import Warehouse
from include.warehouse.statements import statement

log = logging.getLogger(__name__)

_ROUNDS_MAX = 3


@contextmanager
def _rejections(doing: str) -> Iterator[list[ErrorFacts]]:
    """Take an error that lines can be to blame for, and put it into the list; others pass as this project's errors."""
    taken: list[ErrorFacts] = []
    try:
        yield taken
    except AisleflowError:
        raise
    except Exception as error:
        cause = database_error(error)
        if cause is None:
            raise
        raise_unless_about_data(cause, doing)
        taken.append(ErrorFacts.of(cause))


def load(warehouse: Warehouse, storage: Storage, retailer: str, progress: Callable[[str], None]) -> list[int]:
    """Load every waiting file; set aside those whose lines the database rejects. Returns the ids now loaded."""
    rejected.forget(warehouse, retailer)
    with _rejections(f"load {retailer}") as found:
        return load_waiting(warehouse, storage, retailer, progress)
    assert found
    with warehouse.transaction() as connection:
        files = ledger.entries(connection, retailer, ["waiting", "loaded"])
    load_files(warehouse, storage, [file.file_id for file in files])
    with warehouse.transaction() as connection:
        return [file.file_id for file in ledger.entries(connection, retailer, ["loaded"])]


def load_files(warehouse: Warehouse, storage: Storage, file_ids: Sequence[int]) -> None:
    """Load files one by one; set aside those whose lines the database rejects."""
    deadline = _deadline(warehouse)
    for file_id in file_ids:
        with _rejections(f"load file {file_id}") as against:
            ensure_loaded(warehouse, storage, file_id)
        if against:
            _report_load(warehouse, storage, file_id, against[0], deadline)
            rejected.set_aside(warehouse, file_id)


def check(warehouse: Warehouse, storage: Storage, retailer: str) -> CheckReport:
    """Check the loaded store-days as one batch, without those whose lines the database rejects."""
    checked: CheckReport = _batch(warehouse, storage, retailer, "check", lambda place: check_batch(place, retailer))
    return checked


def resolve(warehouse: Warehouse, storage: Storage, retailer: str) -> Resolution:
    """Give every SKU of the checked store-days its product, without those whose lines the database rejects."""
    resolved: Resolution = _batch(warehouse, storage, retailer, "resolve", lambda place: resolve_skus(place, retailer))
    return resolved


def publish(warehouse: Warehouse, storage: Storage, retailer: str, progress: Callable[[str], None]) -> Published:
    """Publish the checked store-days, oldest first; leave out those whose lines the database rejects."""
    before = _loaded(warehouse, retailer)
    with _rejections(f"publish {retailer}") as found:
        return publish_checked(warehouse, storage, retailer, progress)
    assert found
    deadline = _deadline(warehouse)
    # what was published before (and beside) the error is in the ledger
    done = _published(warehouse, before)
    for file_id in _loaded(warehouse, retailer, is_checked=True):
        with _rejections(f"publish {retailer}, file {file_id}") as against:
            counts = publish_file(warehouse, storage, file_id)
            if counts is not None:
                done += counts
        if against:
            run = partial(_publish_untouched, storage, file_id)
            _report(warehouse, storage, file_id, "publish", against[0], run, deadline)
    return done


def _publish_untouched(storage: Storage, file_id: int, place: Warehouse) -> None:
    publish_file(place, _Untouched(storage), file_id)


def _batch(warehouse: Warehouse, storage: Storage, retailer: str, step: str, run: Callable[[Warehouse], Any]) -> Any:
    for _ in range(_ROUNDS_MAX):
        with _rejections(f"{step} {retailer}") as found:
            return run(warehouse)
        deadline = _deadline(warehouse)
        files = _loaded(warehouse, retailer)
        suspects = _suspects(warehouse, retailer, files, run, deadline)
        if not suspects:
            continue  # it did not happen again: whatever it was has passed
        for file_id in suspects:
            _report(warehouse, storage, file_id, step, found[0], run, deadline, others=[other for other in files if other != file_id])
            rejected.set_aside(warehouse, file_id)
    raise TerminalError(
        f"{step} {retailer}: the database rejects something that is in no single store-day: {forensics.against(found[0], None)}. Nothing of it was written. "
        "Look for a constraint or trigger that was added by hand (aisleflow warehouse psql), mend it, then clear the task."
    )


def _suspects(warehouse: Warehouse, retailer: str, files: Sequence[int], run: Callable[[Warehouse], Any], deadline: float) -> list[int]:
    """Return the store-days without which the step succeeds; when time runs out, all that were not proven innocent."""
    with rehearsal(warehouse) as place:

        def attempt(part: Sequence[int]) -> ErrorFacts | None:
            return _attempt(place, lambda: _only(place, retailer, part), lambda: run(place), deadline)

        found = forensics.search(files, attempt, _left(deadline))
    return sorted(found.culprits) if found.is_whole else sorted(set(files) - found.innocent)


def _only(place: Rehearsal, retailer: str, file_ids: Sequence[int]) -> None:
    place.connection.execute(
        "UPDATE ops.staged_file SET state = 'waiting' WHERE retailer = %s AND state = 'loaded' AND NOT file_id = ANY(%s)",
        (retailer, list(file_ids)),
    )


def _report(
    warehouse: Warehouse, storage: Storage, file_id: int, step: str, first: ErrorFacts, run: Callable[[Warehouse], Any], deadline: float,
    others: Sequence[int] = (),
) -> None:  # fmt: skip
    """Find the culprit lines of one store-day that stands in staging, and note them in the ledger."""
    found, culprits = Found(is_whole=False), list[forensics.Culprit]()
    with _stopping(file_id), rehearsal(warehouse) as place:
        connection = place.connection
        connection.execute("UPDATE ops.staged_file SET state = 'waiting' WHERE file_id = ANY(%s)", (list(others),))
        rows = {
            int(row["line_number"]): dict(row)
            for row in connection.execute(
                "SELECT * FROM staging.offer WHERE file_id = %s AND NOT is_folded ORDER BY line_number", (file_id,)
            ).fetchall()
        }
        connection.execute("CREATE TEMPORARY TABLE rehearsed ON COMMIT DROP AS SELECT * FROM staging.offer WHERE file_id = %s", (file_id,))
        # checks look at every line of the file: there, only the lines on trial are in it. For the other steps a folded line is
        # listed and otherwise left alone: there, all lines are folded but those on trial
        connection.execute(
            "UPDATE staging.offer SET file_id = CASE WHEN %(check)s THEN -file_id ELSE file_id END, is_folded = true, reasons = NULL WHERE file_id = %(file_id)s",
            {"check": step == "check", "file_id": file_id},
        )

        def try_on(part: Sequence[int]) -> None:
            connection.execute(
                "UPDATE staging.offer AS offer SET file_id = kept.file_id, is_folded = kept.is_folded, reasons = kept.reasons FROM rehearsed AS kept "
                "WHERE offer.file_id = %s AND offer.line_number = kept.line_number AND offer.line_number = ANY(%s)",
                (-file_id if step == "check" else file_id, list(part)),
            )

        def attempt(part: Sequence[int]) -> ErrorFacts | None:
            return _attempt(place, lambda: try_on(part), lambda: run(place), deadline)

        found = forensics.search(list(rows), attempt, _left(deadline))
        culprits = forensics.describe(connection, found, rows)
    _note(warehouse, storage, file_id, step, first, found, culprits)


def _report_load(warehouse: Warehouse, storage: Storage, file_id: int, first: ErrorFacts, deadline: float) -> None:
    """Find the culprit lines of a file that could not be copied into staging, and note them in the ledger."""
    with warehouse.transaction() as connection:
        manifest = ledger.entry(connection, file_id).manifest
    read = LineReader(file_id, manifest, clock.now())
    copied = {row[1]: row for row in map(read, open_staged(storage, manifest, Stage.OUTBOX, warehouse.settings.line_bytes_max))}
    found, culprits = Found(is_whole=False), list[forensics.Culprit]()
    with _stopping(file_id), rehearsal(warehouse) as place:

        def copy(part: Sequence[int]) -> None:
            copy_rows(place.connection, "staging.offer", (copied[number] for number in part))
            place.connection.execute(statement("loading/fold_doubles"), {"file_id": file_id})
            place.connection.execute(statement("loading/finish_load"), {"file_id": file_id, "now": clock.now()})

        def attempt(part: Sequence[int]) -> ErrorFacts | None:
            return _attempt(place, lambda: None, lambda: copy(part), deadline)

        found = forensics.search(sorted(copied), attempt, _left(deadline))
        rows = {number: dict(zip(COLUMNS, copied[number], strict=True)) for number in found.culprits}
        culprits = forensics.describe(place.connection, found, rows)
    _note(warehouse, storage, file_id, "load", first, found, culprits)


@contextmanager
def _stopping(file_id: int) -> Iterator[None]:
    """End a search that the database itself breaks off; what was found by then counts."""
    try:
        yield
    except psycopg.Error as error:
        log.warning("the search for the lines at fault in file %s broke off: %s", file_id, ErrorFacts.of(error).message)


def _attempt(place: Rehearsal, prepare: Callable[[], None], run: Callable[[], Any], deadline: float) -> ErrorFacts | None:
    """Rehearse a step and undo it; return what the database says against it."""
    try:
        with place.undone() as connection:
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(max(1, int(_left(deadline) * 1000))),))
            prepare()
            run()
    except AisleflowError:
        return None  # an error of ours: the database took the lines
    except (psycopg.Error, UnicodeEncodeError) as error:
        if not is_about_data(error):
            raise SearchStopped from error
        return ErrorFacts.of(error)
    return None


def _note(
    warehouse: Warehouse, storage: Storage, file_id: int, step: str, first: ErrorFacts, found: Found, culprits: Sequence[forensics.Culprit]
) -> None:
    kinds = list(found.culprits.values()) or [first]
    text = forensics.report(step, first, found, culprits, kinds)
    rejected.note(warehouse, file_id, text)
    everything = "\n".join(culprit.text() for culprit in culprits)
    log.error("file %s: %s%s", file_id, text, f"\nAll of them:\n{everything}" if len(culprits) > forensics.CULPRITS_SHOWN else "")


class _Untouched(Storage):
    """The storage during a rehearsal: it may be read, and writing into it does nothing."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage.url)

    def exists(self, path: str) -> bool:  # a move asks first whether there is anything to move
        return False

    def remove(self, path: str) -> None:
        return None

    def write(self, path: str, content: bytes) -> None:
        return None

    def put(self, local: str, path: str) -> None:
        return None


def _loaded(warehouse: Warehouse, retailer: str, *, is_checked: bool = False) -> list[int]:
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT file_id FROM ops.staged_file JOIN staging.loaded_file USING (file_id) "
            "WHERE retailer = %s AND state = 'loaded' AND (check_version IS NOT NULL OR NOT %s) ORDER BY observed_at, file_id",
            (retailer, is_checked),
        ).fetchall()
    return [int(row["file_id"]) for row in rows]


def _published(warehouse: Warehouse, file_ids: Sequence[int]) -> Published:
    with warehouse.transaction() as connection:
        row = connection.execute(
            "SELECT count(*) AS store_days, coalesce(sum(rows), 0) AS rows, coalesce(sum(created), 0) AS created, coalesce(sum(updated), 0) AS updated, "
            "coalesce(sum(unchanged), 0) AS unchanged, coalesce(sum(unavailable), 0) AS unavailable, coalesce(sum(outdated), 0) AS outdated, "
            "coalesce(sum(delisted), 0) AS delisted, coalesce(sum(folded), 0) AS folded, coalesce(sum(quarantined), 0) AS quarantined "
            "FROM ops.staged_file WHERE file_id = ANY(%s) AND published_at IS NOT NULL",
            (list(file_ids),),
        ).fetchone()
    assert row is not None
    return Published(**{name: int(count) for name, count in row.items()})


def _deadline(warehouse: Warehouse) -> float:
    return time.monotonic() + warehouse.settings.forensics_seconds


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
