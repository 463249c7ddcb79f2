"""Default arguments of all DAGs: retries, time limits, tags."""

from datetime import timedelta
from enum import StrEnum
from importlib import import_module
from typing import Any

from airflow.sdk import Param

from include.model.timetable import STORE_TIME
from include.retailer_names import RETAILERS


class Tag(StrEnum):
    """The tags a DAG may carry; a test refuses others."""

    CRAWL = "crawl"
    INGEST = "ingest"
    CATALOGUE = "catalogue"
    STORES = "stores"
    UPKEEP = "upkeep"


OWNER = "aisleflow"


#: Of a param that may stay empty: the choices of the form, in words.
RETAILER_PARAM = Param(
    None,
    type=["null", "string"],
    enum=[None, *RETAILERS],
    values_display={"null": "all retailers"} | {name: known.title for name, known in RETAILERS.items()},
    description="Only this retailer; empty = all.",
)


def summary_of(page: str) -> str:
    """Return the paragraph below the title of a DAG's page, for the list of DAGs.

    >>> summary_of("# A title\\n\\nDoes\\nthis.\\n\\nMore.")
    'Does this.'
    """
    return " ".join(page.split("\n\n")[1].split())


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
