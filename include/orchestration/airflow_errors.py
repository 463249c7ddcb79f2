"""Converts this project's errors to Airflow's, so that no other layer imports Airflow for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from include.errors import NeedsPersonError, TerminalError, TransientError

log = logging.getLogger(__name__)


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Convert errors that a retry cannot fix: the task fails without a retry, the message first in its log.

    Transient ones pass unchanged, the message first in the log as well, and so do unexpected ones: the task's retries handle them.
    """
    try:
        yield
    except (TerminalError, NeedsPersonError) as error:
        log.error("%s", error)
        raise AirflowFailException(str(error)) from error
    except TransientError as error:
        log.error("%s", error)
        raise
