"""Default arguments of all DAGs: retries, time limits, tags."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from include.orchestration.alerting import FailureNotifier


class Tag(StrEnum):
    """The tags a DAG may carry; a test refuses others."""

    CRAWL = "crawl"
    INGEST = "ingest"
    CATALOGUE = "catalogue"
    STORES = "stores"
    UPKEEP = "upkeep"


OWNER = "aisleflow"

#: Transient errors are retried, each wait twice the last; terminal ones fail without a retry (``airflow_errors.py``). The last failure raises an alert (``alerting.py``).
DEFAULT_ARGS: dict[str, Any] = {
    "owner": OWNER,
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(minutes=45),
    "on_failure_callback": FailureNotifier(),
}
