"""Builds the alert about a failed task."""

from __future__ import annotations

import hashlib
import re
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
    dedup_source = task.run_id if task.is_mapped else _without_timestamps(message)
    key = "failed-" + hashlib.sha256(f"{task.dag_id}|{task.task_id}|{dedup_source}".encode()).hexdigest()[:24]
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


def _without_timestamps(text: str) -> str:
    """Replace the parts that differ between repetitions of one message: times, durations, memory addresses.

    >>> _without_timestamps("no response after 31.2 seconds at 2026-11-18 04:00:12")
    'no response after # seconds at #'
    """
    text = re.sub(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(\.\d+)?", "#", text)
    return re.sub(r"0x[0-9a-f]+|\d+(\.\d+)?(?= seconds)", "#", text)
