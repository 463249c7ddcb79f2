"""Builds the alerts about a failed task, one per cause. What decides is the type of the error, never its wording."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace

from include.alerts.alerts import Alert, Severity
from include.alerts.troubles import STORAGE, WAREHOUSE
from include.crawling.outcomes import error_kind
from include.crawling.run_report import StoresFailed
from include.errors import AisleflowError, NeedsPersonError
from include.staging.storage import StorageUnavailable
from include.warehouse.engine import WarehouseUnavailable

_MESSAGE_CHARACTERS = 3_500
_TITLE_CHARACTERS, _END_CHARACTERS = 240, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTask:
    """A task that failed after its last try.

    ``error`` is the exception or its message, ``None`` if Airflow only knows that the task ended (killed, timed out).
    ``is_mapped``: one of several instances of a task, and ``label`` names the instance, e.g. its store. ``is_wrapped``: the error
    is Airflow's own exception around an error of this project.
    """

    dag_id: str
    task_id: str
    run_id: str
    error: BaseException | str | None
    is_mapped: bool = False
    label: str | None = None
    retailer: str | None = None
    partition_key: str | None = None
    tries: int = 1
    is_wrapped: bool = False
    link: str | None = None

    @property
    def cause(self) -> BaseException | str | None:
        """The error without Airflow's exception around it."""
        return self.error.__cause__ if self.is_wrapped and isinstance(self.error, BaseException) and self.error.__cause__ else self.error

    @property
    def name(self) -> str:
        """The task as an alert names it, e.g. ``scrape_aldi.crawl [G100 Aldi Preston]``."""
        return f"{self.dag_id}.{self.task_id}" + (f" [{self.label}]" if self.label else "")


def failed_alerts(task: FailedTask) -> list[Alert]:
    """Return the alerts about a failed task: one, or one per cause where it reports several."""
    cause = task.cause
    if isinstance(cause, StoresFailed):
        severity: Severity = "warning" if cause.is_anything_staged else "critical"
        return [
            replace(_alert(task, stores.text(), severity), key=_of_retailer(stores.error_kind, stores.retailer)) for stores in cause.causes
        ]
    return [
        _alert(task, _message(cause, task.is_wrapped), "warning" if isinstance(cause, NeedsPersonError) or task.is_mapped else "critical")
    ]


def key_of(task: FailedTask) -> str:
    """Return the cause of a failure as a key, equal for every task that meets it.

    The warehouse and the storage root are one cause wherever they are missed; a site's trouble is one per retailer; every other failure
    is one per task, retailer (of mapped tasks: run), type of the error and function that raised it.
    """
    cause = task.cause
    if isinstance(cause, WarehouseUnavailable):
        return WAREHOUSE
    if isinstance(cause, StorageUnavailable):
        return STORAGE
    kind = error_kind(cause) if isinstance(cause, BaseException) else "other"
    if kind != "other" and task.retailer:
        return _of_retailer(kind, task.retailer)
    return "|".join([task.dag_id, task.task_id, task.retailer or "", task.run_id if task.is_mapped else "", _origin(cause)])


def _of_retailer(error_kind: str, retailer: str) -> str:
    return f"crawl|{error_kind}|{retailer}"


def _alert(task: FailedTask, message: str, severity: Severity) -> Alert:
    title = f"{severity}: {task.name} failed: {message.partition(chr(10))[0]}"
    lines = [
        message if len(message) <= _MESSAGE_CHARACTERS else message[:_MESSAGE_CHARACTERS] + "\n… the full message is in the task's log",
        f"Task: {task.name}, run {task.run_id}"
        + (f", partition {task.partition_key}" if task.partition_key else "")
        + f", try {task.tries}.",
        "What to do: follow the message; then clear the task with downstream (in the UI: Clear). Any task may be cleared at any time. "
        f"The page of {task.dag_id} in the UI documents what it reads and writes, and its failures. This is reported once, and once when it is over.",
    ]
    return Alert(
        "failed", severity, _shortened(title), "\n\n".join(lines), key_of(task),
        link=task.link, retailer=task.retailer, source=f"{task.dag_id}.{task.task_id}",
    )  # fmt: skip


def _shortened(title: str) -> str:
    """Return a title of at most 240 characters: its begin says what and where, its end what to do next."""
    if len(title) <= _TITLE_CHARACTERS:
        return title
    return f"{title[: _TITLE_CHARACTERS - _END_CHARACTERS - 3].rstrip()} … {title[-_END_CHARACTERS:].lstrip()}"


def _message(error: BaseException | str | None, is_own: bool) -> str:
    if error is None or not str(error).strip():
        kind = type(error).__name__ if isinstance(error, BaseException) else "nothing"
        return f"the task ended without a message ({kind}): it was killed, or ran out of time. Read its log; clear it to try again."
    if is_own or isinstance(error, str | AisleflowError):  # messages of this project need no class name
        return str(error).strip()
    return f"{type(error).__name__}: {str(error).strip()}"


def _origin(error: BaseException | str | None) -> str:
    """Return the type of an error and the function that raised it: equal for repetitions of one failure, regardless of its message.

    >>> try:
    ...     _message(1 / 0, is_own=False)
    ... except ZeroDivisionError as error:
    ...     _origin(error)
    'ZeroDivisionError <module>'
    """
    if not isinstance(error, BaseException):
        return "no exception"
    frames = [frame.f_code.co_qualname for frame, _ in traceback.walk_tb(error.__traceback__)]
    return " ".join([type(error).__name__, *frames[-1:]])
