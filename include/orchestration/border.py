"""The error border: where this project's errors become Airflow's. Below it, nothing imports Airflow to say so."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from include.errors import NeedsPersonError, TerminalError

log = logging.getLogger(__name__)


@contextmanager
def border() -> Iterator[None]:
    """Turn errors that a retry cannot mend into a task that fails at once, the message on top.

    Transient errors pass as they are: the task's retries take them, and so does anything unforeseen.
    """
    try:
        yield
    except (TerminalError, NeedsPersonError) as error:
        log.error("%s", error)
        raise AirflowFailException(str(error)) from error
