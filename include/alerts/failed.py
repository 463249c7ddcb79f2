"""Builds the alert about a failed task."""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import dataclass

from include.alerts.alerts import Alert, Severity
from include.errors import AisleflowError

_MESSAGE_CHARACTERS = 3_500
_TITLE_CHARACTERS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTask:
    """A task that failed after its last try.

    ``error`` is the exception or its message, ``None`` if Airflow only knows that the task ended (killed, timed out).
    ``is_mapped``: one of several instances of a task; all failures of a run share one alert, and ``label`` names the
    instance, e.g. its store. ``is_wrapped``: the error is Airflow's own exception around a message of this project.
    ``needs_person``: no error, but an operator has to decide: a warning.
    """

    dag_id: str
    task_id: str
    run_id: str
    error: BaseException | str | None
    is_mapped: bool = False
    label: str | None = None
    partition_key: str | None = None
    tries: int = 1
    needs_person: bool = False
    is_wrapped: bool = False
    link: str | None = None


def failed_alert(task: FailedTask) -> Alert:
    """Return the alert about a failed task."""
    message = _message(task.error, task.is_wrapped)
    headline = message.partition("\n")[0]
    what = f"{task.dag_id}.{task.task_id}" + (f" [{task.label}]" if task.label else "")
    severity: Severity = "warning" if task.needs_person or task.is_mapped else "critical"
    title = f"{severity}: {what} failed: {headline}"
    lines = [
        message if len(message) <= _MESSAGE_CHARACTERS else message[:_MESSAGE_CHARACTERS] + "\n… the full message is in the task's log",
        f"Task: {what}, run {task.run_id}" + (f", partition {task.partition_key}" if task.partition_key else "") + f", try {task.tries}.",
    ]
    if task.is_mapped:
        lines.append("Other instances of this task may have failed in this run: they raise no further alert. The UI shows them as failed.")
    lines.append(
        "What to do: follow the message; then clear the task with downstream (in the UI: Clear). Any task may be cleared at any time. "
        f"The page of {task.dag_id} in the UI documents what it reads and writes, and its failures."
    )
    same = task.run_id if task.is_mapped else f"{task.partition_key}|{_origin(task.error, task.is_wrapped)}"
    key = "failed-" + hashlib.sha256(f"{task.dag_id}|{task.task_id}|{same}".encode()).hexdigest()[:24]
    return Alert(
        "failed",
        severity,
        title if len(title) <= _TITLE_CHARACTERS else title[: _TITLE_CHARACTERS - 1] + "…",
        "\n\n".join(lines),
        key,
        link=task.link,
    )


def _message(error: BaseException | str | None, is_wrapped: bool) -> str:
    if error is None or not str(error).strip():
        kind = type(error).__name__ if isinstance(error, BaseException) else "nothing"
        return f"the task ended without a message ({kind}): it was killed, or ran out of time. Read its log; clear it to try again."
    if isinstance(error, str):
        return error.strip()
    # messages of this project need no class name
    is_own = is_wrapped or isinstance(error, AisleflowError)
    return str(error).strip() if is_own else f"{type(error).__name__}: {str(error).strip()}"


def _origin(error: BaseException | str | None, is_wrapped: bool) -> str:
    """Return the type of an error and the function that raised it: equal for repetitions of one failure, regardless of its message.

    >>> try:
    ...     _message(None, is_wrapped=1 / 0)
    ... except ZeroDivisionError as error:
    ...     _origin(error, is_wrapped=False)
    'ZeroDivisionError <module>'
    """
    if not isinstance(error, BaseException):
        return "no exception"
    cause = error.__cause__ if is_wrapped and error.__cause__ else error
    frames = [frame.f_code.co_qualname for frame, _ in traceback.walk_tb(cause.__traceback__)]
    return " ".join([type(cause).__name__, *frames[-1:]])
