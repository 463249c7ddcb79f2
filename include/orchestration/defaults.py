"""Default arguments of all DAGs: retries, time limits, tags."""

from datetime import timedelta
from enum import StrEnum
from importlib import import_module
from typing import Any

from include.model.timetable import STORE_TIME


class Tag(StrEnum):
    """The tags a DAG may carry; a test refuses others."""

    CRAWL = "crawl"
    INGEST = "ingest"
    CATALOGUE = "catalogue"
    STORES = "stores"
    UPKEEP = "upkeep"


OWNER = "aisleflow"


def notify_failure(context: Any) -> None:
    """Call the notifier of ``plugins/aisleflow_notifier.py``; it is imported when a task failed, not when a DAG file is parsed."""
    import_module("aisleflow_notifier").FailureNotifier()(context)


def notify_success(context: Any) -> None:
    """Call the notifier that ends the alerts which the task raised earlier."""
    import_module("aisleflow_notifier").SuccessNotifier()(context)


#: Transient errors are retried, each wait twice the last; terminal ones fail without a retry (``airflow_errors.py``). The last failure
#: raises an alert, and the next success (or nothing to do) ends it.
DEFAULT_ARGS: dict[str, Any] = {
    "owner": OWNER,
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(minutes=45),
    "on_failure_callback": notify_failure,
    "on_success_callback": notify_success,
    "on_skipped_callback": notify_success,
}

#: For tasks whose failures another task of the run reports, all of them together.
REPORTED_ELSEWHERE: dict[str, Any] = {"on_failure_callback": None, "on_success_callback": None, "on_skipped_callback": None}

#: For a task that waits for the end of the night's crawls: it looks every half hour until the last one must have ended.
LOOK_AGAIN: dict[str, Any] = {
    "retries": STORE_TIME // timedelta(minutes=30) + 1,
    "retry_delay": timedelta(minutes=30),
    "max_retry_delay": timedelta(minutes=30),
    "retry_exponential_backoff": 0,
}
